"""After any crash or failed call, a reader finds the old whole file or the new whole file; never a part.

The writer's system calls all pass through ``files.calls.system``. Each test first counts how many calls a whole write
makes, then fails (or kills the process at) the n-th one, for every n.
"""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from textpipe import files, sources
from textpipe.errors import FormatError, InputError
from textpipe.files import calls
from textpipe.records import Document

OLD = "옛것 " * 400_000  # several buffers long, so that one file takes several writes
NEW = "새것 " * 500_000


class Faulty(calls.System):
    """Counts the calls and does ``fault`` at the n-th one, ``before`` or after it is carried out."""

    def __init__(self, nth: int, fault: Callable[[], None], *, after: bool = False) -> None:
        self.calls, self.nth, self.fault, self.after = 0, nth, fault, after
        self.names: list[str] = []

    def _at(self, name: str, call: Callable[[], object]) -> object:
        self.calls += 1
        self.names.append(name)
        if self.calls == self.nth and not self.after:
            self.fault()
        result = call()
        if self.calls == self.nth and self.after:
            self.fault()
        return result

    def open(self, path: str, flags: int) -> int:
        return self._at("open", lambda: super(Faulty, self).open(path, flags))  # type: ignore[return-value]

    def write(self, descriptor: int, data: memoryview) -> int:
        return self._at("write", lambda: super(Faulty, self).write(descriptor, data))  # type: ignore[return-value]

    def fsync(self, descriptor: int) -> None:
        self._at("fsync", lambda: super(Faulty, self).fsync(descriptor))

    def truncate(self, descriptor: int, size: int) -> None:
        self._at("truncate", lambda: super(Faulty, self).truncate(descriptor, size))

    def rename(self, source: str, target: str) -> None:
        self._at("rename", lambda: super(Faulty, self).rename(source, target))


def no_space() -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def kill() -> None:
    os._exit(9)


def write_one(folder: Path, text: str) -> None:
    files.write_text(folder / "data.txt", text)


def write_many(folder: Path, text: str) -> None:
    # The manifest is what makes a set of files count, so members get new names and it alone is replaced.
    name = f"part-{len(text)}.jsonl"
    files.write_text(folder / name, Document(id="1", text=text).to_json() + "\n")
    files.write_manifest(folder, kind="documents", files=[name])


def read_one(folder: Path) -> str | None:
    path = folder / "data.txt"
    return path.read_text() if path.exists() else None


def read_many(folder: Path) -> str | None:
    try:
        files.read_manifest(folder, kind="documents", verify=True)
    except InputError:
        return None
    return next(iter(sources.iter_texts(folder)))


WRITERS = [pytest.param(write_one, read_one, id="one-file"), pytest.param(write_many, read_many, id="files+manifest")]


def count_calls(write: Callable[[Path, str], None], folder: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    counter = Faulty(0, no_space)
    with monkeypatch.context() as patch:
        patch.setattr(calls, "system", counter)
        write(folder, NEW)
    return counter.names


def in_child(action: Callable[[], None]) -> int:
    child = os.fork()
    if child == 0:
        try:
            action()
        except BaseException:
            os._exit(1)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize(("write", "read"), WRITERS)
def test_a_writer_killed_at_any_call_leaves_the_old_or_the_new_whole(
    write: Callable[[Path, str], None],
    read: Callable[[Path], str | None],
    after: bool,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    names = count_calls(write, tmp_path / "count", monkeypatch)
    assert {"open", "write", "fsync", "rename"} <= set(names)
    for old in (None, OLD):
        for nth in range(1, len(names) + 1):
            folder = tmp_path / f"{'old' if old else 'none'}-{nth}"
            folder.mkdir()
            if old:
                write(folder, old)
            with monkeypatch.context() as patch:
                patch.setattr(calls, "system", Faulty(nth, kill, after=after))
                assert in_child(lambda folder=folder: write(folder, NEW)) == 9  # type: ignore[misc]
            assert read(folder) in (old, NEW)
            files.remove_temporaries(folder)
            assert not [p for p in folder.iterdir() if files.is_temporary(p)]
            write(folder, NEW)  # the same command again
            assert read(folder) == NEW


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EIO, errno.EDQUOT])
@pytest.mark.parametrize(("write", "read"), WRITERS)
def test_a_failing_call_is_reported_and_leaves_no_trace(
    write: Callable[[Path, str], None],
    read: Callable[[Path], str | None],
    code: int,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail() -> None:
        raise OSError(code, os.strerror(code))

    for nth in range(1, len(count_calls(write, tmp_path / "count", monkeypatch)) + 1):
        folder = tmp_path / str(nth)
        folder.mkdir()
        write(folder, OLD)
        with monkeypatch.context() as patch:
            patch.setattr(calls, "system", Faulty(nth, fail))
            with pytest.raises(OSError, match=r".") as caught:
                write(folder, NEW)
        assert caught.value.errno == code
        assert read(folder) in (OLD, NEW)
        assert not [p for p in folder.iterdir() if files.is_temporary(p)]


def test_short_writes_are_continued(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Short(calls.System):
        def write(self, descriptor: int, data: memoryview) -> int:
            return super().write(descriptor, data[: max(1, len(data) // 3)])

    monkeypatch.setattr(calls, "system", Short())
    write_one(tmp_path, NEW)
    assert read_one(tmp_path) == NEW


def test_a_write_that_makes_no_progress_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Stuck(calls.System):
        def write(self, descriptor: int, data: memoryview) -> int:
            return 0

    write_one(tmp_path, OLD)
    monkeypatch.setattr(calls, "system", Stuck())
    with pytest.raises(OSError, match="wrote nothing"):
        write_one(tmp_path, NEW)
    assert read_one(tmp_path) == OLD


def test_a_full_device_is_reported_with_the_path(tmp_path: Path) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("no /dev/full on this system")
    raw = calls.RawWriter(Path("/dev/full"), os.O_WRONLY)
    with pytest.raises(OSError, match="No space left"):
        raw.write(b"x")
    raw.close()


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_a_published_folder_appears_whole_or_not_at_all(
    after: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def publish(target: Path) -> None:
        with files.publish_directory(target, kind="checkpoint") as staging:
            files.write_text(staging / "a.txt", NEW)
            files.write_text(staging / "deep" / "b.txt", OLD)

    counter = Faulty(0, kill)
    with monkeypatch.context() as patch:
        patch.setattr(calls, "system", counter)
        publish(tmp_path / "count")
    for nth in range(1, counter.calls + 1):
        target = tmp_path / f"step-{nth}"
        with monkeypatch.context() as patch:
            patch.setattr(calls, "system", Faulty(nth, kill, after=after))
            assert in_child(lambda target=target: publish(target)) == 9  # type: ignore[misc]
        if target.exists():
            files.read_manifest(target, kind="checkpoint", verify=True)
            assert (target / "a.txt").read_text() == NEW
        files.remove_temporaries(tmp_path)
        assert {p.name for p in tmp_path.iterdir()} <= {"count", *(f"step-{n}" for n in range(1, nth + 1))}


def test_a_growing_file_keeps_what_was_synced_when_killed_at_any_call(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = b"0123456789" * 1000

    def grow(folder: Path) -> None:
        done = folder / "done"
        with files.GrowingFile(folder / "long.bin") as file:
            file.truncate(int(done.read_text()) if done.exists() else 0)
            while file.tell() < 5 * len(record):
                file.write(record)
                files.write_text(done, str(file.sync()))
            file.finish()

    counter = Faulty(0, kill)
    (tmp_path / "count").mkdir()
    with monkeypatch.context() as patch:
        patch.setattr(calls, "system", counter)
        grow(tmp_path / "count")
    for nth in range(1, counter.calls + 1):
        folder = tmp_path / str(nth)
        folder.mkdir()
        with monkeypatch.context() as patch:
            patch.setattr(calls, "system", Faulty(nth, kill))
            assert in_child(lambda folder=folder: grow(folder)) == 9  # type: ignore[misc]
        if not (folder / "long.bin").exists():
            grow(folder)  # the same command again goes on from what was recorded
        assert (folder / "long.bin").read_bytes() == record * 5


def test_a_torn_last_line_of_a_log_is_cut_off_on_opening(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    with files.LineLog(path) as log:
        log.append({"step": 1})
        log.append({"step": 2, "문장": "가"}, sync=True)
    whole = path.read_bytes()
    for cut in range(len(whole)):
        path.write_bytes(whole[:cut])
        with files.LineLog(path) as log:
            log.append({"step": 9})
            steps = [row["step"] for row in log.rows()]
        assert steps == [*[1, 2][: whole[:cut].count(b"\n")], 9]


def test_a_manifest_names_what_is_missing_cut_or_changed(tmp_path: Path) -> None:
    for name in ("a.bin", "b.bin"):
        files.write_bytes(tmp_path / name, b"x" * 10)
    files.write_manifest(tmp_path, kind="shards", files=["a.bin", "b.bin"])
    manifest = (tmp_path / "manifest.json").read_bytes()
    files.read_manifest(tmp_path, kind="shards", verify=True)
    with pytest.raises(FormatError, match="documents"):
        files.read_manifest(tmp_path, kind="documents")
    (tmp_path / "b.bin").write_bytes(b"y" * 10)
    with pytest.raises(FormatError, match=r"b\.bin.*sha256"):
        files.read_manifest(tmp_path, verify=True)
    (tmp_path / "b.bin").write_bytes(b"y" * 9)
    with pytest.raises(FormatError, match=r"b\.bin has 9 bytes"):
        files.read_manifest(tmp_path)
    (tmp_path / "b.bin").unlink()
    with pytest.raises(FormatError, match=r"b\.bin is missing"):
        files.read_manifest(tmp_path)
    for cut in range(len(manifest) - 2):
        (tmp_path / "manifest.json").write_bytes(manifest[:cut])
        with pytest.raises(FormatError, match=r"not a manifest"):
            files.read_manifest(tmp_path)


def test_a_manifest_that_points_outside_its_folder_is_refused(tmp_path: Path) -> None:
    row = {"path": "../secret", "bytes": 0, "sha256": ""}
    (tmp_path / "manifest.json").write_text(json.dumps({"kind": "x", "files": [row]}))
    with pytest.raises(FormatError, match="leaves the folder"):
        files.read_manifest(tmp_path)
