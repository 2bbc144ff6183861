"""decode: ids that no token has are said, not passed over."""

from __future__ import annotations

import pytest

from textpipe.cli.app import run
from textpipe.files import write_text


@pytest.mark.parametrize("number", ["400", "999999999"])
def test_an_id_that_no_token_has_is_refused(number, small_tokenizer_json, tmp_path, capsys):
    write_text(tmp_path / "tokenizer.json", small_tokenizer_json)
    assert run(["decode", "1", number, "--tokenizer", str(tmp_path)]) == 3
    assert f"no token has the id {number}" in capsys.readouterr().err
