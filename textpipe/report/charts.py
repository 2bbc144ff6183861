"""Charts as SVG text: bars and curves that print, scale, and follow the page's light or dark colours.

What enters: plain numbers. What leaves: one ``<svg>`` element whose colours are CSS classes and whose every mark
carries a ``<title>``, so that it reads without scripts, without a network, and by a screen reader. The numbers
themselves stand beside it in a table; that is the page's part.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

__all__ = ["Series", "bar_chart", "column_chart", "line_chart", "nice_ticks", "stacked_chart", "standalone"]

_WIDTH = 720.0


@dataclass(frozen=True, slots=True)
class Series:
    """One curve: ``points`` are (x, y); ``style`` is its CSS class, 1 to 4."""

    name: str
    points: Sequence[tuple[float, float]]
    style: int = 1


def nice_ticks(low: float, high: float, most: int = 6) -> list[float]:
    """Round numbers from at or below ``low`` to at or above ``high``, at most about ``most`` of them.

    >>> nice_ticks(0, 97)
    [0.0, 20.0, 40.0, 60.0, 80.0, 100.0]
    """
    if high - low <= 1e-9 * max(abs(low), abs(high), 1.0):  # one value, as far as a picture shows
        high = low + max(abs(low), 1.0)
    rough = (high - low) / max(1, most - 1)
    unit = 10.0 ** math.floor(math.log10(rough))
    step = next(unit * m for m in (1, 2, 2.5, 5, 10) if unit * m >= rough * 0.999)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [float(f"{k * step:.12g}") for k in range(first, last + 1)]


def _number(value: float) -> str:
    if value == int(value) and abs(value) < 1e15:
        return f"{int(value):,}"
    return f"{value:,.3g}" if abs(value) < 100 else f"{value:,.0f}"


def _svg(width: float, height: float, label: str, body: Sequence[str]) -> str:
    return (
        f'<svg viewBox="0 0 {width:g} {height:g}" role="img" aria-label="{escape(label, quote=True)}" '
        f'preserveAspectRatio="xMinYMin meet">{"".join(body)}</svg>'
    )


def bar_chart(rows: Sequence[tuple[str, float, str]], *, label: str) -> str:
    """Horizontal bars, one a row: (name, value, note after the number)."""
    name_width, bar_height, gap = 190.0, 22.0, 8.0
    top = max((value for _, value, _ in rows), default=0) or 1
    room = _WIDTH - name_width - 190
    parts = []
    for index, (name, value, note) in enumerate(rows):
        y = index * (bar_height + gap)
        width = max(1.5, room * value / top) if value else 0
        text = _number(value) + (f" · {note}" if note else "")
        parts.append(
            f'<g><title>{escape(name)}: {escape(text)}</title><text class="name" x="{name_width - 10:g}" '
            f'y="{y + 15.5:g}" text-anchor="end">{escape(name)}</text>'
            f'<rect class="s1" x="{name_width:g}" y="{y:g}" width="{width:.1f}" height="{bar_height:g}" rx="3"/>'
            f'<text class="value" x="{name_width + width + 8:.1f}" y="{y + 15.5:g}">{escape(text)}</text></g>'
        )
    return _svg(_WIDTH, max(1, len(rows)) * (bar_height + gap), label, parts)


def stacked_chart(
    rows: Sequence[tuple[str, Sequence[float], str]], *, names: Sequence[str], label: str, limit: tuple[str, float]
) -> str:
    """Horizontal bars of parts, one a row: (name, a value for each of up to four ``names``, note after the bar).

    ``limit`` is a named level that bars should stay below: a dashed line with its name under it.
    """
    name_width, bar_height, gap, top = 190.0, 22.0, 8.0, 30.0
    most = max([limit[1], *(sum(values) for _, values, _ in rows)]) or 1
    scale = (_WIDTH - name_width - 190) / most
    bottom = top + len(rows) * (bar_height + gap)
    parts, x = [], name_width
    for style, name in enumerate(names, 1):
        parts.append(f'<rect class="s{style}" x="{x:g}" y="4" width="12" height="12" rx="2"/>')
        parts.append(f'<text class="name" x="{x + 17:g}" y="14">{escape(name)}</text>')
        x += 40 + 7.2 * len(name)
    for index, (name, values, note) in enumerate(rows):
        y, x = top + index * (bar_height + gap), name_width
        parts.append(
            f'<text class="name" x="{name_width - 10:g}" y="{y + 15.5:g}" text-anchor="end">{escape(name)}</text>'
        )
        for style, (part, value) in enumerate(zip(names, values, strict=True), 1):
            parts.append(
                f'<rect class="s{style}" x="{x:.1f}" y="{y:g}" width="{value * scale:.1f}" height="{bar_height:g}">'
                f"<title>{escape(name)}, {escape(part)}: {_number(value)}</title></rect>"
            )
            x += value * scale
        parts.append(f'<text class="value" x="{x + 8:.1f}" y="{y + 15.5:g}">{escape(note)}</text>')
    x = name_width + limit[1] * scale
    parts.append(f'<line class="level" x1="{x:.1f}" x2="{x:.1f}" y1="{top - 6:g}" y2="{bottom:g}"/>')
    parts.append(
        f'<text class="tick" x="{x:.1f}" y="{bottom + 14:g}" text-anchor="middle">{escape(limit[0])}: '
        f"{_number(limit[1])}</text>"
    )
    return _svg(_WIDTH, bottom + 20, label, parts)


def standalone(svg: str) -> str:
    """A chart as a file of its own, with the page's colours in it."""
    style = Path(__file__).with_name("page.css").read_text(encoding="utf-8")
    head, _, body = svg.partition(">")
    return (
        f'{head} xmlns="http://www.w3.org/2000/svg"><style>{style} svg {{ background: var(--sheet); '
        f"font-family: system-ui, sans-serif }}</style>{body}\n"
    )


def column_chart(columns: Sequence[tuple[str, float]], *, label: str, x_name: str, y_name: str) -> str:
    """Vertical columns (a histogram): (name under the column, value)."""
    highest = max((value for _, value in columns), default=1) or 1
    frame = _Frame((0, 1), (0, highest), x_name=x_name, y_name=y_name)
    slot = frame.width / max(1, len(columns))
    parts = frame.y_axis()
    for index, (name, value) in enumerate(columns):
        x, y = frame.left + index * slot, frame.y(value)
        parts.append(
            f'<g><title>{escape(name)}: {_number(value)}</title><rect class="s1" x="{x + slot * 0.12:.1f}" y="{y:.1f}" '
            f'width="{slot * 0.76:.1f}" height="{frame.bottom - y:.1f}" rx="2"/>'
            f'<text class="tick" x="{x + slot / 2:.1f}" y="{frame.bottom + 16:g}" text-anchor="middle">'
            f"{escape(name)}</text></g>"
        )
    return _svg(_WIDTH, frame.height, label, parts)


def line_chart(
    series: Sequence[Series],
    *,
    label: str,
    x_name: str,
    y_name: str,
    levels: Sequence[tuple[str, float]] = (),
) -> str:
    """Curves over a common x, with named horizontal ``levels`` (baselines) as dashed lines."""
    series = [Series(s.name, [p for p in s.points if math.isfinite(p[1])], s.style) for s in series]
    points = [p for s in series for p in s.points]
    if not points:
        return _svg(_WIDTH, 40, label, ['<text class="tick" x="0" y="24">no points yet</text>'])
    heights = [y for _, y in points] + [y for _, y in levels]
    widths = [x for x, _ in points]
    frame = _Frame((min(widths), max(widths)), (min(heights), max(heights)), x_name=x_name, y_name=y_name)
    parts = frame.y_axis() + frame.x_axis()
    for name, level in levels:
        y = frame.y(level)
        parts.append(
            f'<line class="level" x1="{frame.left:g}" x2="{frame.right:g}" y1="{y:.1f}" y2="{y:.1f}"/>'
            f'<text class="tick" x="{frame.left + 8:g}" y="{y - 5:.1f}">'
            f"{escape(name)}: {level:.3f}</text>"
        )
    for one in series:
        path = " ".join(f"{frame.x(x):.1f},{frame.y(y):.1f}" for x, y in _thin(one.points))
        parts.append(f'<g><title>{escape(one.name)}</title><polyline class="line c{one.style}" points="{path}"/></g>')
        if len(one.points) <= 60:
            parts += [
                f'<circle class="s{one.style}" cx="{frame.x(x):.1f}" cy="{frame.y(y):.1f}" r="2.6">'
                f"<title>{escape(one.name)}, {_number(x)}: {y:.4f}</title></circle>"
                for x, y in one.points
            ]
    parts += _legend(series, frame)
    return _svg(_WIDTH, frame.height, label, parts)


def _legend(series: Sequence[Series], frame: _Frame) -> list[str]:
    parts, x = [], frame.left + 12
    for one in series:
        parts.append(
            f'<line class="line c{one.style}" x1="{x:g}" x2="{x + 22:g}" y1="10" y2="10"/>'
            f'<text class="name" x="{x + 28:g}" y="14">{escape(one.name)}</text>'
        )
        x += 52 + 7.2 * len(one.name)
    return parts


def _thin(points: Sequence[tuple[float, float]], most: int = 700) -> list[tuple[float, float]]:
    """At most about ``most`` points, each the mean of its neighbours: a screen shows no more."""
    size = math.ceil(len(points) / most) or 1
    groups = [points[i : i + size] for i in range(0, len(points), size)]
    return [(sum(x for x, _ in g) / len(g), sum(y for _, y in g) / len(g)) for g in groups]


class _Frame:
    """The plotting area: maps values to places and draws the axes."""

    left, top, right, bottom, height = 64.0, 26.0, _WIDTH - 14, 262.0, 306.0

    def __init__(self, xs: tuple[float, float], ys: tuple[float, float], *, x_name: str, y_name: str) -> None:
        self.x_low, self.x_high = xs if xs[1] > xs[0] else (xs[0], xs[0] + 1)
        self.y_ticks = nice_ticks(*ys)
        self.y_low, self.y_high = self.y_ticks[0], self.y_ticks[-1]
        self.x_name, self.y_name = x_name, y_name
        self.width = self.right - self.left

    def x(self, value: float) -> float:
        return self.left + self.width * (value - self.x_low) / (self.x_high - self.x_low)

    def y(self, value: float) -> float:
        return self.bottom - (self.bottom - self.top) * (value - self.y_low) / (self.y_high - self.y_low)

    def y_axis(self) -> list[str]:
        middle = (self.top + self.bottom) / 2
        parts = [
            f'<text class="axis" transform="translate(12 {middle:g}) rotate(-90)" text-anchor="middle">'
            f"{escape(self.y_name)}</text>",
            f'<text class="axis" x="{(self.left + self.right) / 2:g}" y="{self.height - 6:g}" text-anchor="middle">'
            f"{escape(self.x_name)}</text>",
        ]
        for tick in self.y_ticks:
            y = self.y(tick)
            parts.append(
                f'<line class="grid" x1="{self.left:g}" x2="{self.right:g}" y1="{y:.1f}" y2="{y:.1f}"/>'
                f'<text class="tick" x="{self.left - 8:g}" y="{y + 4:.1f}" text-anchor="end">{_number(tick)}</text>'
            )
        return parts

    def x_axis(self) -> list[str]:
        ticks = [t for t in nice_ticks(self.x_low, self.x_high, 8) if self.x_low <= t <= self.x_high]
        return [
            f'<text class="tick" x="{self.x(t):.1f}" y="{self.bottom + 18:g}" text-anchor="middle">{_number(t)}</text>'
            for t in ticks
        ]
