from collections.abc import Callable

from textpipe.core._sentences import Sentences
from textpipe.core._word_counts import WordCounts

PHASES: tuple[str, str, str]

def train(
    text: Sentences | WordCounts,
    *,
    vocab_size: int,
    num_reserved: int,
    seed_size: int,
    min_frequency: int,
    shrinking_factor: float,
    num_sub_iterations: int,
    num_threads: int,
    num_stripes: int,
    coverage: float,
    required: list[int],
    shape: object,
    seeds_by_bytes: bool,
    release: bool = False,
    progress: Callable[[str, int, int], object] | None = None,
    state: object = None,
) -> tuple[list[tuple[str, float]], list[tuple[str, int]]]: ...
