"""Tensors that many ranks hold parts of, to and from one safetensors file.

What enters: named tensors, of each of which this rank has a part or a copy, and a file. What leaves: a file that does
not say how many ranks wrote it, or the parts that are this rank's, whatever number wrote the file. Ranks write side by
side with torch's distributed checkpoints, which then join the parts; no rank ever holds a whole model for it.
"""

from __future__ import annotations

import contextlib
import logging
import os
import shutil
import tempfile
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from torch.distributed.checkpoint.api import CheckpointException
from torch.distributed.checkpoint.hf_storage import HuggingFaceStorageReader, HuggingFaceStorageWriter
from torch.distributed.checkpoint.state_dict_loader import load
from torch.distributed.checkpoint.state_dict_saver import save

from textpipe.errors import FormatError

if TYPE_CHECKING:
    import torch

__all__ = ["read_counters", "read_sharded", "write_sharded"]


def write_sharded(path: Path, tensors: Mapping[str, torch.Tensor], *, is_first: bool) -> None:
    """Write ``path``; every rank calls this with its parts.

    A counter is written with an axis of its own: torch leaves those without any at zero when it joins parts.
    """
    folder = path.with_name(path.name + ".parts")
    state = {name: tensor.detach().reshape(1) if tensor.dim() == 0 else tensor for name, tensor in tensors.items()}
    writer = HuggingFaceStorageWriter(str(folder), save_distributed=True, enable_consolidation=True)
    with _quietly():
        save(state, storage_writer=writer)
    if is_first:
        (joined,) = folder.glob("*.safetensors")
        joined.rename(path)
        shutil.rmtree(folder)


def read_sharded(path: Path, tensors: dict[str, Any]) -> None:
    """Fill ``tensors``, in place, with this rank's parts of a file; every rank calls this.

    Raises
    ------
    FormatError
        when the file holds other names or other shapes.
    """
    with tempfile.TemporaryDirectory() as folder, _quietly():
        # torch reads all files of a folder
        os.symlink(path.resolve(), Path(folder) / "all.safetensors")
        try:
            load(tensors, storage_reader=HuggingFaceStorageReader(folder))
        except (CheckpointException, RuntimeError, ValueError, KeyError) as error:
            raise FormatError(f"not the tensors of this model ({error})", path=path) from None


def read_counters(path: Path) -> dict[str, torch.Tensor]:
    """The step counts of an optimiser's file, which are whole on every rank."""
    from safetensors import safe_open

    with safe_open(path, "pt") as file:
        return {name: file.get_tensor(name) for name in file.keys() if name.endswith("/step")}  # noqa: SIM118


@contextlib.contextmanager
def _quietly() -> Iterator[None]:
    """Without torch's remarks about its own workings."""
    log = logging.getLogger("torch.distributed.checkpoint")
    level = log.level
    log.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        log.setLevel(level)
