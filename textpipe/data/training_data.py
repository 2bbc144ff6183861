"""What a run notes of its data, whatever they are: enough to refuse others when it goes on.

What enters: data that were read. What leaves: their identity, for the run's configuration. Each kind of data says what
is its own beside the places, the fingerprint, the tokenizer and the token that ends a text.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

__all__ = ["TrainingData"]


class TrainingData:
    """What a task learns from, as far as a run asks of it.

    ``path`` is named in messages; ``fingerprint`` is another for other data; ``vocab_size`` and ``tokenizer_sha256``
    are those of the tokenizer of what is predicted.
    """

    path: Path
    fingerprint: str
    vocab_size: int
    eos_id: int
    tokenizer_sha256: str

    @property
    def paths(self) -> tuple[Path, ...]:
        """All places that the data lie at."""
        return (self.path,)

    def notes(self, model: Any) -> list[str]:
        """What is to be said, before it is trained, of how a model of this shape reads them: sentences for people."""
        return []

    def as_identity(self) -> dict[str, Any]:
        """What a run keeps of them, by the keys of its configuration."""
        return {
            "path": ", ".join(os.path.abspath(path) for path in self.paths),
            "fingerprint": self.fingerprint,
            "tokenizer_sha256": self.tokenizer_sha256,
            "eos_id": self.eos_id,
        }
