"""Encodings put together, cut and padded: every field and look-up is that of `tokenizers`."""

from __future__ import annotations

import copy
import itertools
import pickle

import pytest
import tokenizers as oracle
from hypothesis import given, settings
from hypothesis import strategies as st

from textpipe import Encoding, Tokenizer, models, pre_tokenizers, processors
from textpipe.encoding import COLUMNS
from textpipe.errors import InputError, LimitError
from textpipe.limits import Limits

VOCAB = {
    "[UNK]": 0,
    "[CLS]": 1,
    "[SEP]": 2,
    "한국": 3,
    "##어": 4,
    "를": 5,
    "배": 6,
    "##워": 7,
    "ㅋㅋ": 8,
    "a": 9,
    "##b": 10,
}
WORDS = ["한국어", "를", "배워", "ㅋㅋ", "ab", "없는말", "한국어"]
texts = st.lists(st.sampled_from(WORDS), max_size=9).map(" ".join)
POST = [
    None,
    ("BertProcessing", (("[SEP]", 2), ("[CLS]", 1)), {}),
    ("RobertaProcessing", (("[SEP]", 2), ("[CLS]", 1)), {}),
    ("ByteLevel", (), {"trim_offsets": True}),
    ("TemplateProcessing", ("[CLS] $A:3 [SEP]:4", "[CLS] $A [SEP] $B:1 [SEP]:1", [("[CLS]", 1), ("[SEP]", 2)]), {}),
    ("TemplateProcessing", ("$A [SEP] $A", "$B:1 $A:0 [SEP]", [("[SEP]", 2)]), {}),
]


def pair_of_tokenizers(post):
    made = []
    for package, parts, pre in (
        (Tokenizer, models, pre_tokenizers),
        (oracle.Tokenizer, oracle.models, oracle.pre_tokenizers),
    ):
        tokenizer = package(parts.WordPiece(VOCAB, unk_token="[UNK]"))
        tokenizer.pre_tokenizer = pre.WhitespaceSplit()
        if post is not None:
            name, arguments, options = post
            home = processors if package is Tokenizer else oracle.processors
            tokenizer.post_processor = getattr(home, name)(*arguments, **options)
        made.append(tokenizer)
    return made


def everything(encoding):
    """All that can be read of an encoding, with the parts cut off it."""
    lookups = (
        [encoding.char_to_token(c, s) for c in range(12) for s in (0, 1)],
        [encoding.char_to_word(c, s) for c in range(12) for s in (0, 1)],
        [encoding.word_to_tokens(w, s) for w in range(5) for s in (0, 1)],
        [encoding.word_to_chars(w, s) for w in range(5) for s in (0, 1)],
        [encoding.token_to_chars(t) for t in range(len(encoding) + 2)],
        [encoding.token_to_word(t) for t in range(len(encoding) + 2)],
        [encoding.token_to_sequence(t) for t in range(len(encoding) + 2)],
    )
    columns = [getattr(encoding, name) for name in (*COLUMNS, "sequence_ids", "n_sequences")]
    return (len(encoding), repr(encoding), columns, lookups, [everything(part) for part in encoding.overflowing])


def without_types(found):
    """The other package forgets the types of the second text's tokens here."""
    columns = [column for name, column in zip(COLUMNS, found[2], strict=False) if name != "type_ids"]
    return (*found[:2], columns, found[3], [without_types(part) for part in found[4]])


def outcome(function, *arguments, **options):
    """What a call gives, or that it fails."""
    try:
        return function(*arguments, **options)
    except BaseException as error:
        if isinstance(error, KeyboardInterrupt):
            raise
        return "fails"


@pytest.mark.parametrize("post", POST, ids=lambda post: "none" if post is None else post[0])
@settings(max_examples=40, deadline=None)
@given(
    first=texts,
    second=st.none() | texts,
    max_length=st.integers(4, 12),
    stride=st.integers(0, 2),
    strategy=st.sampled_from(["longest_first", "only_first", "only_second"]),
    sides=st.tuples(*[st.sampled_from(["left", "right"])] * 2),
    padding=st.none() | st.tuples(st.none() | st.integers(0, 14), st.none() | st.integers(0, 5)),
    add=st.booleans(),
)
def test_truncated_and_padded_encodings_are_those_of_tokenizers(  # noqa: PLR0917
    post, first, second, max_length, stride, strategy, sides, padding, add
):
    ours, theirs = pair_of_tokenizers(post)
    found = []
    for tokenizer in (ours, theirs):
        limits = {"stride": stride, "strategy": strategy, "direction": sides[0]}
        outcome(tokenizer.enable_truncation, max_length, **limits)
        if padding is not None:
            options = {"pad_id": 3, "pad_type_id": 2, "pad_token": "<pad>", "direction": sides[1]}
            tokenizer.enable_padding(length=padding[0], pad_to_multiple_of=padding[1], **options)
        one = outcome(tokenizer.encode, first, second, add_special_tokens=add)
        batch = [(first, second or ""), (second or "", first)]
        many = outcome(tokenizer.encode_batch, batch, add_special_tokens=add)
        fast = outcome(tokenizer.encode_batch_fast, batch, add_special_tokens=add)
        found.append(
            (
                one if one == "fails" else everything(one),
                many if many == "fails" else [everything(each) for each in many],
                fast if fast == "fails" else [without_types(everything(each)) for each in fast],
                tokenizer.padding,
                tokenizer.truncation,
                tokenizer.to_str(),
                str(tokenizer),
            )
        )
    assert found[0] == found[1]
    assert Tokenizer.from_str(found[1][5]).to_str() == found[1][5]


@settings(max_examples=80, deadline=None)
@given(
    parts=st.lists(texts, min_size=1, max_size=3),
    steps=st.lists(
        st.one_of(
            st.tuples(st.just("pad"), st.integers(0, 14), st.sampled_from(["left", "right"])),
            st.tuples(st.just("truncate"), st.integers(0, 9), st.sampled_from(["left", "right"]), st.integers(0, 2)),
            st.tuples(st.just("set_sequence_id"), st.just(1)),
            st.tuples(st.just("merge"), st.booleans()),
        ),
        max_size=4,
    ),
)
def test_what_is_done_to_an_encoding_is_what_tokenizers_does(parts, steps):
    found = []
    for tokenizer, kind in zip(pair_of_tokenizers(None), (Encoding, oracle.Encoding), strict=True):
        encodings = [tokenizer.encode(text) for text in parts]
        encoding = encodings[0]
        for name, *arguments in steps:
            if name == "pad":
                encoding.pad(arguments[0], direction=arguments[1], pad_id=7, pad_token="[P]")
            elif name == "truncate" and arguments[2] < max(arguments[0], 1):
                encoding.truncate(arguments[0], stride=arguments[2], direction=arguments[1])
            elif name == "set_sequence_id":
                encoding.set_sequence_id(arguments[0])
            elif name == "merge":
                encoding = kind.merge([encoding, *encodings[1:]], growing_offsets=arguments[0])
        found.append((everything(encoding), [everything(each) for each in encodings[1:]]))
    assert found[0] == found[1]


def test_a_list_given_out_is_a_copy():
    encoding = pair_of_tokenizers(None)[0].encode("한국어 를")
    encoding.ids.append(99)
    assert encoding.ids == [3, 4, 5]
    with pytest.raises(AttributeError):
        encoding.ids = []
    longer = encoding.copy()
    longer.pad(5)
    assert (len(longer), len(encoding)) == (5, 3)


def test_the_old_name_of_word_ids_still_works():
    ours, theirs = [tokenizer.encode("한국어 를") for tokenizer in pair_of_tokenizers(POST[1])]
    with pytest.warns(DeprecationWarning, match="word_ids"):
        old = theirs.words
    assert ours.words == ours.word_ids == old


def test_an_encoding_can_be_copied_and_pickled():
    ours, _ = pair_of_tokenizers(POST[1])
    ours.enable_truncation(4)
    encoding = ours.encode("한국어 를 배워")
    for other in (copy.deepcopy(encoding), pickle.loads(pickle.dumps(encoding))):  # noqa: S301  (our own bytes)
        assert everything(other) == everything(encoding)
        assert other == encoding
        assert hash(other) == hash(encoding)
        other.pad(9)
        assert other != encoding
    assert everything(Encoding()) == everything(oracle.Encoding())


def test_what_cannot_be_cut_is_said():
    ours, _ = pair_of_tokenizers(POST[1])
    with pytest.raises(InputError, match="cannot share 3"):
        ours.encode("한국어 를 배워").truncate(3, stride=3)
    with pytest.raises(InputError, match="no such direction"):
        ours.encode("를").pad(3, direction="up")
    with pytest.raises(InputError, match="no such direction"):
        ours.enable_padding(direction="up")
    with pytest.raises(InputError, match="length is -1"):
        ours.enable_padding(length=-1)
    with pytest.raises(InputError, match="did you mean"):
        ours.enable_truncation(5, strategy="longest-first")
    with pytest.raises(InputError, match="max_length is -5"):
        ours.enable_truncation(-5)
    ours.enable_truncation(1)
    with pytest.raises(InputError, match="no room for 2 special tokens"):
        ours.encode("를")
    ours.enable_truncation(4, strategy="only_second")
    with pytest.raises(InputError, match="there is one alone"):
        ours.encode("한국어 를 배워")
    with pytest.raises(InputError, match="too short to be cut"):
        ours.encode("한국어 를 배워", "를")


def test_parts_that_would_be_too_many_are_refused_before_they_are_made():
    ours, _ = pair_of_tokenizers(None)
    ours.enable_truncation(2, strategy="longest_first")
    many = "를 " * 3000
    with pytest.raises(LimitError, match=r"9,000,000 ways \(allowed: 100,000\)"):
        ours.encode(many, many)
    ours.no_truncation()
    with pytest.raises(LimitError, match="ways"):
        Encoding.merge([truncated(3000), truncated(3000)])
    ours.enable_truncation(1)
    with pytest.raises(LimitError, match="truncation cuts a text into 1,000,001 parts"):
        ours.encode("를 " * 1_000_001)


def truncated(num_tokens):
    encoding = Encoding.of_tokens([1] * num_tokens, ["를"] * num_tokens, [(0, 1)] * num_tokens, list(range(num_tokens)))
    encoding.truncate(1)
    return encoding


def num_encodings(encoding):
    return 1 + sum(map(num_encodings, encoding.overflowing))


@pytest.mark.parametrize("lengths", [*itertools.product((1, 2, 3), repeat=4)])
def test_what_a_merge_will_make_is_counted_before_it_is_made(lengths, monkeypatch):
    def merge_with(ways):
        with monkeypatch.context() as patched:
            patched.setattr("textpipe.encoding.encoding.DEFAULT_LIMITS", Limits(overflowing_ways=ways))
            return Encoding.merge([merged, other])

    merged = truncated(lengths[0])
    for other in map(truncated, lengths[1:]):
        made = Encoding.merge([merged, other])
        if other.overflowing:  # one that was not cut makes nothing more
            assert merge_with(-(-num_encodings(made) // 3)) == made
            with pytest.raises(LimitError, match="too many ways"):
                merge_with((num_encodings(made) - 1) // 3)
        merged = made


def test_a_template_that_repeats_a_truncated_text_does_not_run_away():
    ours, _ = pair_of_tokenizers(None)
    ours.post_processor = processors.TemplateProcessing("$A " * 16)
    ours.enable_truncation(1)
    with pytest.raises(LimitError, match="too many ways"):
        ours.encode("한국어 를")


def test_numpy_ids_are_neither_cut_nor_padded():
    ours, _ = pair_of_tokenizers(POST[1])
    ours.enable_truncation(3)
    ours.enable_padding(length=9)
    ids, offsets = ours.encode_to_numpy(["한국어 를 배워"])
    assert ids.tolist() == [1, 3, 4, 5, 6, 7, 2]
    assert offsets.tolist() == [0, 7]


BATCHES = [
    ["한국어", "를"],
    ("한국어", "를"),
    [("한국어", "를")],
    [["한국어", "를"]],
    [["한국어", "를", "ab"]],
    [("ab",)],
    [3],
    ["ab", None],
    "ab",
    [[["ab"], ["를"]]],
    [(["ab"], ["를"])],
    [["ab", ["를"]]],
    [],
]


@pytest.mark.parametrize("batch", BATCHES, ids=str)
@pytest.mark.parametrize("is_pretokenized", [False, True])
def test_a_batch_is_read_as_tokenizers_reads_it(batch, is_pretokenized):
    found = []
    for tokenizer in pair_of_tokenizers(POST[1]):
        many = outcome(tokenizer.encode_batch, batch, is_pretokenized)
        found.append(many if many == "fails" else [everything(each) for each in many])
    assert found[0] == found[1]
