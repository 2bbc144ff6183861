from collections.abc import Callable

from textpipe.core._word_counts import WordCounts

NO_ID: int
PHASES: tuple[str, str, str]

def survey(counts: WordCounts) -> list[tuple[int, int, int]]: ...
def train(
    counts: WordCounts,
    *,
    initial: list[str],
    characters: list[int],
    ids: list[int],
    vocab_size: int,
    min_frequency: int,
    max_token_length: int,
    prefix: str,
    full_words_differ: bool,
    release: bool,
    progress: Callable[[str, int, int], object] | None = None,
) -> tuple[list[tuple[int, int, int]], list[str]]: ...
