from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from textpipe.core._native import NativeModel, NativeStep

Added = tuple[str, int, bool, bool, bool, bool]

class NativeEncoder:
    id_type: Any
    has_places: bool
    def __init__(
        self,
        model: NativeModel,
        *,
        normalization: tuple[NativeStep, ...],
        cutting: tuple[NativeStep, ...],
        byte_level: bool,
        raw: list[Added],
        normalized: list[Added],
        before: list[int],
        after: list[int],
        max_id: int,
        cache_bytes: int,
        part_chars: int,
    ) -> None: ...
    def encode_batch(
        self,
        texts: Iterable[str],
        *,
        threads: int = 1,
        skip_special: bool = False,
        add_special: bool = True,
        lots: tuple[int, bool] = (0, False),
    ) -> tuple[NDArray[Any], NDArray[np.int64]]: ...
    def encode_batch_spans(
        self,
        texts: Iterable[str],
        *,
        threads: int = 1,
        skip_special: bool = False,
        lots: tuple[int, bool] = (0, False),
    ) -> tuple[NDArray[np.uint32], NDArray[np.int64], dict[int, str]]: ...
