"""What stands around texts."""

from __future__ import annotations

import pytest

from textpipe.data.framing import ids_after, ids_before, with_marks
from textpipe.data.masking import Marks
from textpipe.implementations import BertWordPieceTokenizer
from textpipe.models import WordLevel
from textpipe.pre_tokenizers import Whitespace
from textpipe.processors import TemplateProcessing
from textpipe.tokenizer import Tokenizer

ENTRIES = {"[UNK]": 0, "[CLS]": 1, "[SEP]": 2, "[MASK]": 3, "가": 4, "나": 5, "[X]": 6}


def words(template=None):
    made = Tokenizer(WordLevel(ENTRIES, unk_token="[UNK]"))
    made.pre_tokenizer = Whitespace()
    made.add_special_tokens(["[CLS]", "[SEP]", "[MASK]", "[X]"])
    if template is not None:
        made.post_processor = TemplateProcessing(*template, [("[CLS]", 1), ("[SEP]", 2), ("[X]", 6)])
    return made


@pytest.mark.parametrize(
    "template",
    [None, ("[X] $A", "[X] $A $B"), ("[CLS] $A [SEP]", "[CLS] $A [SEP] $B:1 [X]:1"), ("$A", "$A $B:1")],
    ids=["none", "other", "other pair", "empty"],
)
def test_the_marks_stand_around_texts_and_pairs_whatever_stood_there(template):
    before = words(template)
    before.enable_truncation(3)
    before.enable_padding(length=9)
    made = with_marks(before, Marks.of(before, eos_id=2))
    assert (ids_before(made), ids_after(made)) == ((1,), (2,))
    encoding = made.encode("가 나", "나 가 나")
    assert encoding.ids == [1, 4, 5, 2, 5, 4, 5, 2]
    assert encoding.type_ids == [0, 0, 0, 0, 1, 1, 1, 1]
    assert encoding.sequence_ids == [None, 0, 0, None, 1, 1, 1, None]


def test_a_tokenizer_that_has_the_marks_stays_as_it_is():
    before = BertWordPieceTokenizer(lowercase=False)
    before.train_from_iterator(["가 나 다"] * 4, vocab_size=40, show_progress=False)
    made = with_marks(before, Marks.of(before, eos_id=2))
    assert made.to_str() == with_marks(made, Marks.of(made, eos_id=2)).to_str()
    assert made.encode("가", "나").tokens == ["[CLS]", "가", "[SEP]", "나", "[SEP]"]
