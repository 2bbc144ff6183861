"""Files of weights as `transformers` writes them: safetensors, one or several with an index.

What enters: a folder, or tensors by name. What leaves: the tensors, or the files. Nothing in a file is run:
the pickles that older folders hold (``.bin``, ``.pt``) are refused, with what to do.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from pathlib import Path

import torch

from textpipe.errors import FormatError, InputError, require
from textpipe.files import sha256_file, write_bytes, write_json
from textpipe.files.reading import read_bytes
from textpipe.formats.fields import Field, parse_json
from textpipe.limits import DEFAULT_LIMITS, Limits

__all__ = ["SHARD_BYTES", "read_weight", "read_weights", "weight_files", "weights_sha256", "write_weights"]

WEIGHTS, INDEX = "model.safetensors", "model.safetensors.index.json"
SHARD_BYTES = 5_000_000_000
"""Size at which weights go to a further file."""

_NAME = re.compile(r"[\w.-]+\.safetensors")


def weight_files(folder: Path, limits: Limits = DEFAULT_LIMITS) -> list[Path]:
    """The files that hold a folder's weights.

    Raises
    ------
    InputError
        when there are none, or only pickles.
    """
    if (folder / WEIGHTS).is_file():
        return [folder / WEIGHTS]
    index = folder / INDEX
    if not index.is_file():
        pickles = sorted(path.name for kind in ("*.bin", "*.pt", "*.pth", "*.ckpt") for path in folder.glob(kind))
        if pickles:
            raise InputError(
                f"the weights are a pickle ({pickles[0]}), which may run any code when it is read",
                where=folder,
                allowed=WEIGHTS,
                hint="save the model again with transformers: save_pretrained writes safetensors",
            )
        raise InputError("no weights here", where=folder, allowed=f"{WEIGHTS}, or several with {INDEX}")
    data = read_bytes(index, limits.tokenizer_file_bytes)
    table = Field(parse_json(data, path=str(index), limits=limits), "", str(index)).need("weight_map")
    names = sorted({table.need(name).of(str) for name in table.of(dict)})
    for name in names:
        if not _NAME.fullmatch(name):
            table.fail(f"names the file {name!r}", allowed="files of this folder that end in .safetensors")
        if not (folder / name).is_file():
            raise InputError(
                f"{INDEX} names a file that is not there", where=folder / name, hint="copy the whole folder"
            )
    return [folder / name for name in names]


def read_weights(folder: Path, limits: Limits = DEFAULT_LIMITS) -> dict[str, torch.Tensor]:
    """Every tensor of the folder, as it is stored.

    Raises
    ------
    FormatError
        when a file is broken.
    """
    return _read(folder, None, limits)


def read_weight(folder: Path, name: str, limits: Limits = DEFAULT_LIMITS) -> torch.Tensor | None:
    """One tensor of the folder, the others unread; None where there is none of that name.

    Raises
    ------
    FormatError
        when a file is broken.
    """
    return _read(folder, name, limits).get(name)


def _read(folder: Path, only: str | None, limits: Limits) -> dict[str, torch.Tensor]:
    safetensors = require("safetensors", extra="train")
    found: dict[str, torch.Tensor] = {}
    for path in weight_files(folder, limits):
        try:
            with safetensors.safe_open(str(path), framework="pt") as opened:
                for name in opened.keys():  # noqa: SIM118  (it is no mapping)
                    if only in (None, name):
                        found[name] = opened.get_tensor(name)
        except Exception as error:  # safetensors has one class of its own and raises builtins besides
            raise FormatError(f"not a safetensors file ({error})", path=path) from None
    return found


def weights_sha256(folder: Path) -> str:
    """One digest of all files of weights, by which a folder's model is known again."""
    digests = [f"{path.name} {sha256_file(path)}\n" for path in weight_files(folder)]
    return hashlib.sha256("".join(digests).encode()).hexdigest()


def write_weights(
    folder: Path, tensors: Mapping[str, torch.Tensor], *, dtype: torch.dtype, shard_bytes: int = SHARD_BYTES
) -> list[Path]:
    """Write tensors as one file, or as several with an index when they take more than ``shard_bytes``."""
    safetensors = require("safetensors.torch", extra="train")
    shards: list[dict[str, torch.Tensor]] = [{}]
    size = total = 0
    for name, tensor in tensors.items():
        made = tensor.detach().to(device="cpu", dtype=dtype).contiguous()
        if size and size + made.nbytes > shard_bytes:
            shards.append({})
            size = 0
        shards[-1][name] = made
        size, total = size + made.nbytes, total + made.nbytes
    count = len(shards)
    names = [WEIGHTS] if count == 1 else [f"model-{n:05d}-of-{count:05d}.safetensors" for n in range(1, count + 1)]
    for name, shard in zip(names, shards, strict=True):
        write_bytes(folder / name, safetensors.save(shard, metadata={"format": "pt"}))
    if count > 1:
        table = {tensor: name for name, shard in zip(names, shards, strict=True) for tensor in shard}
        write_json(folder / INDEX, {"metadata": {"total_size": total}, "weight_map": table})
    return [folder / name for name in names]
