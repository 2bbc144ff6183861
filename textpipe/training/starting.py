"""What a run begins with instead of random weights: another run's, or a model of `transformers`.

What enters: a run's folder, a checkpoint, or a folder of `transformers`. What leaves: its shape, a digest by which the
run knows it again, and the weights. It promises that ids mean the same: the tokenizer of the data must turn texts into
ids as the model's own does.
"""

from __future__ import annotations

import dataclasses
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from textpipe.errors import ConfigError, StateError
from textpipe.files import sha256_file
from textpipe.nn.shapes import EncoderConfig
from textpipe.training.checkpoints import Checkpoint
from textpipe.training.loading import find_model
from textpipe.training.run_config import HeadConfig

if TYPE_CHECKING:
    import torch
    from torch import nn

    from textpipe.interchange.importing import ModelFolder
    from textpipe.tokenizer import Tokenizer
    from textpipe.training.run_config import ModelConfig

__all__ = ["Start"]

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
            if theirs is not None and _ids_by(mine) != _ids_by(theirs):
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
        """Whether a model of this shape takes the encoder alone, below a head of its own."""
        if not (isinstance(self.shape, EncoderConfig) and isinstance(shape, HeadConfig)):
            return False
        return type(self.shape) is not type(shape) or not self.shape.differences(shape).keys() <= {"dropout"}

    def load(self, model: nn.Module) -> None:
        """Copy the weights into ``model``; a head that is trained for labels of its own keeps its first weights."""
        if self._is_encoder_for(model.config):  # type: ignore[arg-type]
            from textpipe.nn.bert_heads import copy_encoder

            copy_encoder(self._encoder_weights(), model)  # type: ignore[arg-type]
        elif isinstance(self.origin, Checkpoint):
            self.origin.load_weights(model, averaged=True)
        else:
            model.load_state_dict(self.origin.weights())

    def _encoder_weights(self) -> dict[str, torch.Tensor]:
        if not isinstance(self.origin, Checkpoint):
            found = self.origin.encoder_weights()
        else:
            found = self.origin.tensors(self.origin.weights_name)
        return {name: weight for name, weight in found.items() if not name.startswith(("classifier.", "ends."))}


def _ids_by(tokenizer: Tokenizer) -> str:
    """What decides about the ids of a text by itself: all but what is put around it."""
    from textpipe.tokenizer import Tokenizer

    bare = dataclasses.replace(tokenizer.parts, post_processor=None, padding=None, truncation=None, settings={})
    return Tokenizer.from_parts(bare).to_str()
