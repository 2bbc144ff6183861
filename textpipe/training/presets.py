"""Ready-made settings of a run, by architecture and size.

What enters: a preset's name. What leaves: a model's shape and its training, or a commented file to begin with.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from textpipe.config import commented_keys
from textpipe.errors import ConfigError, did_you_mean
from textpipe.training.run_config import ARCHITECTURES, Architecture, TrainConfig, keys_not_read_by

__all__ = ["PRESETS", "commented_toml", "preset", "preset_keys"]


class Preset(NamedTuple):
    """Keys of the two configurations that differ from their defaults, and what for."""

    summary: str
    model: Mapping[str, Any]
    train: Mapping[str, Any]


_EVERY_100 = {"validate_every": 100, "checkpoint_every": 200, "sample_every": 200}
_EVERY_500 = {"validate_every": 500, "checkpoint_every": 500, "sample_every": 500}
_EVERY_1000 = {"validate_every": 1000, "checkpoint_every": 1000, "sample_every": 1000}
_EVERY_2000 = {"validate_every": 2000, "checkpoint_every": 2000, "sample_every": 2000}
_TINY = "about a minute on two CPU cores: shows that everything works"
_GPT: Mapping[str, Preset] = {
    "tiny": Preset(
        _TINY,
        {"layers": 4, "heads": 4, "width": 128, "context": 128},
        {"steps": 800, "batch_size": 8, "learning_rate": 1.5e-3, "warmup_steps": 50, **_EVERY_100},
    ),
    "nano": Preset(
        "an hour on two CPU cores, minutes on a GPU: writes words and short phrases",
        {"layers": 6, "heads": 6, "width": 384, "context": 256},
        {"steps": 5000, "batch_size": 32, "learning_rate": 1e-3, "warmup_steps": 200, **_EVERY_500},
    ),
    "small": Preset(
        "one GPU: a quarter of GPT-2 small",
        {"layers": 8, "heads": 8, "width": 512, "context": 512},
        {"steps": 20_000, "batch_size": 64, "learning_rate": 6e-4, "warmup_steps": 500, "beta2": 0.95, **_EVERY_1000},
    ),
    "base": Preset(
        "one large GPU: GPT-2 small",
        {"layers": 12, "heads": 12, "width": 768, "context": 1024},
        {"steps": 100_000, "batch_size": 256, "micro_batch_size": 16, "learning_rate": 6e-4, "beta2": 0.95}
        | {"warmup_steps": 2000, **_EVERY_2000},
    ),
}
_TRANSFORMER: Mapping[str, Preset] = {
    "tiny": Preset(
        _TINY,
        {"encoder_layers": 2, "decoder_layers": 2, "heads": 4, "width": 128, "context": 128, "dropout": 0.1},
        {"steps": 800, "batch_tokens": 2048, "learning_rate": 1e-3, "warmup_steps": 100, **_EVERY_100},
    ),
    "nano": Preset(
        "an hour on two CPU cores: 4 + 4 layers of width 256",
        {"encoder_layers": 4, "decoder_layers": 4, "heads": 4, "width": 256, "context": 128, "dropout": 0.1},
        {"steps": 8000, "batch_tokens": 4096, "learning_rate": 1e-3, "warmup_steps": 800, "schedule": "inverse_sqrt"}
        | {"label_smoothing": 0.1, "beta2": 0.98, **_EVERY_500},
    ),
    "small": Preset(
        "one GPU: 6 + 6 layers of width 512, a small corpus",
        {"encoder_layers": 6, "decoder_layers": 6, "heads": 4, "width": 512, "feed_forward": 1024, "dropout": 0.3},
        {"steps": 50_000, "batch_tokens": 8192, "learning_rate": 5e-4, "warmup_steps": 4000, "beta2": 0.98}
        | {"schedule": "inverse_sqrt", "label_smoothing": 0.1, **_EVERY_1000},
    ),
    "base": Preset(
        "one large GPU: the base model of Vaswani et al.",
        {"encoder_layers": 6, "decoder_layers": 6, "heads": 8, "width": 512, "context": 512, "dropout": 0.1},
        {"steps": 100_000, "batch_tokens": 25_000, "micro_batch_size": 128, "learning_rate": 7e-4, "beta2": 0.98}
        | {"warmup_steps": 4000, "schedule": "inverse_sqrt", "label_smoothing": 0.1, **_EVERY_2000},
    ),
}
_SEQ2SEQ: Mapping[str, Preset] = {
    "tiny": Preset(
        _TINY,
        {"embedding": 64, "width": 128, "encoder_width": 64, "context": 128, "dropout": 0.1},
        {"steps": 800, "batch_tokens": 1024, "learning_rate": 2e-3, "warmup_steps": 50, **_EVERY_100},
    ),
    "nano": Preset(
        "an hour on two CPU cores: one layer of width 384",
        {"embedding": 256, "width": 384, "encoder_width": 192, "context": 128, "dropout": 0.2},
        {"steps": 8000, "batch_tokens": 4096, "learning_rate": 1e-3, "warmup_steps": 400, **_EVERY_500},
    ),
    "small": Preset(
        "one GPU: two layers of width 512",
        {"embedding": 512, "width": 512, "encoder_width": 256, "layers": 2, "context": 256, "dropout": 0.3},
        {"steps": 50_000, "batch_tokens": 8192, "learning_rate": 5e-4, "warmup_steps": 1000, **_EVERY_1000},
    ),
}


def _as_bert(presets: Mapping[str, Preset]) -> dict[str, Preset]:
    """The same sizes for an encoder, which hides and predicts 15 tokens in 100 and so needs more steps."""
    return {
        name: Preset(
            row.summary, {**row.model, "dropout": 0.1}, {**row.train, "warmup_steps": row.train["steps"] // 16}
        )
        for name, row in presets.items()
    }


PRESETS: Mapping[Architecture, Mapping[str, Preset]] = MappingProxyType(
    {"gpt": _GPT, "bert": _as_bert(_GPT), "transformer": _TRANSFORMER, "seq2seq": _SEQ2SEQ}
)


def preset_keys(name: str, architecture: Architecture = "gpt") -> tuple[dict[str, Any], dict[str, Any]]:
    """The keys of the model and of the training that a preset sets.

    Raises
    ------
    ConfigError
        naming the nearest preset, when there is none of this name.
    """
    presets = PRESETS[architecture]
    if name not in presets:
        raise ConfigError(f"no preset {name!r} of {architecture}", where="preset", hint=did_you_mean(name, presets))
    return dict(presets[name].model), dict(presets[name].train)


def preset(name: str, *, vocab_size: int, architecture: Architecture = "gpt") -> tuple[Any, TrainConfig]:
    """A model's shape and its training by name.

    Examples
    --------
    >>> model, train = preset("tiny", vocab_size=8000)
    >>> model.width, train.steps
    (128, 800)
    """
    model, train = preset_keys(name, architecture)
    return ARCHITECTURES[architecture](vocab_size=vocab_size, **model), TrainConfig(**train)


def commented_toml(architecture: Architecture, name: str) -> str:
    """A TOML file of a preset with every key and what it means; keys that are absent stand commented out."""
    model, train = preset_keys(name, architecture)
    lines = [f"# textpipe train {architecture} DATA --config THIS_FILE --out run"]
    for table, kind, keys in (("model", ARCHITECTURES[architecture], model), ("train", TrainConfig, train)):
        lines += ["", f"[{table}]"]
        left_out = {"vocab_size", "source_vocab_size", *keys_not_read_by(architecture)}
        lines += commented_keys(kind, keys, left_out=left_out)
    return "\n".join(lines) + "\n"
