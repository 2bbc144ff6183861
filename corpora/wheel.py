"""Puts the bundled site into the wheel.

What enters: the committed site, its truth and its manifest. What leaves: the same files as data below
``textpipe/bundled``. In a checkout and in an editable install they are read where they lie, so nothing is copied there.
"""

from __future__ import annotations

import tomllib
from pathlib import Path

from setuptools.command.build_py import build_py

HERE = Path(__file__).resolve().parent


class BuildWithSite(build_py):
    """``build_py`` that also copies what ``MANIFEST.toml`` names, and nothing else of this folder."""

    def run(self) -> None:
        """Build the packages, then copy the site."""
        super().run()
        if self.editable_mode:
            return
        for path in _bundled_files():
            target = Path(self.build_lib, "textpipe", "bundled", path)
            self.mkpath(str(target.parent))
            self.copy_file(str(HERE / path), str(target))

    def get_outputs(self, include_bytecode: bool = True) -> list[str]:
        """Return the files this command writes, the site's among them."""
        copied = [] if self.editable_mode else _bundled_files()
        below = Path(self.build_lib, "textpipe", "bundled")
        return super().get_outputs(include_bytecode) + [str(below / path) for path in copied]


def _bundled_files() -> list[str]:
    manifest = tomllib.loads((HERE / "MANIFEST.toml").read_text("utf-8"))
    return ["MANIFEST.toml", *(row["path"] for row in manifest["file"])]
