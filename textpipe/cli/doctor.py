"""``textpipe doctor``: prints the findings of :mod:`textpipe.report.doctor`."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import typer


def command(
    paths: list[Path] | None = typer.Argument(None, help="Files or folders of textpipe to check as well."),
    as_json: bool = typer.Option(False, "--json", help="Print a JSON object a line."),
) -> None:
    """Check this installation, and the files and folders you name.

    \b
    textpipe doctor
    textpipe doctor corpus vocab shards

    The exit code is 3 when something is wrong.
    """
    from textpipe.report.doctor import check_environment, check_path

    findings = list(check_environment())
    for path in paths or []:
        findings += check_path(path)
    for finding in findings:
        if as_json:
            print(json.dumps(asdict(finding), ensure_ascii=False))
        else:
            advice = f" → {finding.advice}" if finding.advice else ""
            print(f"- {finding.verdict:5} **{finding.subject}** {finding.text}{advice}")
    if any(finding.verdict == "wrong" for finding in findings):
        raise typer.Exit(3)
