"""``textpipe`` and ``python -m textpipe``: hands the command line to :mod:`textpipe.cli.app`."""

from __future__ import annotations

import sys


def main() -> int:
    """Run the command line; ``--version`` is answered without loading anything else."""
    if sys.argv[1:] == ["--version"]:
        from textpipe import __version__

        print(f"textpipe {__version__}")
        return 0
    try:
        from textpipe.cli.app import run
    except KeyboardInterrupt:  # nothing has begun, so there is nothing to say
        return 130
    return run(sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
