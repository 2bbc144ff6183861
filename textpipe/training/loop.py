"""The training loop.

What enters: a model's shape, packed data, the settings and a folder; which task it is follows from the shape. What
leaves: in that folder ``config.toml``, ``tokenizer.json``, ``log.jsonl``, ``README.md`` and ``checkpoints/``. It
promises:

* The same call again goes on where the last one stopped, and ends with the same weights and the same logged losses, bit
  for bit, as if it had never stopped: batch, learning rate and dropout of a step are functions of (seed, step), and a
  checkpoint holds the rest. A folder of another configuration is refused, with the keys that differ.
* The loss of a step is summed over its tokens and divided by their number over the whole step, so cutting a step into
  micro-batches does not change it.
* With ``ranks``, all of that holds of them together: the same batches in the same order whatever their number, one log
  and one checkpoint, which a run of another number goes on from.
* Ctrl-C and SIGTERM finish the step, save and leave. A loss that is not a number stops the run with step and batch
  named, and is never saved.
"""

from __future__ import annotations

import contextlib
import json
import math
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from textpipe.data.permutation import derive_key
from textpipe.errors import StateError
from textpipe.files import LineLog, lock_directory, write_text
from textpipe.nn.blocks import set_checkpointing
from textpipe.tasks.choosing import task_for
from textpipe.training.checkpoints import (
    Checkpoint,
    help_saving,
    list_checkpoints,
    remove_old_checkpoints,
    save_checkpoint,
)
from textpipe.training.devices import resolve
from textpipe.training.distributed.parallel import Parallel
from textpipe.training.distributed.ranks import Ranks
from textpipe.training.loading import check_tokenizer
from textpipe.training.model_card import model_card
from textpipe.training.room import check_room
from textpipe.training.run_config import (
    DataIdentity,
    RunConfig,
    StartIdentity,
    TrainConfig,
    architecture_of,
    keys_not_read_by,
)
from textpipe.training.run_folder import RunFolder
from textpipe.training.step import Stepper, StepResult
from textpipe.training.stop import StopSignals
from textpipe.training.watching import Patience, Stopwatch, rank_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from textpipe.data.training_data import TrainingData
    from textpipe.training.run_config import ModelConfig
    from textpipe.training.starting import Start

__all__ = ["RunResult", "Trainer"]


@dataclass(frozen=True, slots=True)
class RunResult:
    """How a run ended; losses are nats a token, ``scores`` all that was measured at the end."""

    out: Path
    checkpoint: Path
    steps: int
    loss: float
    val_loss: float
    val_bits_per_byte: float
    unigram_loss: float
    tokens_per_s: float
    scores: dict[str, float | None] = field(default_factory=dict)


class Trainer:
    """Train a model on packed data.

    Parameters
    ----------
    model : the shape of the model; its vocabulary size must be the tokenizer's.
    data : what :func:`textpipe.data.pack` made, for an encoder and decoder :func:`textpipe.data.pack_pairs`, for an
        encoder with a head :class:`~textpipe.tasks.fine_tuning.LabelledData`.
    config : see :class:`TrainConfig`.
    out : the run's folder; made, or gone on with.
    start : weights to begin with instead of random ones; ``Start.open(path)``. What a run noted of them is enough to go
        on from its checkpoint, which has all that became of them.
    listeners : each called with every line of the log, a dictionary with ``step`` in it.
    progress : called as ``progress("train", step, steps, unit="steps", loss=…, …)``.
    ranks : of :func:`~textpipe.training.distributed.joined`; this process alone when absent. The first writes.

    Examples
    --------
    >>> data = PackedData("shards")  # doctest: +SKIP
    >>> model, config = preset("tiny", vocab_size=data.vocab_size)  # doctest: +SKIP
    >>> result = Trainer(model, data, config, out="run").run()  # doctest: +SKIP
    >>> result.val_loss < result.unigram_loss  # doctest: +SKIP
    True
    """

    def __init__(
        self,
        model: ModelConfig,
        data: TrainingData,
        config: TrainConfig | None = None,
        *,
        out: str | os.PathLike[str] = "run",
        start: Start | StartIdentity | None = None,
        progress: Callable[..., None] | None = None,
        listeners: Iterable[Callable[[dict[str, Any]], None]] = (),
        ranks: Ranks | None = None,
    ) -> None:
        self.config, self.ranks = resolve(config or TrainConfig()), ranks or Ranks()
        self.parallel = Parallel(self.config, self.ranks)
        self.parallel.check_model(model)
        if "batch_size" not in keys_not_read_by(architecture_of(model)):
            self.parallel.check_batch(self.config.batch_size)
        self.data, self.out = data, Path(out)
        noted = start if isinstance(start, StartIdentity) else None
        self.start = None if isinstance(start, StartIdentity) else start
        self.progress = progress if self.ranks.is_first else None
        self.run_config = RunConfig(
            architecture=architecture_of(model),
            model=model,
            train=self.config,
            data=DataIdentity(**data.as_identity()),
            start=noted if self.start is None else self.start.identity(model),
        )
        self.folder = RunFolder(self.out, self.run_config)
        if self.start is not None:
            self.start.check_size(data.vocab_size)
        self.task = task_for(model, data, self.config)
        self._listeners = list(listeners)
        self._log: LineLog | None = None  # the first rank's
        self._scores: dict[str, float | None] = {}
        self._samples: list[dict[str, str]] = []

    def run(self) -> RunResult:
        """Train to the last step, from the start or from the newest checkpoint in the folder.

        Raises
        ------
        StateError
            when the folder holds a run of another configuration, tokenizer or data, when another process writes there,
            or when the loss stops being a number or jumps.
        KeyboardInterrupt
            after Ctrl-C or SIGTERM, when the step in hand is done and saved.
        """
        with contextlib.ExitStack() as stack:
            if self.ranks.is_first:
                stack.enter_context(lock_directory(self.out))
            stack.enter_context(torch.random.fork_rng())
            if self.config.threads is not None:
                stack.callback(torch.set_num_threads, torch.get_num_threads())
                torch.set_num_threads(self.config.threads)
            stop = stack.enter_context(StopSignals())
            start = self._open()
            if self.ranks.is_first:
                stack.enter_context(self._logging(start))
            return self._train(start, stop)

    @contextlib.contextmanager
    def _logging(self, start: int) -> Iterator[None]:
        """The log goes on after step ``start``, as do its listeners."""
        with LineLog(self.out / "log.jsonl") as self._log, contextlib.ExitStack() as stack:
            self._log.keep(lambda row: self._is_kept(row, start))
            if self.config.tensorboard:
                from textpipe.training.tensorboard import EventFiles

                events = EventFiles(self.out, start=start)
                stack.callback(events.close)
                self._listeners = [*self._listeners, events]
            yield

    def _open(self) -> int:
        """Make the model and the optimiser, new or from the newest checkpoint; returns the steps done."""
        if self.ranks.world == 1:  # what sharing leaves to each is not known before
            check_room(self.run_config.model, self.config)
        if self.ranks.is_first:
            self.folder.check()
            if (
                self.start is None
                and self.run_config.start is not None
                and not list_checkpoints(self.folder.checkpoints)
            ):
                what = "no checkpoint to go on from, and only the name of what it begins with"
                raise StateError(what, where=self.out)
            self._check_tokenizer()
            self.folder.claim(self.task.tokenizer_files)
        self.ranks.wait()
        checkpoint = self.folder.newest()
        self._check_ranks_agree(checkpoint)
        model = self.task.new_model(derive_key("weights", self.config.seed) >> 1)
        if checkpoint is None and self.start is not None:
            self.start.load(model)
        model = model.to(self.config.device)
        set_checkpointing(model, self.config.checkpoint_activations)
        self.stepper = Stepper(self.task, model, self.config, where=self.out, parallel=self.parallel)
        self._num_parameters = self.parallel.num_parameters(model)  # asked of all ranks, so not where one saves
        if checkpoint is None:
            self.patience = Patience(self.config.patience)
            return 0
        checkpoint.load_into(self.stepper)
        self.patience = Patience(self.config.patience, checkpoint.progress)
        self._scores = dict(checkpoint.scores)
        return checkpoint.step

    def _check_ranks_agree(self, checkpoint: Checkpoint | None) -> None:
        """A folder that is not the same on all machines would start ranks at different steps."""
        begins = "no checkpoint" if checkpoint is None else checkpoint.path.name
        hint = "--out and the data must be on a file system that all machines share"
        self.ranks.check_same(begins, what="the checkpoint to go on from", hint=hint)
        theirs = self.run_config.replaced(data=self.run_config.data.replaced(path="")).model_dump_json()
        self.ranks.check_same(theirs, what="the configuration or the data", hint=hint)

    def _check_tokenizer(self) -> None:
        from textpipe.tokenizer import Tokenizer

        made = {name: Tokenizer.from_buffer(data) for name, data in self.task.tokenizer_files.items()}
        target = made["tokenizer.json"]
        check_tokenizer(target.sha256, self.data.tokenizer_sha256, where=self.data.path)
        if self.start is not None:
            self.start.check(self.run_config.model, target, made.get("source-tokenizer.json", target))

    def _train(self, start: int, stop: StopSignals) -> RunResult:
        steps, baseline = self.config.steps, self.task.baseline()
        if start == 0:
            facts = {**baseline, "num_parameters": self._num_parameters}
            self._record({"step": 0, **self._validate(), **facts})
        loss, watch, step = math.nan, Stopwatch(), start
        self._report(start, loss, watch.latest)
        while step < steps and not self.patience.is_over:
            step += 1
            with watch.running():
                done = self.stepper(step)
            watch.count(done.num_targets)
            loss = loss if done.loss is None else done.loss
            row = self._look(step, done, watch)
            if row:
                self._record({"step": step, **row})
            # asked once, of all: what decides about saving decides about leaving
            leaves = self.ranks.any(bool(stop.requested))
            is_last = step == steps or self.patience.is_over
            if step % self.config.checkpoint_every == 0 or is_last or leaves:
                self._save(step, row)
            self._report(step, loss, watch.latest)
            if leaves and not is_last:
                raise KeyboardInterrupt(f"{stop.requested or 'another rank'}: saved at step {step} of {steps}")
        if step == start and "val_loss" not in self._scores:  # it goes no further, and was stopped between validations
            self._validate()
        return RunResult(
            self.out,
            list_checkpoints(self.folder.checkpoints)[-1],
            step,
            loss,
            _number(self._scores.get("val_loss")),
            _number(self._scores.get("val_bits_per_byte")),
            _number(baseline.get("unigram_entropy")),
            watch.latest,
            dict(self._scores),
        )

    def _is_kept(self, row: dict[str, Any], start: int) -> bool:
        """Whether a line of an earlier process still holds; its samples are the newest until there are others."""
        if not 0 < start >= row["step"]:
            return False
        self._samples = row.get("samples", self._samples)
        return True

    def _record(self, row: dict[str, Any]) -> None:
        if self._log is not None:
            self._log.append(row, sync=True)
        self._samples = row.get("samples", self._samples)
        for listener in self._listeners:
            listener(row)

    def _look(self, step: int, done: StepResult, watch: Stopwatch) -> dict[str, Any]:
        """The line of the log for this step: numbers, scores and samples where it is one for them."""
        config, is_last = self.config, step == self.config.steps
        row: dict[str, Any] = {}
        if step % config.log_every == 0 or is_last:
            row = {"loss": done.loss, "lr": done.rate, "grad_norm": done.gradient_norm}
            row["tokens_per_s"] = watch.tokens_per_s()
        if step % config.validate_every == 0 or is_last:
            row |= self._validate()
            self.patience.note(rank_of(row))
        if config.sample_tokens and (step % config.sample_every == 0 or is_last):
            with self.stepper.writing() as model:
                samples = self.task.samples(model) if self.ranks.is_first else []
            row |= {"samples": samples} if samples else {}
        return row

    def _validate(self) -> dict[str, float | None]:
        with self.stepper.evaluating() as model:
            scores = self.task.validate(model, self.stepper.dtype)
        # what decides about stopping must not differ in the last bit
        self._scores = json.loads(self.ranks.shared(json.dumps(scores).encode()))
        return self._scores

    def _save(self, step: int, row: dict[str, Any]) -> None:
        if not self.ranks.is_first:
            help_saving(self.stepper)
            self.ranks.wait()
            return
        self.folder.checkpoints.mkdir(exist_ok=True)
        save_checkpoint(
            self.folder.checkpoints,
            step=step,
            stepper=self.stepper,
            config=self.run_config,
            tokenizer_files=self.task.tokenizer_files,
            progress=self.patience.state(),
            scores={name: value for name, value in row.items() if name.startswith("val_")},
        )
        remove_old_checkpoints(self.folder.checkpoints, keep=self.config.keep_checkpoints)
        card = model_card(
            self.run_config,
            name=self.out.resolve().name,
            step=step,
            num_parameters=self._num_parameters,
            scores=self._scores,
            samples=self._samples,
        )
        write_text(self.out / "README.md", card)
        self.ranks.wait()

    def _report(self, step: int, loss: float, tokens_per_s: float) -> None:
        if self.progress is None:
            return
        facts: dict[str, object] = {"loss": f"{loss:.3f}"} if math.isfinite(loss) else {}
        facts |= {name: f"{value:.3f}" for name, value in self._scores.items() if value is not None}
        if math.isfinite(tokens_per_s):
            facts["tokens/s"] = f"{tokens_per_s:,.0f}"
        self.progress("train", step, self.config.steps, unit="steps", **facts)


def _number(value: float | None) -> float:
    return math.nan if value is None else value
