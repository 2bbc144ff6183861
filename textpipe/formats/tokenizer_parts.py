"""The stages of a tokenizer.json.

What enters: the object that stands for a normalizer, a pre-tokenizer, a post-processor or a decoder. What leaves:
that part. Each row of the tables below names a part and how it is read from its fields.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from textpipe import decoders, normalizers, pre_tokenizers, processors
from textpipe.errors import FormatError, TextpipeError, did_you_mean
from textpipe.formats import scored_pieces
from textpipe.formats.fields import Field
from textpipe.formats.growth import check_growth
from textpipe.formats.own_stages import is_allowed, own_stage
from textpipe.limits import DEFAULT_LIMITS
from textpipe.pre_tokenizers.metaspace import PREPEND_SCHEMES
from textpipe.pre_tokenizers.split import BEHAVIORS
from textpipe.stages.pattern import Regex

__all__ = ["STAGES", "read"]

Reader = Callable[[Field], Any]


def read(stage: str, field: Field) -> Any:
    """The part of a stage (``normalizer``, …) that ``field`` stands for.

    Raises
    ------
    FormatError
        when there is no such part, or its fields are wrong.
    """
    known = STAGES[stage]
    kind = field.get("type", str, None, nullable=True) or _kind_by_fields(stage, field)
    if kind not in known and "." in kind:
        return _own(stage, kind, field)
    if kind not in known:
        hint = did_you_mean(kind, known)
        field.need("type").fail(f'is "{kind}", a {stage.replace("_", "-")} there is none of here', hint=hint)
    try:
        part = known[kind](field)
    except FormatError:
        raise
    except TextpipeError as error:
        raise FormatError(
            error.what, path=field.path, field=field.name, allowed=error.allowed, hint=error.hint
        ) from None
    if stage in ("normalizer", "decoder"):
        check_growth(part, field, DEFAULT_LIMITS)
    return part


def _own(stage: str, kind: str, field: Field) -> Any:
    """A stage that the format does not know, which the caller must have asked for."""
    make = own_stage(stage, kind)
    entry, name = field.need("type"), kind[:80]
    if not is_allowed(kind):
        entry.fail(f'is "{name}", a stage that is no part of the format', hint=f"pass allow=[{name!r}] if you trust it")
    if make is None:
        entry.fail(f'is "{name}", which nothing here has registered', hint="import the package it is of")
    try:
        return make(**{name: value for name, value in field.value.items() if name != "type"})
    except (TypeError, TextpipeError) as error:
        raise FormatError(f"{kind} cannot be made: {error}", path=field.path, field=field.name) from None


def _kind_by_fields(stage: str, field: Field) -> str:
    """What a part without a type is; the first files had none, and `tokenizers` still takes them."""
    for kind, keys in _UNTYPED[stage].items():
        if all(key in field.value for key in keys):
            return kind
    return str(field.get("type", str))


_UNTYPED: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "normalizer": {
        "BertNormalizer": ("clean_text", "handle_chinese_chars", "lowercase"),
        "Strip": ("strip_left", "strip_right"),
        "Sequence": ("normalizers",),
        "Replace": ("pattern", "content"),
        "Prepend": ("prepend",),
    },
    "pre_tokenizer": {},
    "post_processor": {
        "RobertaProcessing": ("sep", "cls", "trim_offsets", "add_prefix_space"),
        "BertProcessing": ("sep", "cls"),
        "TemplateProcessing": ("single", "pair", "special_tokens"),
    },
    "decoder": {
        "BPEDecoder": ("suffix",),
        "WordPiece": ("prefix", "cleanup"),
        "Replace": ("pattern", "content"),
        "Strip": ("content", "start", "stop"),
        "CTC": ("pad_token", "word_delimiter_token", "cleanup"),
    },
}


def _plain(make: Callable[[], Any]) -> Reader:
    def reader(field: Field) -> Any:
        field.known("type")
        return make()

    return reader


def _byte_level(make: Callable[..., Any]) -> Reader:
    def reader(field: Field) -> Any:
        field.known("type", "add_prefix_space", "trim_offsets", "use_regex")
        return make(
            add_prefix_space=field.get("add_prefix_space", bool),
            trim_offsets=field.get("trim_offsets", bool),
            use_regex=field.get("use_regex", bool, True),
        )

    return reader


def _sequence(stage: str, key: str, make: Callable[[list[Any]], Any]) -> Reader:
    def reader(field: Field) -> Any:
        field.known("type", key)
        return make([read(stage, part) for part in field.need(key).items()])

    return reader


def _pattern(field: Field) -> str | Regex:
    field.only("String", "Regex")
    if len(field.value) != 1:
        field.fail("is no pattern", allowed='{"String": …} or {"Regex": …}')
    return field.get("String", str) if "String" in field.value else Regex(field.get("Regex", str))


def _replace(make: Callable[[str | Regex, str], Any]) -> Reader:
    def reader(field: Field) -> Any:
        field.known("type", "pattern", "content")
        return make(_pattern(field.need("pattern")), field.get("content", str))

    return reader


def _strip_normalizer(field: Field) -> normalizers.Strip:
    field.known("type", "strip_left", "strip_right")
    return normalizers.Strip(field.get("strip_left", bool), field.get("strip_right", bool))


def _bert_normalizer(field: Field) -> normalizers.BertNormalizer:
    field.known("type", "clean_text", "handle_chinese_chars", "strip_accents", "lowercase")
    return normalizers.BertNormalizer(
        clean_text=field.get("clean_text", bool),
        handle_chinese_chars=field.get("handle_chinese_chars", bool),
        strip_accents=field.get("strip_accents", bool, None, nullable=True),
        lowercase=field.get("lowercase", bool),
    )


def _prepend(field: Field) -> normalizers.Prepend:
    field.known("type", "prepend")
    return normalizers.Prepend(field.get("prepend", str))


def _behavior(field: Field) -> str:
    names = {name: ours for ours, name in BEHAVIORS.items()}
    behavior = field.get("behavior", str)
    if behavior not in names:
        field.need("behavior").fail(f'is "{behavior}"', hint=did_you_mean(behavior, names))
    return names[behavior]


def _split(field: Field) -> pre_tokenizers.Split:
    field.known("type", "pattern", "behavior", "invert")
    return pre_tokenizers.Split(_pattern(field.need("pattern")), _behavior(field), field.get("invert", bool))


def _digits(field: Field) -> pre_tokenizers.Digits:
    field.known("type", "individual_digits")
    return pre_tokenizers.Digits(field.get("individual_digits", bool))


def _punctuation(field: Field) -> pre_tokenizers.Punctuation:
    field.known("type", "behavior")
    return pre_tokenizers.Punctuation(_behavior(field) if "behavior" in field.value else "isolated")


def _character(field: Field, key: str) -> str:
    character = field.get(key, str)
    if len(character) != 1:
        field.need(key).fail(f'is "{character[:40]}"', allowed="one character")
    return str(character)


def _count(field: Field, key: str, least: int) -> int:
    count = field.get(key, int)
    if not least <= count < 1 << 63:
        field.need(key).fail(f"is {count}", allowed=f"{least} or more")
    return int(count)


def _char_delimiter(field: Field) -> pre_tokenizers.CharDelimiterSplit:
    field.known("type", "delimiter")
    return pre_tokenizers.CharDelimiterSplit(_character(field, "delimiter"))


def _fixed_length(field: Field) -> pre_tokenizers.FixedLength:
    field.known("type", "length")
    return pre_tokenizers.FixedLength(_count(field, "length", 1) if "length" in field.value else 5)


def _metaspace(make: Callable[[str, str, bool], Any]) -> Reader:
    def reader(field: Field) -> Any:
        # Older files have add_prefix_space in place of the scheme, and a copy of the replacement.
        field.known("type", "replacement", "prepend_scheme", "split", "add_prefix_space", "str_rep")
        scheme = field.get("prepend_scheme", str, "always")
        if scheme not in PREPEND_SCHEMES:
            hint = did_you_mean(scheme, PREPEND_SCHEMES)
            field.need("prepend_scheme").fail(f'is "{scheme}"', allowed=", ".join(PREPEND_SCHEMES), hint=hint)
        if field.get("add_prefix_space", bool, None, nullable=True) is False and scheme != "never":
            if "prepend_scheme" in field.value:
                field.need("add_prefix_space").fail(f'is false where prepend_scheme is "{scheme}"')
            scheme = "never"
        split = field.get("split", bool, None, nullable=True)
        return make(_character(field, "replacement"), scheme, split is not False)

    return reader


def _template(field: Field) -> processors.TemplateProcessing:
    field.known("type", "single", "pair", "special_tokens")
    table = field.need("special_tokens")
    tokens = []
    for name in table.of(dict):
        token = table.need(name)
        token.known("id", "ids", "tokens")
        if token.get("id", str) != name:
            token.need("id").fail(f"is {token.value['id']!r}", allowed=f'"{name}", as its key')
        ids = tuple(number.of(int) for number in token.need("ids").items())
        pieces = tuple(piece.of(str) for piece in token.need("tokens").items())
        if len(ids) != len(pieces):
            token.fail("needs as many ids as tokens")
        tokens.append(processors.SpecialToken(name, ids, pieces))
    single, pair = (
        _pieces(field.need(name), {token.id: len(token.ids) for token in tokens}) for name in ("single", "pair")
    )
    return processors.TemplateProcessing(single, pair, tokens)


def _pieces(field: Field, sizes: Mapping[str, int]) -> list[processors.Piece]:
    """The places of a template, which may not make many tokens, or many copies of a text, out of a few bytes."""
    most = DEFAULT_LIMITS.template_tokens
    if len(field.of(list)) > most:
        field.fail(f"has {len(field.value)} places", allowed=f"at most {most}")
    pieces = [_piece(part) for part in field.items()]
    num_texts = sum(piece.is_text for piece in pieces)
    if num_texts > DEFAULT_LIMITS.template_texts:
        field.fail(f"has a text {num_texts} times", allowed=f"at most {DEFAULT_LIMITS.template_texts} times")
    num_tokens = sum(sizes.get(piece.id, 0) for piece in pieces if not piece.is_text)
    if num_tokens > most:
        field.fail(f"has {num_tokens} special tokens", allowed=f"at most {most}")
    return pieces


def _token(field: Field) -> tuple[str, int]:
    parts = list(field.items())
    if len(parts) != 2:
        field.fail("is no token", allowed='["[SEP]", 1]')
    return parts[0].of(str), parts[1].of(int)


_ROBERTA_FLAGS = ("trim_offsets", "add_prefix_space")


def _bert_processing(field: Field) -> processors.BertProcessing:
    field.known("type", "sep", "cls")
    return processors.BertProcessing(_token(field.need("sep")), _token(field.need("cls")))


def _roberta_processing(field: Field) -> processors.BertProcessing | processors.RobertaProcessing:
    field.known("type", "sep", "cls", *_ROBERTA_FLAGS)
    sep, cls = _token(field.need("sep")), _token(field.need("cls"))
    trim_offsets, add_prefix_space = (field.get(name, bool, None, nullable=True) for name in _ROBERTA_FLAGS)
    if trim_offsets is None or add_prefix_space is None:
        field.notes.append(
            f"{field.name} has not all of {', '.join(_ROBERTA_FLAGS)} and is read as BertProcessing, "
            "with one separator between two texts"
        )
        return processors.BertProcessing(sep, cls)
    return processors.RobertaProcessing(sep, cls, trim_offsets, add_prefix_space)


def _piece(field: Field) -> processors.Piece:
    field.only("Sequence", "SpecialToken")
    if len(field.value) != 1:
        field.fail("is no piece of a template", allowed='{"Sequence": …} or {"SpecialToken": …}')
    is_text = "Sequence" in field.value
    inner = field.need("Sequence" if is_text else "SpecialToken")
    inner.known("id", "type_id")
    name, type_id = inner.get("id", str), inner.get("type_id", int)
    if is_text and name not in ("A", "B"):
        inner.need("id").fail(f'is "{name}"', allowed='"A" or "B"')
    if not 0 <= type_id < 1 << 32:
        inner.need("type_id").fail(f"is {type_id}", allowed="0 to 4294967295")
    return processors.Piece(name, type_id, is_text)


def _bpe_decoder(field: Field) -> decoders.BPEDecoder:
    field.known("type", "suffix")
    return decoders.BPEDecoder(field.get("suffix", str))


def _word_piece(field: Field) -> decoders.WordPiece:
    field.known("type", "prefix", "cleanup")
    return decoders.WordPiece(field.get("prefix", str), field.get("cleanup", bool))


def _ctc(field: Field) -> decoders.CTC:
    field.known("type", "pad_token", "word_delimiter_token", "cleanup")
    return decoders.CTC(field.get("pad_token", str), field.get("word_delimiter_token", str), field.get("cleanup", bool))


def _strip_decoder(field: Field) -> decoders.Strip:
    field.known("type", "content", "start", "stop")
    return decoders.Strip(_character(field, "content"), _count(field, "start", 0), _count(field, "stop", 0))


STAGES: Mapping[str, Mapping[str, Reader]] = {
    "normalizer": {
        "NFC": _plain(normalizers.NFC),
        "NFD": _plain(normalizers.NFD),
        "NFKC": _plain(normalizers.NFKC),
        "NFKD": _plain(normalizers.NFKD),
        "Lowercase": _plain(normalizers.Lowercase),
        "Strip": _strip_normalizer,
        "StripAccents": _plain(normalizers.StripAccents),
        "BertNormalizer": _bert_normalizer,
        "Nmt": _plain(normalizers.Nmt),
        "Precompiled": scored_pieces.precompiled,
        "Prepend": _prepend,
        "ByteLevel": _plain(normalizers.ByteLevel),
        "Replace": _replace(normalizers.Replace),
        "SentencePiece": scored_pieces.normalizer,
        "Sequence": _sequence("normalizer", "normalizers", normalizers.Sequence.of_parts),
    },
    "pre_tokenizer": {
        "ByteLevel": _byte_level(pre_tokenizers.ByteLevel),
        "Digits": _digits,
        "Sequence": _sequence("pre_tokenizer", "pretokenizers", pre_tokenizers.Sequence.of_parts),
        "Split": _split,
        "BertPreTokenizer": _plain(pre_tokenizers.BertPreTokenizer),
        "CharDelimiterSplit": _char_delimiter,
        "FixedLength": _fixed_length,
        "Metaspace": _metaspace(pre_tokenizers.Metaspace),
        "Punctuation": _punctuation,
        "UnicodeScripts": _plain(pre_tokenizers.UnicodeScripts),
        "Whitespace": _plain(pre_tokenizers.Whitespace),
        "WhitespaceSplit": _plain(pre_tokenizers.WhitespaceSplit),
    },
    "post_processor": {
        "BertProcessing": _bert_processing,
        "ByteLevel": _byte_level(processors.ByteLevel),
        "RobertaProcessing": _roberta_processing,
        "Sequence": _sequence("post_processor", "processors", processors.Sequence.of_parts),
        "TemplateProcessing": _template,
    },
    "decoder": {
        "BPEDecoder": _bpe_decoder,
        "ByteFallback": _plain(decoders.ByteFallback),
        "ByteLevel": _byte_level(decoders.ByteLevel),
        "CTC": _ctc,
        "Fuse": _plain(decoders.Fuse),
        "Metaspace": _metaspace(decoders.Metaspace),
        "Replace": _replace(decoders.Replace),
        "SentencePiece": scored_pieces.decoder,
        "Sequence": _sequence("decoder", "decoders", decoders.Sequence.of_parts),
        "Strip": _strip_decoder,
        "WordPiece": _word_piece,
    },
}
"""Every part that can be read, by stage and by the ``type`` it has in the file."""
