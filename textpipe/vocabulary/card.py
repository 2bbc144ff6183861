"""The files of a trained vocabulary: its formats, and a card that says what it was made from and how well it fits.

What enters: a trained tokenizer, its settings and sources, and text to measure on. What leaves: the files in a folder,
and the figures that are on the card. Promises: what a format cannot hold is named on the card.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from textpipe.errors import ConfigError, did_you_mean
from textpipe.evaluation.vocabulary import vocabulary_metrics
from textpipe.files import write_text
from textpipe.formats import FORMATS, losses, write_file
from textpipe.records import Document
from textpipe.tokenizer import Tokenizer
from textpipe.vocabulary.config import VocabConfig

__all__ = ["check_formats", "shortfall", "write_outputs"]

_SHOWN_MERGES = 12
_MODELS = {"bpe": "Byte-pair encoding", "wordpiece": "WordPiece", "unigram": "Unigram", "wordlevel": "Whole words"}
_FILE_NAMES = {"tiktoken": "vocab.tiktoken", "model": "tokenizer.model", "transformers": "transformers"}


def check_formats(formats: Iterable[str]) -> None:
    """Refuse a format there is none of, before anything is read.

    Raises
    ------
    ConfigError
        naming the nearest.
    """
    for name in formats:
        if name not in FORMATS:
            raise ConfigError(f"there is no format {name!r}", where="--format", hint=did_you_mean(name, FORMATS))


def write_outputs(
    folder: Path,
    tokenizer: Tokenizer,
    *,
    config: VocabConfig,
    recorded: Mapping[str, Any],
    figures: Mapping[str, Any],
    sample: Iterable[Document],
) -> dict[str, Any]:
    """Write every format and the card into ``folder``; returns all figures.

    Parameters
    ----------
    recorded : settings, sources and formats, as the manifest has them.
    figures : of the training.
    """
    tokenizer.save(folder / "tokenizer.json")
    lost: dict[str, list[str]] = {}
    own = ["model"] if config.compat == "sentencepiece" else []
    for name in dict.fromkeys([*own, *recorded["formats"]]):
        if name != "tokenizer.json":
            lost[name] = losses(tokenizer.parts, name)
            write_file(tokenizer.parts, folder / str(_FILE_NAMES.get(name, name)), name, accept_losses=True)
    metrics = vocabulary_metrics(tokenizer, sample)
    merges = list(getattr(tokenizer.model, "merges", ()))
    counts = {
        **figures,
        "vocab_size": metrics.vocab_size,
        "asked_vocab_size": config.vocab_size,
        "merges": len(merges),
        "languages": {fit.lang: {**asdict(fit), "bytes_per_token": fit.bytes_per_token} for fit in metrics.languages},
        "scripts": metrics.scripts,
        "first_merges": _shown(tokenizer, merges[:_SHOWN_MERGES]),
        "last_merges": _shown(tokenizer, merges[-_SHOWN_MERGES:]),
        "lost": {name: rows for name, rows in lost.items() if rows},
    }
    write_text(folder / "README.md", _card(tokenizer, config, recorded["sources"], counts))
    return counts


def _shown(tokenizer: Tokenizer, merges: Sequence[tuple[str, str]]) -> list[str]:
    """The pieces that merges make, as text; parts of characters as their bytes."""
    shown = []
    for left, right in merges:
        number = tokenizer.token_to_id(left + right)
        raw = b"" if number is None else tokenizer.id_to_bytes(number)
        shown.append(raw.decode("utf-8", "backslashreplace"))
    return shown


def _card(tokenizer: Tokenizer, config: VocabConfig, sources: list[dict[str, Any]], counts: Mapping[str, Any]) -> str:
    special = ", ".join(f"`{token}`" for token in config.special_tokens)
    fits = [
        f"| {lang} | {fit['num_bytes']:,} | {fit['bytes_per_token']:.2f} | {_per_word(fit)} |"
        for lang, fit in counts["languages"].items()
    ]
    learned = f"{counts['merges']:,} merges learned from " if counts["merges"] else "learned from "
    words = "sentences, as sentencepiece does"
    if "words" in counts:
        words = f"{counts['words']:,} words ({counts['distinct_words']:,} distinct)"
    notes = shortfall(counts) + _replaced(counts)
    return f"""# A vocabulary of {counts["vocab_size"]:,} entries

{_MODELS[config.model]}: {learned}{words}.
{notes}Special tokens: {special or "none"}. sha256 of the tokenizer: `{tokenizer.sha256}`.

```python
from textpipe import Tokenizer
tokenizer = Tokenizer.from_file("tokenizer.json")
```

{_readers(config)}

## Fit, on the first text of each file

| language | bytes | bytes per token | tokens per word |
|---|---|---|---|
{_rows(fits, "| (no text among the inputs) | | | |")}

## Pieces by script

| script | pieces |
|---|---|
{_rows(f"| {name} | {count:,} |" for name, count in counts["scripts"].items())}
{_merges(counts)}{_lost(counts["lost"])}
## Settings

| setting | value |
|---|---|
{_rows(f"| {name} | {value} |" for name, value in config.model_dump(mode="json").items())}

## Data

| file | corpus | bytes | sha256 |
|---|---|---|---|
{_rows(f"| {row['name']} | {row.get('corpus', '')} | {row['bytes']:,} | `{row['sha256']}` |" for row in sources)}
"""


def _readers(config: VocabConfig) -> str:
    if config.compat == "sentencepiece":
        return "tokenizer.model loads in `sentencepiece`; tokenizer.json is this package's own form of it."
    return "The file also loads in `tokenizers` and `transformers`."


def shortfall(counts: Mapping[str, Any]) -> str:
    """A sentence where the text gave fewer entries than asked for."""
    if counts["vocab_size"] >= counts["asked_vocab_size"]:
        return ""
    return f"{counts['asked_vocab_size']:,} entries were asked for: the text yields no more than these.\n"


def _replaced(counts: Mapping[str, Any]) -> str:
    if "replaced" not in counts:
        return ""
    return f"{counts['replaced']:,} runs of bytes in the texts are not UTF-8 and count as U+FFFD.\n"


def _per_word(fit: Mapping[str, Any]) -> str:
    return f"{fit['num_tokens'] / fit['num_words']:.2f}" if fit["num_words"] else ""


def _rows(rows: Iterable[str], none: str = "") -> str:
    return "\n".join(rows) or none


def _merges(counts: Mapping[str, Any]) -> str:
    if not counts["merges"]:
        return ""
    first, last = (" · ".join(f"`{_visible(p)}`" for p in counts[f"{which}_merges"]) for which in ("first", "last"))
    return f"\n## Merges\n\nFirst: {first}\n\nLast: {last}\n"


def _lost(lost: Mapping[str, Sequence[str]]) -> str:
    if not lost:
        return ""
    rows = _rows(f"- {name}: {row}" for name, rows in lost.items() for row in rows)
    return f"\n## What the other formats do not hold\n\n{rows}\n"


def _visible(piece: str) -> str:
    """A piece with its spaces and line ends to be seen."""
    return piece.replace(" ", "␣").replace("\n", "⏎").replace("\t", "⇥").replace("`", "ˋ").replace("\r", "␍")
