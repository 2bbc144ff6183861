"""WordLevel and WordPiece against `tokenizers`."""

from __future__ import annotations

import copy
import json
import pickle
import random

import pytest
import tokenizers as oracle
from hypothesis import given
from hypothesis import strategies as st
from tokenizer_samples import ALPHABET, texts

from textpipe import Tokenizer
from textpipe.errors import FormatError, InputError
from textpipe.models import WordLevel, WordPiece
from textpipe.trainers import BpeTrainer

pieces = st.text(alphabet=st.sampled_from("가나각ㅋ한\u1112\u1161ab#😀 "), min_size=1, max_size=4)
words = st.text(alphabet=st.sampled_from("가나각ㅋ한\u1112\u1161ab#😀 "), max_size=12)


@st.composite
def word_pieces(draw):
    prefix = draw(st.sampled_from(["##", "#", "", "ㅋ"]))
    found = draw(st.lists(pieces, max_size=25))
    found = [prefix + piece if draw(st.booleans()) else piece for piece in found]
    vocab = {piece: number for number, piece in enumerate(dict.fromkeys(["[UNK]", *found]))}
    arguments = {"unk_token": "[UNK]", "max_input_chars_per_word": draw(st.integers(0, 12))}
    arguments["continuing_subword_prefix"] = prefix
    return vocab, arguments


def shown(tokens):
    return [(token.id, token.value, token.offsets) for token in tokens]


@given(model=word_pieces(), word=words)
def test_a_word_is_spelled_as_in_the_word_piece_of_tokenizers(model, word):
    vocab, arguments = model
    ours, theirs = WordPiece(vocab, **arguments), oracle.models.WordPiece(vocab, **arguments)
    assert shown(ours.tokenize(word)) == shown(theirs.tokenize(word))


def slow_word_piece(word, vocab, prefix, most_chars):
    """The longest piece first, by trying every end."""
    found, begin = [], 0
    while begin < len(word) <= most_chars:
        ends = (end for end in range(len(word), begin, -1) if (prefix if begin else "") + word[begin:end] in vocab)
        end = next(ends, None)
        if end is None:
            return ["[UNK]"]
        found.append((prefix if begin else "") + word[begin:end])
        begin = end
    return found if len(word) <= most_chars else ["[UNK]"]


@given(model=word_pieces(), word=words)
def test_a_word_is_spelled_as_by_trying_every_end(model, word):
    vocab, arguments = model
    prefix, most_chars = arguments["continuing_subword_prefix"], arguments["max_input_chars_per_word"]
    found = [token.value for token in WordPiece(vocab, **arguments).tokenize(word)]
    assert found == slow_word_piece(word, vocab, prefix, most_chars)


BERT_ALPHABET = (
    "가각한ㅋ\u1112\u1161\u11ab\u302e aAéÉ\u0301\u0323\u0345中\uf900ß.,!#\t\n\x0b\x85\xa0"
    "\u2000\u200b\x00\ufeff0ſİ\U0001d15e"
)
bert_texts = st.one_of(texts, st.text(alphabet=st.sampled_from(BERT_ALPHABET), max_size=20))
flags = st.tuples(st.booleans(), st.booleans(), st.sampled_from([None, True, False]), st.booleans())


@given(flags=flags, found=st.lists(st.text(BERT_ALPHABET, min_size=1, max_size=2), max_size=20), text=bert_texts)
def test_words_of_bert_have_the_ids_and_places_of_tokenizers(flags, found, text):
    clean = oracle.normalizers.BertNormalizer(*flags)
    found = [clean.normalize_str(piece) for piece in found]
    vocab = {p: n for n, p in enumerate(dict.fromkeys(["[UNK]", *found, *("##" + piece for piece in found)]))}
    theirs = oracle.Tokenizer(oracle.models.WordPiece(vocab, unk_token="[UNK]"))
    theirs.normalizer, theirs.pre_tokenizer = clean, oracle.pre_tokenizers.BertPreTokenizer()
    theirs.add_special_tokens(["[MASK]"])
    ours = Tokenizer.from_str(theirs.to_str())
    assert ours.pipeline.native_ids is not ours.pipeline.native
    for each in (text, text + "[MASK]" + text, text + " " + text):
        expected = theirs.encode(each)
        encoding = ours.encode(each)
        assert (encoding.ids, encoding.offsets, encoding.word_ids) == (
            expected.ids,
            expected.offsets,
            expected.word_ids,
        )
        assert ours.encode_to_numpy([each, each])[0].tolist() == expected.ids * 2


@pytest.mark.parametrize("clean_text", [True, False])
def test_long_text_is_cut_alike_wherever_a_character_lies_in_the_machine_words_it_is_read_by(clean_text):
    characters = [*map(chr, range(1, 128)), *BERT_ALPHABET, *"가나다라 abc"]
    vocab = {p: n for n, p in enumerate(dict.fromkeys(["[UNK]", *characters, *("##" + one for one in characters)]))}
    theirs = oracle.Tokenizer(oracle.models.WordPiece(vocab, unk_token="[UNK]"))
    theirs.normalizer = oracle.normalizers.BertNormalizer(clean_text, strip_accents=False, lowercase=False)
    theirs.pre_tokenizer = oracle.pre_tokenizers.BertPreTokenizer()
    ours = Tokenizer.from_str(theirs.to_str())
    chance = random.Random(7)
    plain = [" ".join(chance.choices("abc가나.,!", k=5)) + "abcdefgh가나다" * chance.randrange(3) for _ in range(400)]
    for odd in ("", " ", *characters):
        text = odd.join(chance.choices(plain, k=12))
        assert ours.encode_to_numpy([text, odd + text])[0].tolist() == [
            number for each in (text, odd + text) for number in theirs.encode(each).ids
        ]


def columns(spans, document):
    place = slice(spans.offsets[document], spans.offsets[document + 1])
    places = list(zip(spans.begins[place].tolist(), spans.ends[place].tolist(), strict=True))
    return spans.ids[place].tolist(), places, spans.words[place].tolist()


def bert_of(theirs, flags):
    theirs.normalizer, theirs.pre_tokenizer = (
        oracle.normalizers.BertNormalizer(*flags),
        oracle.pre_tokenizers.BertPreTokenizer(),
    )
    return Tokenizer.from_str(theirs.to_str())


@given(flags=flags, found=st.lists(st.text(BERT_ALPHABET, min_size=1, max_size=3), max_size=20), text=bert_texts)
def test_remembered_words_of_bert_have_the_places_they_have_when_met_first(flags, found, text):
    clean = oracle.normalizers.BertNormalizer(*flags)
    found = [clean.normalize_str(piece) for piece in found]
    vocab = {p: n for n, p in enumerate(dict.fromkeys(["unk", *found, *("##" + piece for piece in found)]))}
    theirs = oracle.Tokenizer(oracle.models.WordPiece(vocab, unk_token="unk"))
    ours = bert_of(theirs, flags)
    expected = theirs.encode(text)
    assert ours.pipeline.native_spans is ours.pipeline.native_ids
    for _ in range(2):
        spans = ours.encode_spans_to_numpy([text, "한" + text, text])
        for document in (0, 2):
            assert columns(spans, document) == (expected.ids, expected.offsets, expected.word_ids)


@pytest.mark.parametrize("flags", [(True, True, None, True), (True, True, False, False), (False, False, True, False)])
def test_every_code_point_has_the_place_that_tokenizers_gives_it_in_a_word_of_bert(flags):
    clean = oracle.normalizers.BertNormalizer(*flags)
    points = [
        chr(point) for point in range(1, 0x30000) if not 0xD800 <= point < 0xE000 and (point < 0x3400 or point % 7 == 0)
    ]
    made = {part for point in points for part in clean.normalize_str(point)}
    vocab = {p: n for n, p in enumerate(["[UNK]", *sorted(made), *("##" + part for part in sorted(made))])}
    theirs = oracle.Tokenizer(oracle.models.WordPiece(vocab, unk_token="[UNK]"))
    ours = bert_of(theirs, flags)
    documents = [
        "".join(f"가{point}나a " for point in points[start : start + 500]) for start in range(0, len(points), 500)
    ]
    spans = ours.encode_spans_to_numpy(documents)
    for number, expected in enumerate(theirs.encode_batch(documents)):
        assert columns(spans, number) == (expected.ids, expected.offsets, expected.word_ids)


odd_pieces = st.lists(st.text("가나ab\u0301", min_size=1, max_size=3), min_size=1, max_size=12, unique=True)


@given(
    flags=flags,
    found=odd_pieces,
    prefix=st.sampled_from(["a", "가", "##", ""]),
    text=st.text("가나ab\u0301 ,다", max_size=20),
)
def test_a_piece_whose_prefix_is_text_has_its_place_in_words_of_bert(flags, found, prefix, text):
    clean = oracle.normalizers.BertNormalizer(*flags)
    pieces_of = [clean.normalize_str(piece) for piece in found]
    start = clean.normalize_str(prefix)
    vocab = {p: n for n, p in enumerate(dict.fromkeys(["ab", *pieces_of, *(start + piece for piece in pieces_of)]))}
    vocab.pop("", None)
    theirs = oracle.Tokenizer(oracle.models.WordPiece(vocab, unk_token="ab", continuing_subword_prefix=start))
    ours, expected = bert_of(theirs, flags), theirs.encode(text)
    spans = ours.encode_spans_to_numpy([text, text])
    for document in (0, 1):
        assert columns(spans, document) == (expected.ids, expected.offsets, expected.word_ids)


def test_added_tokens_of_normalized_text_are_found_before_words_are_remembered():
    theirs = oracle.Tokenizer(oracle.models.WordPiece({"[UNK]": 0, "caf": 1, "e": 2}, unk_token="[UNK]"))
    theirs.normalizer, theirs.pre_tokenizer = (
        oracle.normalizers.BertNormalizer(),
        oracle.pre_tokenizers.BertPreTokenizer(),
    )
    theirs.add_tokens(["café"])
    ours = Tokenizer.from_str(theirs.to_str())
    assert ours.encode_to_numpy(["CAFÉ cafe caf"])[0].tolist() == theirs.encode("CAFÉ cafe caf").ids


@given(words=st.lists(texts, max_size=6), word=texts)
def test_a_word_is_found_as_in_the_word_level_of_tokenizers(words, word):
    vocab = {piece: number for number, piece in enumerate(dict.fromkeys(["<unk>", *words]))}
    ours, theirs = WordLevel(vocab, "<unk>"), oracle.models.WordLevel(vocab, "<unk>")
    for sequence in (word, *words):
        assert shown(ours.tokenize(sequence)) == shown(theirs.tokenize(sequence))


@given(model=word_pieces(), text=st.text(alphabet=st.sampled_from(ALPHABET), max_size=30))
def test_texts_take_the_native_path_and_give_the_fields_of_tokenizers(model, text):
    vocab, arguments = model
    theirs = oracle.Tokenizer(oracle.models.WordPiece(vocab, **arguments))
    theirs.pre_tokenizer = oracle.pre_tokenizers.Whitespace()
    ours = Tokenizer.from_str(theirs.to_str())
    assert ours.pipeline.native is not None
    found, expected = ours.encode(text), theirs.encode(text)
    for name in ("ids", "tokens", "offsets", "word_ids"):
        assert getattr(found, name) == getattr(expected, name)
    assert ours.encode_to_numpy([text, text])[0].tolist() == expected.ids * 2


PLUS = {"unk_token": "?", "max_input_chars_per_word": 7, "continuing_subword_prefix": "+"}
MODELS = [
    (WordLevel({"나": 1, "<unk>": 0, "가": 3}), oracle.models.WordLevel({"나": 1, "<unk>": 0, "가": 3}, "<unk>")),
    (WordLevel(), oracle.models.WordLevel()),
    (WordPiece({"##나": 1, "[UNK]": 0}), oracle.models.WordPiece({"##나": 1, "[UNK]": 0})),
    (WordPiece({"?": 0}, "?", 7, "+"), oracle.models.WordPiece({"?": 0}, **PLUS)),
    (WordPiece(), oracle.models.WordPiece()),
]


@pytest.mark.parametrize(("ours", "theirs"), MODELS)
@pytest.mark.parametrize("pretty", [False, True])
def test_models_are_written_and_read_as_tokenizers_writes_them(ours, theirs, pretty):
    text = oracle.Tokenizer(theirs).to_str(pretty=pretty)
    assert Tokenizer(ours).to_str(pretty) == text
    assert Tokenizer.from_str(text).model == ours


@pytest.mark.parametrize(("ours", "theirs"), MODELS)
def test_models_are_values(ours, theirs):
    for copied in (copy.deepcopy(ours), pickle.loads(pickle.dumps(ours))):  # noqa: S301  (its own bytes)
        assert copied == ours
        assert hash(copied) == hash(ours)
    assert repr(ours) == str(theirs)


def test_models_of_two_kinds_are_never_equal():
    assert WordLevel({"가": 0}, "?") != WordPiece({"가": 0}, "?")


@pytest.mark.parametrize("model", [WordLevel({"가": 0}), WordPiece({"가": 0})])
def test_a_vocabulary_without_the_unknown_token_says_so_when_it_is_needed(model):
    assert [token.id for token in model.tokenize("가")] == [0]
    with pytest.raises(InputError, match="unk_token"):
        model.tokenize("나")


@pytest.mark.parametrize("kind", ["WordLevel", "WordPiece"])
def test_files_of_a_vocabulary_are_those_of_tokenizers(kind, tmp_path):
    vocab = {"[UNK]": 0, "가": 1, "##나": 2}
    ours, theirs = globals()[kind](vocab, "[UNK]"), getattr(oracle.models, kind)(vocab, unk_token="[UNK]")
    (tmp_path / "ours").mkdir()
    (tmp_path / "theirs").mkdir()
    [path], [expected] = ours.save(str(tmp_path / "ours"), "x"), theirs.save(str(tmp_path / "theirs"), "x")
    with open(path, "rb") as mine, open(expected, "rb") as other:
        assert mine.read() == other.read()
    assert type(ours).from_file(path, unk_token="[UNK]") == ours


def test_a_vocab_txt_that_holds_a_piece_twice_is_refused(tmp_path):
    path = tmp_path / "vocab.txt"
    path.write_text("가\n나\n가\n", encoding="utf-8")
    with pytest.raises(FormatError, match='line 3: "가" stands twice'):
        WordPiece.from_file(str(path))


def test_a_word_of_very_many_letters_takes_linear_time():
    model = WordPiece({"가": 0, "##가": 1}, max_input_chars_per_word=1 << 20)
    assert len(model.tokenize("가" * 200_000)) == 200_000


def test_a_trainer_of_another_model_is_refused():
    tokenizer = Tokenizer(WordLevel({"가": 0}))
    with pytest.raises(InputError, match="BpeTrainer cannot train a WordLevel"):
        tokenizer.train_from_iterator(["가"], BpeTrainer())


@pytest.mark.parametrize(
    ("model", "field"),
    [
        ({"type": "WordLevel", "vocab": {"가": 0}}, r"model\.unk_token: is missing"),
        ({"type": "WordLevel", "vocab": {"가": "0"}, "unk_token": "?"}, r"model\.vocab: gives"),
        ({"type": "WordLevel", "vocab": {}, "unk_token": 1}, r"model\.unk_token: is 1"),
        ({"type": "WordPiece", "vocab": {}, "unk_token": "?"}, r"model\.max_input_chars_per_word: is missing"),
        (
            {
                "type": "WordPiece", "vocab": {}, "unk_token": "?", "max_input_chars_per_word": -1,
                "continuing_subword_prefix": "##",
            },
            r"model\.max_input_chars_per_word: is -1",
        ),
        ({"type": "Wordpiece"}, 'did you mean "WordPiece"'),
    ],
)  # fmt: skip
def test_a_fault_of_a_model_is_named_with_its_field(model, field):
    with pytest.raises(FormatError, match=field):
        Tokenizer.from_str(json.dumps({"version": "1.0", "added_tokens": [], "model": model}))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: WordLevel({3: 0}), r"the vocabulary has 3: 0 \(allowed: a string: a whole number\)"),
        (lambda: WordLevel({"가": "0"}), r"the vocabulary has '가': '0'"),
        (lambda: WordLevel({"가": 0.0}), r"the vocabulary has '가': 0\.0"),
        (lambda: WordLevel(["가"]), r"a vocabulary is a list \(allowed: a dictionary"),
        (lambda: WordPiece("없다/vocab.txt"), r"없다/vocab\.txt"),
    ],
)
def test_what_is_no_vocabulary_is_refused(make, message):
    with pytest.raises(InputError, match=message):
        make()


def test_a_vocabulary_may_be_the_path_of_its_file(tmp_path):
    (tmp_path / "vocab.txt").write_text("[UNK]\n한국\n##어\n", encoding="utf-8")
    (tmp_path / "vocab.json").write_text('{"<unk>":0,"한국어":1}', encoding="utf-8")
    for path in (str(tmp_path / "vocab.txt"), tmp_path / "vocab.txt"):
        assert WordPiece(path) == WordPiece.from_file(path)
    for path in (str(tmp_path / "vocab.json"), tmp_path / "vocab.json"):
        assert WordLevel(path, "<unk>") == WordLevel.from_file(path, "<unk>")
