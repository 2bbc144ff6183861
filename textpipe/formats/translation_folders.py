"""The tokenizers of translation models that `transformers` saves without a tokenizer.json: Marian's and M2M100's.

What enters: a folder with sentencepiece models and the ids of their pieces; or the tokenizers of both sides. What
leaves: the other. Promises: the ids that MarianTokenizer and M2M100Tokenizer give, for sources and for targets.

Marian has a sentencepiece model for each side (source.spm, target.spm) and one vocab.json, or one for each. M2M100 has
one model for all languages, and a token for each language, with an id behind the vocabulary: it stands before a text.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from textpipe.errors import ConfigError, FormatError, InputError, TextpipeError, did_you_mean
from textpipe.files import write_bytes, write_json
from textpipe.files.reading import read_bytes
from textpipe.formats import sentencepiece
from textpipe.formats.fields import Field, parse_json, read_vocab
from textpipe.formats.parts import Parts
from textpipe.limits import Limits
from textpipe.models import SentencePiece
from textpipe.models.added_tokens import AddedToken, AddedVocabulary
from textpipe.processors import TemplateProcessing

__all__ = ["Languages", "Side", "is_translation_folder", "is_translation_tokenizer", "read", "write"]

Side = Literal["source", "target"]
Languages = tuple[str | None, str | None]
"""Of the source and of the target; None is what the folder says."""

_PIECES = {"source": "source.spm", "target": "target.spm"}
_ALL_LANGUAGES = "sentencepiece.bpe.model"
_VOCAB, _TARGET_VOCAB = "vocab.json", "target_vocab.json"
_CONFIG = "tokenizer_config.json"
_CODES: Mapping[str, str] = {
    "m2m100": (
        "af am ar ast az ba be bg bn br bs ca ceb cs cy da de el en es et fa ff fi fr fy ga gd gl gu ha he hi hr ht hu "
        "hy id ig ilo is it ja jv ka kk km kn ko lb lg ln lo lt lv mg mk ml mn mr ms my ne nl no ns oc or pa pl ps pt "
        "ro ru sd si sk sl so sq sr ss su sv sw ta th tl tn tr uk ur uz vi wo xh yi yo zh zu"
    ),
    "wmt21": "en ha is ja cs ru zh de",
}


def is_translation_folder(folder: Path) -> bool:
    """Whether the tokenizers of a folder are of this kind."""
    return (folder / _PIECES["source"]).is_file() or (
        (folder / _ALL_LANGUAGES).is_file() and (folder / _VOCAB).is_file()
    )


def is_translation_tokenizer(parts: Parts) -> bool:
    """Whether a tokenizer has ids as those of these folders have them, and no tokenizer.json can say what it does."""
    return isinstance(parts.model, SentencePiece) and parts.model.vocab is not None


def read(folder: Path, settings: Field, limits: Limits, *, side: Side, languages: Languages = (None, None)) -> Parts:
    """The tokenizer of one side, with what stands around its texts.

    Raises
    ------
    FormatError
        when a file is missing or broken, or the files do not belong together.
    ConfigError
        when the model has no such language.
    """
    is_marian = (folder / _PIECES["source"]).is_file()
    name = _PIECES[side] if is_marian else _ALL_LANGUAGES
    has_two = is_marian and settings.get("separate_vocabs", bool, False)
    vocab_path = folder / (_TARGET_VOCAB if has_two and side == "target" else _VOCAB)
    unknown = _token_of(settings, "unk_token", "<unk>")
    data = read_bytes(vocab_path, limits.tokenizer_file_bytes)
    vocab = read_vocab(Field(parse_json(data, path=str(vocab_path), limits=limits), "", str(vocab_path)), limits)
    parts = sentencepiece.read_model(folder / name, limits)
    assert isinstance(parts.model, SentencePiece)
    try:
        model = parts.model.renumbered(vocab, unknown)
    except TextpipeError as error:
        raise FormatError(error.what, path=vocab_path, allowed=error.allowed, hint=error.hint) from None
    if is_marian:
        tokens = [piece for piece in vocab if piece.startswith(">>") and piece.endswith("<<")]
        asked = languages[1] if side == "source" else None  # what a source is to be turned into stands before it
        first = None if asked is None else _chosen(f">>{asked.strip('<>')}<<", tokens, folder)
    else:
        kind = settings.get("language_codes", str, "m2m100")
        if kind not in _CODES:
            settings.need("language_codes").fail(f'is "{kind}"', allowed=" or ".join(_CODES))
        tokens = _tokens_of(kind)
        asked = languages[0] if side == "source" else languages[1]
        asked = asked or settings.get("src_lang" if side == "source" else "tgt_lang", str, None, nullable=True)
        asked = asked or ("en" if side == "source" else None)  # what theirs takes
        first = None if asked is None else _chosen(f"__{asked.strip('_')}__", tokens, folder)
    added = AddedVocabulary()
    added.add([AddedToken(token, normalized=False, special=True) for token in tokens], model)
    last = _token_of(settings, "eos_token", "</s>")
    if last not in vocab:
        raise FormatError(f'has no "{last}", which ends texts', path=vocab_path)
    frame = _frame(first, last, {**added.ids, last: vocab[last]})
    return dataclasses.replace(parts, model=model, added=added, post_processor=frame)


def _tokens_of(kind: str) -> list[str]:
    return [f"__{code}__" for code in _CODES[kind].split()]


def _token_of(settings: Field, role: str, default: str) -> str:
    part = settings.part(role, required=False)
    if part is None or part.value is None:
        return default
    token: str = part.need("content").of(str) if isinstance(part.value, dict) else part.of(str)
    return token


def _chosen(token: str, tokens: list[str], folder: Path) -> str:
    if token not in tokens:
        if not tokens:
            raise ConfigError("this model has no tokens for languages", where=folder, hint="name no language")
        raise ConfigError(
            f"the model has no language {token.strip('_<>')!r}",
            where=folder,
            allowed=", ".join(known.strip("_<>") for known in tokens),
            hint=did_you_mean(token.strip("_<>"), [known.strip("_<>") for known in tokens]) or None,
        )
    return token


def _frame(first: str | None, last: str, ids: Mapping[str, int]) -> TemplateProcessing:
    begin = [] if first is None else [first]
    single, pair = " ".join([*begin, "$A", last]), " ".join([*begin, "$A", "$B", last])
    return TemplateProcessing(single, pair, [(token, ids[token]) for token in {*begin, last}])


def write(folder: Path, source: Parts, target: Parts, *, is_marian: bool, settings: Mapping[str, Any]) -> None:
    """Write the tokenizers of both sides.

    Raises
    ------
    InputError
        when no tokenizer of these families does what they do.
    """
    models = {"source": source.model, "target": target.model}
    vocabularies = [model.vocab for model in models.values() if isinstance(model, SentencePiece)]
    if len(vocabularies) != 2 or None in vocabularies:
        raise InputError("one side has ids of its own for the pieces of a .model and the other has not")
    is_one = vocabularies[0] == vocabularies[1]
    if not is_marian and source.model != target.model:
        raise InputError("M2M100Tokenizer has one model for both sides, and these are two")
    if is_marian:
        for side, parts in (("source", source), ("target", target)):
            write_bytes(folder / _PIECES[side], _model_bytes(parts))
    else:
        write_bytes(folder / _ALL_LANGUAGES, _model_bytes(source))
    write_json(folder / _VOCAB, vocabularies[0])
    if not is_one:
        write_json(folder / _TARGET_VOCAB, vocabularies[1])
    own: dict[str, Any] = {"tokenizer_class": "MarianTokenizer", "separate_vocabs": not is_one}
    if not is_marian:
        own = {"tokenizer_class": "M2M100Tokenizer", "num_madeup_words": 0, **_languages(source, target)}
    write_json(folder / _CONFIG, {**own, **settings})


def _languages(source: Parts, target: Parts) -> dict[str, Any]:
    """Which list of languages the tokens are, and which of them stands before each side's texts."""
    tokens = [token.content for _, token in sorted(source.added.by_id.items()) if token.content.startswith("__")]
    kinds = [kind for kind in _CODES if tokens == _tokens_of(kind)]
    if not kinds:
        raise InputError("the tokens of the languages are not those of M2M100Tokenizer")
    found: dict[str, Any] = {"language_codes": kinds[0]}
    for key, parts in (("src_lang", source), ("tgt_lang", target)):
        frame = parts.post_processor.to_dict() if parts.post_processor is not None else {"single": []}
        first = next((row["SpecialToken"]["id"] for row in frame["single"] if "SpecialToken" in row), "")
        found[key] = first.strip("_") if first in tokens else None
    return found


def _model_bytes(parts: Parts) -> bytes:
    assert isinstance(parts.model, SentencePiece)
    return sentencepiece.to_bytes(dataclasses.replace(parts, model=parts.model.renumbered(None)))
