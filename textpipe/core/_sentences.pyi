from textpipe.core._native import NativeStep
from textpipe.core._word_counts import WordCounts

class Sentences:
    def __init__(
        self,
        *,
        normalization: tuple[NativeStep, ...] = (),
        reserved: tuple[str, ...] = (),
        add_dummy_prefix: bool = True,
        remove_extra_whitespaces: bool = True,
        treat_whitespace_as_suffix: bool = False,
    ) -> None: ...
    def __len__(self) -> int: ...
    @property
    def num_bytes(self) -> int: ...
    @property
    def memory_bytes(self) -> int: ...
    def extend(self, texts: list[str]) -> None: ...
    def add_lines(self, text: bytes, max_bytes: int) -> None: ...
    def drop_empty(self) -> None: ...
    def rows(self) -> list[tuple[bytes, int]]: ...

class SentenceCounter:
    counts: WordCounts

    def __init__(
        self,
        counts: WordCounts,
        *,
        normalization: tuple[NativeStep, ...] = (),
        max_bytes: int,
        reserved: tuple[str, ...] = (),
        add_dummy_prefix: bool = True,
        remove_extra_whitespaces: bool = True,
        treat_whitespace_as_suffix: bool = False,
        split_by_whitespace: bool = True,
        allow_whitespace_only_pieces: bool = False,
    ) -> None: ...
    def add_lines(self, text: bytes) -> None: ...
    def add_texts(self, texts: list[str]) -> None: ...
    def add_sentences(self, texts: list[str]) -> None: ...
    def flush(self) -> None: ...

def count_sentence_words(
    sentences: Sentences,
    *,
    split_by_whitespace: bool,
    treat_whitespace_as_suffix: bool,
    allow_whitespace_only_pieces: bool,
) -> WordCounts: ...
