"""Templates: which ids they may add, and that no array is too narrow for them."""

from __future__ import annotations

import pytest
import tokenizers as oracle
from hypothesis import given, settings
from hypothesis import strategies as st

import textpipe
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


WORDS = st.text(alphabet=st.sampled_from("$AaBb01:x9"), min_size=1, max_size=6)


def single_of(package, word):
    names = {word, word.partition(":")[0], word.rpartition(":")[0]} - {""}
    try:
        made = package.processors.TemplateProcessing(word, "$A $B", [(name, 5) for name in names])
    except Exception:
        return None
    return repr(made).split(", pair")[0]


@given(WORDS)
@settings(max_examples=1000)
def test_a_word_of_a_template_means_what_it_means_in_tokenizers(word):
    theirs = single_of(oracle, word)
    if theirs is not None and "Sequence(id=B" in theirs:  # taken there, and a panic when one text is encoded
        theirs = None
    assert single_of(textpipe, word) == theirs


@pytest.mark.parametrize("token", ["[S]", ("[S]",), ("[S]", "0"), ("[S]", 0, 1), (0, 1), 7, {"id": "[S]"}])
def test_what_is_no_special_token_is_refused(token):
    with pytest.raises(InputError, match="special token"):
        textpipe.processors.TemplateProcessing("[S] $A", "$A $B", [token])


@pytest.mark.parametrize("single", ["<s> $A </s>", "$A", "$A:1 </s>:2", "<s> $A $A", "</s>:1 <s> $0 <s>"])
@pytest.mark.parametrize("add_special_tokens", [True, False])
@pytest.mark.parametrize("truncated", [True, False])
def test_texts_of_a_batch_get_the_template_that_each_gets_by_itself(single, add_special_tokens, truncated):
    made = oracle.Tokenizer(oracle.models.BPE({"가": 0, "나": 1}, []))
    special = [("<s>", 7), ("</s>", 8)]
    made.post_processor = oracle.processors.TemplateProcessing(single, special_tokens=special)
    tokenizer = Tokenizer.from_str(made.to_str())
    if truncated:
        tokenizer.enable_truncation(4, stride=0)
    texts = ["가나", "", "나나나가가가나"]
    batch = tokenizer.encode_batch(texts, add_special_tokens=add_special_tokens)
    for text, encoding in zip(texts, batch, strict=True):
        alone = tokenizer.encode(text, add_special_tokens=add_special_tokens)
        for one, other in zip([encoding, *encoding.overflowing], [alone, *alone.overflowing], strict=True):
            assert one == other
            assert one.sequence_ids == other.sequence_ids
            assert one.char_to_token(0) == other.char_to_token(0)
    assert [each.ids for each in tokenizer.encode_batch_fast(texts, add_special_tokens=add_special_tokens)] == [
        each.ids for each in batch
    ]
