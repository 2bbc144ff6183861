"""What the files package promises beyond crashes: permissions, links, locks, temporary names."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from textpipe import files
from textpipe.errors import FormatError, InputError, StateError


def test_an_existing_files_permissions_are_kept(tmp_path: Path) -> None:
    path = tmp_path / "data"
    path.write_text("old")
    path.chmod(0o640)
    files.write_text(path, "new")
    assert path.read_text() == "new"
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


def test_a_symbolic_link_is_followed_not_replaced(tmp_path: Path) -> None:
    real = tmp_path / "real"
    real.write_text("old")
    (tmp_path / "link").symlink_to(real)
    files.write_text(tmp_path / "link", "new")
    assert real.read_text() == "new"
    assert (tmp_path / "link").is_symlink()


def test_an_exception_inside_the_block_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "data"
    path.write_text("old")

    def fail_halfway() -> None:
        with files.replace_file(path) as writer:
            writer.write(b"new")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail_halfway()
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["data"]


def test_an_unwritable_folder_is_named_in_the_error(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    with pytest.raises(OSError, match="file"):
        files.write_text(blocked / "inner", "x")


def test_temporary_files_of_running_processes_are_left_alone(tmp_path: Path) -> None:
    mine = tmp_path / f".a.{os.getpid()}-00.tmp"
    child = subprocess.run([sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True, check=True)
    dead = tmp_path / f".a.{int(child.stdout)}-00.tmp"
    for path in (mine, dead, tmp_path / "data"):
        path.write_text("")
    assert files.remove_temporaries(tmp_path) == [dead]
    assert sorted(os.listdir(tmp_path)) == sorted([mine.name, "data"])


def test_a_second_writer_is_refused_at_once(tmp_path: Path) -> None:
    code = (
        "import sys; from textpipe import files, errors\n"
        "try:\n  with files.lock_directory(sys.argv[1]): print('in')\n"
        "except errors.StateError as e: print('refused')"
    )
    with files.lock_directory(tmp_path):
        child = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=True)
        assert child.stdout == "refused\n"
    child = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=True)
    assert child.stdout == "in\n"


def test_a_growing_file_shorter_than_recorded_is_refused(tmp_path: Path) -> None:
    with files.GrowingFile(tmp_path / "x") as file:
        file.write(b"123")
        with pytest.raises(StateError, match="has 3 bytes where 4"):
            file.truncate(4)


def test_publishing_over_an_existing_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StateError, match="exists"), files.publish_directory(tmp_path, kind="x"):
        pass


def test_json_that_no_reader_would_take_is_not_written(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="JSON"):
        files.write_json(tmp_path / "x.json", {"loss": float("nan")})
    assert not (tmp_path / "x.json").exists()


def test_a_device_or_a_pipe_is_refused_and_stays_what_it_is(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for place in (tmp_path / "pipe", tmp_path):
        with pytest.raises(InputError, match="not a regular file"):
            files.write_text(place, "x")
    assert (tmp_path / "pipe").is_fifo()


def test_a_line_of_a_log_that_was_changed_is_named(tmp_path: Path) -> None:
    for damage in ("{broken", "3", ""):
        (tmp_path / "log").write_text('{"a": 1}\n' + damage + "\n")
        with files.LineLog(tmp_path / "log") as log, pytest.raises(FormatError, match="line 2: not a JSON object"):
            log.rows()


def test_a_folder_half_filled_by_a_killed_writer_goes_when_it_is_made_again(tmp_path: Path) -> None:
    head = "import os, sys; from textpipe import files\n"
    head += "with files.publish_directory(sys.argv[1], kind='x') as folder:\n"
    code = head + "    files.write_text(folder / 'half', 'x'); os._exit(9)"
    for name in ("out", "other"):
        assert subprocess.run([sys.executable, "-c", code, str(tmp_path / name)], check=False).returncode == 9
    with files.publish_directory(tmp_path / "out", kind="x") as folder:
        files.write_text(folder / "whole", "x")
    left = sorted(path.name.partition(".tmp")[0].rsplit(".", 1)[0] for path in tmp_path.iterdir())
    assert left == [".other", "out"]


def test_of_two_makers_of_one_folder_the_later_is_told(tmp_path: Path) -> None:
    def make_while_another_does() -> None:
        with files.publish_directory(tmp_path / "out", kind="x") as folder:
            files.write_text(folder / "mine", "x")
            files.write_text(tmp_path / "out" / "theirs", "x")

    with pytest.raises(StateError, match="another process made this folder meanwhile"):
        make_while_another_does()
    assert [path.name for path in tmp_path.rglob("*")] == ["out", "theirs"]
