"""vocab.txt, vocab.json with merges.txt: read as whole tokenizers, written only when nothing is lost unsaid."""

from __future__ import annotations

import json

import pytest
from tokenizer_samples import KOREAN_LINES, byte_level_json

from textpipe import Tokenizer, formats, pre_tokenizers, processors
from textpipe.errors import FormatError, InputError, TextpipeError
from textpipe.models import BPE, Unigram, WordPiece
from textpipe.normalizers import BertNormalizer

TEXTS = [*KOREAN_LINES, "<s>a</s> <|endoftext|> [CLS] [MASK] x", "Ḱorean ÉÀ it's 한국어", "", " 가\u1100\u1161 나 "]
BERT_PIECES = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "한국", "##어", "가", "나", "korean", "ea", ".", ",", "it"]


def transformers_ids(tokenizer, text):
    return tokenizer(text)["input_ids"]


def write_gpt2(folder, *, extra=(), suffix=False):
    """vocab.json and merges.txt of the byte-level sample, with pieces of a family added."""
    model = json.loads(byte_level_json())["model"]
    vocab, merges = dict(model["vocab"]), model["merges"]
    if suffix:
        singles = [piece for piece in vocab if len(piece) == 1]
        vocab |= {f"{piece}</w>": len(vocab) + number for number, piece in enumerate(singles)}
    for piece in extra:
        vocab.setdefault(piece, len(vocab))
    (folder / "vocab.json").write_text(json.dumps(vocab), encoding="utf-8")
    rows = "".join(f"{left} {right}\n" for left, right in merges)
    (folder / "merges.txt").write_text("#version: 0.2\n" + rows, encoding="utf-8")
    return vocab, [tuple(pair) for pair in merges]


@pytest.mark.parametrize("family", ["gpt2", "roberta", "clip"])
def test_vocab_json_and_merges_give_the_ids_of_transformers(family, tmp_path):
    transformers = pytest.importorskip("transformers")
    if family == "gpt2":
        vocab, merges = write_gpt2(tmp_path)
        theirs = transformers.GPT2Tokenizer(vocab=vocab, merges=merges)
    elif family == "roberta":
        vocab, merges = write_gpt2(tmp_path, extra=["<s>", "<pad>", "</s>", "<unk>", "<mask>"])
        theirs = transformers.RobertaTokenizer(vocab=vocab, merges=merges)
    else:
        vocab, merges = write_gpt2(tmp_path, extra=["<|startoftext|>", "<|endoftext|>"], suffix=True)
        theirs = transformers.CLIPTokenizer(vocab=vocab, merges=merges)
    for name in ("vocab.json", "merges.txt", ""):
        ours = Tokenizer.from_file(tmp_path / name)
        for text in TEXTS:
            assert ours.encode(text).ids == transformers_ids(theirs, text), text


@pytest.mark.parametrize(("cased", "extra"), [(False, []), (True, ["Korean"]), (True, ["É"])])
def test_vocab_txt_gives_the_ids_of_transformers(cased, extra, tmp_path):
    transformers = pytest.importorskip("transformers")
    pieces = [piece for piece in BERT_PIECES if cased or not any("가" <= letter <= "힣" for letter in piece)] + extra
    (tmp_path / "vocab.txt").write_text("".join(f"{piece}\n" for piece in pieces), encoding="utf-8")
    theirs = transformers.BertTokenizer(
        vocab={piece: number for number, piece in enumerate(pieces)}, do_lower_case=not cased
    )
    ours = Tokenizer.from_file(tmp_path / "vocab.txt")
    for text in TEXTS:
        assert ours.encode(text).ids == transformers_ids(theirs, text), text
    assert ours.encode("한국어", "가 나").type_ids == theirs("한국어", "가 나")["token_type_ids"]


def test_whole_hangul_syllables_keep_a_vocabulary_from_being_stripped_of_accents():
    vocab = {piece: number for number, piece in enumerate(BERT_PIECES)}
    assert not formats.conversion.vocabularies.bert(vocab).normalizer.lowercase
    assert formats.conversion.vocabularies.bert({"[UNK]": 0, "korean": 1}).normalizer.lowercase


@pytest.mark.parametrize("name", ["vocab.json", "small-vocab.json"])
def test_what_a_format_holds_comes_back_equal(name, tmp_path):
    write_gpt2(tmp_path)
    parts = formats.read_file(tmp_path / "vocab.json")
    assert formats.losses(parts, "vocab.json") == []
    written = formats.write_file(parts, tmp_path / "out" / name)
    assert [path.name for path in written] == [name, name.replace("vocab.json", "merges.txt")]
    back = Tokenizer.from_file(written[0])
    assert back.to_str() == Tokenizer.from_parts(parts).to_str()


@pytest.mark.parametrize("format", ["vocab.json", "tiktoken"])
def test_a_part_that_is_read_back_in_other_words_is_no_loss(format, tmp_path):
    tokenizer = Tokenizer.from_str(byte_level_json())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.post_processor = processors.ByteLevel(trim_offsets=False)
    lost = [loss for loss in formats.losses(tokenizer.parts, format) if not loss.startswith("model")]
    assert lost == []
    written = formats.write_file(tokenizer.parts, tmp_path / f"x.{format}", format, accept_losses=True)
    back = Tokenizer.from_file(written[0])
    for text in [*TEXTS, "  it's  한국어 \n\n", "한 ㅋㅋ <|endoftext|>!"]:
        for first, second in ((text, None), (text, "나 다")):
            one, other = (made.encode(first, second) for made in (tokenizer, back))
            assert (one.ids, one.offsets, one.type_ids) == (other.ids, other.offsets, other.type_ids)


def test_a_format_that_holds_no_such_model_names_those_that_do():
    unigram = Tokenizer(Unigram([("<unk>", 0.0), ("가", -1.0)], unk_id=0))
    for format, message in (("vocab.json", "merges.txt holds BPE"), ("tiktoken", "files of ranks hold BPE")):
        with pytest.raises(InputError, match=f"{message}, not Unigram. it can be written as tokenizer.json, .*model$"):
            formats.losses(unigram.parts, format)


def test_a_part_without_a_place_is_named_and_nothing_is_written(tmp_path):
    tokenizer = Tokenizer.from_str(byte_level_json())
    tokenizer.normalizer = BertNormalizer()
    tokenizer.add_tokens(["코딩"])
    lost = formats.losses(tokenizer.parts, "vocab.json")
    assert len(lost) == 2
    assert lost[0].startswith("normalizer BertNormalizer(")
    assert '"코딩"' in lost[1]
    with pytest.raises(InputError, match="cannot hold all of this tokenizer"):
        formats.write_file(tokenizer.parts, tmp_path / "vocab.json")
    assert list(tmp_path.iterdir()) == []
    assert len(formats.write_file(tokenizer.parts, tmp_path / "vocab.json", accept_losses=True)) == 2


@pytest.mark.parametrize(
    ("model", "format", "message"),
    [
        (WordPiece({"[UNK]": 0}), "vocab.json", "merges.txt holds BPE, not WordPiece"),
        (BPE(), "vocab.txt", "vocab.txt holds WordPiece, not BPE"),
        (BPE(), "vocab.csv", 'no format "vocab.csv"'),
        (WordPiece({"a": 0}), "vocab.txt", r"no piece \[UNK\]"),
        (WordPiece({"[UNK]": 1}), "vocab.txt", "with the id 1"),
        (WordPiece({"[UNK]": 0, "a ": 1}), "vocab.txt", "'a '"),
        (BPE({"a b": 0, "c": 1, "a bc": 2}, [("a b", "c")]), "vocab.json", "'a b'"),
    ],
)
def test_a_tokenizer_that_a_format_cannot_hold_is_refused(model, format, message, tmp_path):
    with pytest.raises(TextpipeError, match=message):
        formats.write_file(Tokenizer(model).parts, tmp_path / "vocab.json", format, accept_losses=True)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        ("vocab.txt", b"[UNK]\na\na\n", 'line 3: "a" stands twice'),
        ("vocab.txt", b"[UNK]\n\xff\n", "at byte 6: not UTF-8"),
        ("vocab.txt", b"a\nb\n", r"no piece \[UNK\]"),
        ("vocab.txt", b"[UNK]\n" + b"a" * 5000, "line 2: a piece of 5000 characters"),
        ("vocab.txt", b"", "of no format"),
        ("vocab.txt", b"\0\1\2", "of no format"),
        ("vocab.json", b'{"a": -1}', "the id -1"),
        ("vocab.json", b'{"a": 0, "b": 0}', 'gives "a" and "b" the same id 0'),
        ("vocab.json", b'{"a": 99999999}', "the id 99999999"),
        ("vocab.json", b'{"a": 0, "b": "c"}', "the id 'c'"),
        ("vocab.json", b'{"a": 0,', "not JSON"),
        ("vocab.json", b'{"a</w>": 0}', "startoftext"),
        ("merges.txt", b"#version: 0.2\na b c\n", "line 2: a merge is two pieces"),
        ("merges.txt", b"#version: 0.2\na b\n", 'the piece "ab"'),
        ("merges.txt", b"#version: 0.2\n" + b"a" * 5000 + b" b\n", "line 2: a piece of 5000"),
    ],
)
def test_a_fault_is_named_with_its_file(name, data, message, tmp_path):
    (tmp_path / "vocab.json").write_bytes(b'{"a": 0, "b": 1}')
    (tmp_path / "merges.txt").write_bytes(b"#version: 0.2\n")
    (tmp_path / name).write_bytes(data)
    with pytest.raises(FormatError, match=message) as caught:
        Tokenizer.from_file(tmp_path / name)
    assert str(tmp_path) in str(caught.value)


def test_half_of_the_pair_is_no_tokenizer(tmp_path):
    (tmp_path / "vocab.json").write_bytes(b'{"a": 0}')
    with pytest.raises(InputError, match=r"merges.txt: no such file.*belong together"):
        Tokenizer.from_file(tmp_path)


def test_a_folder_without_a_tokenizer_is_an_input_error(tmp_path):
    with pytest.raises(InputError, match="no tokenizer in this folder"):
        Tokenizer.from_file(tmp_path)


def test_a_broken_tokenizer_json_is_not_taken_for_a_vocabulary(tmp_path):
    path = tmp_path / "tokenizer.json"
    path.write_text('{"model": 0}', encoding="utf-8")
    with pytest.raises(FormatError, match=r"tokenizer\.json: model: is 0"):
        Tokenizer.from_file(path)
