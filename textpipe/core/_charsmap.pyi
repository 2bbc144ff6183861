from textpipe.core._native import NativeModel, NativeStep
from textpipe.core._unigram import NativeSentenceModel

class Charsmap:
    name: str
    def __init__(self, blob: bytes, name: str = "") -> None: ...
    def precompiled_step(self) -> NativeStep: ...
    def sentence_step(
        self,
        *,
        add_dummy_prefix: bool,
        remove_extra_whitespaces: bool,
        escape_whitespaces: bool,
        whitespace_as_suffix: bool,
        kept: list[str],
    ) -> SentenceStep: ...

class SentenceStep(NativeStep):
    def before(self, model: NativeSentenceModel, cache_bytes: int) -> NativeModel: ...
