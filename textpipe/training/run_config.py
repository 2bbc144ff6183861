"""What a training run is: its settings.

What enters: flags or a TOML file. What leaves: a checked :class:`TrainConfig`; and, for a run folder,
a :class:`RunConfig` that also holds the model and what identifies the data. Two runs with the same ``RunConfig`` give
the same weights, bit for bit, on the same machine and torch.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Literal, Self

import pydantic

from textpipe.config import Config, Field
from textpipe.nn.shapes import (
    BertConfig,
    BilingualConfig,
    ClassifierConfig,
    GptConfig,
    RegressorConfig,
    Seq2SeqConfig,
    SpanFinderConfig,
    TaggerConfig,
    TransformerConfig,
)

__all__ = [
    "ARCHITECTURES",
    "CONFIG_NAME",
    "FINE_TUNED",
    "DataIdentity",
    "HeadConfig",
    "ModelConfig",
    "RunConfig",
    "TrainConfig",
    "architecture_of",
    "config_file",
    "keys_not_read_by",
]

Device = Literal["auto", "cpu", "cuda", "mps"]
ComputeType = Literal["auto", "float32", "bfloat16", "float16"]
Architecture = Literal[
    "gpt", "bert", "transformer", "bilingual", "seq2seq", "classifier", "regressor", "tagger", "span-finder"
]
HeadConfig = ClassifierConfig | RegressorConfig | TaggerConfig | SpanFinderConfig
ModelConfig = GptConfig | BertConfig | BilingualConfig | TransformerConfig | Seq2SeqConfig | HeadConfig

ARCHITECTURES: Mapping[Architecture, type[ModelConfig]] = MappingProxyType(
    {
        "gpt": GptConfig,
        "bert": BertConfig,
        "transformer": TransformerConfig,
        "bilingual": BilingualConfig,
        "seq2seq": Seq2SeqConfig,
        "classifier": ClassifierConfig,
        "regressor": RegressorConfig,
        "tagger": TaggerConfig,
        "span-finder": SpanFinderConfig,
    }
)
CONFIG_NAME = "config.toml"
"""The file of a run's folder that holds its :class:`RunConfig`."""
FINE_TUNED: tuple[Architecture, ...] = ("classifier", "regressor", "tagger", "span-finder")
"""Encoders with a head that was trained on labelled examples."""

# Keys of the training that only some architectures read.
_KEYS_OF: Mapping[str, tuple[Architecture, ...]] = MappingProxyType(
    {
        "document_mask": ("gpt", "bert"),
        "sample_prompts": ("gpt",),
        "mask_share": ("bert",),
        "batch_size": ("gpt", "bert", *FINE_TUNED),
        "batch_tokens": ("transformer", "bilingual", "seq2seq"),
        "label_smoothing": ("gpt", "bert", "transformer", "seq2seq"),
        "compile": ("gpt", "bert", "transformer", "seq2seq", *FINE_TUNED),
        "word_drop": ("bilingual",),
        "word_blank": ("bilingual",),
        "word_shuffle": ("bilingual",),
        "denoising_floor": ("bilingual",),
        "back_translation_after": ("bilingual",),
        "initial_vectors": ("bilingual",),
    }
)


def architecture_of(model: ModelConfig) -> Architecture:
    """The name of the model that has this shape."""
    return next(name for name, kind in ARCHITECTURES.items() if type(model) is kind)


def keys_not_read_by(architecture: Architecture) -> frozenset[str]:
    """The keys of the training that are for other architectures."""
    return frozenset(key for key, readers in _KEYS_OF.items() if architecture not in readers)


class TrainConfig(Config):
    """How a model is trained. Keys under "says nothing about the weights" may be changed when a run is resumed."""

    steps: int = Field(1000, ge=1, description="optimiser steps of the whole run")
    batch_size: int = Field(32, ge=1, description="sequences a step")
    batch_tokens: int = Field(
        4096, ge=1, description="transformer, seq2seq: most tokens a step, padding counted; bilingual: of each language"
    )
    micro_batch_size: int | None = Field(
        None, ge=1, description="sequences in memory at once; a step is cut into several when it is smaller"
    )
    document_mask: bool = Field(
        False, description="gpt, bert: each document is read by itself, though several stand in a window"
    )
    mask_share: float = Field(0.15, gt=0.0, le=1.0, description="bert: share of tokens to predict")
    label_smoothing: float = Field(0.0, ge=0.0, lt=1.0, description="share of a target given to all entries alike")

    word_drop: float = Field(0.1, ge=0.0, lt=1.0, description="bilingual: share of tokens that noise leaves out")
    word_blank: float = Field(0.2, ge=0.0, lt=1.0, description="bilingual: share of tokens that noise hides")
    word_shuffle: int = Field(3, ge=0, le=64, description="bilingual: places that noise moves a token by, at most")
    denoising_floor: float = Field(
        0.1, ge=0.0, le=1.0, description="bilingual: weight of denoising at the last step, from 1 at the first"
    )
    back_translation_after: int = Field(
        200, ge=0, description="bilingual: steps of denoising alone, before it also learns from its own translations"
    )
    initial_vectors: Literal["self-learned", "ppmi", "random"] = Field(
        "self-learned",
        description="bilingual: tokens begin as what they stand beside among tokens of both languages (ppmi), and "
        "among those that this finds to be alike (self-learned), or random",
    )

    optimizer: Literal["adamw", "muon"] = Field(
        "adamw", description="muon is for the blocks' matrices, with AdamW for the rest"
    )
    learning_rate: float = Field(1e-3, gt=0.0, description="peak learning rate")
    schedule: Literal["constant", "cosine", "inverse_sqrt", "linear", "wsd"] = Field(
        "cosine", description="course of the learning rate"
    )
    warmup_steps: int = Field(100, ge=0, description="steps over which the learning rate rises to its peak")
    final_share: float = Field(0.1, ge=0.0, le=1.0, description="share of the peak the learning rate ends at")
    weight_decay: float = Field(0.1, ge=0.0, description="AdamW's decay of matrices and embeddings")
    beta1: float = Field(0.9, ge=0.0, lt=1.0, description="AdamW: memory of the gradient")
    beta2: float = Field(0.99, ge=0.0, lt=1.0, description="AdamW: memory of its square")
    epsilon: float = Field(1e-8, gt=0.0, description="AdamW: added to the root of the square")
    gradient_clip: float = Field(1.0, ge=0.0, description="longest gradient; longer ones are scaled down; 0 is off")
    average_decay: float = Field(
        0.0,
        ge=0.0,
        lt=1.0,
        description="the weights validated and written with are a running mean of this memory; 0 is off",
    )

    seed: int = Field(0, ge=0, description="with the step it decides weights, order of data and dropout")
    device: Device = Field("auto", description="where to compute; auto is a GPU when there is one")
    dtype: ComputeType = Field("auto", description="type of matrix products; auto is bfloat16 on a GPU that has it")
    threads: int | None = Field(None, ge=1, description="CPU threads; torch's own choice when absent")
    checkpoint_activations: bool = Field(
        False, description="compute activations again in backward: less memory, a third more time"
    )
    sharding: Literal["ddp", "fsdp"] = Field(
        "ddp", description="with torchrun: each process has a copy of the model, or a part of every tensor of it"
    )
    tensor_parallel: int = Field(
        1, ge=1, le=1024, description="with torchrun: processes that share the heads and inner width of every block"
    )
    pipeline_parallel: int = Field(
        1,
        ge=1,
        le=1024,
        description="gpt, with torchrun: processes with a run of blocks each, one above the other",
    )
    compile: bool = Field(False, description="torch.compile makes kernels for the model; the first steps take minutes")

    patience: int = Field(0, ge=0, description="stop after so many validations without a better loss; 0 never")
    max_loss_rise: float = Field(
        3.0,
        gt=0.0,
        description="stop when a loss is so many nats above the mean of the last ones; of few targets more are allowed",
    )

    # says nothing about the weights
    log_every: int = Field(10, ge=1, description="steps between lines of log.jsonl")
    validate_every: int = Field(250, ge=1, description="steps between looks at the whole validation split")
    checkpoint_every: int = Field(250, ge=1, description="steps between checkpoints")
    keep_checkpoints: int = Field(2, ge=1, description="newest checkpoints kept; the best one is always kept")
    sample_every: int = Field(250, ge=1, description="steps between samples of text")
    sample_tokens: int = Field(48, ge=0, description="tokens of a sample; 0 writes none")
    sample_prompts: tuple[str, ...] = Field(("",), description="beginnings of the samples")
    tensorboard: bool = Field(False, description="write the log for TensorBoard too, in the run's folder")

    @pydantic.model_validator(mode="after")
    def _check(self) -> Self:
        if self.warmup_steps > self.steps:
            raise ValueError(
                f"warmup_steps {self.warmup_steps} is more than steps {self.steps}: lower it (--warmup-steps) or raise "
                "the steps"
            )
        return self

    @property
    def needs_whole_tensors(self) -> tuple[str, str, str] | None:
        """The setting, its value and what is allowed instead, where ranks cannot have parts of tensors; else None."""
        for key, refused, allowed in (("optimizer", "muon", "adamw"), ("dtype", "float16", "float32, bfloat16")):
            if getattr(self, key) == refused:
                return key, refused, allowed
        return None


FREE_KEYS = frozenset(
    {
        "sharding",
        "tensor_parallel",
        "pipeline_parallel",
        "log_every",
        "validate_every",
        "checkpoint_every",
        "keep_checkpoints",
        "sample_every",
        "sample_tokens",
        "sample_prompts",
        "tensorboard",
        "patience",
        "max_loss_rise",
    }
)


class DataIdentity(Config):
    """What a run was trained on."""

    path: str = Field(description="folder of token shards; of two languages both")
    fingerprint: str = Field(description="sha256 over the shards' own")
    tokenizer_sha256: str = Field(description="sha256 of the tokenizer")
    source_tokenizer_sha256: str | None = Field(None, description="sha256 of the source's own tokenizer")
    eos_id: int = Field(description="id of the token that ends a document")
    begin_id: int | None = Field(None, description="id that targets are read from; eos when absent")
    before_source: tuple[int, ...] = Field((), description="ids that sources begin with")
    before_target: tuple[int, ...] = Field((), description="ids that targets begin with")
    history: int = Field(0, description="turns of a dialogue that stand before a message at most")


class StartIdentity(Config):
    """The weights a run began with."""

    path: str = Field(description="the run, checkpoint or folder of transformers")
    sha256: str = Field(description="sha256 of its weights")
    ends: tuple[int, ...] = Field((), description="ids that end what it writes, whatever ends the data's texts")
    at_limit: tuple[int, ...] = Field((), description="ids of which it writes one where there is room for no more")
    changes: tuple[str, ...] = Field((), description="parts of the model that they had not, and what was not kept")


class RunConfig(Config):
    """All of a run; ``config.toml`` of its folder."""

    architecture: Architecture = Field(description="which model of textpipe.nn")
    model: ModelConfig
    train: TrainConfig
    data: DataIdentity
    start: StartIdentity | None = Field(None, description="what it began with; random weights when absent")

    @pydantic.model_validator(mode="before")
    @classmethod
    def _shape_of_the_architecture(cls, values: Any) -> Any:
        kind = (
            ARCHITECTURES.get(values["architecture"]) if isinstance(values, dict) and "architecture" in values else None
        )
        if kind is not None and isinstance(values.get("model"), dict):
            shape = values["model"]
            if kind is TransformerConfig and shape.get("layout") == "pre" and "positions" not in shape:
                shape = {**shape, "positions": "fairseq"}  # written when layout pre had no others
            return {**values, "model": kind(**shape)}
        return values

    @pydantic.model_validator(mode="after")
    def _only_keys_it_reads(self) -> Self:
        if self.architecture != architecture_of(self.model):
            raise ValueError(f"the shape is that of a {architecture_of(self.model)}, not of a {self.architecture}")
        default = TrainConfig()
        for key in sorted(keys_not_read_by(self.architecture)):
            if getattr(self.train, key) != getattr(default, key):
                raise ValueError(f"{key} is read by {', '.join(_KEYS_OF[key])}, this is a {self.architecture}")
        if self.train.optimizer == "muon" and self.architecture == "seq2seq":
            raise ValueError("muon is for matrices of blocks, and a seq2seq has none: take adamw")
        return self

    def conflicts(self, other: RunConfig) -> dict[str, tuple[object, object]]:
        """``{key: (mine, theirs)}`` for keys that decide the weights and differ; where the data lies is free."""
        found = {f"model.{key}": values for key, values in self.model.differences(other.model).items()}
        found |= {
            f"train.{key}": values
            for key, values in self.train.differences(other.train).items()
            if key not in FREE_KEYS
        }
        found |= {f"data.{key}": values for key, values in self.data.differences(other.data).items() if key != "path"}
        begun = [None if run.start is None else run.start.sha256 for run in (self, other)]
        return found if begun[0] == begun[1] else {**found, "start.sha256": (begun[0], begun[1])}


def _partly(model: type[Config]) -> Any:
    """The same configuration with every key optional: what a file that goes over a preset may hold."""
    fields = {}
    for name, field in model.model_fields.items():
        optional = copy.copy(field)
        optional.default = None
        fields[name] = (field.annotation | None, optional)  # type: ignore[operator]
    return pydantic.create_model(model.__name__, __base__=Config, **fields)  # type: ignore[call-overload]


def config_file(architecture: Architecture, **more: type[Config]) -> type[Config]:
    """The tables a TOML file of this architecture may hold: model, train and any ``more``.

    A key that is in none of them is refused with the nearest one.
    """
    empty: Any = Field(default_factory=dict)
    tables: dict[str, Any] = {
        "model": (_partly(ARCHITECTURES[architecture]), empty),
        "train": (_partly(TrainConfig), empty),
        **{name: (_partly(kind), empty) for name, kind in more.items()},
    }
    return pydantic.create_model("ConfigFile", __base__=Config, **tables)
