"""``textpipe summarize``: the sentences of a text that stand for it."""

from __future__ import annotations

from pathlib import Path

import typer


def command(
    files: list[Path] = typer.Argument(help="Texts, each file one; - is standard input."),
    *,
    sentences: int = typer.Option(3, "--sentences", "-n", help="How many sentences."),
    method: str = typer.Option("textrank", "--method", help="textrank, centroid, or lead: the first ones."),
) -> None:
    """Print the sentences that stand for each text, one a line, in the order they have in it.

    \b
    textpipe summarize article.txt
    textpipe summarize article.txt --sentences 1 --method lead

    Nothing is trained and nothing is rewritten. A model that writes summaries is trained as one that translates:
    textpipe pack-pairs of texts and summaries, textpipe train transformer, textpipe translate; this is what it has to
    be better than. Between two texts stands an empty line.
    """
    from textpipe.cli.tokenizer_option import read_stdin
    from textpipe.evaluation.extracts import extract
    from textpipe.files.reading import decode_text, read_bytes
    from textpipe.limits import DEFAULT_LIMITS

    for number, path in enumerate(files):
        is_stdin = str(path) == "-"
        text = read_stdin() if is_stdin else decode_text(read_bytes(path, DEFAULT_LIMITS.text_bytes), path)
        if number:
            print()
        for sentence in extract(text, sentences, method=method):  # type: ignore[arg-type]
            print(" ".join(sentence.split()))
