"""Experiments on pairs: the models that are compared, what they write for held-out sources, and a distance of texts.

What enters: packed pairs and a recipe. What leaves: a trained model and its texts: at each step the likeliest token, or
the best of a search by beams.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import running

from textpipe import Tokenizer
from textpipe.data.pairs import PackedPairs
from textpipe.files import write_text
from textpipe.generation.beam import BeamConfig
from textpipe.generation.translating import Translator
from textpipe.generation.translation import translate_ids
from textpipe.generation.whole_characters import WholeCharacters
from textpipe.nn.shapes import Seq2SeqConfig, TransformerConfig
from textpipe.report.attention_picture import attention_picture
from textpipe.training.run_config import TrainConfig

__all__ = ["Pair", "Recipe", "Trained", "draw", "edit_distance", "trained"]

Pair = tuple[str, str]


class Recipe(NamedTuple):
    """A model's kind and shape, and how it is trained."""

    kind: type[Seq2SeqConfig | TransformerConfig]
    model: dict[str, Any]
    train: dict[str, Any]


class Trained(NamedTuple):
    """A trained model, what it writes for each source, and facts for the line of result."""

    model: Any
    texts: list[str]
    facts: dict[str, Any]


def trained(
    recipe: Recipe,
    data: PackedPairs,
    held_out: Sequence[Pair],
    out: Path,
    *,
    beam: BeamConfig | None = None,
    **train: Any,
) -> Trained:
    """Train a model on pairs and let it write the targets of the held-out sources, cut where they pass its context."""
    shape = recipe.kind(vocab_size=data.vocab_size, source_vocab_size=data.source_vocab_size, **recipe.model)
    settings = {"device": "cpu", "sample_tokens": 0, "validate_every": 250, "checkpoint_every": 250}
    begin = time.process_time()
    result, model = running.train(shape, data, TrainConfig(**{**settings, **recipe.train, **train}), out)
    spent = time.process_time() - begin
    tokenizer, reader = (Tokenizer.from_file(path) for path in (data.tokenizer_path, data.source_tokenizer_path))
    end = data.train.source.info.eos_id
    read = (reader.encode(source, add_special_tokens=False).ids for source, _ in held_out)
    sources = [[*ids[: shape.context - 1], end] for ids in read]
    only = WholeCharacters(tokenizer)
    texts = [tokenizer.decode(ids) for ids in translate_ids(model, sources, beam, eos_id=data.eos_id, only=only)]
    parameters = sum(weight.numel() for weight in model.parameters())
    facts = {"parameters": parameters, "steps": result.steps, "val_loss": result.val_loss, "train_cpu_s": spent}
    return Trained(model, texts, facts)


def draw(run: Path, source: str) -> None:
    """Draw where a run's model looks while it translates: an SVG beside the run's folder."""
    (written,) = Translator.open(run).translate([source], BeamConfig(beams=1), aligned=True)
    assert written.alignment is not None
    found = written.alignment
    write_text(run.with_suffix(".svg"), attention_picture(found.source_tokens, found.target_tokens, found.shares))


def edit_distance(one: Sequence[object], other: Sequence[object]) -> int:
    """Fewest insertions, deletions and replacements that turn one into the other (Levenshtein 1966)."""
    row = list(range(len(other) + 1))
    for number, item in enumerate(one, 1):
        before, row[0] = row[0], number
        for place, wanted in enumerate(other, 1):
            before, row[place] = row[place], min(row[place] + 1, row[place - 1] + 1, before + (item != wanted))
    return row[-1]
