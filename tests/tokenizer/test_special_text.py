"""Text that nobody vouches for, and texts that come back: special tokens on request, and nothing lost."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizer_samples import byte_level_json, texts, untrusted_ids

from textpipe import AddedToken, Special, Text, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors
from textpipe.errors import InputError
from textpipe.stages.pattern import Regex

SPECIAL = ["<|user|>", "<|end|>", "[질문]"]
UPPER = AddedToken("<|shout|>", special=True, normalized=True)
pieces_of_text = st.lists(
    st.sampled_from([*SPECIAL, "<|shout|>", "<|SHOUT|>", "안녕", " ", "ㅋㅋ", "a<|", "|>"]), max_size=6
)
untrusted = pieces_of_text.map("".join)


def chat(pre_tokenizer=None, normalizer=None):
    tokenizer = Tokenizer.from_str(byte_level_json())
    if pre_tokenizer is not None:
        tokenizer.pre_tokenizer = pre_tokenizer
    tokenizer.normalizer = normalizer
    tokenizer.add_special_tokens([*SPECIAL, UPPER])
    return tokenizer


def special_ids(tokenizer):
    return {number for number, token in tokenizer.get_added_tokens_decoder().items() if token.special}


@settings(max_examples=60, deadline=None)
@given(text=untrusted)
def test_untrusted_text_never_makes_a_special_token(text):
    for tokenizer in (chat(), chat(normalizer=normalizers.Lowercase())):
        assert not special_ids(tokenizer) & set(untrusted_ids(tokenizer, text))


@settings(max_examples=60, deadline=None)
@given(text=untrusted)
def test_text_is_refused_exactly_when_it_would_make_a_special_token(text):
    for tokenizer in (chat(), chat(normalizer=normalizers.Lowercase())):
        allowed = tokenizer.encode(text, special="allow").ids
        if special_ids(tokenizer) & set(allowed):
            with pytest.raises(InputError, match="holds the special token") as refused:
                tokenizer.encode(text, special="raise")
            with pytest.raises(InputError, match="text 1 holds"):
                tokenizer.encode_to_numpy(["가", text], special="raise")
            assert "at character" in str(refused.value)
        else:
            assert tokenizer.encode(text, special="raise").ids == allowed


def test_a_refused_text_is_named_by_its_number_in_the_batch_whatever_its_form():
    tokenizer = chat()
    for batch, cut in (
        (["가", "나", "<|user|>"], False),
        (["가", "나", ("다", "<|user|>")], False),
        ([["가"], ["나"], ["다", "라", "<|user|>"]], True),
    ):
        with pytest.raises(InputError, match="text 2 holds the special token"):
            tokenizer.encode_batch(batch, is_pretokenized=cut, special="raise")


def test_the_default_is_what_encode_special_tokens_says():
    tokenizer = chat()
    as_token, as_text = (tokenizer.encode("<|user|>", special=policy).ids for policy in ("allow", "text"))
    assert as_token != as_text
    assert tokenizer.encode("<|user|>").ids == as_token
    tokenizer.encode_special_tokens = True
    assert tokenizer.encode("<|user|>").ids == as_text
    assert tokenizer.encode("<|user|>", special="allow").ids == as_token
    with pytest.raises(InputError, match="did you mean"):
        tokenizer.encode("가", special="rais")
    with pytest.raises(InputError, match="no such policy: True"):
        tokenizer.encode("가", special=True)


@settings(max_examples=60, deadline=None)
@given(
    parts=st.lists(st.sampled_from(SPECIAL) | texts, max_size=6),
    scheme=st.sampled_from(["always", "first", "never", None]),
)
def test_segments_are_encoded_as_their_joined_text_where_that_is_safe(parts, scheme):
    tokenizer = chat(None if scheme is None else pre_tokenizers.Metaspace(prepend_scheme=scheme))
    parts = [part if part in SPECIAL else part.replace("<", "").replace("[", "") for part in parts]
    segments = [Special(part) if part in SPECIAL else Text(part) for part in parts]
    # Two texts side by side are cut between; joined they are one.
    if any(isinstance(a, Text) and isinstance(b, Text) for a, b in pairwise(segments)):
        return
    ours = tokenizer.encode_segments(segments)
    whole = tokenizer.encode("".join(parts), add_special_tokens=False)
    assert (ours.ids, ours.tokens, ours.offsets, ours.word_ids) == (
        whole.ids, whole.tokens, whole.offsets, whole.word_ids,
    )  # fmt: skip


def test_an_added_token_that_is_not_special_is_no_mark():
    tokenizer = Tokenizer.from_str(byte_level_json())
    tokenizer.add_tokens(["<보통>"])
    with pytest.raises(InputError, match='segment 1: "<보통>" is no special token'):
        tokenizer.encode_segments([Text("가"), Special("<보통>")])


def test_a_segment_that_is_no_special_token_is_refused():
    tokenizer = chat()
    with pytest.raises(InputError, match=r'segment 1: "<\|usr\|>" is no special token.*did you mean "<\|user\|>"'):
        tokenizer.encode_segments([Text("가"), Special("<|usr|>")])
    with pytest.raises(InputError, match=r"segment 0 is .<\|user\|>"):
        tokenizer.encode_segments(["<|user|>"])
    tokenizer.post_processor = processors.TemplateProcessing(
        "[질문] $A", None, [("[질문]", tokenizer.token_to_id("[질문]"))]
    )
    assert tokenizer.encode_segments([Text("가")], add_special_tokens=True).tokens[0] == "[질문]"
    tokenizer.enable_truncation(2)
    tokenizer.enable_padding(length=4)
    assert len(tokenizer.encode_segments([Text("가나다라")])) == 4


def lossless_tokenizers():
    vocab = {character: number for number, character in enumerate(pre_tokenizers.ByteLevel.alphabet())}
    bare = models.BPE({**vocab, "íķ": 256}, [("í", "ķ")])
    ours = pre_tokenizers.ByteLevel(add_prefix_space=False)
    spelled = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    cuts = [
        ours,
        pre_tokenizers.Sequence([pre_tokenizers.Split(Regex(r"\p{N}{1,3}|\s+"), "isolated"), spelled]),
        pre_tokenizers.Sequence([pre_tokenizers.Digits(), pre_tokenizers.Punctuation("merged_with_next"), ours]),
    ]
    for cut in cuts:
        tokenizer = Tokenizer(bare)
        tokenizer.pre_tokenizer, tokenizer.decoder = cut, decoders.ByteLevel()
        tokenizer.add_special_tokens(["<s>", "<|end|>"])
        tokenizer.add_tokens(["abc"])
        yield tokenizer


@pytest.mark.parametrize("wrong", ["x", 3, Text(3), Special(3), Special("없음")], ids=str)
def test_what_is_no_segment_is_refused_with_its_number(wrong):
    tokenizer = Tokenizer.from_str(byte_level_json())
    with pytest.raises(InputError, match="segment 1"):
        tokenizer.encode_segments([Text("가"), wrong])


@settings(max_examples=40, deadline=None)
@given(st.lists(st.text("가나 <u>\u1100\u1161", max_size=5), min_size=1, max_size=4))
def test_segments_are_the_same_stage_by_stage(parts):
    class Whole(pre_tokenizers.PreTokenizer):
        def apply(self, text):
            return [text]

    found = []
    for stages in ([], [Whole()]):
        tokenizer = Tokenizer(
            models.Unigram([("<unk>", -9.0), ("▁", -2.0), ("▁가", -1.0), ("가", -1.5), ("나", -1.2)], 0)
        )
        tokenizer.normalizer = normalizers.NFC()
        tokenizer.pre_tokenizer = pre_tokenizers.Sequence([*stages, pre_tokenizers.Metaspace(prepend_scheme="first")])
        tokenizer.add_special_tokens(["<u>"])
        encoding = tokenizer.encode_segments([part for text in parts for part in (Special("<u>"), Text(text))])
        found.append((encoding.ids, encoding.tokens, encoding.offsets, encoding.word_ids))
        assert encoding.ids.count(tokenizer.token_to_id("<u>")) == len(parts)
    assert found[0] == found[1]


@settings(max_examples=100, deadline=None)
@given(text=st.one_of(texts, untrusted, st.text("<s>|end abc가\u1112\u1161\u11ab\x00 \n", max_size=20)))
def test_a_lossless_tokenizer_gives_every_text_back(text):
    for tokenizer in lossless_tokenizers():
        assert tokenizer.lossless
        ids = tokenizer.encode(text, add_special_tokens=False).ids
        assert tokenizer.decode(ids, skip_special_tokens=False) == text
        assert tokenizer.decode(tokenizer.encode(text, add_special_tokens=False, special="text").ids) == text


def lossy():
    def changed(change):
        tokenizer = next(lossless_tokenizers())
        change(tokenizer)
        return tokenizer

    bytes_alone = {c: n for n, c in enumerate(pre_tokenizers.ByteLevel.alphabet()[1:])}
    return [
        changed(lambda t: setattr(t, "normalizer", normalizers.NFC())),
        changed(lambda t: setattr(t, "decoder", None)),
        changed(lambda t: setattr(t.pre_tokenizer, "add_prefix_space", True)),
        changed(lambda t: setattr(t, "pre_tokenizer", pre_tokenizers.WhitespaceSplit())),
        changed(lambda t: setattr(t, "model", models.BPE(bytes_alone))),
        changed(lambda t: setattr(t, "model", models.BPE({**t.model.get_vocab(), "ā": 0}))),  # two pieces of one id
        changed(lambda t: t.add_tokens([AddedToken("한국", rstrip=True)])),
        changed(lambda t: t.add_tokens(["é"])),
        changed(lambda t: t.enable_truncation(5)),
        changed(lambda t: t.enable_padding(length=9)),
        changed(lambda t: setattr(t.model, "end_of_word_suffix", "</w>")),
    ]


@pytest.mark.parametrize("tokenizer", lossy())
def test_a_tokenizer_that_loses_something_does_not_call_itself_lossless(tokenizer):
    assert not tokenizer.lossless


def test_a_notebook_shows_an_encoding_with_its_text_escaped():
    tokenizer = Tokenizer(models.WordLevel({"<script>": 0, "가": 1, "\u202e": 2, "[S]": 3}, "가"))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    tokenizer.post_processor = processors.BertProcessing(("[S]", 3), ("<script>", 0))
    shown = tokenizer.encode("<script> 가 \u202e")._repr_html_()
    assert "<script>" not in shown
    assert "&lt;script&gt;" in shown
    assert "\u202e" not in shown
    assert "‹202e›" in shown
    many = tokenizer.encode("가 " * 1000)._repr_html_()
    assert "and 802 more" in many
    assert len(many) < 50_000


def test_a_notebook_reads_pieces_of_bytes_to_whoever_looks():
    tokenizer = Tokenizer.from_str(byte_level_json())
    tokenizer.add_special_tokens(["<덧>"])
    tokenizer.post_processor = processors.TemplateProcessing("<s> $A", special_tokens=[("<s>", 0)])
    tokenizer.enable_padding(length=20)
    encoding = tokenizer.encode("한 쀍<덧>")
    shown = encoding._repr_html_()
    assert "<th>reads</th>" in shown
    for reading in ("한", "␣‹ec›", "‹80›", "&lt;덧&gt;"):
        assert f"<code>{reading}" in shown
    assert "<th>reads</th>" not in Tokenizer(models.WordLevel({"é": 0}, "é")).encode("é")._repr_html_()
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    assert encoding._repr_html_() == shown
