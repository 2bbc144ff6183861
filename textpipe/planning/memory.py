"""Bytes on a GPU, component by component.

What enters: a model's anatomy, the work of a step and a layout. What leaves: what the fullest GPU holds at the moment
it holds most, each component with its formula. Two moments are compared: backward begins, when all activations are
there; and backward ends, when all gradients are.

Symbols of the formulas: Ψ parameters, N data-parallel ranks, t tensor-parallel ranks, p pipeline stages, L blocks,
b sequences of a micro-batch, s positions of a sequence, D width, V vocabulary.
Sources: Rajbhandari et al. 2020 (ZeRO) for the states, Korthikanti et al. 2022 for activations.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal, NamedTuple

from textpipe.planning.anatomy import Anatomy, BlockCount

__all__ = [
    "PRECISIONS",
    "Component",
    "Layout",
    "Memory",
    "Precision",
    "Sharding",
    "Workload",
    "block_activations",
    "kv_cache_bytes",
    "layout_memory",
    "state_bytes",
]

Sharding = Literal["ddp", "zero1", "zero2", "zero3"]


class Precision(NamedTuple):
    """Bytes of a number: of the model states, and in activations of the stream and of what matrices read.

    ``cast`` is that of copies of the matrices in the type they are multiplied in, zero where there are none.
    """

    weights: int
    gradients: int
    optimizer: int
    stream: int
    inputs: int
    cast: int


PRECISIONS: Mapping[str, Precision] = MappingProxyType(
    {
        "float32": Precision(4, 4, 8, 4, 4, 0),
        "autocast": Precision(4, 4, 8, 4, 2, 2),  # float32 weights, 16-bit products: what train does
        "mixed": Precision(2, 2, 12, 2, 2, 0),  # 16-bit weights, float32 masters: the 16 bytes of ZeRO
        "mixed-fp32-gradients": Precision(2, 4, 12, 2, 2, 0),  # the 18 bytes of Megatron
    }
)


class Kernels(NamedTuple):
    """Bytes of a dropout mask's number, and of an attention score where attention is not fused."""

    mask: int
    score: int


GPU_KERNELS = Kernels(mask=1, score=5)  # a softmax's output, what dropout leaves of it, and its mask
CPU_KERNELS = Kernels(mask=4, score=12)  # the same three in float32


@dataclass(frozen=True, slots=True, kw_only=True)
class Workload:
    """One step: its precision and optimiser, and how many sequences of how many positions it has in all."""

    precision: Precision
    batch: int
    positions: int
    muon: bool = False
    keeps_mean: bool = False
    dropout: bool = False
    on_cpu: bool = False

    @property
    def fuses_attention(self) -> bool:
        """Whether attention keeps no scores; the CPU's kernel knows no dropout."""
        return not (self.on_cpu and self.dropout)


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """How a run is shared: ``data`` × ``tensor`` × ``pipeline`` GPUs, each with ``micro_batch`` sequences at once."""

    data: int = 1
    tensor: int = 1
    pipeline: int = 1
    sharding: Sharding = "ddp"
    recompute: bool = False
    micro_batch: int = 1

    @property
    def gpus(self) -> int:
        """GPUs it takes."""
        return self.data * self.tensor * self.pipeline

    def micro_batches(self, batch: int) -> int:
        """Micro-batches of a step on each GPU."""
        return max(1, -(-batch // (self.data * self.micro_batch)))


class Component(NamedTuple):
    """Part of a GPU's memory."""

    name: str
    num_bytes: float
    formula: str


@dataclass(frozen=True, slots=True)
class Memory:
    """What the fullest GPU holds, and when."""

    components: tuple[Component, ...]
    moment: str

    @property
    def total_bytes(self) -> float:
        """All of it."""
        return sum(component.num_bytes for component in self.components)


def state_bytes(parameters: float, precision: Precision, sharding: Sharding, ranks: int) -> tuple[float, float, float]:
    """Bytes of weights, gradients and optimiser on one of ``ranks`` that share them by ZeRO's stages.

    Examples
    --------
    >>> [round(sum(state_bytes(7.5e9, PRECISIONS["mixed"], kind, 64)) / 1e9, 1) for kind in ("ddp", "zero1", "zero3")]
    [120.0, 31.4, 1.9]
    """
    weights, gradients, optimizer = (
        parameters * size for size in (precision.weights, precision.gradients, precision.optimizer)
    )
    if sharding != "ddp":
        optimizer /= ranks
    if sharding in ("zero2", "zero3"):
        gradients /= ranks
    if sharding == "zero3":
        weights /= ranks
    return weights, gradients, optimizer


def block_activations(
    block: BlockCount,
    *,
    sequences: float,
    positions: int,
    precision: Precision,
    tensor: int = 1,
    kernels: Kernels = GPU_KERNELS,
    fused: bool = True,
    dropout: bool = True,
    recompute: bool = False,
) -> float:
    """Bytes one block keeps for backward.

    With dropout and 16-bit numbers a block of GPT keeps ``s b h (34 + 5 a s / h)`` of Korthikanti et al., ``a`` the
    heads and ``h`` the width, ``s b h (10 + 24 / t + 5 a s / (h t))`` with tensor parallelism.
    """
    if recompute:
        return sequences * positions * block.recomputed_inputs * precision.stream
    each: float = block.kept_stream * precision.stream
    each += (block.kept_inputs + block.kept_split / tensor) * precision.inputs
    if dropout:
        each += block.dropped * kernels.mask
    if not fused:
        each += block.heads / tensor * positions * kernels.score
    return sequences * positions * each


def kv_cache_bytes(model: Anatomy, *, sequences: int = 1, positions: int | None = None, number_bytes: int = 2) -> int:
    """Keys and values kept while writing: 2 · layers · width of keys · positions · sequences · bytes."""
    return 2 * model.kv_layers * model.kv_width * (positions or model.context) * sequences * number_bytes


def layout_memory(model: Anatomy, work: Workload, layout: Layout) -> Memory:
    """What the fullest GPU of a layout holds at its fullest moment."""
    stages = {0, layout.pipeline - 1}
    candidates = [memory for stage in sorted(stages) for memory in _Stage(model, work, layout, stage).moments()]
    return max(candidates, key=lambda memory: memory.total_bytes)


class _Stage:
    """One pipeline stage: its share of the blocks, the embeddings if it is the first, the head if it is the last."""

    def __init__(self, model: Anatomy, work: Workload, layout: Layout, stage: int) -> None:
        self.model, self.work, self.layout = model, work, layout
        self.is_first, self.is_last = stage == 0, stage == layout.pipeline - 1
        self.share = -(-model.num_blocks // layout.pipeline) / model.num_blocks
        self.micro_batches = layout.micro_batches(work.batch)
        self.in_flight = min(layout.pipeline - stage, self.micro_batches)
        # fewer sequences than a micro-batch would hold
        self.sequences = min(layout.micro_batch, -(-work.batch // layout.data))
        self.around = 0
        if self.is_first:
            self.around += model.embedding_parameters
        if self.is_last:
            self.around += model.around_parameters - model.embedding_parameters
        if self.is_last and not self.is_first and model.tied:  # the last stage has a head of its own
            self.around += model.vocab_size * model.width

    @property
    def parameters(self) -> float:
        """Weights of this GPU before data-parallel sharding; embeddings and norms are whole on every tensor rank."""
        t = self.layout.tensor
        blocks = sum(
            block.count * (block.parameters - block.split_parameters + block.split_parameters / t)
            for block in self.model.blocks
        )
        return blocks * self.share + self.around

    @property
    def precision(self) -> Precision:
        """With Muon's one number for matrices where AdamW has two."""
        given = self.work.precision
        if not self.work.muon:
            return given
        matrices = self.model.inner_matrix_parameters / self.model.num_parameters
        return given._replace(optimizer=given.optimizer - 4 * matrices)  # type: ignore[arg-type]

    def moments(self) -> list[Memory]:
        """Backward begins, and backward ends."""
        layout, work, precision = self.layout, self.work, self.precision
        data = layout.data
        weights, gradients, optimizer = state_bytes(self.parameters, precision, layout.sharding, data)
        states = [Component("weights", weights, _formula(precision.weights, layout.sharding == "zero3"))]
        if work.keeps_mean:
            mean = 4 * self.parameters / (data if layout.sharding == "zero3" else 1)
            states.append(Component("running mean", mean, _formula(4, layout.sharding == "zero3")))
        states.append(Component("optimizer", optimizer, _formula(precision.optimizer, layout.sharding != "ddp")))
        matrices = self.model.inner_matrix_parameters * self.share / layout.tensor
        if precision.cast and layout.sharding != "zero3":  # with zero3 it is the gathered weights that are cast
            states.append(Component("16-bit copies", matrices * precision.cast, f"{precision.cast} Ψ of matrices / t"))
        states += self._gathered()
        is_sharded = layout.sharding in ("zero2", "zero3")
        held = Component("gradients", gradients, _formula(precision.gradients, is_sharded))
        # one process that takes a step at once has no gradients left when the next one begins
        persists = data > 1 or self.micro_batches > 1
        begins = [*states, *([held] if persists else []), *self._activations(), *self._head(2), self._workspace()]
        ends = [*states, held, *self._head_gradient(), self._workspace()]
        return [Memory(tuple(begins), "backward begins"), Memory(tuple(ends), "backward ends")]

    def _gathered(self) -> list[Component]:
        """With zero3: two blocks, one computed and one on its way, and what stands around them, in the type computed
        in, with their gradients not yet reduced."""
        if self.layout.sharding != "zero3" or self.layout.data == 1:
            return []
        block = max(one.parameters - one.split_parameters * (1 - 1 / self.layout.tensor) for one in self.model.blocks)
        size = self.work.precision.inputs
        numbers = (2 * block + self.around) * size + (block + self.around) * size
        return [Component("gathered", numbers, f"{size} (3 · block + 2 · embeddings and head)")]

    def _kept(self, block: BlockCount, *, recompute: bool) -> float:
        work = self.work
        return block_activations(
            block,
            sequences=self.sequences,
            positions=work.positions,
            precision=work.precision,
            tensor=self.layout.tensor,
            kernels=CPU_KERNELS if work.on_cpu else GPU_KERNELS,
            fused=work.fuses_attention,
            dropout=work.dropout,
            recompute=recompute,
        )

    def _activations(self) -> list[Component]:
        layout, work = self.layout, self.work
        blocks = sum(block.count * self._kept(block, recompute=layout.recompute) for block in self.model.blocks)
        positions = self.sequences * work.positions
        around = positions * self.model.kept_around * work.precision.stream
        formula = "L / p · b s · kept a position" + (" · micro-batches in flight" if layout.pipeline > 1 else "")
        total = blocks * self.share * self.in_flight + around
        return [Component("activations", total, formula)]

    def _head(self, times: int) -> list[Component]:
        """Gradients of the states below the head and of its matrix, made with the loss, then scaled."""
        if not self.is_last:
            return []
        precision, model = self.work.precision, self.model
        positions = self.sequences * self.work.positions * model.head_positions
        numbers = positions * model.width * precision.stream + model.vocab_size * model.width * precision.gradients
        return [Component("head", times * numbers, f"{times} (b s D + V D)")]

    def _head_gradient(self) -> list[Component]:
        """An embedding's gradient is as large as its table, and waits to be added to the head's."""
        if not self.is_first:
            return []
        table = self.model.vocab_size * self.model.width * self.work.precision.gradients
        return [Component("head", table, "V D")]

    def _workspace(self) -> Component:
        """The gradients inside one part of a block, and all that a block keeps while it is computed again."""
        widest = max(block.widest for block in self.model.blocks)
        each = widest * self.work.precision.inputs / self.layout.tensor
        parts = self.sequences * self.work.positions * each
        if not self.layout.recompute:
            return Component("workspace", parts, "b s · widest part")
        again = max(self._kept(block, recompute=False) for block in self.model.blocks)
        return Component("workspace", parts + again, "b s · widest part + one block")


def _formula(size: float, is_sharded: bool) -> str:
    return f"{size:g} Ψ / N" if is_sharded else f"{size:g} Ψ"
