"""Post-processors against `tokenizers`: every field, of one text and of two."""

from __future__ import annotations

import copy

import pytest
import tokenizers as oracle
from hypothesis import given
from hypothesis import strategies as st
from tokenizer_samples import byte_level_json, texts

from textpipe import Tokenizer, processors
from textpipe.errors import InputError

post = oracle.processors
SEP, CLS = ("[SEP]", 7), ("[CLS]", 9)
FIELDS = (
    "ids", "tokens", "offsets", "word_ids", "type_ids", "special_tokens_mask", "attention_mask", "sequence_ids",
)  # fmt: skip
TEMPLATE = ("[CLS] $A", "$A [SEP] $B:1", [("[CLS]", 9), ("[SEP]", 7)])
PAIRS = [
    (processors.BertProcessing(SEP, CLS), post.BertProcessing(SEP, CLS)),
    *(
        (processors.RobertaProcessing(SEP, CLS, *flags), post.RobertaProcessing(SEP, CLS, *flags))
        for flags in [(True, True), (True, False), (False, True)]
    ),
    (processors.Sequence([]), post.Sequence([])),
    (
        processors.Sequence([processors.ByteLevel(), processors.BertProcessing(SEP, CLS)]),
        post.Sequence([post.ByteLevel(), post.BertProcessing(SEP, CLS)]),
    ),
    (
        processors.Sequence([processors.ByteLevel(), processors.TemplateProcessing(*TEMPLATE)]),
        post.Sequence([post.ByteLevel(), post.TemplateProcessing(*TEMPLATE)]),
    ),
    (
        processors.Sequence([processors.BertProcessing(SEP, CLS), processors.RobertaProcessing(SEP, CLS)]),
        post.Sequence([post.BertProcessing(SEP, CLS), post.RobertaProcessing(SEP, CLS)]),
    ),
]


@pytest.mark.parametrize(("ours", "theirs"), PAIRS)
@given(text=texts, pair=st.none() | texts, special=st.booleans())
def test_every_field_is_that_of_tokenizers(ours, theirs, text, pair, special):
    expected_by, made_by = oracle.Tokenizer.from_str(byte_level_json()), Tokenizer.from_str(byte_level_json())
    expected_by.post_processor, made_by.post_processor = theirs, ours
    expected = expected_by.encode(text, pair, add_special_tokens=special)
    found = made_by.encode(text, pair, add_special_tokens=special)
    assert [getattr(found, field) for field in FIELDS] == [getattr(expected, field) for field in FIELDS]
    if pair is None:
        assert made_by.encode_to_numpy([text], add_special_tokens=special)[0].tolist() == expected.ids


@pytest.mark.parametrize(("ours", "theirs"), [*PAIRS, (None, None)])
@given(text=texts, pair=st.none() | texts, special=st.booleans())
def test_encodings_put_together_afterwards_are_those_of_tokenizers(ours, theirs, text, pair, special):
    found = []
    for package, processor in ((Tokenizer, ours), (oracle.Tokenizer, theirs)):
        tokenizer = package.from_str(byte_level_json())
        encodings = [tokenizer.encode(each) for each in (text, pair) if each is not None]
        tokenizer.post_processor = processor
        made = [tokenizer.post_process(*encodings, add_special_tokens=special)]
        if processor is not None:
            made.append(processor.process(*encodings, add_special_tokens=special))
        found.append([[getattr(each, field) for field in FIELDS] for each in made])
    assert found[0] == found[1]


@pytest.mark.parametrize(("ours", "theirs"), PAIRS)
def test_as_many_tokens_are_added_as_tokenizers_says(ours, theirs):
    for is_pair in (False, True):
        assert ours.num_special_tokens_to_add(is_pair) == theirs.num_special_tokens_to_add(is_pair)


@pytest.mark.parametrize(("ours", "_theirs"), PAIRS)
def test_processors_are_values(ours, _theirs):
    assert copy.deepcopy(ours) == ours
    assert hash(copy.deepcopy(ours)) == hash(ours)
    assert type(ours).__name__ in repr(ours)


@pytest.mark.parametrize("kind", [processors.BertProcessing, processors.RobertaProcessing])
def test_an_id_that_no_vocabulary_can_have_is_refused(kind):
    with pytest.raises(InputError, match=r'"\[SEP\]" has the id -1'):
        kind(("[SEP]", -1), CLS)


def test_a_template_after_a_template_is_refused():
    tokenizer = Tokenizer.from_str(byte_level_json())
    template = processors.TemplateProcessing("[CLS] $A [SEP]", special_tokens=[CLS, SEP])
    tokenizer.post_processor = processors.Sequence([template, template])
    with pytest.raises(InputError, match="a template got 3 parts"):
        tokenizer.encode("한글")
