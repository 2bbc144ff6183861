"""The files of a trained vocabulary: its formats, and a card that says what it was made from and how well it fits.

What enters: a trained tokenizer, its settings and sources, and text to measure on. What leaves: the files in a folder,
and the figures that are on the card. Promises: what a format cannot hold is named on the card.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from textpipe import __version__
from textpipe.config import commented_keys
from textpipe.encoding.visible import visible_bytes
from textpipe.evaluation.vocabulary import vocabulary_metrics
from textpipe.files import MANIFEST, write_text
from textpipe.formats import FORMATS, losses, write_file
from textpipe.markdown import code, table
from textpipe.records import Document
from textpipe.tokenizer import Tokenizer
from textpipe.vocabulary.config import VocabConfig

__all__ = ["TOKENIZER_USAGE", "data_section", "output_names", "shortfall", "write_outputs"]

_SHOWN_MERGES = 12
_SHOWN_BYTES = 48
_MODELS = {"bpe": "Byte-pair encoding", "wordpiece": "WordPiece", "unigram": "Unigram", "wordlevel": "Whole words"}
_OPENED = '`Tokenizer.from_file("tokenizer.json")`'
TOKENIZER_USAGE = (
    "tokenizer.json",
    f"{_OPENED}; also for `tokenizers`, and `PreTrainedTokenizerFast(tokenizer_file=…)` of `transformers`",
)
SENTENCEPIECE_USAGE = ("tokenizer.json", f"{_OPENED}; this package's own form of tokenizer.model")
_FILE_NAMES = {"tiktoken": "vocab.tiktoken", "model": "tokenizer.model"}


def output_names(config: VocabConfig, formats: Iterable[str]) -> list[str]:
    """The files and folders that a training with these settings writes into its folder."""
    return ["tokenizer.json", *(_file_name(name) for name in _formats(config, formats)), "README.md", MANIFEST]


def _formats(config: VocabConfig, asked: Iterable[str]) -> list[str]:
    """The formats beside tokenizer.json, each once."""
    own = ["model"] if config.compat == "sentencepiece" else []
    return [name for name in dict.fromkeys([*own, *asked]) if name != "tokenizer.json"]


def _file_name(name: str) -> str:
    return _FILE_NAMES.get(name, name)


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
    for name in _formats(config, recorded["formats"]):
        lost[name] = losses(tokenizer.parts, name)
        write_file(tokenizer.parts, folder / _file_name(name), name, accept_losses=True)
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
    write_text(folder / "README.md", _card(tokenizer, config, recorded, counts))
    return counts


def _shown(tokenizer: Tokenizer, merges: Sequence[tuple[str, str]]) -> list[str]:
    """The pieces that merges make, as a person can see them; of one that is longer than a line, its beginning."""
    numbers = [tokenizer.token_to_id(left + right) for left, right in merges]
    raw = [tokenizer.id_to_bytes(number) for number in numbers if number is not None]
    return [_beginning(visible_bytes(piece[:_SHOWN_BYTES]), len(piece)) for piece in raw]


def _beginning(text: str, num_bytes: int) -> str:
    return text if num_bytes <= _SHOWN_BYTES else f"{text}… ({num_bytes:,} bytes)"


def _card(tokenizer: Tokenizer, config: VocabConfig, recorded: Mapping[str, Any], counts: Mapping[str, Any]) -> str:
    parts = [
        f"# A vocabulary of {counts['vocab_size']:,} entries",
        _what(tokenizer, config, counts),
        _usage(config, recorded["formats"]),
        "## Fit, on a sample of the texts it learned from\n\n" + _fit(counts["languages"]),
        *([_parity(counts["parity"])] if "parity" in counts else []),
        "## Pieces by script\n\n" + table(("script", "pieces"), [(k, f"{n:,}") for k, n in counts["scripts"].items()]),
    ]
    if counts["merges"]:
        first, last = (" · ".join(map(code, counts[f"{which}_merges"])) for which in ("first", "last"))
        parts.append(f"## Merges\n\nFirst: {first}\n\nLast: {last}")
    if counts["lost"]:
        lost = "\n".join(f"- {name}: {row}" for name, rows in counts["lost"].items() for row in rows)
        parts.append(f"## What the other formats do not hold\n\n{lost}")
    settings = commented_keys(VocabConfig, config.model_dump(mode="json"))
    lines = "\n".join(line for line in settings if not line.startswith("#"))
    parts.append(f"## Settings, as train-vocab --config reads them\n\n```toml\n{lines}\n```")
    parts.append(data_section(recorded["sources"]))
    return "\n\n".join(parts) + "\n"


def data_section(sources: Iterable[Mapping[str, Any]]) -> str:
    """What a vocabulary was made from, for its card."""
    rows = [(row["name"], row.get("corpus", ""), f"{row['bytes']:,}", code(row["sha256"])) for row in sources]
    return "## Data\n\n" + table(("file", "corpus", "bytes", "sha256"), rows)


def _what(tokenizer: Tokenizer, config: VocabConfig, counts: Mapping[str, Any]) -> str:
    learned = f"{counts['merges']:,} merges learned from" if counts["merges"] else "learned from"
    words = "sentences, as sentencepiece does"
    if "words" in counts:
        words = f"{counts['words']:,} words ({counts['distinct_words']:,} distinct)"
    replaced = ""
    if "replaced" in counts:
        replaced = f"{counts['replaced']:,} runs of bytes in the texts are not UTF-8 and count as U+FFFD.\n"
    special = ", ".join(map(code, config.special_tokens)) or "none"
    return (
        f"{_MODELS[config.model]}: {learned} {words}, by textpipe {__version__}.\n{shortfall(counts)}{replaced}"
        f"Special tokens: {special}. sha256 of the tokenizer: {code(tokenizer.sha256)}."
    )


def _usage(config: VocabConfig, formats: Sequence[str]) -> str:
    """The files, and how each is opened."""
    rows = [SENTENCEPIECE_USAGE if config.compat == "sentencepiece" else TOKENIZER_USAGE]
    rows += [(_file_name(name), FORMATS[name].summary) for name in _formats(config, formats)]
    return table(("file", "what for"), [(code(name), what) for name, what in rows])


def _fit(languages: Mapping[str, Mapping[str, Any]]) -> str:
    if not languages:
        return "There was no text among the inputs."
    rows = [
        (
            "of no language that was recognized" if lang == "und" else lang,
            f"{fit['num_bytes']:,}",
            f"{fit['bytes_per_token']:.2f}",
            f"{fit['num_tokens'] / fit['num_words']:.2f}" if fit["num_words"] else "",
        )
        for lang, fit in languages.items()
    ]
    return table(("language", "bytes", "bytes per token", "tokens per word"), rows)


def _parity(found: Mapping[str, Any]) -> str:
    apart = f"{found['gap']:.1%} apart"
    verdict = f"{apart}, as near as the rounds came" if found["gap"] > found["tolerance"] else apart
    rows = [
        (name or "inputs without a name", f"{share:.2%}", f"{found['bytes_per_token'][name]:.3f}")
        for name, share in found["shares"].items()
    ]
    return (
        f"## Parity of the corpora\n\n{table(('corpus', 'share of the bytes', 'bytes per token'), rows)}\n\n{verdict}."
    )


def shortfall(counts: Mapping[str, Any]) -> str:
    """A sentence where the text gave fewer entries than asked for."""
    if counts["vocab_size"] >= counts["asked_vocab_size"]:
        return ""
    return f"{counts['asked_vocab_size']:,} entries were asked for: the text yields no more than these.\n"
