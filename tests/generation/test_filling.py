"""What is put in place of masks is what transformers' pipeline puts there, alone and together."""

from __future__ import annotations

import pytest
import torch

from textpipe.data.masking import Marks
from textpipe.errors import InputError
from textpipe.generation.filling import fill_masks, filled
from textpipe.interchange.exporting import export_model
from textpipe.nn.bert import BERT, BertConfig
from textpipe.tokenizer import Tokenizer

TEXTS = ["바다는 [MASK] 배는", "The [MASK] is late, and [MASK] on the pier", "[MASK]"]


@pytest.fixture(scope="module")
def bert(small_tokenizer_json):
    tokenizer = Tokenizer.from_str(small_tokenizer_json)
    tokenizer.add_special_tokens(["[PAD]", "[CLS]", "[SEP]", "[MASK]"])
    model = BERT(BertConfig(vocab_size=404, context=40, layers=2, heads=2, width=32))
    generator = torch.Generator().manual_seed(3)
    with torch.no_grad():
        for weight in model.parameters():
            if weight.dim() == 2:
                weight.normal_(0.0, 0.3, generator=generator)
    return model.eval(), tokenizer, Marks.of(tokenizer, eos_id=0)


def test_guesses_are_those_of_transformers(bert, tmp_path):
    transformers = pytest.importorskip("transformers")
    model, tokenizer, marks = bert
    export_model(model, tokenizer, tmp_path / "bert", eos_id=0)
    theirs = transformers.pipeline("fill-mask", str(tmp_path / "bert"), top_k=4, device="cpu")
    for text, masks in zip(TEXTS, fill_masks(model, tokenizer, TEXTS, marks, top_k=4), strict=True):
        expected = theirs(text)
        expected = expected if isinstance(expected[0], list) else [expected]
        assert [[guess.id for guess in row] for row in masks] == [[row["token"] for row in rows] for rows in expected]
        for mine, rows in zip(masks, expected, strict=True):
            assert [guess.probability for guess in mine] == pytest.approx([row["score"] for row in rows], abs=1e-6)


def test_texts_together_are_filled_as_each_alone(bert):
    model, tokenizer, marks = bert
    together = fill_masks(model, tokenizer, TEXTS, marks, batch_size=2)
    for text, found in zip(TEXTS, together, strict=True):
        (alone,) = fill_masks(model, tokenizer, [text], marks)
        assert [[guess.id for guess in row] for row in found] == [[guess.id for guess in row] for row in alone]


def test_the_likeliest_token_stands_in_place_of_each_mask(bert):
    model, tokenizer, marks = bert
    (guesses,) = fill_masks(model, tokenizer, TEXTS[1:2], marks)
    assert len(guesses) == 2
    text = filled(tokenizer, TEXTS[1], guesses, marks)
    assert "[MASK]" not in text
    assert text.startswith("The ")


@pytest.mark.parametrize(
    ("text", "message"), [("바다", r"prompt 0 has no \[MASK\]"), ("[MASK] " * 90, "allowed: 40, the model's context")]
)
def test_a_text_that_cannot_be_filled_is_refused(bert, text, message):
    model, tokenizer, marks = bert
    with pytest.raises(InputError, match=message):
        fill_masks(model, tokenizer, [text], marks)
