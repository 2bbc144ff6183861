"""Language modelling: predict each token from those before it.

What enters: packed data. What leaves: batches of windows, the summed cross-entropy in nats, bits per byte on the whole
validation split, and texts that go on from prompts.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch

from textpipe.data.batches import Batch, BatchPlan
from textpipe.nn.architectures import new_model
from textpipe.nn.losses import linear_cross_entropy
from textpipe.tasks.base import require_alike

if TYPE_CHECKING:
    from torch import nn

    from textpipe.data.packing import PackedData
    from textpipe.nn.gpt import GPT
    from textpipe.nn.shapes import GptConfig
    from textpipe.training.run_config import TrainConfig

__all__ = ["LanguageModelling", "language_modelling_loss"]

EVALUATION_ROWS = 16  # windows read at once; more gains nothing on a CPU and takes memory


def language_modelling_loss(
    model: GPT, batch: Batch, *, label_smoothing: float = 0.0
) -> tuple[torch.Tensor, torch.Tensor]:
    """Sum of −ln p(target) over the batch's targets, and their number."""
    x_BTD = model(batch.tokens_BT, positions_BT=batch.positions_BT, documents_BT=batch.documents_BT)
    targets_N = batch.targets_BT.flatten()
    return linear_cross_entropy(x_BTD.flatten(0, 1), model.head_weight, targets_N, label_smoothing=label_smoothing)


class LanguageModelling:
    """The task of a decoder-only model on packed data."""

    def __init__(self, model: GptConfig, data: PackedData, config: TrainConfig) -> None:
        from textpipe.generation.decoding import check_prompts
        from textpipe.tokenizer import Tokenizer

        require_alike(model, data, "vocab_size")
        self.model, self.data, self.config = model, data, config
        self.tokenizer = Tokenizer.from_file(str(data.tokenizer_path))
        if config.sample_tokens:  # a prompt that cannot be gone on from must not end the run at its first sample
            check_prompts(self.tokenizer, config.sample_prompts, model, eos_id=data.eos_id)
        self._plan = BatchPlan(
            data.train,
            batch_size=config.batch_size,
            context=model.context,
            seed=config.seed,
            document_mask=config.document_mask,
        )

    @property
    def tokenizer_files(self) -> dict[str, bytes]:
        return {"tokenizer.json": self.data.tokenizer_path.read_bytes()}

    def new_model(self, seed: int) -> nn.Module:
        return new_model(self.model, seed=seed)

    def batch(self, step: int) -> Batch:
        return self._plan.batch(step)

    def loss(self, model: GPT, batch: Batch) -> tuple[torch.Tensor, torch.Tensor]:
        return language_modelling_loss(model, batch, label_smoothing=self.config.label_smoothing)

    def validate(self, model: GPT, dtype: torch.dtype) -> dict[str, float | None]:
        from textpipe.evaluation.bits_per_byte import bits_per_byte

        score = bits_per_byte(
            model,
            self.data.val,
            batch_size=max(1, min(self.config.micro_batch_size or self.config.batch_size, EVALUATION_ROWS)),
            document_mask=self.config.document_mask,
            dtype=dtype,
        )
        return {"val_loss": score.loss, "val_bits_per_byte": finite(score.bits_per_byte)}

    def baseline(self) -> dict[str, float | None]:
        from textpipe.evaluation.bits_per_byte import unigram_score

        unigram = unigram_score(self.data.val)
        return {"unigram_entropy": unigram.loss, "unigram_bits_per_byte": finite(unigram.bits_per_byte)}

    def samples(self, model: GPT) -> list[dict[str, str]]:
        from textpipe.generation.decoding import generate
        from textpipe.generation.sampling import SamplingConfig

        settings = SamplingConfig(max_tokens=self.config.sample_tokens, temperature=0.8, top_k=50)
        prompts = list(self.config.sample_prompts)
        texts = generate(model, self.tokenizer, prompts, settings, eos_id=self.data.eos_id)
        return [{"prompt": prompt, "text": text} for prompt, text in zip(prompts, texts, strict=True)]


def finite(value: float) -> float | None:
    """JSON knows no NaN: a value that is not a number is absent."""
    return value if math.isfinite(value) else None
