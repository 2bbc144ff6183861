"""Ways to share a run between GPUs: which fit, how long a step takes, which is best, and what would fit at all.

What enters: a model's anatomy, the work of a step and a cluster. What leaves: layouts with their memory and their time,
the fastest first. The time of a step is an estimate with its parts named: operations at the reached speed, the bubble
of a pipeline, what tensor parallelism sends (nothing hides it), and what data parallelism sends beyond half of the
computing it hides behind.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from textpipe.errors import ConfigError, LimitError
from textpipe.planning.anatomy import Anatomy
from textpipe.planning.cluster import GIB, ClusterConfig
from textpipe.planning.memory import Layout, Memory, Sharding, Workload, layout_memory

__all__ = ["PlannedLayout", "StepTime", "fitting_layouts", "smallest_cluster", "step_time"]

_SHARDINGS: tuple[Sharding, ...] = ("ddp", "zero1", "zero2", "zero3")
_MOST_GPUS = 1 << 20


class StepTime(NamedTuple):
    """Seconds of a step, by what they go to."""

    compute: float
    bubble: float
    tensor: float
    data: float

    @property
    def total(self) -> float:
        """All of it."""
        return self.compute + self.bubble + self.tensor + self.data


@dataclass(frozen=True, slots=True)
class PlannedLayout:
    """A layout, the memory of its fullest GPU and the time of a step."""

    layout: Layout
    memory: Memory
    time: StepTime


def step_flops(model: Anatomy, work: Workload, *, recompute: bool) -> float:
    """Operations of a step over all GPUs: forward, twice that backward, and the blocks once more when recomputed."""
    positions = work.batch * work.positions
    forward = model.forward_flops(positions, context=work.positions)
    if not recompute:
        return 3 * forward
    head = 2 * (model.vocab_size * model.width + model.head_parameters) * model.head_positions * positions
    return 4 * forward - head


def step_time(model: Anatomy, work: Workload, layout: Layout, cluster: ClusterConfig) -> StepTime:
    """How long a step takes on so many GPUs of a cluster."""
    size, n, t, p = work.precision.inputs, layout.data, layout.tensor, layout.pipeline
    compute = step_flops(model, work, recompute=layout.recompute) / (layout.gpus * cluster.flops_per_s)
    micro_batches = layout.micro_batches(work.batch)
    bubble = compute * (p - 1) / micro_batches
    tensor = 0.0
    if t > 1:
        # every part of a block sums over the ranks once forward and once backward, and once more when recomputed
        parts = sum(block.count * (block.attention_widths + 1) for block in model.blocks) / p
        sums = parts * (3 if layout.recompute else 2) * work.batch / n * work.positions * model.width * size
        tensor = sums * 2 * (t - 1) / t / cluster.link_bytes_per_s
    data = 0.0
    if n > 1:
        weights = model.num_parameters / (t * p)
        rounds = 2 * weights * work.precision.gradients
        if layout.sharding == "zero3":  # gathered for forward and for backward, summed and scattered: each micro-batch
            rounds = micro_batches * weights * (2 * size + work.precision.gradients)
        leaves_node = layout.gpus > cluster.gpus_per_node
        speed = cluster.network_gb_s * 1e9 if leaves_node else cluster.link_bytes_per_s
        data = max(0.0, rounds * (n - 1) / n / speed - compute / 2)
    return StepTime(compute, bubble, tensor, data)


def layouts(
    model: Anatomy, work: Workload, cluster: ClusterConfig, gpus: int, *, most_sequences: int | None = None
) -> Iterator[Layout]:
    """Every layout on exactly ``gpus`` GPUs whose numbers divide, with micro-batches of up to ``most_sequences``.

    Tensor ranks share a node and divide the heads; pipeline stages divide the blocks of a GPT, the model that is cut
    into stages; data ranks divide the batch; zero2 and zero3, which would send every micro-batch's gradients or
    weights, are not joined to a pipeline.
    """
    for tensor in _powers_of_two(min(cluster.gpus_per_node, gpus)):
        if gpus % tensor or model.heads % tensor or model.kv_heads % tensor:
            continue
        for pipeline in range(1, model.num_blocks + 1 if model.architecture == "gpt" else 2):
            data, rest = divmod(gpus, tensor * pipeline)
            if rest or data == 0 or model.num_blocks % pipeline or work.batch % data:
                continue
            kinds = _SHARDINGS if data > 1 else ("ddp",)
            for sharding in kinds if pipeline == 1 else kinds[:2]:
                for recompute in (False, True):
                    for micro_batch in _powers_of_two(min(work.batch // data, most_sequences or work.batch)):
                        if (work.batch // data) % micro_batch == 0:
                            yield Layout(
                                data=data,
                                tensor=tensor,
                                pipeline=pipeline,
                                sharding=sharding,
                                recompute=recompute,
                                micro_batch=micro_batch,
                            )


def _powers_of_two(most: int) -> Iterator[int]:
    value = 1
    while value <= most:
        yield value
        value *= 2


def fitting_layouts(
    model: Anatomy,
    work: Workload,
    cluster: ClusterConfig,
    *,
    gpus: int | None = None,
    most_sequences: int | None = None,
) -> list[PlannedLayout]:
    """Layouts that fit, the fastest first; of those equal but for the micro-batch, the one that is fastest.

    Ties go to the one that needs less memory, then to the simpler one.

    Raises
    ------
    ConfigError
        when no layout divides: the batch cannot be shared by so many GPUs.
    """
    count = cluster.gpus if gpus is None else gpus
    best: dict[tuple[object, ...], PlannedLayout] = {}
    divides = False
    for layout in layouts(model, work, cluster, count, most_sequences=most_sequences):
        divides = True
        memory = layout_memory(model, work, layout)
        if memory.total_bytes > cluster.device_bytes:
            continue
        planned = PlannedLayout(layout, memory, step_time(model, work, layout, cluster))
        key = (layout.data, layout.tensor, layout.pipeline, layout.sharding, layout.recompute)
        if key not in best or _rank(planned) < _rank(best[key]):
            best[key] = planned
    if not divides:
        raise ConfigError(
            f"{work.batch} sequences a step cannot be shared evenly by {count} GPUs",
            where="batch_size",
            allowed=f"a multiple of {count}",
            hint="or a number of GPUs that divides it",
        )
    return sorted(best.values(), key=_rank)


def _rank(planned: PlannedLayout) -> tuple[object, ...]:
    layout = planned.layout
    # three digits: what an estimate can tell apart; kernels like larger micro-batches, which the estimate does not know
    return (
        float(f"{planned.time.total:.3g}"),
        layout.pipeline * layout.tensor,
        _SHARDINGS.index(layout.sharding),
        -min(layout.micro_batch, 8),
        planned.memory.total_bytes,
    )


def smallest_cluster(model: Anatomy, work: Workload, cluster: ClusterConfig) -> tuple[int, PlannedLayout]:
    """The fewest of these GPUs that a run fits on, and its layout there.

    Raises
    ------
    LimitError
        when it fits on no number of them, with what one GPU would need at least.
    """
    least: PlannedLayout | None = None
    for count in _counts(work.batch * cluster.gpus_per_node * model.num_blocks):
        try:
            found = fitting_layouts(model, work, cluster, gpus=count, most_sequences=1)
        except ConfigError:  # the batch does not divide by this number
            continue
        if found:
            return _fewest(model, work, cluster, count) or (count, found[0])
        least = _least(model, work, cluster, count, least)
    needs = "" if least is None else f"; the least any layout needs is {_gib(least.memory.total_bytes)} a GPU"
    raise LimitError(
        f"no number of {cluster.gpu} GPUs holds this run{needs}",
        allowed=f"{_gib(cluster.device_bytes)} a GPU",
        hint="shorten the context, raise the batch, or take GPUs with more memory",
    )


def _gib(num_bytes: float) -> str:
    size = num_bytes / GIB
    return f"{size:,.1f} GiB" if size >= 10 else f"{size:.3g} GiB"


def _fewest(model: Anatomy, work: Workload, cluster: ClusterConfig, enough: int) -> tuple[int, PlannedLayout] | None:
    """The fewest GPUs that a run fits on where that is fewer than ``enough``, and its layout there."""
    precision = work.precision
    number_bytes = precision.weights + precision.gradients + precision.optimizer - (4 if work.muon else 0)
    # no layout does better than to share all of the states evenly
    first = max(1, int(model.num_parameters * number_bytes // cluster.device_bytes))
    for count in range(first, enough):
        try:
            found = fitting_layouts(model, work, cluster, gpus=count, most_sequences=1)
        except ConfigError:
            continue
        if found:
            return count, found[0]
    return None


def _least(
    model: Anatomy, work: Workload, cluster: ClusterConfig, count: int, least: PlannedLayout | None
) -> PlannedLayout | None:
    for layout in layouts(model, work, cluster, count, most_sequences=1):
        if layout.recompute:
            planned = PlannedLayout(layout, layout_memory(model, work, layout), StepTime(0, 0, 0, 0))
            if least is None or planned.memory.total_bytes < least.memory.total_bytes:
                least = planned
    return least


def _counts(most: int) -> Iterator[int]:
    """1, 2, 3, 4, 6, 8, 12, 16, 24, …: powers of two and one between each."""
    for power in _powers_of_two(min(most, _MOST_GPUS)):
        yield power
        if power > 1 and power * 3 // 2 <= most:
            yield power * 3 // 2
