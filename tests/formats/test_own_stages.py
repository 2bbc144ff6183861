"""Texts to work on by hand and stages of one's own: the texts, places and tokens are those of `tokenizers`."""

from __future__ import annotations

import pytest
import tokenizers as oracle
from hypothesis import given, settings
from hypothesis import strategies as st

import textpipe
from textpipe.errors import InputError, StateError

PACKAGES = (textpipe, oracle)
BEHAVIORS = ["removed", "isolated", "merged_with_previous", "merged_with_next", "contiguous"]
TEXTS = st.one_of(
    st.text("가나한글ㅋㅠ 가a bÀİŉß1-.\u1112\u1161\u11ab\u3000\t\nﬁ㈜½😀\u200d", min_size=1, max_size=12),
    st.text(min_size=1, max_size=8).filter(lambda text: not any("\ud800" <= c <= "\udfff" for c in text)),
)

STEPS = {
    "append": lambda p, n, s: n.append(s),
    "prepend": lambda p, n, s: n.prepend(s),
    "replace": lambda p, n, s: n.replace(s, "ㅎa"),
    "replace by pattern": lambda p, n, s: n.replace(p.Regex(r"\s|ㅋ"), "_"),
    "filter": lambda p, n, s: n.filter(lambda c: c not in s),
    "map": lambda p, n, s: n.map(lambda c: "나" if c in s else c),
    "lowercase": lambda p, n, s: n.lowercase(),
    "uppercase": lambda p, n, s: n.uppercase(),
    "nfc": lambda p, n, s: n.nfc(),
    "nfd": lambda p, n, s: n.nfd(),
    "nfkc": lambda p, n, s: n.nfkc(),
    "nfkd": lambda p, n, s: n.nfkd(),
    "strip": lambda p, n, s: n.strip(),
    "lstrip": lambda p, n, s: n.lstrip(),
    "rstrip": lambda p, n, s: n.rstrip(),
}
steps = st.lists(
    st.tuples(st.sampled_from(sorted(STEPS)), st.sampled_from(["가", " ", "ㅋㅋ", "한글", "a b", "-"])), max_size=4
)


def seen(text):
    """What can be read of a text and of its parts."""
    parts = [text.slice((at, at + 1)) for at in range(len(text.normalized))]
    return (
        text.normalized,
        text.original,
        str(text),
        repr(text),
        [(part.normalized, part.original) for part in parts],
        [(part.normalized, part.original) for part in text.split(" ", "isolated")],
    )


@settings(max_examples=200, deadline=None)
@given(TEXTS, steps)
def test_what_is_done_to_a_text_is_what_tokenizers_does(text, steps):
    found = []
    for package in PACKAGES:
        normalized = package.NormalizedString(text)
        for name, argument in steps:
            if normalized.normalized:  # the other package fails where nothing is left
                STEPS[name](package, normalized, argument)
        found.append(seen(normalized) if normalized.normalized else "")
    assert found[0] == found[1]


@settings(max_examples=60, deadline=None)
@given(TEXTS, st.sampled_from([" ", "가", "ㅋ"]), st.sampled_from(BEHAVIORS), st.booleans())
def test_a_text_is_cut_as_tokenizers_cuts_it(text, mark, behavior, by_pattern):
    found = []
    for package in PACKAGES:
        pattern = package.Regex(mark) if by_pattern else mark
        parts = package.NormalizedString(text).split(pattern, behavior)
        found.append([(part.normalized, part.original) for part in parts])
    assert found[0] == found[1]


@pytest.mark.parametrize(
    "place", [0, 2, 5, 99, (1, 3), (0, 0), (4, 9), slice(1, 3), slice(None, 2), slice(0, 99), slice(5, 99)], ids=str
)
def test_a_range_of_a_text_is_that_of_tokenizers(place):
    found = []
    for package in PACKAGES:
        text = package.NormalizedString(" 가 a나")
        text.strip()
        part = text[place]
        found.append(None if part is None else (part.normalized, part.original))
    assert found[0] == found[1]


def test_what_was_cleared_can_be_written_anew():
    text = textpipe.NormalizedString("한국어")
    text.clear()
    assert (text.normalized, text.original) == ("", "한국어")
    text.append("말")
    text.prepend("새")
    assert repr(text) == 'NormalizedString(original="한국어", normalized="새말")'


def test_negative_places_count_from_the_end():
    text = textpipe.NormalizedString("한국어")
    assert text[-2:].normalized == "국어"
    assert text[-1].normalized == "어"
    assert text[(3, 1)] is None
    assert text[-4] is None
    for wrong in ("a", 1.0, (1,), (0, 1, 2)):
        with pytest.raises(InputError, match="is no range of characters"):
            text.slice(wrong)


@settings(max_examples=60, deadline=None)
@given(TEXTS, steps, st.sampled_from(BEHAVIORS), st.none() | st.integers(0, 9))
def test_splits_and_their_tokens_are_those_of_tokenizers(text, steps, behavior, word):
    found = []
    for package in PACKAGES:
        pre_tokenized = package.PreTokenizedString(text)
        pre_tokenized.split(lambda number, split: split.split(" ", behavior))
        cut = [pre_tokenized.get_splits(offset_type=kind) for kind in ("char", "byte")]
        cut.append(pre_tokenized.get_splits("normalized", "byte"))

        def change(split, package=package):
            for name, argument in steps:
                if split.normalized:
                    STEPS[name](package, split, argument)

        pre_tokenized.normalize(change)
        cut += [pre_tokenized.get_splits(offset_type=kind) for kind in ("char", "byte")]

        def tokens(text, package=package):
            made, at = [], 0
            for number, character in enumerate(text):
                size = len(character.encode())
                made.append(package.Token(number, character, (at, at + size)))
                at += size
            return made

        pre_tokenized.tokenize(tokens)
        pre_tokenized.split(lambda number, split: [])  # what has tokens stays
        splits = [(piece, place, [t.as_tuple() for t in ts]) for piece, place, ts in pre_tokenized.get_splits()]
        encoding = pre_tokenized.to_encoding(type_id=2, word_idx=word)
        fields = (encoding.ids, encoding.tokens, encoding.offsets, encoding.word_ids, encoding.type_ids)
        found.append((cut, splits, fields))
    assert found[0] == found[1]


class Tidy:
    """A normalizer, a pre-tokenizer and a decoder of one's own."""

    def normalize(self, normalized):
        normalized.nfc()
        normalized.replace("ㅋㅋ", "ㅋ")
        normalized.prepend("_")

    def pre_tokenize(self, pretok):
        pretok.split(lambda number, split: split.split(" ", "removed"))
        pretok.split(lambda number, split: [split[i : i + 2] for i in range(0, len(split.normalized), 2)])

    def decode(self, tokens):
        return "|".join(tokens)

    def decode_chain(self, tokens):
        return [f"{token}|" for token in tokens]


def tokenizer_of(package, parts=Tidy):
    vocab = {"?": 0, "<s>": 1, "_한": 2, "국": 3, "ㅋ": 4, "국어": 5}
    tokenizer = package.Tokenizer(package.models.WordLevel(vocab, "?"))
    tokenizer.add_special_tokens(["<s>"])
    tokenizer.normalizer = package.normalizers.Normalizer.custom(parts())
    tokenizer.pre_tokenizer = package.pre_tokenizers.PreTokenizer.custom(parts())
    tokenizer.decoder = package.decoders.Decoder.custom(parts())
    return tokenizer


@settings(max_examples=60, deadline=None)
@given(st.text("한국어ㅋ <s>\u1112\u1161\u11ab", max_size=14))
def test_a_tokenizer_of_own_stages_encodes_and_decodes_as_in_tokenizers(text):
    found = []
    for package in PACKAGES:
        tokenizer = tokenizer_of(package)
        encoding = tokenizer.encode(text)
        fields = (encoding.ids, encoding.tokens, encoding.offsets, encoding.word_ids)
        found.append((fields, tokenizer.decode(encoding.ids), tokenizer.normalizer.normalize_str(text)))
        found[-1] += (tokenizer.pre_tokenizer.pre_tokenize_str(text),)
    assert found[0] == found[1]


def test_a_stage_works_on_a_text_in_place():
    for package in PACKAGES:
        text = package.NormalizedString("ＡＢ")
        assert package.normalizers.NFKC().normalize(text) is None
        assert repr(text) == 'NormalizedString(original="ＡＢ", normalized="AB")'
        cut = package.PreTokenizedString("한 1")
        assert package.pre_tokenizers.ByteLevel(add_prefix_space=False).pre_tokenize(cut) is None
        assert [(piece, place) for piece, place, _ in cut.get_splits()] == [("íķľ", (0, 1)), ("Ġ1", (1, 3))]


def test_a_sequence_may_hold_own_stages():
    from textpipe import decoders, normalizers, pre_tokenizers

    both = normalizers.Sequence([normalizers.Normalizer.custom(Tidy()), normalizers.NFD()])
    assert both.normalize_str("한ㅋㅋ") == "_\u1112\u1161\u11abㅋ"
    cut = pre_tokenizers.Sequence([pre_tokenizers.PreTokenizer.custom(Tidy()), pre_tokenizers.Digits()])
    assert [word for word, _ in cut.pre_tokenize_str("a1 나")] == ["a", "1", "나"]
    assert decoders.Sequence([decoders.Decoder.custom(Tidy()), decoders.Fuse()]).decode(["가", "나"]) == "가|나|"


def test_an_own_stage_is_not_written_and_that_is_said():
    tokenizer = tokenizer_of(textpipe)
    with pytest.raises(StateError, match=r"a normalizer of your own \(Tidy\) cannot be written"):
        tokenizer.to_str()
    assert "Normalizer.custom(" in repr(tokenizer)
    tokenizer.normalizer = tokenizer.pre_tokenizer = tokenizer.decoder = None
    assert textpipe.Tokenizer.from_str(tokenizer.to_str()).encode("국").ids == [3]


def test_what_cannot_be_a_stage_or_a_step_of_one_is_refused_by_name():
    with pytest.raises(InputError, match=r"str cannot be a normalizer .*normalize\(\)"):
        textpipe.normalizers.Normalizer.custom("NFC")
    with pytest.raises(InputError, match="str cannot be a decoder"):
        textpipe.decoders.Decoder.custom("x")
    text = textpipe.NormalizedString("가")
    with pytest.raises(InputError, match="one character"):
        text.map(lambda character: "가나")
    with pytest.raises(InputError, match="no such behavior"):
        text.split("가", "gone")
    cut = textpipe.PreTokenizedString("가")
    with pytest.raises(StateError, match="call tokenize"):
        cut.to_encoding()
    with pytest.raises(InputError, match="a list of NormalizedString"):
        cut.split(lambda number, split: None)
    with pytest.raises(InputError, match="a list of Token"):
        cut.tokenize(lambda text: [1])
    with pytest.raises(InputError, match="offset_type"):
        cut.get_splits(offset_type="word")
    with pytest.raises(ZeroDivisionError):
        text.filter(lambda character: 1 / 0)
    assert cut.get_splits() == [("가", (0, 1), None)]


def test_what_a_stage_was_given_cannot_be_used_after_it_returned():
    kept = []

    class Keeps:
        def normalize(self, normalized):
            kept.append(normalized)

        def pre_tokenize(self, pretok):
            kept.append(pretok)

    tokenizer = textpipe.Tokenizer(textpipe.models.WordLevel({"가": 0}, "가"))
    tokenizer.normalizer = textpipe.normalizers.Normalizer.custom(Keeps())
    tokenizer.pre_tokenizer = textpipe.pre_tokenizers.PreTokenizer.custom(Keeps())
    assert tokenizer.encode("가").tokens == ["가"]
    text, splits = kept
    for use in (text.nfc, lambda: text.normalized, lambda: text[0], lambda: str(text), lambda: text.append("나")):
        with pytest.raises(StateError, match="used after the call"):
            use()
    for use in (splits.get_splits, splits.to_encoding, lambda: splits.split(lambda _, part: [part])):
        with pytest.raises(StateError, match="used after the call"):
            use()


WRONG_ANSWERS = [
    (lambda text: text.filter(lambda c: c), 'filter answers .가. to "가"'),
    (lambda text: text.map(lambda c: c * 2), "map makes .가가. of"),
    (lambda text: text.append(3), "3 is no text"),
    (lambda text: text.prepend("\ud800"), "lone surrogate"),
]


@pytest.mark.parametrize(("call", "message"), WRONG_ANSWERS, ids=lambda value: value if isinstance(value, str) else "")
def test_a_wrong_answer_is_said_and_changes_nothing(call, message):
    text = textpipe.NormalizedString("가나")
    with pytest.raises(InputError, match=message):
        call(text)
    assert text.normalized == "가나"


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (None, "was cut into None"),
        (["가"], "a list with a str in it"),
        (textpipe.NormalizedString("가"), "a NormalizedString"),
    ],
    ids=str,
)
def test_what_is_no_list_of_splits_is_said(answer, message):
    text = textpipe.PreTokenizedString("가 나")
    with pytest.raises(InputError, match=message):
        text.split(lambda _, part: answer)
    assert text.get_splits() == [("가 나", (0, 3), None)]
