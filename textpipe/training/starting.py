"""What a run begins with instead of random weights: another run's, or a model of `transformers`.

What enters: a run's folder, a checkpoint, or a folder of `transformers`. What leaves: its shape, a digest by which the
run knows it again, and the weights. It promises that ids mean the same: the tokenizer of the data must turn texts into
ids as the model's own does. A model with a head of its own takes the encoder, and what the other's head has learnt
of the same labels; :meth:`Start.changes` says which parts begin with random weights.
"""

from __future__ import annotations

import dataclasses
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from textpipe.errors import ConfigError, StateError
from textpipe.files import sha256_file
from textpipe.nn.shapes import BertConfig, ClassifierConfig, EncoderConfig, LabelsConfig, RegressorConfig
from textpipe.training.checkpoints import Checkpoint
from textpipe.training.loading import find_model
from textpipe.training.run_config import HeadConfig, StartIdentity

if TYPE_CHECKING:
    import torch
    from torch import nn

    from textpipe.interchange.importing import ModelFolder
    from textpipe.tokenizer import Tokenizer
    from textpipe.training.run_config import ModelConfig

__all__ = ["Start", "ids_by"]

_PACK_AGAIN = "ids would mean other texts: pack the data with --tokenizer {}"


@dataclass(frozen=True, slots=True)
class Start:
    """Weights to begin with; they are read when a run is begun."""

    path: Path
    shape: ModelConfig
    sha256: str
    origin: Checkpoint | ModelFolder

    @classmethod
    def open(cls, path: str | os.PathLike[str], *, best: bool = False) -> Start:
        """Find what ``path`` means: the newest (or best) checkpoint of a run, a checkpoint, or a folder.

        Raises
        ------
        InputError, FormatError
            when there is no model, or one that is not computed here.
        """
        found = find_model(path, best=best)
        if (found / "config.json").is_file():
            from textpipe.interchange.importing import ModelFolder
            from textpipe.interchange.weight_files import weights_sha256

            folder = ModelFolder.open(found)
            return cls(found, folder.shape, weights_sha256(found), folder)
        checkpoint = Checkpoint.open(found)
        return cls(found, checkpoint.config.model, sha256_file(found / checkpoint.weights_name), checkpoint)

    def check_size(self, vocab_size: int) -> None:
        """Refuse data whose vocabulary is of another size, before a model is made for it.

        Raises
        ------
        StateError
            saying both sizes.
        """
        own = self.shape.vocab_size
        if own != vocab_size:
            raise StateError(
                f"these weights are of a vocabulary of {own:,} entries and the data of one of {vocab_size:,}",
                where=self.path,
                hint=_PACK_AGAIN.format(self.path),
            )

    def check(self, shape: ModelConfig, target: Tokenizer, source: Tokenizer | None) -> None:
        """Refuse a run of another shape, or with tokenizers that give other ids.

        Raises
        ------
        ConfigError
            naming the keys of the shape that differ; dropout may.
        StateError
            when a tokenizer of the data is not the model's.
        """
        is_encoder = self._is_encoder_for(shape)
        if type(shape) is not type(self.shape) and not is_encoder:
            raise ConfigError(f"these are the weights of another architecture: {self.shape!r}", where=self.path)
        kind = EncoderConfig if is_encoder else type(shape)
        compared = kind.model_fields.keys() - {"dropout"}
        different = {key: both for key, both in self.shape.differences(shape).items() if key in compared}
        if different:
            listed = ", ".join(f"{key} = {own!r} there and {new!r} now" for key, (own, new) in different.items())
            raise ConfigError(f"these weights are of another shape: {listed}", where=self.path)
        own = self.tokenizers()
        for mine, theirs, what in ((own[1], target, "the tokenizer"), (own[0], source, "the source's tokenizer")):
            if theirs is not None and ids_by(mine) != ids_by(theirs):
                raise StateError(
                    f"{what} of the data is not that of these weights",
                    where=self.path,
                    hint=_PACK_AGAIN.format(self.path),
                )

    def tokenizers(self) -> tuple[Tokenizer, Tokenizer]:
        """Of sources and of targets."""
        from textpipe.tokenizer import Tokenizer

        if not isinstance(self.origin, Checkpoint):
            return self.origin.source_tokenizer, self.origin.tokenizer
        target = Tokenizer.from_file(str(self.path / "tokenizer.json"))
        separate = self.path / "source-tokenizer.json"
        return Tokenizer.from_file(str(separate)) if separate.exists() else target, target

    def _is_encoder_for(self, shape: ModelConfig) -> bool:
        """Whether a model of this shape is an encoder with a head, and begins with an encoder."""
        return isinstance(self.shape, EncoderConfig) and isinstance(shape, HeadConfig)

    def identity(self, shape: ModelConfig) -> StartIdentity:
        """What a run of this shape notes of its beginning."""
        writes: StartIdentity | ModelFolder | None = (
            self.origin.config.start if isinstance(self.origin, Checkpoint) else self.origin
        )
        endings = {"ends": writes.ends, "at_limit": writes.at_limit} if writes is not None else {}
        changes = self.changes(shape)
        return StartIdentity(path=os.path.abspath(self.path), sha256=self.sha256, changes=changes, **endings)

    def changes(self, shape: ModelConfig) -> tuple[str, ...]:
        """What of an encoder with a head does not come from these weights, and what of them has no place in it."""
        if not self._is_encoder_for(shape):
            return ()
        found = []
        if isinstance(shape, ClassifierConfig | RegressorConfig) and not self._has_pooler():
            found.append("the pooler is new")
        if type(shape) is not type(self.shape):
            return (*found, "the head is new")
        if isinstance(shape, LabelsConfig) and isinstance(self.shape, LabelsConfig):
            known = self.shape.labels
            found += [f"the label {label!r} is new" for label in shape.labels if label not in known]
            found += [f"the label {label!r} is not kept" for label in known if label not in shape.labels]
        return tuple(found)

    def _has_pooler(self) -> bool:
        if isinstance(self.shape, ClassifierConfig | RegressorConfig):
            return True
        if isinstance(self.origin, Checkpoint):
            return isinstance(self.shape, BertConfig) and self.shape.next_sentence
        return self.origin.has_pooler

    def load(self, model: nn.Module) -> None:
        """Copy the weights into ``model``; what :meth:`changes` calls new keeps its first weights."""
        if self._is_encoder_for(model.config):  # type: ignore[arg-type]
            from textpipe.nn.bert_heads import copy_encoder, copy_head

            weights = self._encoder_weights()
            is_head = {name: name.startswith(("classifier.", "ends.")) for name in weights}
            copy_encoder({name: weight for name, weight in weights.items() if not is_head[name]}, model)  # type: ignore[arg-type]
            copy_head(weights, self.shape, model)  # type: ignore[arg-type]
        elif isinstance(self.origin, Checkpoint):
            self.origin.load_weights(model, averaged=True)
        else:
            model.load_state_dict(self.origin.weights())

    def _encoder_weights(self) -> dict[str, torch.Tensor]:
        """Of embeddings and blocks, and of the head of a fine-tuned model."""
        if isinstance(self.origin, Checkpoint):
            return self.origin.tensors(self.origin.weights_name)
        return self.origin.weights() if isinstance(self.shape, HeadConfig) else self.origin.encoder_weights()


def ids_by(tokenizer: Tokenizer) -> str:
    """What decides about the ids of a text by itself: all but what is put around it."""
    from textpipe.tokenizer import Tokenizer

    bare = dataclasses.replace(tokenizer.parts, post_processor=None, padding=None, truncation=None, settings={})
    return Tokenizer.from_parts(bare).to_str()
