"""A training that goes on after a kill: what the engine knows, on the disk.

What enters: bytes of the engine between two merges, or two rounds of estimation. What leaves: the same bytes, to an
engine that begins with the same words and settings. Promises: the file is the old whole one or the new whole one; one
that was saved for another purpose, is cut short or changed is refused before the engine reads a byte of it.

    magic       12 bytes, the first of which begins no UTF-8
    key         sha256 of what is learned from what, 32 bytes
    state       of the engine
    sha256      of all before
"""

from __future__ import annotations

import contextlib
import hashlib
import os
from pathlib import Path
from typing import BinaryIO

from textpipe.errors import FormatError, StateError
from textpipe.files import remove_temporaries, replace_file
from textpipe.trainers.rhythm import Rhythm

__all__ = ["TrainingState", "other_purpose"]

MAGIC = b"\x89TPLEARN\r\n\x1a\n"
_DIGEST_BYTES = 32
_HEAD_BYTES = len(MAGIC) + _DIGEST_BYTES
_BLOCK_BYTES = 1 << 20


class TrainingState:
    """Where a training stands, on the disk.

    Parameters
    ----------
    path : of the file, which is there while the training is under way.
    key : says what is learned, from what and how.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> path = pathlib.Path(tempfile.mkdtemp(), "ko.training")
    >>> state = TrainingState(path, "밥.txt")
    >>> state.begin(); state.write(b"merges"); state.end()
    >>> later = TrainingState(path, "밥.txt")
    >>> later.open(), later.read(100)
    (True, b'merges')
    """

    def __init__(self, path: str | os.PathLike[str], key: str) -> None:
        self.path = Path(path)
        self._key = hashlib.sha256(key.encode()).digest()
        self._rhythm = Rhythm()
        self._digest = hashlib.sha256()
        self._is_stopped = False
        self._writing = contextlib.ExitStack()
        self._target: BinaryIO | None = None
        self._source: BinaryIO | None = None
        self._left = 0

    def is_due(self) -> bool:
        """Whether it is time to save."""
        return self._rhythm.is_due()

    def has_time_at_stop(self) -> bool:
        """Whether to save once more, for the training is stopped; a saving that takes long is then given up."""
        self._is_stopped = True
        return self._rhythm.has_time_at_stop()

    # ---- saving

    def begin(self) -> None:
        """Begin a file; what was there stays until :meth:`end`."""
        self.abandon()
        self._rhythm.begin()
        self._target = self._writing.enter_context(replace_file(self.path))
        self._digest = hashlib.sha256()
        self.write(MAGIC + self._key)

    def write(self, part: bytes) -> None:
        """The next bytes."""
        assert self._target is not None
        if self._is_stopped and self._rhythm.is_too_long_at_stop():
            self.abandon()
            raise _Abandoned
        self._digest.update(part)
        self._target.write(part)

    def end(self) -> None:
        """Put the file in place."""
        assert self._target is not None
        self._target.write(self._digest.digest())
        self._target = None
        self._writing.close()
        self._rhythm.end()

    def abandon(self) -> None:
        """Forget a file that was begun, and close one that is read."""
        if self._target is not None:
            self._target = None
            with contextlib.suppress(_Abandoned), self._writing:
                raise _Abandoned
        if self._source is not None:
            self._source.close()
            self._source = None

    def remove(self) -> None:
        """Forget all: what was to be learned is learned."""
        self.abandon()
        self.path.unlink(missing_ok=True)
        remove_temporaries(self.path.parent, of=self.path.name)  # of runs that were killed while they saved

    # ---- going on

    def open(self) -> bool:
        """Whether there is something to go on from; it is checked as a whole.

        Raises
        ------
        StateError
            when it was saved by another training.
        FormatError
            when the file is damaged, or no such file.
        """
        if not self.path.exists():
            return False
        self.abandon()
        self._left = self._check()
        self._source = open(self.path, "rb")  # noqa: SIM115 (closed when it is read, or given up)
        self._source.seek(_HEAD_BYTES)
        return True

    def read(self, num_bytes: int) -> bytes:
        """The next bytes, at most so many; none at the end."""
        if self._source is None:
            return b""
        part = self._source.read(min(num_bytes, self._left))
        self._left -= len(part)
        if self._left == 0:
            self.abandon()
        return part

    def _check(self) -> int:
        """Bytes of the engine in a file that is whole and of this purpose."""
        with open(self.path, "rb") as file:
            num_bytes = os.fstat(file.fileno()).st_size - _HEAD_BYTES - _DIGEST_BYTES
            head = file.read(_HEAD_BYTES)
            if not head.startswith(MAGIC) or num_bytes < 0:
                raise FormatError("no state of a training", path=self.path, hint=_ANEW)
            digest = hashlib.sha256(head)
            left = num_bytes
            while part := file.read(min(left, _BLOCK_BYTES)):
                digest.update(part)
                left -= len(part)
            if file.read() != digest.digest():
                raise FormatError("the checksum does not fit the content", path=self.path, hint=_ANEW)
        if head[len(MAGIC) :] != self._key:
            raise other_purpose(self.path)
        return num_bytes


class _Abandoned(Exception):
    pass


_ANEW = "remove this file to begin anew"


def other_purpose(path: Path) -> StateError:
    """What to say of a state that another training saved."""
    return StateError(
        "a training of other texts or other settings was stopped here",
        where=path,
        hint="give its command again to go on with it, or remove this file to begin anew",
    )
