"""The processes of one run: who takes part, what they tell each other, and how a failure is said once.

What enters: the environment ``torchrun`` makes. What leaves: a :class:`Ranks`, which for a process on its own costs
nothing and does not load torch. What ranks tell each other about the run (a flag, a sum, a few bytes) goes over gloo on
the CPU, also on GPUs: there a rank that has died is noticed at once, as a closed connection.

A rank that fails says so itself, once for all; the others, whose only trouble is that it is gone, leave without a word.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import signal
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from textpipe.errors import ConfigError, StateError, TextpipeError
from textpipe.limits import DEFAULT_LIMITS

__all__ = ["Ranks", "joined"]

_FAILED = "failed"
_LAST_WORDS_S = 5.0


@dataclass(frozen=True, slots=True)
class Ranks:
    """This process, number ``rank`` of ``world``; ``local_rank`` of those on its machine.

    Examples
    --------
    >>> alone = Ranks()
    >>> alone.is_first, alone.total(2.5), alone.any(False)
    (True, 2.5, False)
    """

    rank: int = 0
    world: int = 1
    local_rank: int = 0

    @classmethod
    def from_environment(cls) -> Ranks:
        """What ``torchrun`` says this process is; alone where it says nothing.

        Raises
        ------
        ConfigError
            when a variable is not a number, or they contradict each other.
        """
        names = ("RANK", "WORLD_SIZE", "LOCAL_RANK")
        found = {name: os.environ[name] for name in names if name in os.environ}
        if "WORLD_SIZE" not in found or "RANK" not in found:
            return cls()
        try:
            numbers = {name: int(value) for name, value in found.items()}
        except ValueError:
            raise ConfigError(f"not the numbers of a process: {found}", hint="start with torchrun") from None
        rank, world, local = numbers["RANK"], numbers["WORLD_SIZE"], numbers.get("LOCAL_RANK", numbers["RANK"])
        if not (0 <= rank < world and local >= 0):
            raise ConfigError(f"process {rank} of {world} cannot be", hint="start with torchrun")
        return cls(rank, world, local)

    @property
    def is_first(self) -> bool:
        """Whether this is the process that writes, logs and speaks."""
        return self.rank == 0

    def total(self, value: float) -> float:
        """The sum of a number over all ranks, the same on each."""
        if self.world == 1:
            return value
        import torch
        import torch.distributed as dist

        summed = torch.tensor([value], dtype=torch.float64)
        dist.all_reduce(summed)
        return float(summed.item())

    def any(self, flag: bool) -> bool:
        """Whether it holds on any rank."""
        return flag if self.world == 1 else self.total(float(flag)) > 0

    def wait(self) -> None:
        """Until every rank is here."""
        self.total(0.0)

    def shared(self, data: bytes) -> bytes:
        """What the first rank has, on every rank."""
        if self.world == 1:
            return data
        import torch
        import torch.distributed as dist

        size = torch.tensor([len(data)])
        dist.broadcast(size, src=0)
        buffer = torch.zeros(int(size.item()), dtype=torch.uint8)
        if self.is_first and data:
            buffer.copy_(torch.frombuffer(bytearray(data), dtype=torch.uint8))
        dist.broadcast(buffer, src=0)
        return bytes(buffer.tolist())

    def check_same(self, facts: str, *, what: str, hint: str) -> None:
        """Refuse to go on where ranks see different things.

        Raises
        ------
        StateError
            with what the first rank sees, on each rank that sees something else; then on all others.
        """
        theirs = self.shared(facts.encode()).decode()
        differs = theirs != facts
        if self.any(differs):
            own = f": rank {self.rank} has {facts}, rank 0 {theirs}" if differs else ""
            raise StateError(f"the ranks do not agree about {what}{own}", hint=hint)


@contextlib.contextmanager
def joined() -> Iterator[Ranks]:
    """Take part in the run that ``torchrun`` started, until the block ends.

    Every rank must get here. An error in the block is raised on one rank and ends the others with the same exit code
    and without a word: the one that comes to it first, where it is a rank's own, else any.

    Raises
    ------
    StateError
        when another rank has died without saying why.
    """
    ranks = Ranks.from_environment()
    if ranks.world == 1:
        yield ranks
        return
    import torch
    import torch.distributed as dist
    from torch.distributed.distributed_c10d import PrefixStore
    from torch.distributed.rendezvous import rendezvous

    on_gpu = torch.cuda.is_available()
    if on_gpu:
        torch.cuda.set_device(ranks.local_rank)
    timeout = timedelta(seconds=DEFAULT_LIMITS.collective_timeout_s)
    store, _, _ = next(iter(rendezvous("env://", ranks.rank, ranks.world, timeout=timeout)))
    dist.init_process_group(
        "cpu:gloo,cuda:nccl" if on_gpu else "gloo",
        store=PrefixStore("ranks", store),
        rank=ranks.rank,
        world_size=ranks.world,
        timeout=timeout,
    )
    try:
        with _time_to_speak(), _said_once(ranks, PrefixStore("errors", store)):
            yield ranks
    finally:
        dist.destroy_process_group()


@contextlib.contextmanager
def _time_to_speak() -> Iterator[None]:
    """SIGTERM, which torchrun sends as soon as a rank has died, ends this one after five seconds, not at once."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def ends_soon(number: int, frame: object) -> None:
        signal.setitimer(signal.ITIMER_REAL, _LAST_WORDS_S)

    before = signal.signal(signal.SIGTERM, ends_soon)
    yield
    signal.signal(signal.SIGTERM, before)  # not after an error: whoever catches it has yet to print it


@contextlib.contextmanager
def _said_once(ranks: Ranks, store: Any) -> Iterator[None]:
    try:
        yield
    except KeyboardInterrupt:  # all ranks stop together, and one of them says so
        if ranks.is_first:
            raise
        raise SystemExit(130) from None
    except TextpipeError as error:
        _leave_to_another(store, f"{type(error).__name__} {error.what}", error.exit_code)
        raise
    except RuntimeError as error:
        if not _is_lost_connection(error):
            _leave_to_another(store, str(error), 1)
            raise
        if store.check([_FAILED]):
            raise SystemExit(1) from None  # the rank that is gone has said why
        lost = StateError(
            f"rank {ranks.rank} lost another rank, which ended without a message",
            hint="was it killed, or its machine out of memory? the same command goes on from the last checkpoint",
        )
        _leave_to_another(store, "lost", 3)
        raise lost from error
    except Exception as error:
        _leave_to_another(store, f"{type(error).__name__} {error}", 1)
        raise


def _leave_to_another(store: Any, message: str, code: int) -> None:
    """End this process quietly when another rank has said the same already."""
    try:
        store.set(_FAILED, "yes")
        number = store.add("said " + hashlib.sha256(message.encode()).hexdigest(), 1)
    except Exception:  # the store is gone with its process: nobody else can be asked
        return
    if number > 1:
        raise SystemExit(code)


def _is_lost_connection(error: RuntimeError) -> bool:
    text = str(error)
    return any(word in text for word in ("onnection closed", "onnection reset", "roken pipe", "imed out waiting"))
