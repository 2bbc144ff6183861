"""tiktoken's files of ranks.

What enters: a file of lines, a byte string in base64 and its rank; and what the file does not say, how text is cut
and which special tokens there are: by the name of a known encoding, by the sha256 of its published file, or from the
``.encoding.json`` that is written beside a file of our own. What leaves: a whole tokenizer. Promises: the ids of
tiktoken.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from pathlib import Path
from typing import Any

from textpipe.core._rank_bpe import plain_ranks
from textpipe.core.byte_alphabet import to_bytes
from textpipe.decoders import ByteLevel as ByteLevelDecoder
from textpipe.errors import FormatError, InputError, LimitError, TextpipeError, did_you_mean
from textpipe.files.reading import read_bytes
from textpipe.formats.encodings import ENCODINGS, Encoding, name_of_digest
from textpipe.formats.fields import Field, parse_json
from textpipe.formats.parts import Parts
from textpipe.limits import DEFAULT_LIMITS, Limits
from textpipe.models import BPE, RankBPE
from textpipe.models.added_tokens import AddedToken, AddedVocabulary
from textpipe.normalizers import NFC
from textpipe.pre_tokenizers import ByteLevel, PreTokenizer, Sequence, Split
from textpipe.pre_tokenizers.grammars import PATTERNS
from textpipe.stages.pattern import Regex

__all__ = ["kept", "parse_ranks", "read", "write"]


def read(path: Path, limits: Limits = DEFAULT_LIMITS, *, encoding: Encoding | str | None = None) -> Parts:
    """A tokenizer from a file of ranks.

    Parameters
    ----------
    path : the file.
    encoding : the pattern and the special tokens, or the name they go by; without it the file beside it, its sha256
        or its own name must tell.

    Raises
    ------
    FormatError
        when the file is broken.
    InputError
        when nothing tells how text is to be cut.
    """
    data = read_bytes(path, limits.tokenizer_file_bytes)
    ranks = parse_ranks(data, path=str(path), limits=limits)
    chosen = _known(encoding) if isinstance(encoding, str) else encoding or _encoding_of(path, data, limits)
    try:
        return _whole(ranks, chosen)
    except FormatError:
        raise
    except LimitError as error:
        raise LimitError(error.what, where=path, allowed=error.allowed) from None
    except TextpipeError as error:
        raise FormatError(error.what, path=path, allowed=error.allowed, hint=error.hint) from None


def parse_ranks(data: bytes, *, path: str, limits: Limits = DEFAULT_LIMITS) -> dict[bytes, int]:
    """The ranks in the bytes of a file: a byte string in base64, a space and a rank a line."""
    plain = None
    if data.count(b"\n") <= limits.vocab_size:
        plain = plain_ranks(data, piece_bytes=limits.piece_bytes, rank_end=limits.token_id)
    return plain or _parse_lines(data, path=path, limits=limits)


def _parse_lines(data: bytes, *, path: str, limits: Limits) -> dict[bytes, int]:
    """The same line by line: of a file that is wrong the line is named."""
    ranks: dict[bytes, int] = {}
    lines = data.split(b"\n")
    if len(lines) > limits.vocab_size + 1:
        raise FormatError(f"has {len(lines)} lines", path=path, allowed=f"at most {limits.vocab_size}")
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            text, rank_text = line.split()
            piece, rank = binascii.a2b_base64(text, strict_mode=True), int(rank_text)
        except (ValueError, binascii.Error):
            raise FormatError("no rank", path=path, field=f"line {number}", allowed="base64, a space, a rank") from None
        if not 0 < len(piece) <= limits.piece_bytes:
            raise FormatError(
                f"a piece of {len(piece)} bytes",
                path=path,
                field=f"line {number}",
                allowed=f"1 to {limits.piece_bytes} bytes",
            )
        if not 0 <= rank < limits.token_id or ranks.setdefault(piece, rank) != rank:
            what = "a piece stands twice" if piece in ranks else f"the rank {rank}"
            raise FormatError(
                what, path=path, field=f"line {number}", allowed=f"each once, ranks 0 to {limits.token_id - 1}"
            )
    if not ranks:
        raise FormatError("there are no ranks in it", path=path)
    return ranks


def _known(name: str) -> Encoding:
    if name not in ENCODINGS:
        raise InputError(f'there is no encoding "{name}"', hint=did_you_mean(name, ENCODINGS))
    return ENCODINGS[name]


def _encoding_of(path: Path, data: bytes, limits: Limits) -> Encoding:
    beside = _beside(path)
    if beside.exists():
        return _read_encoding(beside, limits)
    name = name_of_digest(hashlib.sha256(data).hexdigest()) or path.name.split(".")[0]
    if name not in ENCODINGS:
        raise InputError(
            "a file of ranks does not say how text is cut, and neither its name nor its sha256 is known",
            where=path,
            allowed=", ".join(ENCODINGS),
            hint=f"name the encoding, or put {beside.name} beside it",
        )
    return ENCODINGS[name]


def _beside(path: Path) -> Path:
    return path.with_name(path.name.removesuffix(".tiktoken") + ".encoding.json")


def _read_encoding(path: Path, limits: Limits) -> Encoding:
    data = read_bytes(path, limits.tokenizer_file_bytes)
    top = Field(parse_json(data, path=str(path), limits=limits), "", str(path))
    top.only("name", "pat_str", "special_tokens", "nfc")
    table = top.need("special_tokens")
    tokens = {name: table.get(name, int) for name in table.of(dict)}
    if len(tokens) > limits.num_added_tokens:
        table.fail(f"has {len(tokens)} tokens", allowed=f"at most {limits.num_added_tokens}")
    return Encoding(top.get("pat_str", str), tokens, nfc=top.get("nfc", bool, False))


def _whole(ranks: dict[bytes, int], encoding: Encoding) -> Parts:
    names = {number: name for name, number in encoding.special_tokens.items()}
    model = RankBPE(ranks, {name: number for number, name in names.items()})
    added = AddedVocabulary()
    added.add((AddedToken(name, normalized=False, special=True) for name in names.values()), model)
    cut = Split(Regex(encoding.pattern), "isolated")
    pre_tokenizer = Sequence([cut, ByteLevel(add_prefix_space=False, use_regex=False)])
    return Parts(model, added, NFC() if encoding.nfc else None, pre_tokenizer, None, ByteLevelDecoder())


def kept(parts: Parts) -> Parts:
    """What reading the files that :func:`write` makes would give.

    Raises
    ------
    InputError
        when there are no ranks that would give these pieces their ids.
    """
    special = {token.content: number for number, token in parts.added.by_id.items()}
    ranks = _ranks_of(parts, set(special))
    pattern = _pattern_of(parts.pre_tokenizer)
    return _whole(ranks, Encoding(pattern, special, nfc=isinstance(parts.normalizer, NFC)))


def _pattern_of(pre_tokenizer: PreTokenizer | None) -> str:
    if isinstance(pre_tokenizer, ByteLevel) and pre_tokenizer.use_regex:
        return PATTERNS["gpt2"]
    steps = pre_tokenizer.pretokenizers if isinstance(pre_tokenizer, Sequence) else ()
    first = steps[0] if len(steps) == 2 and isinstance(steps[1], ByteLevel) else None
    if isinstance(first, Split) and isinstance(first.pattern, Regex):
        return first.pattern.pattern
    raise InputError(
        f"ranks of bytes need one pattern that cuts the text, and ByteLevel; not {pre_tokenizer!r}",
    )


def _ranks_of(parts: Parts, special: set[str]) -> dict[bytes, int]:
    model = parts.model
    if isinstance(model, RankBPE):
        return model.ranks
    if not isinstance(model, BPE):
        raise InputError(f"files of ranks hold BPE, not {type(model).__name__}")
    if model.continuing_subword_prefix or model.end_of_word_suffix:
        raise InputError("ranks of bytes have no prefixes and no suffixes")
    ranks: dict[bytes, int] = {}
    for number, piece in sorted(model.pieces.items()):
        data = to_bytes(piece)
        if data is not None and piece not in special:
            ranks[data] = number
        elif piece not in special:
            raise InputError(f'the piece "{piece[:40]}" stands for no bytes')
    made = [model.token_to_id(left + right) or 0 for left, right in model.merges]
    wrong = next((rank for rank in range(1, len(made)) if made[rank] < made[rank - 1]), None)
    if wrong is not None:
        left, right = model.merges[wrong]
        raise InputError(f'the ids do not follow the merges: "{left}" + "{right}"')
    return ranks


def write(parts: Parts, path: Path) -> list[Path]:
    """Write the ranks, and beside them the pattern and the special tokens; ``parts`` is what :func:`kept` gave.

    ``tiktoken.Encoding(**json.load(open("x.encoding.json")), mergeable_ranks=load_tiktoken_bpe("x.tiktoken"))`` reads
    the pair.
    """
    from textpipe.files import write_bytes, write_json

    model = parts.model
    assert isinstance(model, RankBPE)
    rows = (base64.b64encode(piece) + b" %d\n" % rank for piece, rank in model.ranks.items())
    row: dict[str, Any] = {
        "name": re.sub(r"\W+", "_", path.name.removesuffix(".tiktoken")),
        "pat_str": _pattern_of(parts.pre_tokenizer),
        "special_tokens": model.special_tokens,
    }
    if parts.normalizer is not None:
        row["nfc"] = True
    write_bytes(path, b"".join(rows))
    write_json(_beside(path), row)
    return [path, _beside(path)]
