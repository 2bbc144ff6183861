"""A plan: parameters, operations, memory, days and cost of a training, and the layouts that fit, best first.

What enters: a model's shape, its training and a cluster. What leaves: a :class:`Plan`, as text with a chart of each
GPU's memory, or as plain data for JSON. Memory is in GiB (2³⁰ bytes), counts in billions of numbers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from textpipe.errors import LimitError
from textpipe.planning.anatomy import Anatomy, anatomy
from textpipe.planning.cluster import GIB, ClusterConfig
from textpipe.planning.layouts import PlannedLayout, fitting_layouts, smallest_cluster, step_flops
from textpipe.planning.memory import Layout, Workload, kv_cache_bytes
from textpipe.planning.workload import precision_of, workload

if TYPE_CHECKING:
    from textpipe.training.run_config import ModelConfig, TrainConfig

__all__ = ["Plan", "make_plan", "training_days"]


def training_days(parameters: float, tokens: float, gpus: int, tflops: float, *, recompute: bool) -> float:
    """Days by the rule of thumb of Narayanan et al. 2021: 8 T P / (n X), without recomputing 6 T P / (n X).

    ``tflops`` are those reached by each GPU.

    Examples
    --------
    >>> round(training_days(174.6e9, 300e9, 1024, 140, recompute=True))
    34
    """
    return (8 if recompute else 6) * tokens * parameters / (gpus * tflops * 1e12) / 86_400


@dataclass(frozen=True, slots=True)
class Plan:
    """What a training would take; ``layouts`` are those that fit, the fastest first."""

    train: TrainConfig
    model: Anatomy
    work: Workload
    precision: str
    cluster: ClusterConfig
    steps: int
    layouts: tuple[PlannedLayout, ...]

    @property
    def tokens(self) -> int:
        """Positions read in all steps."""
        return self.steps * self.work.batch * self.work.positions

    def days(self, planned: PlannedLayout) -> float:
        """Days of all steps with a layout."""
        return planned.time.total * self.steps / 86_400

    def cost(self, planned: PlannedLayout) -> float:
        """Price of all GPUs for that time."""
        return self.days(planned) * 24 * planned.layout.gpus * self.cluster.price

    def command(self, planned: PlannedLayout) -> str | None:
        """What starts this layout with ``textpipe train``, or None where it does not run it."""
        return command(planned.layout, self.cluster, self.train, self.precision)

    def utilization(self, planned: PlannedLayout) -> float:
        """Operations of the model itself a second, as a share of what the GPUs could do (MFU)."""
        flops = step_flops(self.model, self.work, recompute=False)
        return flops / (planned.time.total * planned.layout.gpus * self.cluster.peak_tflops * 1e12)

    def to_dict(self, *, most: int = 5) -> dict[str, Any]:
        """Everything as plain data; bytes as integers."""
        model = self.model
        return {
            "schema_version": 1,
            "architecture": model.architecture,
            "parameters": model.num_parameters,
            "parameters_of": {"blocks": model.block_parameters, "around_blocks": model.around_parameters},
            "vocab_size": model.vocab_size,
            "precision": self.precision,
            "steps": self.steps,
            "sequences_per_step": self.work.batch,
            "positions_per_sequence": self.work.positions,
            "tokens": self.tokens,
            "forward_flops_per_token": model.forward_flops(1, context=self.work.positions),
            "flops": step_flops(model, self.work, recompute=False) * self.steps,
            "kv_cache_bytes": kv_cache_bytes(model) if model.writes else None,
            "cluster": self.cluster.model_dump(mode="json"),
            "layouts": [self._layout_dict(planned) for planned in self.layouts[:most]],
        }

    def _layout_dict(self, planned: PlannedLayout) -> dict[str, Any]:
        layout, memory = planned.layout, planned.memory
        return {
            "data": layout.data,
            "tensor": layout.tensor,
            "pipeline": layout.pipeline,
            "sharding": layout.sharding,
            "recompute": layout.recompute,
            "micro_batch": layout.micro_batch,
            "gpu_bytes": round(memory.total_bytes),
            "fullest_when": memory.moment,
            "components": [
                {"name": part.name, "bytes": round(part.num_bytes), "formula": part.formula}
                for part in memory.components
            ],
            "step_s": planned.time.total,
            "step_s_of": planned.time._asdict(),
            "model_flops_utilization": self.utilization(planned),
            "days": self.days(planned),
            "cost": self.cost(planned),
            "command": self.command(planned),
        }

    def facts(self) -> list[tuple[str, str]]:
        """The first lines of the text: what there is to do, and on what."""
        model, work, cluster = self.model, self.work, self.cluster
        blocks = " and ".join(f"{block.count} {block.name}s" for block in model.blocks)
        flops = step_flops(model, work, recompute=False)
        return [
            ("model", f"{model.architecture}, {blocks} of width {model.width:,}, vocabulary {model.vocab_size:,}"),
            (
                "parameters",
                f"{model.num_parameters:,} ({model.block_parameters:,} in blocks, {model.around_parameters:,} around)",
            ),
            ("training", f"{self.steps:,} steps of {work.batch:,} × {work.positions:,} = {self.tokens:,} tokens"),
            ("operations", f"{flops * self.steps:.3g} in all, {flops / (work.batch * work.positions):.3g} a token"),
            (
                "cluster",
                f"{cluster.gpus:,} {cluster.gpu}: {cluster.device_bytes / GIB:,.1f} GiB usable, "
                f"{cluster.peak_tflops:,g} TFLOP/s of which {cluster.utilization:.0%} are reached",
            ),
            *([("writing", self._writing())] if model.writes else []),
        ]

    def _writing(self) -> str:
        size = kv_cache_bytes(self.model)
        fits = int((self.cluster.device_bytes - 2 * self.model.num_parameters) // size)
        beside = f"{fits:,} of them fit beside the weights" if fits > 0 else "the weights alone fill more than a GPU"
        return f"keys and values of {self.model.context:,} positions {size / GIB:.3g} GiB a text in 16 bits; {beside}"


def command(layout: Layout, cluster: ClusterConfig, train: TrainConfig, precision: str) -> str | None:
    """What starts this layout with ``textpipe train``, or None where it does not run it.

    Examples
    --------
    >>> from textpipe.training.run_config import TrainConfig
    >>> command(Layout(data=12), ClusterConfig(gpus=12, gpus_per_node=8), TrainConfig(), "autocast")
    'torchrun --nnodes 2 --nproc-per-node 6 -m textpipe train … --micro-batch-size 1'
    """
    if not _is_trained(layout, train, precision):
        return None
    words = []
    if layout.gpus > 1:
        nodes = _nodes(layout, cluster)
        words = ["torchrun", *([f"--nnodes {nodes}"] if nodes > 1 else [])]
        words.append(f"--nproc-per-node {layout.gpus // nodes} -m")
    words.append(f"textpipe train … --micro-batch-size {layout.micro_batch}")
    if layout.sharding == "zero3":
        words.append("--sharding fsdp")
    if layout.tensor > 1:
        words.append(f"--tensor-parallel {layout.tensor}")
    if layout.pipeline > 1:
        words.append(f"--pipeline-parallel {layout.pipeline} --no-tied")
    if layout.recompute:
        words.append("--checkpoint-activations")
    return " ".join(words)


def _is_trained(layout: Layout, train: TrainConfig, precision: str) -> bool:
    """Whether ``textpipe train`` runs a layout with these settings."""
    if precision not in ("float32", "autocast") or layout.sharding in ("zero1", "zero2"):
        return False
    if layout.pipeline > 1 and (layout.gpus > layout.pipeline or train.document_mask):
        return False
    if layout.tensor > 1 and layout.data > 1 and layout.sharding != "zero3":
        return False
    is_cut = layout.sharding == "zero3" or layout.tensor > 1 or layout.pipeline > 1
    return not (is_cut and train.needs_whole_tensors)


def _nodes(layout: Layout, cluster: ClusterConfig) -> int:
    """The fewest machines that have equal shares of the GPUs, each with whole groups of tensor ranks."""
    fewest = -(-layout.gpus // cluster.gpus_per_node)
    groups = layout.gpus // layout.tensor
    return next(count for count in range(fewest, groups + 1) if groups % count == 0)


def make_plan(
    model: ModelConfig,
    train: TrainConfig,
    cluster: ClusterConfig,
    *,
    precision: str | None = None,
    tokens: int | None = None,
) -> Plan:
    """Plan a training.

    Parameters
    ----------
    precision : a key of ``PRECISIONS``; when absent what ``textpipe train`` does there: float32 on a CPU or where the
        training says so, else float32 weights with 16-bit products.
    tokens : positions to train on; the training's steps when absent.

    Raises
    ------
    LimitError
        when no layout fits, naming the smallest cluster of these GPUs that it fits on.
    ConfigError
        when the batch cannot be shared by so many GPUs, or the model cannot be planned.

    Examples
    --------
    >>> from textpipe.training.presets import preset
    >>> plan = make_plan(*preset("base", vocab_size=50257), ClusterConfig(gpus=8))
    >>> plan.model.num_parameters
    124439808
    """
    on_cpu = cluster.gpu == "cpu"
    precision = precision or precision_of(train, on_cpu=on_cpu)
    counted = anatomy(model, mask_share=train.mask_share)
    work = workload(model, train, precision=precision, on_cpu=on_cpu)
    found = fitting_layouts(counted, work, cluster)
    if not found:
        _refuse(counted, work, cluster)
    steps = train.steps if tokens is None else max(1, -(-tokens // (work.batch * work.positions)))
    return Plan(train, counted, work, precision, cluster, steps, tuple(found))


def _refuse(model: Anatomy, work: Workload, cluster: ClusterConfig) -> None:
    count, planned = smallest_cluster(model, work, cluster)
    layout = planned.layout
    raise LimitError(
        f"no layout of this run fits on {cluster.gpus:,} {cluster.gpu}",
        where="plan",
        allowed=f"{cluster.device_bytes / GIB:,.1f} GiB a GPU",
        hint=f"the smallest cluster of these GPUs that fits has {count:,}: data {layout.data:,} × tensor "
        f"{layout.tensor} × pipeline {layout.pipeline}, {layout.sharding}"
        f"{', recomputing' if layout.recompute else ''}, {planned.memory.total_bytes / GIB:,.1f} GiB a GPU",
    )
