import numpy as np
from numpy.typing import NDArray

def place_list(begins: NDArray[np.uint32], ends: NDArray[np.uint32]) -> list[tuple[int, int]]: ...
