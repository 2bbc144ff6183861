"""Types of the extension; the sources beside it say what each function does."""

from typing import Any

def parse(data: bytes, *, path: str, depth: int, pairs: str | None = None) -> Any: ...
