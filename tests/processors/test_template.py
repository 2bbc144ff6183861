"""Templates: which ids they may add, and that no array is too narrow for them."""

from __future__ import annotations

import pytest

from textpipe import Tokenizer
from textpipe.errors import InputError
from textpipe.models import BPE
from textpipe.processors import TemplateProcessing


@pytest.mark.parametrize("single", ["<s> $A", "<s> $A $A"])  # the second has no native frame
def test_an_id_above_sixteen_bits_of_the_template_alone_is_kept(single):
    tokenizer = Tokenizer(BPE({"가": 0}))
    tokenizer.post_processor = TemplateProcessing(single, special_tokens=[("<s>", 70_000)])
    ids, _ = tokenizer.encode_to_numpy(["가"])
    assert ids.tolist() == tokenizer.encode("가").ids
    assert ids[0] == 70_000


@pytest.mark.parametrize("number", [-1, 1 << 24, 1 << 40])
def test_an_id_that_no_vocabulary_can_have_is_refused(number):
    with pytest.raises(InputError, match=f"has the id {number}"):
        TemplateProcessing("<s> $A", special_tokens=[("<s>", number)])
