"""The whole tokenizers: made, trained, saved and printed as those of `tokenizers`."""

from __future__ import annotations

import asyncio
import copy
import json
import unicodedata

import pytest
import tokenizers as oracle
from tokenizer_samples import KOREAN_LINES

import textpipe
from textpipe.errors import InputError, StateError

TEXTS = ["한국어를 배워요!", "Hello  WORLD 2024 Café ㅋㅋㅋ", "", "\u1112\u1161\u11ab글 中文"]
KINDS = [
    ("ByteLevelBPETokenizer", {}),
    ("ByteLevelBPETokenizer", {"lowercase": True, "unicode_normalizer": "nfc", "add_prefix_space": True}),
    ("SentencePieceBPETokenizer", {}),
    ("SentencePieceBPETokenizer", {"replacement": "_", "add_prefix_space": False, "fuse_unk": True}),
]
LINES = [" ".join(line[:200].split()) for line in KOREAN_LINES] + ["hello hello world", "나무 나무 나라"]


def both(name, *arguments, **options):
    return [getattr(package, name)(*arguments, **options) for package in (textpipe, oracle)]


@pytest.mark.parametrize(("name", "options"), KINDS, ids=str)
def test_a_trained_one_is_that_of_tokenizers(name, options, tmp_path):
    found = []
    (tmp_path / "text.txt").write_text("\n".join(LINES), encoding="utf-8")
    for tokenizer in both(name, **options):
        settings = {"vocab_size": 380, "min_frequency": 1, "show_progress": False}
        tokenizer.train_from_iterator(LINES, **settings)
        from_lines = tokenizer.to_str()
        tokenizer.train([str(tmp_path / "text.txt")], **settings)
        tokenizer.enable_truncation(7)
        tokenizer.enable_padding(length=9)
        encodings = [tokenizer.encode(text) for text in TEXTS]
        found.append(
            (
                from_lines,
                tokenizer.to_str(),
                repr(tokenizer),
                [(e.ids, e.tokens, e.offsets) for e in encodings],
                tokenizer.decode_batch([e.ids for e in encodings]),
                [len(each) for each in tokenizer.encode_batch(TEXTS)],
                None if tokenizer.normalizer is None else tokenizer.normalize("ＡÀ"),
                (tokenizer.padding, tokenizer.truncation),
            )
        )
    assert found[0] == found[1]


def without_vocabulary(tokenizer):
    """All but what was learned: where pieces are marked, the other package numbers them by chance."""
    row = json.loads(tokenizer.to_str())
    del row["model"]["vocab"]
    row["model"].pop("merges", None)
    return row


def normal(piece):
    return unicodedata.normalize("NFC", piece)


@pytest.mark.parametrize(
    "options", [{}, {"bert_normalizer": False, "split_on_whitespace_only": True, "lowercase": True}], ids=str
)
def test_one_of_characters_is_set_up_and_trained_as_there(options):
    ours, theirs = both("CharBPETokenizer", **options)
    assert repr(ours) == repr(theirs)
    for tokenizer in (ours, theirs):
        tokenizer.train_from_iterator(LINES, vocab_size=500, min_frequency=1, show_progress=False)
    assert without_vocabulary(ours) == without_vocabulary(theirs)
    for line in LINES:
        assert ours.decode(ours.encode(line).ids) == theirs.decode(theirs.encode(line).ids)
        assert "<unk>" not in ours.encode(line).tokens


@pytest.mark.parametrize("name", ["ByteLevelBPETokenizer", "CharBPETokenizer", "SentencePieceBPETokenizer"])
def test_its_files_are_read_and_written_as_there(name, tmp_path):
    trained, _ = both(name)
    trained.train_from_iterator(LINES, vocab_size=350, min_frequency=1, show_progress=False)
    paths = trained.save_model(str(tmp_path), "x")
    assert [path.rpartition("/")[2] for path in paths] == ["x-vocab.json", "x-merges.txt"]
    ours, theirs = (getattr(package, name).from_file(*paths, dropout=None) for package in (textpipe, oracle))
    assert ours.to_str() == theirs.to_str()
    assert repr(ours) == repr(theirs)
    assert ours._tokenizer.to_str() == ours.to_str()
    for other in (copy.copy(ours), copy.deepcopy(ours)):
        assert (type(other), repr(other), other.to_str()) == (type(ours), repr(ours), ours.to_str())


def test_bert_is_that_of_tokenizers(tmp_path):
    vocab = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "hello", "##s", "cafe", "中", "\u1112\u1161\u11ab", "!"]
    table = {piece: number for number, piece in enumerate(vocab)}
    (tmp_path / "vocab.txt").write_text("".join(f"{piece}\n" for piece in vocab), encoding="utf-8")
    for options in ({}, {"lowercase": False, "strip_accents": True}, {"handle_chinese_chars": False}):
        ours, theirs = both("BertWordPieceTokenizer", table, **options)
        assert ours.to_str() == theirs.to_str()
        assert repr(ours) == repr(theirs)
        for text in ("Hellos Café 中 한!", "[MASK] hello"):
            assert ours.encode(text, "hello").ids == theirs.encode(text, "hello").ids
            assert ours.encode(text).offsets == theirs.encode(text).offsets
        assert (
            textpipe.BertWordPieceTokenizer.from_file(str(tmp_path / "vocab.txt"), **options).to_str() == ours.to_str()
        )
    with pytest.raises(InputError, match=r'lacks the token "\[SEP\]"'):
        textpipe.BertWordPieceTokenizer({"[CLS]": 0, "[UNK]": 1})
    ours, theirs = both("BertWordPieceTokenizer")
    for tokenizer in (ours, theirs):
        tokenizer.train_from_iterator(LINES, vocab_size=300, min_frequency=1, show_progress=False)
    assert without_vocabulary(ours) == without_vocabulary(theirs)
    assert {"[PAD]", "[MASK]", "hello", "나무"} <= {normal(piece) for piece in ours.get_vocab()}


def test_unigram_is_that_of_tokenizers():
    rows = [("<unk>", 0.0), ("▁한국", -3.0), ("어", -4.0), ("▁", -5.0), ("한", -6.0), ("국", -6.5), ("a", -7.0)]
    for options in ({}, {"add_prefix_space": False}):
        ours, theirs = both("SentencePieceUnigramTokenizer", rows, **options)
        for tokenizer in (ours, theirs):
            tokenizer.enable_padding(length=4)
        assert ours.to_str() == theirs.to_str()
        assert repr(ours) == repr(theirs)
        for text in ("한국어", "한국  한국어 a"):
            assert ours.encode(text).tokens == theirs.encode(text).tokens


def test_text_is_not_normalized_where_nothing_does():
    with pytest.raises(StateError, match="no normalizer"):
        textpipe.ByteLevelBPETokenizer().normalize("가")
    with pytest.raises(InputError, match="did you mean"):
        textpipe.ByteLevelBPETokenizer(unicode_normalizer="nfq")


FILES_OF = {
    "BertWordPieceTokenizer": ("vocab.txt",),
    "ByteLevelBPETokenizer": ("vocab.json", "merges.txt"),
    "CharBPETokenizer": ("vocab.json", "merges.txt"),
    "SentencePieceBPETokenizer": ("vocab.json", "merges.txt"),
}


@pytest.mark.parametrize("name", FILES_OF)
def test_the_files_of_a_vocabulary_may_be_given_by_their_paths(name, tmp_path):
    pieces = ["[UNK]", "[CLS]", "[SEP]", "<unk>", "가", "나", "가나"]
    (tmp_path / "vocab.txt").write_text("\n".join(pieces), encoding="utf-8")
    (tmp_path / "vocab.json").write_text(json.dumps({p: n for n, p in enumerate(pieces)}), encoding="utf-8")
    (tmp_path / "merges.txt").write_text("#version: 0.2\n가 나\n", encoding="utf-8")
    paths = [str(tmp_path / file) for file in FILES_OF[name]]
    ours, theirs = both(name, *paths)
    assert ours.to_str() == theirs.to_str()
    if len(paths) == 2:
        with pytest.raises(InputError, match=r"one is a path \(allowed: two paths, or neither\)"):
            getattr(textpipe, name)(paths[0], [("가", "나")])
    with pytest.raises(InputError, match="no such file"):
        getattr(textpipe, name)(*[path + "x" for path in paths])


def test_the_calls_that_have_other_arguments_here_have_those_of_tokenizers():
    found = []
    for tokenizer in both("SentencePieceUnigramTokenizer", [("▁가", -1.0), ("나", -2.0), ("▁", -3.0), ("가", -3.0)]):
        tokenizer.enable_padding("left", 4, 7, 1, "<채움>")
        added = tokenizer.add_special_tokens(special_tokens=["<채움>"])
        encodings = tokenizer.encode_batch(inputs=["가나", "가"])
        later = asyncio.run(awaited(tokenizer, ["가나"]))
        found.append((added, tokenizer.padding, [(e.ids, e.tokens, e.type_ids) for e in (*encodings, *later)]))
    assert found[0] == found[1]


async def awaited(tokenizer, texts):
    return [*await tokenizer.async_encode_batch(inputs=texts), *await tokenizer.async_encode_batch_fast(inputs=texts)]
