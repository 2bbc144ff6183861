"""The folder of a tokenizer as `transformers` saves it.

What enters: a folder with a tokenizer.json (or the files of BERT, GPT-2, RoBERTa, CLIP, Marian, M2M100, or a .model)
and a tokenizer_config.json; or the parts of a tokenizer. What leaves: the other. Promises: the ids that AutoTokenizer
gives for it; settings that are no part of a tokenizer, such as a chat template, are kept as they are.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from textpipe.errors import ConfigError, FormatError, TextpipeError
from textpipe.files.reading import read_bytes
from textpipe.formats import sentencepiece, tokenizer_json, translation_folders
from textpipe.formats.families import bert, byte_level_family
from textpipe.formats.fields import Field, parse_json
from textpipe.formats.parts import Parts
from textpipe.formats.translation_folders import Languages, Side
from textpipe.limits import DEFAULT_LIMITS, Limits
from textpipe.models import BPE, WordPiece
from textpipe.models.added_tokens import AddedToken, AddedVocabulary
from textpipe.processors import TemplateProcessing

__all__ = ["CONFIG", "kept", "read", "write"]

CONFIG = "tokenizer_config.json"
_SPECIALS = "special_tokens_map.json"
_TOKENIZER = "tokenizer.json"
ROLES = ("bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token")
_FLAGS = ("single_word", "lstrip", "rstrip", "normalized", "special")

# Which part a special token has by its name, where nothing says so.
_ROLE_OF = {
    "<s>": ("bos_token",),
    "</s>": ("eos_token",),
    "<unk>": ("unk_token",),
    "<pad>": ("pad_token",),
    "<mask>": ("mask_token",),
    "[UNK]": ("unk_token",),
    "[SEP]": ("sep_token",),
    "[PAD]": ("pad_token",),
    "[CLS]": ("cls_token",),
    "[MASK]": ("mask_token",),
    "<|endoftext|>": ("bos_token", "eos_token", "unk_token"),
    "<|begin_of_text|>": ("bos_token",),
    "<|end_of_text|>": ("eos_token",),
    "<|startoftext|>": ("bos_token",),
}


def read(
    folder: Path, limits: Limits = DEFAULT_LIMITS, *, side: Side = "source", languages: Languages = (None, None)
) -> Parts:
    """Read the tokenizer in a folder.

    Parameters
    ----------
    side : of a translation model whose sides have tokenizers of their own, or what stands around their texts.
    languages : those of such a model, see :mod:`textpipe.formats.translation_folders`.

    Raises
    ------
    FormatError
        when one of its files is broken, or they do not fit one another.
    """
    settings = _read_object(folder / CONFIG, limits)
    extra = _read_object(folder / _SPECIALS, limits)
    merged = {**extra.value, **settings.value}
    if side == "target":
        merged.pop("added_tokens_decoder", None)  # its ids are those of sources
    field = Field(merged, "", str(folder / CONFIG))
    parts = _base(folder, field, limits, side, languages)
    parts = _with_tokens(parts, field, limits)
    kept = {key: value for key, value in merged.items() if key != "added_tokens_decoder"}
    if parts.post_processor is None and not (folder / _TOKENIZER).exists():
        parts = _with_ends(parts, field)  # a tokenizer.json has said it all
    return dataclasses.replace(parts, settings=kept)


def _read_object(path: Path, limits: Limits) -> Field:
    if not path.exists():
        return Field({}, "", str(path))
    field = Field(
        parse_json(read_bytes(path, limits.tokenizer_file_bytes), path=str(path), limits=limits), "", str(path)
    )
    field.of(dict)
    return field


def _base(folder: Path, settings: Field, limits: Limits, side: Side, languages: Languages) -> Parts:
    """The tokenizer in the folder's own files."""
    path = folder / _TOKENIZER
    if not path.exists() and translation_folders.is_translation_folder(folder):
        return translation_folders.read(folder, settings, limits, side=side, languages=languages)
    if languages != (None, None):
        raise ConfigError("this model has no tokens for languages", where=folder, hint="name no language")
    if path.exists():
        return tokenizer_json.read(read_bytes(path, limits.tokenizer_file_bytes), path=str(path), limits=limits)
    for name, reader in _BARE.items():
        if (folder / name).exists():
            try:
                return reader(folder, settings)
            except FormatError:
                raise
            except TextpipeError as error:
                raise FormatError(error.what, path=folder / name, allowed=error.allowed, hint=error.hint) from None
    models = sorted(folder.glob("*.model"))
    if models:
        return sentencepiece.read_model(models[0], limits)
    raise FormatError(
        "there is no tokenizer beside it", path=folder / CONFIG, allowed=", ".join((_TOKENIZER, *_BARE, "*.model"))
    )


def _bare_bert(folder: Path, settings: Field) -> Parts:
    return bert(
        WordPiece.read_file(str(folder / "vocab.txt")),
        lowercase=settings.get("do_lower_case", bool, None),
        strip_accents=settings.get("strip_accents", bool, None, nullable=True),
        chinese_characters=settings.get("tokenize_chinese_chars", bool, True),
    )


def _bare_bytes(folder: Path, settings: Field) -> Parts:
    pieces, merges = BPE.read_file(str(folder / "vocab.json"), str(folder / "merges.txt"))
    return byte_level_family(pieces, merges, add_prefix_space=settings.get("add_prefix_space", bool, False))


_BARE: Mapping[str, Callable[[Path, Field], Parts]] = {"vocab.txt": _bare_bert, "vocab.json": _bare_bytes}


def _with_tokens(parts: Parts, settings: Field, limits: Limits) -> Parts:
    """Add what the settings name and the tokenizer lacks, in the order `transformers` does."""
    table = settings.part("added_tokens_decoder", required=False)
    numbered = {} if table is None else {name: table.need(name) for name in table.of(dict)}
    if len(numbered) > limits.num_added_tokens:
        raise FormatError(f"has {len(numbered)} added tokens", path=settings.path, field="added_tokens_decoder")
    added = AddedVocabulary()
    added.add((token for _, token in sorted(parts.added.by_id.items())), parts.model)
    for name in sorted(numbered, key=lambda key: (len(key), key)):
        token = _token(numbered[name])
        added.add([token], parts.model)
        if str(added.token_to_id(token.content, parts.model)) != name:
            numbered[name].fail(f'gives "{token.content[:40]}" the id {name}, where it gets another')
    named = [part for role in ROLES for part in _named(settings, role)]
    for part in (*named, *_named(settings, "additional_special_tokens"), *_named(settings, "extra_special_tokens")):
        token = _token(part)
        if token.content not in added.ids:
            added.add([token.copy(special=True)], parts.model)
    return dataclasses.replace(parts, added=added)


def _named(settings: Field, key: str) -> Iterator[Field]:
    part = settings.part(key, required=False)
    if part is None or part.value is None:
        return
    if isinstance(part.value, list):
        yield from part.items()
    elif isinstance(part.value, dict) and "content" not in part.value:
        yield from (part.need(name) for name in part.value)
    else:
        yield part


def _token(field: Field) -> AddedToken:
    if isinstance(field.value, str):
        return AddedToken(field.value, normalized=False, special=True)
    flags = {flag: field.get(flag, bool, False) for flag in _FLAGS}
    return AddedToken(field.get("content", str), **flags)


def _with_ends(parts: Parts, settings: Field) -> Parts:
    """The template that ``add_bos_token`` and ``add_eos_token`` ask for, where one of them is set."""
    asked = {role: settings.get(f"add_{role}", bool, None, nullable=True) for role in ("bos_token", "eos_token")}
    if asked == {"bos_token": None, "eos_token": None}:
        return parts
    ends = {
        role: [_token(part).content for part in _named(settings, role)] if wanted else []
        for role, wanted in asked.items()
    }
    words = [*ends["bos_token"], "$A", *ends["eos_token"]]
    single = " ".join(f"{word}:0" for word in words)
    pair = single + " " + " ".join(f"{word.replace('$A', '$B')}:1" for word in words)
    tokens = {name: parts.added.ids[name] for names in ends.values() for name in names}
    try:
        template = TemplateProcessing(single, pair, list(tokens.items()))
    except TextpipeError as error:
        raise FormatError(error.what, path=settings.path, field="add_bos_token", allowed=error.allowed) from None
    return dataclasses.replace(parts, post_processor=template)


def kept(parts: Parts) -> Parts:
    """What reading the folder that :func:`write` makes would give: every part, and the settings."""
    return dataclasses.replace(parts, settings=_settings_of(parts))


def _settings_of(parts: Parts) -> dict[str, Any]:
    if parts.settings:
        return dict(parts.settings)
    settings: dict[str, Any] = {"tokenizer_class": "PreTrainedTokenizerFast", "clean_up_tokenization_spaces": False}
    for token in parts.added.by_id.values():
        if token.special:
            settings |= {role: token.content for role in _ROLE_OF.get(token.content, ()) if role not in settings}
    return settings


def write(parts: Parts, folder: Path) -> list[Path]:
    """Write tokenizer.json, tokenizer_config.json and special_tokens_map.json."""
    from textpipe.files import write_json, write_text

    settings = _settings_of(parts)
    paths = [folder / _TOKENIZER, folder / CONFIG, folder / _SPECIALS]
    write_text(paths[0], tokenizer_json.write(parts, pretty=True))
    write_json(paths[1], settings)
    write_json(paths[2], {role: settings[role] for role in ROLES if settings.get(role) is not None})
    return paths
