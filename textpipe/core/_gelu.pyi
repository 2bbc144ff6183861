"""Types of the extension; the sources beside it say what each function does."""

import numpy as np
import numpy.typing as npt

_Numbers = npt.NDArray[np.float32]

def forward(x: _Numbers, y: _Numbers, *, threads: int = 1, scalar: bool = False) -> None: ...
def backward(x: _Numbers, above: _Numbers, below: _Numbers, *, threads: int = 1, scalar: bool = False) -> None: ...
