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
