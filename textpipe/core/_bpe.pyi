from textpipe.core._native import NativeModel

class NativeBpe(NativeModel):
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
