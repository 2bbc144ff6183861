"""Runs contenders in turn, each in a process of its own, and reads what the system says of each finished process.

What enters: a command a name. What leaves: for each name wall seconds, processor seconds and peak memory of every run,
and what the command printed.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass, field


@dataclass
class Runs:
    """Measurements of one contender."""

    name: str
    wall_s: list[float] = field(default_factory=list)
    cpu_s: list[float] = field(default_factory=list)
    peak_mb: list[float] = field(default_factory=list)
    output: str = ""

    def row(self, against: Runs) -> str:
        wall, base = statistics.median(self.wall_s), statistics.median(against.wall_s)
        return (
            f"| {self.name} | {wall:.2f} | {min(self.wall_s):.2f}–{max(self.wall_s):.2f} | "
            f"{statistics.median(self.cpu_s):.2f} | {statistics.median(self.peak_mb):.0f} | {wall / base:.2f} |"
        )


def run_once(runs: Runs, command: list[str]) -> None:
    """Run a command; add its figures."""
    start = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.PIPE)
    assert process.stdout is not None
    output = process.stdout.read().decode()
    _, status, usage = os.wait4(process.pid, 0)
    runs.wall_s.append(time.perf_counter() - start)
    process.returncode = os.waitstatus_to_exitcode(status)
    process.stdout.close()
    if process.returncode:
        sys.exit(f"{runs.name} failed with exit code {process.returncode}")
    runs.cpu_s.append(usage.ru_utime + usage.ru_stime)
    runs.peak_mb.append(usage.ru_maxrss / 1024)
    runs.output = output


def run_in_turn(commands: dict[str, list[str]], num_runs: int) -> dict[str, Runs]:
    """A B C A B C …, after one run of each that is not counted."""
    table = {name: Runs(name) for name in commands}
    for number in range(num_runs + 1):
        for name, command in commands.items():
            sys.stderr.write(f"\r\x1b[2Krun {number} of {num_runs}: {name}")
            sys.stderr.flush()
            run_once(table[name] if number else Runs(name), command)
    sys.stderr.write("\r\x1b[2K")
    return table


def print_table(table: dict[str, Runs]) -> None:
    """Medians, the range of the wall time, and the ratio to the first contender."""
    first = next(iter(table.values()))
    print("| | wall s | range | cpu s | peak MB | × first |")
    print("|---|---|---|---|---|---|")
    for runs in table.values():
        print(runs.row(first))
