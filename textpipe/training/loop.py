"""The training loop.

What enters: a model's shape, packed data, the settings and a folder. What leaves: in that folder ``config.toml``,
``tokenizer.json``, ``log.jsonl`` and ``checkpoints/``. It promises:

* The same call again goes on where the last one stopped, and ends with the same weights and the same logged losses, bit
  for bit, as if it had never stopped: batch, learning rate and dropout of a step are functions of (seed, step), and a
  checkpoint holds the rest. A folder of another configuration is refused, with the keys that differ.
* The loss of a step is summed over its tokens and divided by their number over the whole step, so cutting a step into
  micro-batches does not change it.
* Ctrl-C and SIGTERM finish the step, save and leave. A loss that is not a number stops the run with step and batch
  named, and is never saved.
"""

from __future__ import annotations

import contextlib
import math
import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from textpipe.config import dump_toml, load_toml
from textpipe.data.batches import Batch, BatchPlan
from textpipe.data.permutation import derive_key
from textpipe.errors import ConfigError, FormatError, LimitError, StateError
from textpipe.evaluation.bits_per_byte import bits_per_byte, unigram_score
from textpipe.files import LineLog, lock_directory, remove_temporaries, write_bytes
from textpipe.generation.decoding import check_prompts, generate
from textpipe.generation.sampling import SamplingConfig
from textpipe.nn.gpt import GPT, GptConfig
from textpipe.tasks.language_modelling import LanguageModelling
from textpipe.training.checkpoints import (
    Checkpoint,
    check_tokenizer,
    list_checkpoints,
    remove_old_checkpoints,
    save_checkpoint,
)
from textpipe.training.devices import resolve
from textpipe.training.optimizers import make_adamw
from textpipe.training.run_config import DataIdentity, RunConfig, TrainConfig
from textpipe.training.schedules import SCHEDULES
from textpipe.training.stop import StopSignals

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from textpipe.data.packing import PackedData
    from textpipe.tokenizer import Tokenizer

__all__ = ["RunResult", "Trainer"]


@dataclass(frozen=True, slots=True)
class RunResult:
    """How a run ended; losses are nats a token."""

    out: Path
    checkpoint: Path
    steps: int
    loss: float
    val_loss: float
    val_bits_per_byte: float
    unigram_loss: float
    tokens_per_s: float


class Trainer:
    """Train a GPT on packed data.

    Parameters
    ----------
    model : the shape of the model; its vocabulary size must be the tokenizer's.
    data : what :func:`textpipe.data.pack` made.
    config : see :class:`TrainConfig`.
    out : the run's folder; made, or gone on with.
    progress : called as ``progress("train", step, steps, unit="steps", loss=…, …)``.

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
        model: GptConfig,
        data: PackedData,
        config: TrainConfig | None = None,
        *,
        out: str | os.PathLike[str],
        progress: Callable[..., None] | None = None,
    ) -> None:
        if model.vocab_size != data.vocab_size:
            raise ConfigError(
                f"the model has {model.vocab_size} entries and the tokenizer {data.vocab_size}", where="vocab_size"
            )
        self.config = resolve(config or TrainConfig())
        self.data, self.out, self.progress = data, Path(out), progress
        self.run_config = RunConfig(
            model=model,
            train=self.config,
            data=DataIdentity(
                path=os.path.abspath(data.path),
                fingerprint=data.fingerprint,
                tokenizer_sha256=data.tokenizer_sha256,
                eos_id=data.eos_id,
            ),
        )
        self.device = torch.device(self.config.device)
        self.dtype = torch.bfloat16 if self.config.dtype == "bfloat16" else torch.float32
        self.task = LanguageModelling()
        self._scores: dict[str, float | None] = {}
        self.plan = BatchPlan(
            data.train,
            batch_size=self.config.batch_size,
            context=model.context,
            seed=self.config.seed,
            document_mask=self.config.document_mask,
        )

    @property
    def _checkpoints(self) -> Path:
        return self.out / "checkpoints"

    def run(self) -> RunResult:
        """Train to the last step, from the start or from the newest checkpoint in the folder.

        Raises
        ------
        StateError
            when the folder holds a run of another configuration, tokenizer or data, when another process writes there,
            or when the loss stops being a number.
        KeyboardInterrupt
            after Ctrl-C or SIGTERM, when the step in hand is done and saved.
        """
        with contextlib.ExitStack() as stack:
            stack.enter_context(lock_directory(self.out))
            stack.enter_context(torch.random.fork_rng())
            if self.config.threads is not None:
                stack.callback(torch.set_num_threads, torch.get_num_threads())
                torch.set_num_threads(self.config.threads)
            stop = stack.enter_context(StopSignals())
            start = self._open()
            log = stack.enter_context(LineLog(self.out / "log.jsonl"))
            log.keep(lambda row: 0 < start >= row["step"])
            return self._train(start, log, stop)

    def _open(self) -> int:
        """Make the model and the optimiser, new or from the newest checkpoint; returns the steps done."""
        self._claim_folder()
        self.model = GPT(self.run_config.model, seed=derive_key("weights", self.config.seed) >> 1).to(self.device)
        self.optimizer = make_adamw(self.model, self.config)
        found = list_checkpoints(self._checkpoints)
        if not found:
            return 0
        checkpoint = self._newest(found[-1])
        self._check_same_run(checkpoint.config, checkpoint.path)
        checkpoint.load_weights(self.model)
        checkpoint.load_optimizer(self.model, self.optimizer)
        self._scores = {"val_loss": checkpoint.val_loss, "val_bits_per_byte": checkpoint.val_bits_per_byte}
        return checkpoint.step

    def _newest(self, path: Path) -> Checkpoint:
        try:
            return Checkpoint.open(path)
        except FormatError as error:
            raise StateError(
                f"the newest checkpoint is damaged ({error})",
                where=self.out,
                hint=f"remove {path} and run the same command again: it goes on from the one before",
            ) from None

    def _claim_folder(self) -> None:
        config_path = self.out / "config.toml"
        if config_path.exists():
            self._check_same_run(load_toml(config_path, RunConfig), config_path)
        elif list_checkpoints(self._checkpoints):
            raise StateError("checkpoints without their config.toml", where=self.out, hint="name another folder")
        for folder in (self.out, self._checkpoints):
            remove_temporaries(folder)
        self.tokenizer = self._load_tokenizer()
        if self.config.sample_tokens:  # a prompt that cannot be gone on from must not end the run at its first sample
            check_prompts(self.tokenizer, self.config.sample_prompts, self.run_config.model, eos_id=self.data.eos_id)
        write_bytes(self.out / "tokenizer.json", self.data.tokenizer_path.read_bytes())
        dump_toml(self.run_config, config_path)

    def _check_same_run(self, theirs: RunConfig, where: Path) -> None:
        check_tokenizer(self.data.tokenizer_sha256, theirs.data.tokenizer_sha256, where=where)
        different = theirs.conflicts(self.run_config)
        if different:
            listed = ", ".join(f"{key} = {old!r} there and {new!r} now" for key, (old, new) in different.items())
            raise StateError(
                f"this folder holds a run of another configuration: {listed}",
                where=where,
                hint="repeat the first command to go on with it, or name another folder with --out",
            )

    def _load_tokenizer(self) -> Tokenizer:
        from textpipe.tokenizer import Tokenizer

        tokenizer = Tokenizer.from_file(str(self.data.tokenizer_path))
        check_tokenizer(tokenizer.sha256, self.data.tokenizer_sha256, where=self.data.tokenizer_path)
        return tokenizer

    def _train(self, start: int, log: LineLog, stop: StopSignals) -> RunResult:
        steps, unigram = self.config.steps, unigram_score(self.data.val)
        if start == 0:
            facts = {"unigram_entropy": unigram.loss, "unigram_bits_per_byte": _finite(unigram.bits_per_byte)}
            facts["num_parameters"] = self.run_config.model.num_parameters
            log.append({"step": 0, **self._validate(), **facts})
        loss = math.nan
        watch = _Stopwatch(self.config.batch_size * self.run_config.model.context)
        self._report(start, loss, watch.latest)
        for step in range(start + 1, steps + 1):
            with watch.running():
                loss, gradient_norm, rate = self._step(step)
            row: dict[str, Any] = {}
            if step % self.config.log_every == 0 or step == steps:
                row = {"loss": loss, "lr": rate, "grad_norm": gradient_norm, "tokens_per_s": watch.tokens_per_s()}
            row |= self._look(step)
            if row:
                log.append({"step": step, **row}, sync=True)
            leaves = bool(stop.requested)  # asked once: what decides about saving decides about leaving
            if step % self.config.checkpoint_every == 0 or step == steps or leaves:
                self._save(step, row)
            self._report(step, loss, watch.latest)
            if leaves and step < steps:
                raise KeyboardInterrupt(f"{stop.requested}: saved at step {step} of {steps}")
        return RunResult(
            self.out,
            list_checkpoints(self._checkpoints)[-1],
            steps,
            loss,
            _number(self._scores.get("val_loss")),
            _number(self._scores.get("val_bits_per_byte")),
            unigram.loss,
            watch.latest,
        )

    def _look(self, step: int) -> dict[str, Any]:
        """Validate and write samples where this step is one for it."""
        config, is_last = self.config, step == self.config.steps
        row: dict[str, Any] = {}
        if step % config.validate_every == 0 or is_last:
            row |= self._validate()
        if config.sample_tokens and (step % config.sample_every == 0 or is_last):
            row["samples"] = self._samples()
        return row

    def _step(self, step: int) -> tuple[float, float, float]:
        """One optimiser step, the ``step``-th of the run; returns its loss, gradient norm and learning rate."""
        config = self.config
        factor = SCHEDULES[config.schedule](
            step, warmup_steps=config.warmup_steps, steps=config.steps, floor=config.final_share
        )
        rate = config.learning_rate * factor
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        torch.manual_seed(derive_key("dropout", config.seed, step) >> 1)
        batch = self.plan.batch(step - 1)
        self.model.train()
        self.optimizer.zero_grad(set_to_none=True)
        with self._memory_named():
            loss = self._accumulate(batch)
        norm = self._clip()
        if not (math.isfinite(loss) and math.isfinite(norm)):
            raise StateError(
                f"step {step}: the loss is {loss} and the gradient's norm {norm}",
                where=self.out,
                hint=f"the batch was samples {batch.samples[0]} … {batch.samples[-1]}; the last checkpoint is good: "
                "start a new run with a lower learning rate or a longer warmup",
            )
        self.optimizer.step()
        return loss, norm, rate

    def _accumulate(self, batch: Batch) -> float:
        """Gradients of a whole batch, a micro-batch at a time; returns its loss a token."""
        num_targets = batch.num_targets
        total = 0.0
        for part in batch.split(self.config.micro_batch_size or self.config.batch_size):
            with torch.autocast(self.device.type, dtype=torch.bfloat16, enabled=self.dtype == torch.bfloat16):
                loss_sum, _ = self.task.loss(self.model, part.to(self.device))
            (loss_sum / num_targets).backward()  # type: ignore[no-untyped-call]
            total += loss_sum.item()
        return total / num_targets

    @contextlib.contextmanager
    def _memory_named(self) -> Iterator[None]:
        """Turn "out of memory" into the setting to lower."""
        try:
            yield
        except RuntimeError as error:
            if not isinstance(error, torch.OutOfMemoryError) and "allocate memory" not in str(error):
                raise
            size = min(self.config.micro_batch_size or self.config.batch_size, self.config.batch_size)
            smaller = f"micro_batch_size {size // 2}" if size > 1 else "a smaller context, width or number of layers"
            raise LimitError(
                f"out of memory with {size} sequences of {self.run_config.model.context} tokens at once",
                where=self.config.device,
                hint=f"try {smaller}; micro-batches change no result, only speed",
            ) from error

    def _clip(self) -> float:
        longest = self.config.gradient_clip or math.inf
        return float(torch.nn.utils.clip_grad_norm_(self.model.parameters(), longest).item())

    def _validate(self) -> dict[str, float | None]:
        score = bits_per_byte(
            self.model,
            self.data.val,
            batch_size=max(1, min(self.config.micro_batch_size or self.config.batch_size, 16)),
            document_mask=self.config.document_mask,
            dtype=self.dtype,
        )
        self._scores = {"val_loss": score.loss, "val_bits_per_byte": _finite(score.bits_per_byte)}
        return self._scores

    def _samples(self) -> list[dict[str, str]]:
        settings = SamplingConfig(max_tokens=self.config.sample_tokens, temperature=0.8, top_k=50)
        self.model.eval()
        prompts = list(self.config.sample_prompts)
        texts = generate(self.model, self.tokenizer, prompts, settings, eos_id=self.data.eos_id)
        return [{"prompt": prompt, "text": text} for prompt, text in zip(prompts, texts, strict=True)]

    def _save(self, step: int, row: dict[str, Any]) -> None:
        self._checkpoints.mkdir(exist_ok=True)
        save_checkpoint(
            self._checkpoints,
            step=step,
            model=self.model,
            optimizer=self.optimizer,
            config=self.run_config,
            tokenizer_json=self.data.tokenizer_path.read_bytes(),
            val_loss=row.get("val_loss"),
            val_bits_per_byte=row.get("val_bits_per_byte"),
        )
        remove_old_checkpoints(self._checkpoints, keep=self.config.keep_checkpoints)

    def _report(self, step: int, loss: float, tokens_per_s: float) -> None:
        if self.progress is None:
            return
        facts: dict[str, object] = {"loss": f"{loss:.3f}"} if math.isfinite(loss) else {}
        bits = self._scores.get("val_bits_per_byte")
        if bits is not None:
            facts["val_bits_per_byte"] = f"{bits:.3f}"
        if math.isfinite(tokens_per_s):
            facts["tokens/s"] = f"{tokens_per_s:,.0f}"
        self.progress("train", step, self.config.steps, unit="steps", **facts)


def _finite(value: float) -> float | None:
    """JSON knows no NaN: a value that is not a number is absent."""
    return value if math.isfinite(value) else None


def _number(value: float | None) -> float:
    return math.nan if value is None else value


class _Stopwatch:
    """Tokens a second of the steps themselves since last asked, without validation, samples and saving."""

    def __init__(self, tokens_a_step: int) -> None:
        self._tokens_a_step = tokens_a_step
        self._steps, self._seconds = 0, 0.0
        self.latest = math.nan

    @contextlib.contextmanager
    def running(self) -> Iterator[None]:
        begin = time.perf_counter()
        yield
        self._seconds += time.perf_counter() - begin
        self._steps += 1

    def tokens_per_s(self) -> float:
        self.latest = round(self._steps * self._tokens_a_step / max(self._seconds, 1e-9), 1)
        self._steps, self._seconds = 0, 0.0
        return self.latest
