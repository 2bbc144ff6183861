"""A model of ours as a folder that `transformers` loads.

What enters: a model, its tokenizers and the id that ends texts. What leaves: config.json, generation_config.json,
safetensors and the tokenizer, in a folder that appears at once. ``AutoModel…`` and ``AutoTokenizer`` load it offline;
logits are the same within rounding, and so is what is written greedily. Its tokenizer puts around a text the tokens the
model was trained with, so ``tokenizer(text)`` is what ``model`` expects. A recurrent model has no class there: its
folder is read by textpipe alone.
"""

from __future__ import annotations

import dataclasses
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from textpipe.data.framing import with_template
from textpipe.data.masking import Marks
from textpipe.data.pairs import PairFrame
from textpipe.errors import ConfigError, InputError
from textpipe.files import publish_directory, write_json, write_text
from textpipe.formats import transformers_folder, translation_folders
from textpipe.formats.translation_folders import is_translation_tokenizer
from textpipe.interchange.families import M2M100_PAD, Ids, config_of
from textpipe.interchange.importing import TARGET_FOLDER
from textpipe.interchange.names import to_theirs
from textpipe.interchange.weight_files import SHARD_BYTES, write_weights
from textpipe.models import SentencePiece
from textpipe.nn.shapes import BilingualConfig, EncoderConfig, GptConfig, Seq2SeqConfig, TransformerConfig

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from textpipe.tokenizer import Tokenizer

__all__ = ["TYPES", "export_model"]

TYPES: Mapping[str, torch.dtype] = {
    "float32": torch.float32,
    "bfloat16": torch.bfloat16,
    "float16": torch.float16,
}
_PADS = ("<pad>", "[PAD]", "<|pad|>", "<|padding|>", "<|finetune_right_pad_id|>")


def export_model(
    model: Any,
    tokenizer: Tokenizer,
    out: str | os.PathLike[str],
    *,
    eos_id: int,
    ends: Collection[int] = (),
    at_limit: Collection[int] = (),
    frame: PairFrame | None = None,
    source_tokenizer: Tokenizer | None = None,
    dtype: str = "float32",
    shard_bytes: int = SHARD_BYTES,
    card: str | None = None,
) -> Path:
    """Write a model as a folder of `transformers`.

    Parameters
    ----------
    model : one of :mod:`textpipe.nn`.
    tokenizer : of the texts, or of the targets.
    out : a folder that does not exist.
    eos_id : ends texts (a BERT has none: what ends its texts is in its vocabulary).
    ends : further ids that end what it writes.
    at_limit : ids of which it writes one where there is room for no more token.
    frame : what stands around the texts of an encoder and decoder beside eos.
    source_tokenizer : where the source has a tokenizer of its own.
    dtype : float32, bfloat16 or float16.
    shard_bytes : above this, weights are written as several files with an index.
    card : text of README.md.

    Raises
    ------
    InputError
        when no model of transformers computes what this one does.
    ConfigError
        when the type is unknown.
    StateError
        when the folder exists.

    Notes
    -----
    Memory: a copy of the weights.
    """
    if dtype not in TYPES:
        raise ConfigError(f"no type {dtype!r} of weights", where="dtype", allowed=", ".join(TYPES))
    shape = model.config
    if isinstance(shape, BilingualConfig):
        raise ConfigError(
            "no model of transformers adds a vector of each of two languages",
            where="architecture",
            hint="use the run itself: textpipe translate RUN",
        )
    frame = frame or PairFrame()
    ids = _ids(shape, tokenizer, eos_id)
    if frame.begin_id is not None:
        ids = ids._replace(begin=frame.begin_id)
    pad = tokenizer.id_to_token(ids.pad) or ""
    if getattr(shape, "source_vocab_size", None) is not None:  # theirs has one id of padding, that of sources
        found = (source_tokenizer or tokenizer).token_to_id(pad)
        ids = ids._replace(pad=ids.eos if found is None or found >= shape.vocab_size else found)
    config = {**config_of(shape, ids), "dtype": dtype}
    weights = dict(model.named_parameters())
    theirs = weights if isinstance(shape, Seq2SeqConfig) else to_theirs(shape, weights)
    if config["model_type"] == "pegasus":  # the one family that wants its table of positions in the file
        theirs |= {
            f"model.{side}.embed_positions.weight": model.positions_TD.clone() for side in ("encoder", "decoder")
        }
    with publish_directory(Path(out), kind="export", config={"model_type": config["model_type"]}) as staging:
        write_json(staging / "config.json", config)
        if not isinstance(shape, EncoderConfig):
            write_json(staging / "generation_config.json", _generation(shape, ids, frame, ends, at_limit))
        write_weights(staging, theirs, dtype=TYPES[dtype], shard_bytes=shard_bytes)
        if isinstance(shape, TransformerConfig) and is_translation_tokenizer(tokenizer.parts):
            names = {"eos_token": tokenizer.id_to_token(eos_id), "pad_token": pad}
            _write_pair(source_tokenizer or tokenizer, tokenizer, staging, shape, names)
        elif source_tokenizer is None:
            _write_tokenizer(tokenizer, staging, shape, ids)
        else:
            _write_tokenizer(tokenizer, staging / TARGET_FOLDER, shape, ids)
            source_ids = ids._replace(eos=source_eos(tokenizer, source_tokenizer, eos_id))
            _write_tokenizer(source_tokenizer, staging, shape, source_ids._replace(pad=source_ids.eos))
        if card is not None:
            write_text(staging / "README.md", card)
    return Path(out)


def source_eos(tokenizer: Tokenizer, source_tokenizer: Tokenizer, eos_id: int) -> int:
    """The id that ends sources, the token being that which ends targets."""
    found = source_tokenizer.token_to_id(tokenizer.id_to_token(eos_id) or "")
    if found is None:
        raise InputError(f"the source's tokenizer has no token {tokenizer.id_to_token(eos_id)!r}")
    return found


def _ids(shape: Any, tokenizer: Tokenizer, eos_id: int) -> Ids:
    size = tokenizer.get_vocab_size()
    if not 0 <= eos_id < size:
        raise InputError(f"no token has the id {eos_id}", where="eos_id", allowed=f"0 … {size - 1}")
    special = {number for number, token in tokenizer.get_added_tokens_decoder().items() if token.special}
    if isinstance(shape, TransformerConfig) and shape.positions == "fairseq":
        # theirs takes id 1 for padding wherever it stands, so no text may have it
        if M2M100_PAD not in special or eos_id == M2M100_PAD:
            raise InputError(
                f"id {M2M100_PAD} is {tokenizer.id_to_token(M2M100_PAD)!r}, "
                "where M2M100ForConditionalGeneration has padding",
                allowed="a special token that no text holds, such as <pad>",
                hint="train the vocabulary with <pad> as its second special token, or the model with positions vaswani",
            )
        return Ids(eos_id, M2M100_PAD, eos_id)
    pads = [found for name in _PADS if (found := tokenizer.token_to_id(name)) in special]
    return Ids(eos_id, next((found for found in pads if found is not None), eos_id), eos_id)


def _write_pair(
    source: Tokenizer, target: Tokenizer, folder: Path, shape: TransformerConfig, names: Mapping[str, str | None]
) -> None:
    """The tokenizers of both sides as Marian's or M2M100's."""
    if shape.layout == "pre" and shape.positions == "vaswani":
        raise InputError(
            "PegasusForConditionalGeneration has no tokenizer of this kind", hint="train with layout post, or fairseq"
        )
    model = source.parts.model
    assert isinstance(model, SentencePiece)
    settings = {**names, "unk_token": model.named_pieces["unk_piece"], "model_max_length": shape.context}
    parts = (source.parts, target.parts)
    translation_folders.write(folder, *parts, is_marian=shape.layout == "post", settings=settings)


def _generation(
    shape: Any, ids: Ids, frame: PairFrame, ends: Collection[int], at_limit: Collection[int]
) -> dict[str, Any]:
    every = _one_or_all(dict.fromkeys([ids.eos, *ends]))
    made: dict[str, Any] = {"eos_token_id": every, "pad_token_id": ids.pad, "bos_token_id": ids.eos}
    if at_limit:
        made["forced_eos_token_id"] = _one_or_all(at_limit)
    if not isinstance(shape, GptConfig):
        made |= {"decoder_start_token_id": ids.begin, "max_length": shape.context}
        if ids.begin != ids.eos:
            made["bad_words_ids"] = [[ids.begin]]  # no target has it
        if frame.before_target:
            made["forced_bos_token_id"] = frame.before_target[0]
    return made


def _one_or_all(ids: Collection[int]) -> int | list[int]:
    """As their files have ids: a list where there are several."""
    return next(iter(ids)) if len(ids) == 1 else list(ids)


def _write_tokenizer(tokenizer: Tokenizer, folder: Path, shape: Any, ids: Ids) -> None:
    """The tokenizer, which puts around a text what the model was trained with."""
    if isinstance(shape, EncoderConfig):
        marks = Marks.of(tokenizer, eos_id=ids.eos)
        names = {role: tokenizer.id_to_token(getattr(marks, part)) for role, part in _BERT_ROLES.items()}
        single, pair = "{cls_token} $A {sep_token}", "{cls_token} $A {sep_token} $B:1 {sep_token}:1"
    else:
        names = {role: tokenizer.id_to_token(ids.eos) for role in ("bos_token", "eos_token")}
        single, pair = ("{bos_token} $A", "{bos_token} $A {bos_token}:1 $B:1")
        if not isinstance(shape, GptConfig):
            single, pair = "$A {eos_token}", "$A {eos_token} $B:1 {eos_token}:1"
    used = {name for role, name in names.items() if f"{{{role}}}" in pair and name is not None}
    made = with_template(tokenizer, single.format(**names), pair.format(**names), used).parts
    names["pad_token"] = tokenizer.id_to_token(ids.pad)
    inputs = ["input_ids", *(["token_type_ids"] if isinstance(shape, EncoderConfig) else []), "attention_mask"]
    settings = {**transformers_folder.kept(made).settings, **names}
    settings |= {"model_max_length": shape.context, "model_input_names": inputs}
    folder.mkdir(parents=True, exist_ok=True)
    transformers_folder.write(dataclasses.replace(made, settings=settings), folder)


_BERT_ROLES = {"cls_token": "begin", "sep_token": "end", "mask_token": "mask"}
