from textpipe.core._native import NativeModel

class NativeUnigram(NativeModel):
    def __init__(
        self,
        vocab: list[tuple[str, float]],
        *,
        unk_id: int | None = None,
        byte_fallback: bool = False,
        bytes: list[int] | None = None,
        alpha: float | None = None,
        nbest_size: int | None = None,
    ) -> None: ...
    def nbest(self, word: str, count: int) -> list[tuple[float, list[tuple[int, int]]]]: ...

class NativeSentenceModel(NativeModel):
    def __init__(self, pieces: list[tuple[str, float, int]], *, kind: int, byte_fallback: bool = False) -> None: ...

class NativeRenumbered(NativeModel):
    def __init__(self, model: NativeSentenceModel, ids: list[int], entries: dict[str, int]) -> None: ...
