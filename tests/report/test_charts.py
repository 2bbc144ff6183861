"""Charts: valid SVG for any numbers, nothing from a text gets out of its place, ticks cover the data."""

from __future__ import annotations

from xml.etree import ElementTree

from hypothesis import example, given
from hypothesis import strategies as st

from textpipe.report.charts import Series, bar_chart, column_chart, line_chart, nice_ticks

names = st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="￾￿"), max_size=12)
values = st.floats(0, 1e12)
points = st.lists(st.tuples(st.floats(0, 1e6), st.floats(-1e6, 1e6)), max_size=30)


@given(st.lists(st.tuples(names, values, names), max_size=8))
def test_a_bar_chart_is_one_well_formed_element(rows: list[tuple[str, float, str]]) -> None:
    root = ElementTree.fromstring(bar_chart(rows, label="a < b & c"))
    assert root.get("aria-label") == "a < b & c"
    assert len(root.findall("g/rect")) == len(rows)


@given(st.lists(st.tuples(names, values), max_size=20))
def test_a_column_chart_is_one_well_formed_element(columns: list[tuple[str, float]]) -> None:
    root = ElementTree.fromstring(column_chart(columns, label="길이", x_name="<x>", y_name="&y"))
    assert len(root.findall("g/rect")) == len(columns)


@example([[(0.0, 7.261604919778531e-32), (0.0, 7.381829069555638e-264)]])
@example([[(16384.0, 0.0)]])
@given(st.lists(points, min_size=1, max_size=3))
def test_a_line_chart_keeps_every_point_inside_its_frame(curves: list[list[tuple[float, float]]]) -> None:
    series = [Series(f"s{n}", curve, n + 1) for n, curve in enumerate(curves)]
    root = ElementTree.fromstring(line_chart(series, label="손실", x_name="step", y_name="nats"))
    for circle in root.iter("circle"):
        assert 0 <= float(circle.get("cx", "-1")) <= 720
        assert 0 <= float(circle.get("cy", "-1")) <= 306


def test_points_that_are_no_numbers_are_left_out() -> None:
    svg = line_chart([Series("a", [(0, float("nan")), (1, 2.0), (2, float("inf"))])], label="", x_name="", y_name="")
    assert "nan" not in svg
    assert "inf" not in svg


@given(st.floats(-1e9, 1e9), st.floats(1e-6, 1e9), st.integers(3, 9))
def test_ticks_cover_the_data_and_are_few(low: float, width: float, most: int) -> None:
    ticks = nice_ticks(low, low + width, most)
    slack = 1e-6 * (abs(low) + width)
    assert ticks[0] <= low + slack
    assert ticks[-1] >= low + width - slack
    assert len(ticks) <= most + 2
