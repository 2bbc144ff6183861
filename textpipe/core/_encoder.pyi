from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

Added = tuple[str, int, bool, bool, bool, bool]

class NativeBpe:
    complete: bool
    def __init__(
        self,
        vocab: dict[str, int],
        merges: list[tuple[str, str]],
        *,
        byte_level: bool,
        unk_token: str | None = None,
        prefix: str | None = None,
        suffix: str | None = None,
        fuse_unk: bool = False,
        byte_fallback: bool = False,
        ignore_merges: bool = False,
        dropout: float | None = None,
    ) -> None: ...
    def tokenize(self, word: str, seed: int = 0) -> list[tuple[int, int]]: ...

class NativeEncoder:
    id_type: Any
    def __init__(
        self,
        model: NativeBpe,
        *,
        forms: list[int],
        grammar: int,
        prefix_space: bool,
        raw: list[Added],
        normalized: list[Added],
        before: list[int],
        after: list[int],
        max_id: int,
        cache_bytes: int,
    ) -> None: ...
    def encode_batch(
        self, texts: Iterable[str], *, threads: int = 1, skip_special: bool = False, add_special: bool = True
    ) -> tuple[NDArray[Any], NDArray[np.int64]]: ...
    def encode_spans(
        self, text: str, *, skip_special: bool = False
    ) -> tuple[list[int], list[int], list[int], list[int], dict[int, str]]: ...
