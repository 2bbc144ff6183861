"""What is read of an encoding late: pieces, places and words of the stages that made it."""

from __future__ import annotations

import pytest
from sentencepiece_models import model_bytes

from textpipe import Tokenizer, normalizers, pre_tokenizers
from textpipe.formats import sentencepiece
from textpipe.models import Unigram

TEXT = "Ab 한b 국어 뷁ㅋ a"
UNKNOWN = 0


def unigram() -> Tokenizer:
    made = Tokenizer(Unigram([("<unk>", 0.0), ("a", -1.0), ("b", -1.0), ("▁", -1.0), ("ab", -1.5)], UNKNOWN))
    made.normalizer = normalizers.Sequence([normalizers.NFC(), normalizers.Replace("국", "나라")])
    made.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.Metaspace(), pre_tokenizers.Digits()])
    return made


def sentence() -> Tokenizer:
    return Tokenizer.from_parts(sentencepiece.read(model_bytes("unigram"), path="x.model"))


def change_part(tokenizer: Tokenizer) -> None:
    tokenizer.pre_tokenizer[0].prepend_scheme = "never"


def change_content(tokenizer: Tokenizer) -> None:
    tokenizer.normalizer[1].content = "새 나라"


def replace_part(tokenizer: Tokenizer) -> None:
    tokenizer.normalizer[0] = normalizers.NFD()


def draw(tokenizer: Tokenizer) -> None:
    tokenizer.model.alpha = 0.1


def drop_dummy(tokenizer: Tokenizer) -> None:
    tokenizer.normalizer.add_dummy_prefix = False


@pytest.mark.parametrize(
    ("make", "change"),
    [
        (unigram, change_part),
        (unigram, change_content),
        (unigram, replace_part),
        (unigram, draw),
        (sentence, drop_dummy),
        (sentence, draw),
    ],
)
@pytest.mark.parametrize("way", ["one", "batch", "words"])
def test_what_is_read_late_of_an_encoding_does_not_change_with_a_setting(make, change, way):
    def encode(tokenizer: Tokenizer):
        if way == "words":
            return tokenizer.encode(TEXT.split(), is_pretokenized=True)
        return tokenizer.encode(TEXT) if way == "one" else tokenizer.encode_batch(["b", TEXT])[1]

    tokenizer = make()
    at_once, late = encode(tokenizer), encode(tokenizer)
    read = (at_once.ids, at_once.tokens, at_once.offsets, at_once.word_ids)
    change(tokenizer)
    tokenizer.encode(TEXT)
    assert tokenizer.model.surface_id in late.ids
    assert (late.ids, late.tokens, late.offsets, late.word_ids) == read


def test_a_changed_setting_counts_for_the_encodings_made_after_it():
    tokenizer = unigram()
    before = tokenizer.encode(TEXT).tokens
    change_part(tokenizer)
    made = unigram()
    change_part(made)
    assert tokenizer.encode(TEXT).tokens == made.encode(TEXT).tokens != before


@pytest.mark.parametrize("way", ["one", "batch", "words"])
def test_what_is_read_late_takes_special_tokens_as_the_ids_did(way):
    tokenizer = unigram()
    tokenizer.add_special_tokens(["<ab>"])
    text = "a <ab> 뷁 b"
    for special in ("text", "allow"):
        if way == "words":
            made = tokenizer.encode(text.split(), is_pretokenized=True, special=special)
        elif way == "one":
            made = tokenizer.encode(text, special=special)
        else:
            made = tokenizer.encode_batch(["<ab>", text], special=special)[1]
        assert tokenizer.model.surface_id in made.ids
        assert (tokenizer.token_to_id("<ab>") in made.ids) == (special == "allow") == ("<ab>" in made.tokens)
        assert len(made.tokens) == len(made.offsets) == len(made.word_ids) == len(made.ids)


def test_one_encoding_that_is_kept_does_not_keep_the_ids_of_all():
    kept = unigram().encode_batch_fast(["ab" * 10] * 1000)[0]
    held = kept._columns._ids
    while held.base is not None:
        held = held.base
    assert len(held) == len(kept)
