"""A folder of `transformers` as a model of ours.

What enters: a folder with config.json, safetensors and a tokenizer; nothing is downloaded and nothing in it is run.
What leaves: the shape, the weights under our names, the tokenizer, and the ids that stand around texts. Whatever of the
folder has no place here is refused by name, unless it is a copy or a table that is computed anew.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from textpipe.data.framing import ids_before
from textpipe.data.pairs import PairFrame
from textpipe.errors import FormatError, InputError, TextpipeError
from textpipe.files.reading import read_bytes
from textpipe.formats.fields import Field, parse_json
from textpipe.formats.translation_folders import Languages, is_translation_tokenizer
from textpipe.interchange.families import M2M100_PAD, Family, ModelConfig, shape_from
from textpipe.interchange.names import LOGITS_BIAS, POOLER, encoder_pairs, from_theirs, pairs
from textpipe.interchange.weight_files import read_weight, read_weights, weight_files
from textpipe.limits import DEFAULT_LIMITS, Limits
from textpipe.nn.architectures import new_model
from textpipe.nn.shapes import EncoderConfig, Seq2SeqConfig, TransformerConfig

if TYPE_CHECKING:
    from torch import nn

    from textpipe.tokenizer import Tokenizer

__all__ = ["TARGET_FOLDER", "ModelFolder", "is_model_folder"]

CONFIG, GENERATION = "config.json", "generation_config.json"
TARGET_FOLDER = "target-tokenizer"
"""Where the tokenizer of targets lies when the source has one of its own."""

_FLOATS = (torch.float32, torch.float64, torch.bfloat16, torch.float16)
# Tables that older versions stored beside the weights, and that are computed anew.
_COMPUTED = re.compile(r"(.*\.)?(attn\.(bias|masked_bias)|rotary_emb\.inv_freq|position_ids|embed_positions\.weights?)")


def is_model_folder(path: str | os.PathLike[str]) -> bool:
    """Whether a folder looks like a model of `transformers`."""
    return (Path(path) / CONFIG).is_file()


@dataclass(frozen=True, slots=True)
class ModelFolder:
    """What a folder says its model is; the weights are read when they are asked for.

    ``tokenizer`` is that of targets, and of all texts where there is but one. Any of ``ends`` ends a text, the first
    being ``eos_id``, and ``begin_id`` begins a target (of an encoder and decoder; else None). ``shape`` has as many
    entries as the tokenizer: rows that were added to the embedding to round its size up are left out. ``forced_id`` is
    what targets begin with whatever is likely, those of ``never`` are not written, and where there are some
    ``at_limit``, one of them stands where a text may go no further.
    """

    path: Path
    shape: ModelConfig
    family: Family | None
    tokenizer: Tokenizer
    source_tokenizer: Tokenizer
    ends: tuple[int, ...]
    begin_id: int | None
    stored_shape: ModelConfig
    forced_id: int | None = None
    never: tuple[int, ...] = ()
    at_limit: tuple[int, ...] = ()

    @classmethod
    def open(
        cls,
        path: str | os.PathLike[str],
        limits: Limits = DEFAULT_LIMITS,
        *,
        languages: Languages = (None, None),
    ) -> ModelFolder:
        """Read the configuration and the tokenizer; ``languages`` are those of sources and targets, of a model of many.

        Raises
        ------
        InputError, FormatError
            when the folder is no model, or one that is not computed here, or its tokenizer is of another model.
        """
        folder = Path(path)
        if not is_model_folder(folder):
            state = "no config.json in this folder" if folder.is_dir() else "no such folder"
            raise InputError(state, where=folder, hint="name a folder that save_pretrained or textpipe export wrote")
        config = _object(folder / CONFIG, limits)
        try:
            shape, family = shape_from(config)
        except FormatError:
            raise
        except TextpipeError as error:
            raise FormatError(error.what, path=folder / CONFIG, allowed=error.allowed, hint=error.hint) from None
        weight_files(folder, limits)
        if isinstance(shape, TransformerConfig):
            shape = shape.replaced(head_bias=_has_logits_bias(folder, limits))
        source, target = _tokenizers(folder, languages)
        sizes = {"vocab_size": _entries(target, shape.vocab_size, folder)}
        if isinstance(shape, TransformerConfig | Seq2SeqConfig) and shape.source_vocab_size is not None:
            sizes["source_vocab_size"] = _entries(source, shape.source_vocab_size, folder)
        files = [_object(folder / GENERATION, limits)] if (folder / GENERATION).is_file() else []
        files.append(config)
        begin_id = next(iter(_ids(files, "decoder_start_token_id")), None)
        if begin_id == M2M100_PAD and getattr(shape, "positions", "") == "fairseq":
            what = f"decoder_start_token_id is {begin_id}, padding, behind which positions are counted otherwise"
            raise FormatError(what, path=folder / CONFIG, allowed="a token that is none, such as eos")
        forced_id = next(iter(_ids(files, "forced_bos_token_id")), None) if languages[1] is None else None
        never = tuple(found for found in _never(files) if found < sizes["vocab_size"])
        at_limit = _ids(files, "forced_eos_token_id")
        written = (_ids(files, "eos_token_id"), begin_id, shape, forced_id, never, at_limit)
        return cls(folder, shape.replaced(**sizes), family, target, source, *written)

    @property
    def eos_id(self) -> int | None:
        """What ends a text, the first where several may; None where the folder names none."""
        return self.ends[0] if self.ends else None

    def frame(self) -> PairFrame:
        """What stands around the texts of an encoder and decoder."""
        has_two = self.tokenizer is not self.source_tokenizer
        before = ids_before(self.tokenizer) if has_two else ()
        if not before and self.forced_id is not None:
            before = (self.forced_id,)
        is_one = has_two and getattr(self.shape, "source_vocab_size", None) is None
        return PairFrame(self.begin_id, ids_before(self.source_tokenizer), before, one_vocabulary=is_one)

    def weights(self) -> dict[str, torch.Tensor]:
        """The weights under our names, in float32.

        Raises
        ------
        FormatError
            when one is missing, has another shape or kind, or has no place here.
        """
        stored, wanted = (
            {name: weight.shape for name, weight in new_model(shape).named_parameters()}
            for shape in (self.stored_shape, self.shape)
        )
        return {name: tensor[: wanted[name][0]] for name, tensor in self._stored(stored).items()}

    def encoder_weights(self) -> dict[str, torch.Tensor]:
        """The weights of a BERT's embeddings and blocks, and of a pooler where there is one, whatever stands on them.

        Raises
        ------
        FormatError
            when one is missing.
        """
        assert isinstance(self.shape, EncoderConfig)
        wanted = {pair.theirs: pair.ours[0] for pair in encoder_pairs(self.shape)}
        poolers = {pair.theirs: pair.ours[0] for pair in POOLER}
        found: dict[str, torch.Tensor] = {}
        for stored, tensor in read_weights(self.path).items():
            name = "bert." + _newer_name(stored).removeprefix("bert.")
            if name in wanted or name in poolers:
                found[(wanted | poolers)[name]] = tensor.float()
        absent = [theirs for theirs, ours in wanted.items() if ours not in found]
        if absent:
            raise FormatError(f"the weights have no {absent[0]}", path=self.path)
        found["token_embedding.weight"] = found["token_embedding.weight"][: self.shape.vocab_size]
        return found

    @property
    def has_pooler(self) -> bool:
        """Whether a BERT has the layer above its first position."""
        names = ("bert.pooler.dense.weight", "pooler.dense.weight")
        return any(read_weight(self.path, name) is not None for name in names)

    def model(self) -> nn.Module:
        """The model, ready to write."""
        made = new_model(self.shape)
        made.load_state_dict(self.weights())
        return made.eval()

    def _stored(self, shapes: Mapping[str, torch.Size]) -> dict[str, torch.Tensor]:
        state = read_weights(self.path)
        try:
            if self.family is None:
                found = _by_own_names(state, shapes)
            else:
                theirs = _expected_names(state, self.family, [pair.theirs for pair in pairs(self.stored_shape)])  # type: ignore[arg-type]
                found = from_theirs(self.stored_shape, theirs, shapes)  # type: ignore[arg-type]
        except FormatError:
            raise
        except TextpipeError as error:
            raise FormatError(error.what, path=self.path, allowed=error.allowed, hint=error.hint) from None
        return {name: tensor.float() for name, tensor in found.items()}


def _tokenizers(folder: Path, languages: Languages) -> tuple[Tokenizer, Tokenizer]:
    from textpipe.formats import transformers_folder
    from textpipe.tokenizer import Tokenizer

    source = Tokenizer.from_parts(transformers_folder.read(folder, languages=languages))
    if is_translation_tokenizer(source.parts):
        return source, Tokenizer.from_parts(transformers_folder.read(folder, side="target", languages=languages))
    separate = folder / TARGET_FOLDER
    return source, Tokenizer.from_parts(transformers_folder.read(separate)) if separate.is_dir() else source


def _has_logits_bias(folder: Path, limits: Limits) -> bool:
    """Whether a number that is not zero is added to a logit."""
    found = read_weight(folder, LOGITS_BIAS, limits)
    return found is not None and bool(found.any())


def _entries(tokenizer: Tokenizer, rows: int, folder: Path) -> int:
    """The entries of a tokenizer, each of which must have a row."""
    size = tokenizer.get_vocab_size()
    if size > rows:
        raise FormatError(
            f"the tokenizer has {size} entries and the model {rows}",
            path=folder,
            hint="some ids would have no embedding: these two do not belong together",
        )
    return size


def _object(path: Path, limits: Limits) -> Field:
    made = Field(
        parse_json(read_bytes(path, limits.tokenizer_file_bytes), path=str(path), limits=limits), "", str(path)
    )
    made.of(dict)
    return made


def _ids(objects: Iterable[Field], key: str) -> tuple[int, ...]:
    """The id, or the list of ids, in the first file that names any."""
    for config in objects:
        part = config.part(key, required=False)
        if part is None or part.value is None or part.value == []:
            continue
        return tuple(_id(one) for one in (part.items() if isinstance(part.value, list) else [part]))
    return ()


def _id(part: Field) -> int:
    found: int = part.of(int)
    if found < 0:
        part.fail(f"is {found}", allowed="0 or more")
    return found


def _never(objects: Iterable[Field]) -> tuple[int, ...]:
    """The ids that the first file with a list of them says are not written; runs of several are of no matter here."""
    for config in objects:
        part = config.part("bad_words_ids", required=False)
        if part is not None and part.value is not None:
            runs = [[_id(one) for one in run.items()] for run in part.items()]
            return tuple(run[0] for run in runs if len(run) == 1)
    return ()


def _by_own_names(state: Mapping[str, torch.Tensor], shapes: Mapping[str, torch.Size]) -> dict[str, torch.Tensor]:
    different = sorted(shapes.keys() ^ state.keys())
    if different:
        raise InputError(f"weights that only one side has: {', '.join(different[:5])}")
    for name, shape in shapes.items():
        if state[name].shape != shape:
            raise InputError(f"{name} has the shape {list(state[name].shape)}", allowed=str(list(shape)))
    return dict(state)


def _expected_names(state: Mapping[str, torch.Tensor], family: Family, expected: list[str]) -> dict[str, torch.Tensor]:
    """The tensors under the names of whole models; refuses what has no place here."""
    known = set(expected)
    found: dict[str, torch.Tensor] = {}
    left: dict[str, torch.Tensor] = {}
    for stored, tensor in state.items():
        name = _newer_name(stored)
        if name not in known and family.prefix + name in known:
            name = family.prefix + name
        (found if name in known else left)[name] = tensor
    for name, tensor in found.items():
        if tensor.dtype not in _FLOATS:
            raise InputError(
                f"{name} is {str(tensor.dtype).removeprefix('torch.')}",
                allowed="floating point",
                hint="quantised weights are not read",
            )
    strange = [name for name, tensor in sorted(left.items()) if not _is_implied(name, tensor, found, family.prefix)]
    if strange:
        shown = ", ".join(strange[:3]) + (f" and {len(strange) - 3} more" if len(strange) > 3 else "")
        raise InputError(f"these weights have no place in this model: {shown}")
    return found


def _newer_name(stored: str) -> str:
    return stored.replace("LayerNorm.gamma", "LayerNorm.weight").replace("LayerNorm.beta", "LayerNorm.bias")


def _is_implied(name: str, tensor: torch.Tensor, found: Mapping[str, torch.Tensor], prefix: str) -> bool:
    """Whether a tensor changes nothing: a table, zeros, a part that is not computed, or a copy of an embedding."""
    unused = ("bert.pooler.", "cls.seq_relationship.")
    if _COMPUTED.fullmatch(name) or name.startswith(unused) or (prefix + name).startswith(unused):
        return True
    if name == LOGITS_BIAS:
        return not bool(tensor.any())
    of = _COPIES.get(name, ())
    return any(other in found and torch.equal(found[other], tensor) for other in of)


_SHARED = ("model.shared.weight", "model.decoder.embed_tokens.weight", "model.encoder.embed_tokens.weight")
_EMBEDDINGS = ("transformer.wte.weight", "transformer.tokens_embed.weight", "model.embed_tokens.weight", *_SHARED)
_COPIES: Mapping[str, tuple[str, ...]] = {
    "lm_head.weight": _EMBEDDINGS,
    "cls.predictions.decoder.weight": ("bert.embeddings.word_embeddings.weight",),
    "cls.predictions.decoder.bias": ("cls.predictions.bias",),
    **dict.fromkeys(_SHARED, _SHARED),
}
