"""Types of the extension; the sources beside it say what each function does."""

from collections.abc import Set

from textpipe.core._native import NativeModel
from textpipe.core._pairs import PairList

class MergeIds:
    def __init__(self, vocab: dict[str, int], pairs: PairList, *, cut: int) -> None: ...
    def __len__(self) -> int: ...
    def made(self, ids: Set[int]) -> set[int]: ...
    def without(self, made: Set[int], used: Set[int]) -> MergeIds: ...
    def pairs(self, pieces: dict[int, str]) -> list[tuple[str, str]]: ...

class NativeBpe(NativeModel):
    complete: bool
    def __init__(
        self,
        vocab: dict[str, int],
        merges: MergeIds,
        *,
        byte_level: bool,
        unk_token: str | None = None,
        continuing_subword_prefix: str | None = None,
        end_of_word_suffix: str | None = None,
        fuse_unk: bool = False,
        byte_fallback: bool = False,
        ignore_merges: bool = False,
    ) -> None: ...
    def dropping(self, dropout: float) -> NativeModel: ...
