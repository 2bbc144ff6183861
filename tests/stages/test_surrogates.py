"""Half a surrogate pair is refused where it is given: no file could hold it, and no text has it."""

from __future__ import annotations

import pytest

from textpipe import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from textpipe.errors import TextpipeError

HALF = "가\ud800"
GIVEN = {
    "an added token": lambda: AddedToken(HALF),
    "an unknown token": lambda: models.WordLevel({"a": 0}, unk_token=HALF),
    "a piece": lambda: models.WordPiece({"a": 0, HALF: 1}),
    "a piece of a BPE": lambda: models.BPE({HALF: 0}, []),
    "a scored piece": lambda: models.Unigram([(HALF, 0.0)]),
    "a prefix": lambda: models.WordPiece({"a": 0}, continuing_subword_prefix=HALF),
    "a processor's token": lambda: processors.BertProcessing((HALF, 1), ("a", 0)),
    "a template's token": lambda: processors.TemplateProcessing("[C] $A", special_tokens=[("[C]", 1), (HALF, 2)]),
    "a token of several": lambda: processors.TemplateProcessing(
        "[C] $A", special_tokens=[{"id": "[C]", "ids": [1], "tokens": [HALF]}]
    ),
    "a string to cut at": lambda: pre_tokenizers.Split(HALF, "removed"),
    "a pattern to cut at": lambda: pre_tokenizers.Split(Regex(HALF), "removed"),
    "what is replaced": lambda: normalizers.Replace(HALF, "a"),
    "what replaces": lambda: normalizers.Replace("a", HALF),
    "what is prepended": lambda: normalizers.Prepend(HALF),
    "a decoder's setting": lambda: decoders.CTC(HALF),
    "a trainer's special token": lambda: trainers.BpeTrainer(special_tokens=[HALF]),
    "a padding token": lambda: Tokenizer(models.BPE()).enable_padding(pad_token=HALF),
}


@pytest.mark.parametrize("given", GIVEN.values(), ids=GIVEN)
def test_half_a_surrogate_pair_is_refused_where_it_is_given(given):
    with pytest.raises(TextpipeError, match="surrogate"):
        given()


def test_a_refused_token_leaves_the_tokenizer_as_it_was():
    tokenizer = Tokenizer(models.WordLevel({"가": 0}, "가"))
    with pytest.raises(TextpipeError):
        tokenizer.add_tokens(["<s>", HALF])
    assert tokenizer.get_added_tokens_decoder() == {}
    assert tokenizer.encode("가").ids == [0]
