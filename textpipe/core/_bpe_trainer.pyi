from collections.abc import Callable

from textpipe.core._word_counts import WordCounts

NO_ID: int
PHASES: tuple[str, str, str]
COMPAT: tuple[str, str, str]
SPACES: tuple[str, ...]
BARRIER: int
FIRST_SCRIPT: int

def survey(counts: WordCounts) -> list[tuple[int, int, int]]: ...
def piece_classes(shape: object, characters: list[int]) -> list[int]: ...
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
    suffix: str,
    has_floor: bool,
    release: bool,
    compat: str,
    rules: tuple[int, str, bool, list[tuple[int, int, int]]] | None = None,
    num_threads: int = 1,
    progress: Callable[[str, int, int], object] | None = None,
    state: object = None,
) -> tuple[list[tuple[int, int, int]], list[str]]: ...
def extend(
    counts: WordCounts,
    *,
    initial: list[str],
    merges: list[tuple[int, int, int]],
    vocab_size: int,
    min_frequency: int,
    prefix: str,
    suffix: str,
    has_floor: bool,
    compat: str,
    num_threads: int = 1,
    progress: Callable[[str, int, int], object] | None = None,
    state: object = None,
) -> tuple[list[tuple[int, int, int]], list[str]]: ...
def train_parity(
    languages: list[WordCounts],
    measured: list[WordCounts],
    *,
    initial: list[str],
    characters: list[int],
    ids: list[int],
    num_merges: int,
    min_frequency: int,
    max_token_length: int,
    prefix: str,
    global_merges: int,
    window_size: int,
    alpha: float,
    ratios: list[float],
    progress: Callable[[str, int, int], object] | None = ...,
) -> tuple[list[tuple[int, int, int]], list[str]]: ...
