"""``textpipe align``: which words of parallel text belong together, and a lexicon of them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from textpipe.alignment.aligner import AlignmentConfig
from textpipe.cli.config_options import options_of, with_options
from textpipe.cli.new_files import refuse_existing
from textpipe.cli.pair_files import COLUMNS, PAIR_FILES, columns_of, pairs_of
from textpipe.errors import ConfigError

if TYPE_CHECKING:
    from textpipe.alignment import Aligned
    from textpipe.data.parallel_text import Pair


@with_options(options_of(AlignmentConfig, "Alignment", defaults=True))
def command(
    inputs: list[Path] = PAIR_FILES,
    *,
    source: Path | None = typer.Option(None, "--source", help="Instead: a text file, a source a line …"),
    target: Path | None = typer.Option(None, "--target", help="… and one with their targets, line by line."),
    columns: str = COLUMNS,
    tokenizer: Path | None = typer.Option(
        None, "--tokenizer", "-t", help="Align the tokens of this vocabulary. (words and punctuation marks)"
    ),
    source_tokenizer: Path | None = typer.Option(None, "--source-tokenizer", help="The source's own vocabulary."),
    words: bool = typer.Option(False, "--words", help="Print the words that are linked, not their places."),
    lexicon: Path | None = typer.Option(
        None, "--lexicon", help="TSV to write: source, target, links, share of the source's links, of the target's."
    ),
    out: Path | None = typer.Option(None, "--out", "-o", help="File for the alignments; it must not exist."),
    quiet: bool = typer.Option(False, "--quiet", "-q", help="No progress on standard error."),
    **given: Any,
) -> None:
    """Learn from parallel text which of its words belong together, and print it, a line for each pair.

    \b
    textpipe align train.tsv --words
    textpipe align --source train.ko --target train.en --out links.txt --lexicon lexicon.tsv
    textpipe align train.tsv --tokenizer vocab --model model1

    A line has source-target places from 0, as 0-0 2-1. Korean is aligned better by the tokens of a vocabulary than by
    words, whose particles make every word many.
    """
    from textpipe.alignment import align
    from textpipe.cli.progress import Progress
    from textpipe.files import write_text

    config = AlignmentConfig(**{name: value for name, value in given.items() if value is not None})
    refuse_existing(out, lexicon)
    if tokenizer is None and source_tokenizer is not None:
        raise ConfigError("--source-tokenizer without --tokenizer", hint="give the target's too")
    pairs = pairs_of(inputs or [], source, target, columns_of(columns), "--source and --target", keeps_empty=True)
    with Progress(quiet=quiet) as progress:
        found = align(_cut(pairs, tokenizer, source_tokenizer), config, progress=progress)
    lines = list(_lines(found, words=words))
    if out is None:
        print("\n".join(lines))
    else:
        write_text(out, "".join(f"{line}\n" for line in lines))
    if lexicon is not None:
        rows = (f"{a}\t{b}\t{count}\t{one:.4f}\t{other:.4f}\n" for a, b, count, one, other in found.lexicon())
        write_text(lexicon, "".join(rows))


def _cut(
    pairs: Iterator[Pair], tokenizer: Path | None, source_tokenizer: Path | None
) -> Iterator[tuple[list[str], list[str]]]:
    """The words of each pair, or its tokens, which are shown as the text they stand for."""
    from textpipe.alignment import split_words
    from textpipe.cli.tokenizer_option import load

    if tokenizer is None:
        yield from ((split_words(source), split_words(target)) for source, target in pairs)
        return
    theirs = load(tokenizer)
    made = (theirs if source_tokenizer is None else load(source_tokenizer)), theirs
    for pair in pairs:
        encodings = [side.encode(text, add_special_tokens=False) for side, text in zip(made, pair, strict=True)]
        source, target = (
            [text[start:end].strip() or token for (start, end), token in zip(each.offsets, each.tokens, strict=True)]
            for each, text in zip(encodings, pair, strict=True)
        )
        yield source, target


def _lines(found: Aligned, *, words: bool) -> Iterator[str]:
    for (source, target), links in zip(found.pairs, found.links, strict=True):
        if words:
            yield " ".join(f"{source[one]}-{target[other]}" for one, other in links)
        else:
            yield " ".join(f"{one}-{other}" for one, other in links)
