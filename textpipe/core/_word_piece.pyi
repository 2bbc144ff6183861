from textpipe.core._native import NativeModel, NativeStep

NO_ID: int

class NativeWordPiece(NativeModel):
    def __init__(self, vocab: dict[str, int], *, prefix: str, unknown: int, most_chars: int) -> None: ...

class NativeWordLevel(NativeModel):
    def __init__(self, vocab: dict[str, int], *, unknown: int) -> None: ...

class NativeBertWords(NativeModel):
    def __init__(
        self, model: NativeModel, *, clean_text: bool, handle_chinese_chars: bool, strip_accents: bool, lowercase: bool
    ) -> None: ...

def bert_stretches(clean_text: bool) -> NativeStep: ...
