"""The picture of an alignment is a whole SVG, whatever the tokens are."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest

from textpipe.errors import InputError
from textpipe.report.attention_picture import attention_picture


def test_there_is_a_cell_for_every_pair_the_darker_the_larger_its_share():
    picture = attention_picture(["<b>", "&", "끝"], ["바다", '"'], [[0.7, 0.2, 0.1], [0.0, 0.0, 1.0]])
    root = ElementTree.fromstring(picture)
    name = "{http://www.w3.org/2000/svg}"
    assert [node.text for node in root.iter(f"{name}text")] == ["<b>", "&", "끝", "바다", '"']
    shares = [node.get("fill-opacity") for node in root.iter(f"{name}rect")][1:]
    assert shares == ["0.700", "0.200", "0.100", "0.000", "0.000", "1.000"]


@pytest.mark.parametrize("shares", [[[1.0]], [[1.0, 0.0]] * 3, [[1.0, 0.0], [1.0]]])
def test_a_share_too_few_or_too_many_is_refused(shares):
    with pytest.raises(InputError, match="2 rows of 2"):
        attention_picture(["a", "b"], ["c", "d"], shares)


def test_names_of_any_length_stand_inside_the_picture_and_beside_their_own_cells():
    source, target = ["조건부", "<|endoftext|>", "x" * 90, "␣스타일"], ["conditional", "‹eb b0›", "<|endoftext|>"]
    root = ElementTree.fromstring(attention_picture(source, target, [[0.25] * 4] * 3))
    name = "{http://www.w3.org/2000/svg}"
    width, height = int(root.get("width")), int(root.get("height"))
    labels, cells = list(root.iter(f"{name}text")), list(root.iter(f"{name}rect"))[1:]
    left, top = float(cells[0].get("x")), float(cells[0].get("y"))
    assert [label.text[:3] for label in labels] == ["조건부", "<|e", "xxx", "␣스타", "con", "‹eb", "<|e"]
    for label in labels:
        long = 13 * sum(1 if "가" <= character <= "힣" else 0.6 for character in label.text)
        x, y = float(label.get("x")), float(label.get("y"))
        if label.get("transform") is None:  # of a row: it ends before the cells
            assert x - long >= 0
            assert x < left
        else:  # of a column: it rises from above its own cell
            assert label.get("transform") == f"rotate(-45 {x:g} {y:g})"
            assert 0 <= y - 0.7 * long < y < top
            assert x + 0.7 * long <= width
    assert [float(label.get("x")) for label in labels[:4]] == [left + 26 * place + 13 for place in range(4)]
    assert float(cells[-1].get("y")) + 26 <= height
