"""vocab.txt, and vocab.json with merges.txt: files that hold pieces and leave the rest to a family.

What enters: the file's path, or the parts of a tokenizer. What leaves: the other. Promises: reading gives a whole
tokenizer of the family that the pieces tell; what such a file would not give back is known before it is written.
"""

from __future__ import annotations

from pathlib import Path

from textpipe.errors import FormatError, InputError, TextpipeError
from textpipe.formats.families import bert, byte_level_family
from textpipe.formats.parts import Parts
from textpipe.limits import Limits
from textpipe.models import BPE, WordPiece

__all__ = [
    "kept_by_vocab_json",
    "kept_by_vocab_txt",
    "read_vocab_json",
    "read_vocab_txt",
    "write_vocab_json",
    "write_vocab_txt",
]

_VOCAB, _MERGES = "vocab.json", "merges.txt"


def read_vocab_txt(path: Path, limits: Limits) -> Parts:
    """A tokenizer of BERT's family from a vocab.txt."""
    vocab = WordPiece.read_file(str(path))
    try:
        return bert(vocab)
    except FormatError:
        raise
    except TextpipeError as error:
        raise FormatError(error.what, path=path, allowed=error.allowed, hint=error.hint) from None


def kept_by_vocab_txt(parts: Parts) -> Parts:
    """What reading the vocab.txt of a tokenizer would give."""
    if not isinstance(parts.model, WordPiece):
        raise InputError(f"vocab.txt holds WordPiece, not {type(parts.model).__name__}")
    return bert(parts.model.get_vocab())


def write_vocab_txt(parts: Parts, path: Path) -> list[Path]:
    """Write vocab.txt."""
    from textpipe.files import write_text
    from textpipe.models.vocabulary_files import vocab_txt_text

    write_text(path, vocab_txt_text(dict(sorted(parts.model.get_vocab().items(), key=lambda row: row[1]))))
    return [path]


def read_vocab_json(path: Path, limits: Limits) -> Parts:
    """A tokenizer of GPT-2's, RoBERTa's or CLIP's family from either of its two files; the other lies beside it."""
    vocab, merges = _pair_of(path)
    for file in (vocab, merges):
        if not file.exists():
            raise InputError("no such file", where=file, hint=f"{_VOCAB} and {_MERGES} belong together")
    pieces, pairs = BPE.read_file(str(vocab), str(merges))
    try:
        return byte_level_family(pieces, pairs)
    except FormatError:
        raise
    except TextpipeError as error:
        raise FormatError(error.what, path=vocab, allowed=error.allowed, hint=error.hint) from None


def kept_by_vocab_json(parts: Parts) -> Parts:
    """What reading the vocab.json and merges.txt of a tokenizer would give."""
    model = parts.model
    if not isinstance(model, BPE):
        raise InputError(f"merges.txt holds BPE, not {type(model).__name__}")
    return byte_level_family(model.get_vocab(), model.merges)


def write_vocab_json(parts: Parts, path: Path) -> list[Path]:
    """Write vocab.json and merges.txt beside it."""
    vocab, _ = _pair_of(path)
    assert isinstance(parts.model, BPE)
    vocab.parent.mkdir(parents=True, exist_ok=True)
    prefix = vocab.name.removesuffix(_VOCAB).removesuffix("-")
    return [Path(name) for name in parts.model.save(str(vocab.parent), prefix or None)]


def _pair_of(path: Path) -> tuple[Path, Path]:
    for name in (_VOCAB, _MERGES):
        if path.name.endswith(name):
            start = path.name.removesuffix(name)
            return path.with_name(start + _VOCAB), path.with_name(start + _MERGES)
    raise InputError(f"its name does not end in {_VOCAB} or {_MERGES}", where=path, hint=f"name it {_VOCAB}")
