"""The report: one HTML file that holds everything it shows.

What enters: the folders the stages wrote. What leaves: a page with no script and no link to a network: its style is
inside, its charts are SVG, and every figure in a chart stands in a table too.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from textpipe import __version__
from textpipe.errors import require
from textpipe.files import write_text
from textpipe.report.charts import Series, bar_chart, column_chart, line_chart
from textpipe.report.collect import Findings, TrainingRun, collect

__all__ = ["write_report"]


def write_report(
    folders: Iterable[str | os.PathLike[str]],
    out: str | os.PathLike[str],
    *,
    title: str = "From web pages to generated text",
) -> Findings:
    """Write the page for what ``folders`` hold (a crawl, a corpus, a vocabulary, shards, a run, in any order).

    Returns the numbers it shows. Time is that of encoding up to 32 MB of the corpus, where a vocabulary and a corpus
    are both given.

    Raises
    ------
    InputError
        when a folder is not one that textpipe wrote.
    MissingExtraError
        when jinja2 is not installed.
    """
    jinja2 = require("jinja2", extra="report")
    found = collect(folders)
    here = Path(__file__).parent
    environment = jinja2.Environment(
        autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=jinja2.StrictUndefined
    )
    template = environment.from_string((here / "page.html.j2").read_text(encoding="utf-8"))
    safe = require("markupsafe", extra="report").Markup
    html = template.render(
        title=title,
        subtitle=f"Written {datetime.now().astimezone():%Y-%m-%d %H:%M %Z} by textpipe {__version__}.",
        css=safe((here / "page.css").read_text(encoding="utf-8")),
        version=__version__,
        tiles=_tiles(found),
        funnel=found.funnel,
        funnel_chart=safe(
            bar_chart([(s.name, s.count, s.note) for s in found.funnel], label="From pages to documents")
        ),
        fates=[(name, f"{count:,}") for name, count in found.fates],
        losses=[(loss.reason, loss.stage, f"{loss.count:,}") for loss in found.losses],
        languages=[(lang, f"{count:,}") for lang, count in found.languages],
        vocabulary=_vocabulary(found, safe),
        training=_training(found.training, safe) if found.training else None,
        samples=found.training.samples if found.training else [],
        artefacts=[(a.path, a.kind, len(a.files), f"{a.num_bytes:,}", a.version) for a in found.artefacts],
        digests=[
            {
                "name": a.path,
                "config": a.config,
                "files": [(f["path"], f"{f['bytes']:,}", f["sha256"]) for f in a.files],
            }
            for a in found.artefacts
        ],
    )
    write_text(out, html)
    return found


def _tiles(found: Findings) -> list[dict[str, str]]:
    tiles = []
    if found.funnel:
        tiles.append(("documents kept", f"{found.funnel[-1].count:,}"))
    if found.vocabulary:
        tiles.append(("vocabulary", f"{found.vocabulary.vocab_size:,}"))
        names = {"ko": "Korean", "en": "English"}
        tiles += [
            (f"bytes per token, {names[fit.lang]}", f"{fit.bytes_per_token:.2f}")
            for fit in found.vocabulary.languages
            if fit.lang in names
        ]
    if found.training:
        if found.training.num_parameters:
            tiles.append(("parameters", f"{found.training.num_parameters / 1e6:.2f} M"))
        if found.training.held_out:
            last = found.training.held_out[-1]
            tiles.append(("loss, held out", f"{last.loss:.3f}"))
            if last.bits_per_byte is not None:
                tiles.append(("bits per byte, held out", f"{last.bits_per_byte:.3f}"))
    return [{"name": name, "value": value} for name, value in tiles]


def _vocabulary(found: Findings, safe: Any) -> dict[str, Any] | None:
    metrics = found.vocabulary
    if metrics is None:
        return None
    lengths = [("part" if n == 0 else str(n), count) for n, count in metrics.length_histogram.items() if n <= 16]
    beyond = sum(count for n, count in metrics.length_histogram.items() if n > 16)
    if beyond:
        lengths.append(("17+", beyond))
    note = f"{metrics.vocab_size:,} entries."
    if metrics.languages:
        note += f" {metrics.num_unused:,} of them were not used by the texts below."
    return {
        "note": note,
        "languages": [
            (
                fit.lang,
                f"{fit.num_documents:,}",
                f"{fit.num_bytes:,}",
                f"{fit.num_tokens:,}",
                f"{fit.bytes_per_token:.3f}",
                f"{fit.tokens_per_word:.3f}",
            )
            for fit in metrics.languages
        ],
        "length_chart": safe(
            column_chart(lengths, label="Pieces by length in characters", x_name="characters", y_name="pieces")
        ),
        "script_chart": safe(bar_chart([(k, v, "") for k, v in metrics.scripts.items()], label="Pieces by script")),
        "longest": [(script, pieces) for script, pieces in metrics.longest.items() if pieces],
    }


def _training(run: TrainingRun, safe: Any) -> dict[str, Any]:
    trained = Series("training", run.losses, 1)
    held_out = Series("held out", [(row.step, row.loss) for row in run.held_out], 2)
    bits = Series("held out", [(row.step, bits) for row in run.held_out if (bits := row.bits_per_byte) is not None], 3)
    norm, rate = Series("gradient norm", _shares(run.norms), 3), Series("learning rate", _shares(run.rates), 4)
    levels = [("unigram entropy", run.unigram_entropy)] if run.unigram_entropy else []
    last = {row.step: row for row in run.held_out}
    rows = [
        (
            step,
            f"{loss:.4f}",
            *((f"{last[step].loss:.4f}", _shown(last[step].bits_per_byte)) if step in last else ("", "")),
        )
        for step, loss in _rows_to_show(run)
    ]
    return {
        "note": run.note,
        "loss_chart": safe(
            line_chart([trained, held_out], label="Loss by step", x_name="step", y_name="nats per token", levels=levels)
        ),
        "bits_chart": safe(line_chart([bits], label="Bits per byte by step", x_name="step", y_name="bits per byte"))
        if bits.points
        else "",
        "step_chart": safe(
            line_chart([norm, rate], label="Gradient and rate by step", x_name="step", y_name="share of the highest")
        )
        if rate.points
        else "",
        "rows": rows,
    }


def _shares(points: Sequence[tuple[int, float]]) -> list[tuple[float, float]]:
    highest = max((value for _, value in points), default=0.0) or 1.0
    return [(step, value / highest) for step, value in points]


def _shown(value: float | None) -> str:
    return "" if value is None else f"{value:.4f}"


def _rows_to_show(run: TrainingRun) -> list[tuple[int, float]]:
    evaluated = {row.step for row in run.held_out}
    stride = max(1, len(run.losses) // 40)
    return [
        (step, loss)
        for index, (step, loss) in enumerate(run.losses)
        if step in evaluated or index % stride == 0 or index == len(run.losses) - 1
    ]
