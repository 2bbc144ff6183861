"""Types of the extension; the sources beside it say what each function does."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

_Numbers = npt.NDArray[np.float32]
_Ids = npt.NDArray[np.int64]

BENDS: Mapping[str, int]

class SourceStates:
    shape: tuple[int, ...]
    def __init__(self, keys_values: list[tuple[_Numbers, _Numbers]], lengths: _Ids) -> None: ...

class DecoderStep:
    def __init__(
        self,
        *,
        embedding: _Numbers,
        embedding_scale: float,
        added: _Numbers | None,
        positions: _Numbers | None,
        turns: _Numbers | None,
        blocks: list[dict[str, tuple[Any, ...]]],
        final_norm: tuple[Any, ...] | None,
        heads: int,
        kv_heads: int,
        bend: str,
        norm_first: bool,
        threads: int,
        plain: bool = False,
    ) -> None: ...
    def step(
        self,
        tokens: _Ids,
        past: _Numbers,
        length: int,
        states: _Numbers,
        *,
        padding: _Ids | None = None,
        source: SourceStates | None = None,
    ) -> None: ...
