""".model files in and out: what is written loads in sentencepiece and gives the same; what is broken is refused."""

from __future__ import annotations

import random
import struct

import pytest
import sentencepiece
import tokenizers as oracle
from sentencepiece_models import KINDS, LINES, model_bytes, processor

from textpipe import Tokenizer
from textpipe.errors import FormatError, InputError, LimitError
from textpipe.formats import losses, sentencepiece_file, write_file
from textpipe.formats import sentencepiece as format
from textpipe.formats.protobuf import write_bytes, write_float, write_number
from textpipe.limits import DEFAULT_LIMITS
from textpipe.models import BPE, SentencePiece, Unigram, WordPiece
from textpipe.normalizers import Precompiled
from textpipe.pre_tokenizers import ByteLevel, Metaspace


def piece(text: bytes, score: float = -1.0, kind: int = 1) -> bytes:
    return write_bytes(1, write_bytes(1, text) + write_float(2, score) + (write_number(3, kind) if kind != 1 else b""))


UNKNOWN = piece(b"<unk>", 0.0, 2)


def read(data: bytes):
    return format.read(data, path="x.model")


@pytest.mark.parametrize("kind", KINDS)
def test_a_model_written_again_loads_in_sentencepiece_and_gives_the_same(kind, tmp_path):
    path, again = tmp_path / "first.model", tmp_path / "again.model"
    path.write_bytes(model_bytes(kind))
    ours = Tokenizer.from_file(path)
    assert losses(ours.parts, "model") == []
    assert write_file(ours.parts, again) == [again]
    theirs = sentencepiece.SentencePieceProcessor(model_file=str(again))
    assert theirs.encode(LINES, out_type=str) == processor(kind).encode(LINES, out_type=str)
    assert theirs.decode(theirs.encode(LINES)) == processor(kind).decode(processor(kind).encode(LINES))
    for name in ("unk_id", "bos_id", "eos_id", "pad_id"):
        assert getattr(theirs, name)() == getattr(processor(kind), name)()
    for number in range(theirs.get_piece_size()):
        assert theirs.id_to_piece(number) == processor(kind).id_to_piece(number)
        assert theirs.get_score(number) == processor(kind).get_score(number)
        for is_kind in ("is_control", "is_unknown", "is_byte", "is_unused"):
            assert getattr(theirs, is_kind)(number) == getattr(processor(kind), is_kind)(number)
    assert format.to_bytes(Tokenizer.from_file(again).parts) == again.read_bytes()


@pytest.mark.parametrize("kind", ["unigram of bytes", "bpe"])
def test_a_model_goes_through_tokenizer_json_unchanged(kind, tmp_path):
    ours = Tokenizer.from_parts(read(model_bytes(kind)))
    ours.save(tmp_path / "tokenizer.json")
    again = Tokenizer.from_file(tmp_path / "tokenizer.json")
    assert again.to_str() == ours.to_str()
    assert [again.encode(line).ids for line in LINES] == processor(kind).encode(LINES)


def test_a_unigram_tokenizer_of_other_parts_is_written_with_what_changes_named(tmp_path):
    charsmap = sentencepiece_file.read(model_bytes("unigram"), path="x", limits=DEFAULT_LIMITS).normalizer.charsmap
    model = Tokenizer.from_parts(read(model_bytes("unigram"))).model
    ours = Tokenizer(Unigram([(row.text, row.score) for row in model.rows], model.surface_id))
    ours.normalizer, ours.pre_tokenizer = Precompiled(charsmap), Metaspace()
    ours.add_special_tokens(["<s>", "</s>"])
    lost = losses(ours.parts, "model")
    assert [sentence.partition(" ")[0] for sentence in lost] == ["normalizer", "pre_tokenizer", "decoder", "1"]
    with pytest.raises(InputError, match="cannot hold all of this tokenizer"):
        write_file(ours.parts, tmp_path / "x.model")
    write_file(ours.parts, tmp_path / "x.model", accept_losses=True)
    theirs = sentencepiece.SentencePieceProcessor(model_file=str(tmp_path / "x.model"))
    for line in LINES[:-1]:  # the last has decomposed Hangul, which Precompiled does not put together
        text = " ".join(line.split())  # the pre-tokenizer keeps each of several spaces
        assert theirs.encode(text) == ours.encode(text).ids
    assert theirs.is_control(ours.token_to_id("<s>"))


def test_a_bpe_tokenizer_of_characters_is_written_and_gives_the_same_pieces(tmp_path):
    theirs = oracle.Tokenizer(oracle.models.BPE(unk_token="<unk>", fuse_unk=True))
    theirs.pre_tokenizer = oracle.pre_tokenizers.Metaspace()
    trainer = oracle.trainers.BpeTrainer(vocab_size=300, special_tokens=["<unk>"], show_progress=False)
    theirs.train_from_iterator(LINES * 4, trainer)
    ours = Tokenizer.from_str(theirs.to_str())
    write_file(ours.parts, tmp_path / "x.model", accept_losses=True)
    written = sentencepiece.SentencePieceProcessor(model_file=str(tmp_path / "x.model"))
    for line in LINES:
        assert written.encode(line, out_type=str) == ours.encode(line).tokens


@pytest.mark.parametrize(
    ("model", "pre_tokenizer", "message"),
    [
        (WordPiece({"[UNK]": 0}), None, "a .model holds no WordPiece"),
        (BPE({"a": 0}, []), ByteLevel(), "pieces of bytes"),
        (BPE({"a": 0}, [], end_of_word_suffix="</w>"), None, "inside or at the end of a word"),
        (BPE({"a": 0, "b": 2}, []), None, "the ids leave gaps"),
        (BPE({"a": 0}, []), None, "no piece for the unknown"),
        (Unigram([("a", 0.0), ("a", 0.0)], 0), None, "equal pieces"),
    ],
)
def test_what_no_model_file_can_hold_is_refused(model, pre_tokenizer, message):
    tokenizer = Tokenizer(model)
    tokenizer.pre_tokenizer = pre_tokenizer
    with pytest.raises(InputError, match=message):
        losses(tokenizer.parts, "model")


def test_a_file_cut_off_anywhere_is_refused_or_a_smaller_model():
    data = model_bytes("unigram")
    whole = read(data).model.get_vocab_size()
    refused = 0
    for size in [*range(400), *range(400, len(data), max(1, len(data) // 800))]:
        try:
            assert read(data[:size]).model.get_vocab_size() <= whole
        except (FormatError, LimitError) as error:
            refused += str(error).startswith("x.model")
    assert refused > 500


def test_a_file_with_any_bytes_changed_is_refused_or_does_no_harm():
    chance = random.Random(3)
    data = model_bytes("bpe of bytes")
    refused = 0
    for _ in range(400):
        broken = bytearray(data)
        for _ in range(chance.randrange(1, 6)):
            broken[chance.randrange(len(broken))] = chance.randrange(256)
        try:
            tokenizer = Tokenizer.from_parts(read(bytes(broken)))
            tokenizer.decode(tokenizer.encode("안녕하세요 abc ㅋㅋ").ids)
        except (FormatError, LimitError):  # nothing else gets out
            refused += 1
    assert refused > 20


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "pieces: holds no pieces"),
        (b"\x0a", "the file ends inside a number"),
        (b"\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01abc", "are left"),
        (b"\x0a" + b"\xff" * 11, "a number of more than ten bytes"),
        (b"\x0b", "unknown wire type 3"),
        (b"\x02\x01", "a field with the number 0"),
        (b"\x08\x01", "a piece is no message"),
        (piece(b""), r"pieces\[0\].*has no text"),
        (piece(b"\xff"), r"pieces\[0\].*not UTF-8"),
        (piece(b"a" * 100_000), r"pieces\[0\].*100000 bytes"),
        (UNKNOWN + piece(b"a", float("nan")), r"pieces\[1\].*score nan"),
        (UNKNOWN + piece(b"a", 0.0, 9), r"pieces\[1\].*unknown kind 9"),
        (UNKNOWN + piece(b"a") * 2, 'the piece "a" stands twice'),
        (UNKNOWN + piece(b"<u>", 0.0, 2), "several unknown pieces"),
        (piece(b"a"), "no piece for the unknown"),
        (UNKNOWN + piece(b"<0x00>", 0.0, 6), "is a byte"),
        (UNKNOWN + write_bytes(2, write_number(35, 1)), "byte_fallback needs all of the bytes"),
        (UNKNOWN + write_bytes(2, write_number(3, 9)), "trainer_spec.*model_type is 9"),
        (UNKNOWN + write_bytes(2, write_number(45, 1)), "unk_piece is no text"),
        (UNKNOWN + write_bytes(3, write_bytes(2, b"junk")), "the charsmap cannot be read"),
        (UNKNOWN + write_bytes(3, write_bytes(2, bytes(5 << 20))), "precompiled_charsmap has 5242880 bytes"),
        (UNKNOWN + write_number(3, 1), "a specification is no message"),
    ],
)
def test_what_is_wrong_with_a_file_is_said(data, message):
    with pytest.raises(FormatError, match=message):
        read(data)


def test_more_pieces_than_the_cap_are_refused():
    import dataclasses

    limits = dataclasses.replace(DEFAULT_LIMITS, vocab_size=10)
    data = UNKNOWN + b"".join(piece(b"%d" % n) for n in range(10))
    assert format.read(UNKNOWN + b"".join(piece(b"%d" % n) for n in range(9)), path="x", limits=limits)
    with pytest.raises(LimitError, match="too many pieces"):
        format.read(data, path="x.model", limits=limits)


def test_unused_pieces_are_taken_apart_as_in_sentencepiece():
    for kind in ("bpe", "unigram"):
        file = sentencepiece_file.read(model_bytes(kind), path="x", limits=DEFAULT_LIMITS)
        chance = random.Random(kind)
        rows = [
            row._replace(kind="unused") if row.kind == "normal" and chance.random() < 0.3 else row
            for row in file.pieces
        ]
        data = sentencepiece_file.write(
            sentencepiece_file.SentencePieceFile(rows, file.trainer, file.normalizer, file.denormalizer)
        )
        theirs = sentencepiece.SentencePieceProcessor(model_proto=data)
        ours = Tokenizer.from_parts(read(data))
        for line in [*LINES, " ".join(LINES)]:
            assert ours.encode(line).ids == theirs.encode(line)


@pytest.mark.parametrize("algorithm", ["unigram", "bpe"])
def test_random_models_give_the_pieces_of_sentencepiece(algorithm):
    # Scores that tie, that are positive, huge or nearly equal; pieces with spaces anywhere.
    chance = random.Random(algorithm)
    letters = "가나다▁ab"
    for _ in range(150):
        texts = {"".join(chance.choice(letters) for _ in range(chance.randrange(1, 5))) for _ in range(25)}
        scores = chance.choice([[-1.0, -2.0], [-1.5], [0.0, -0.0, 3.0, -3.0], [-1e-3, -1.0, -12.7], [-9e4, 5e4, -7.0]])
        rows = [("<unk>", 0.0, "unknown")]
        rows += [
            (text, chance.choice(scores), chance.choice(["normal"] * 8 + ["user_defined", "unused"])) for text in texts
        ]
        data = format.to_bytes(Tokenizer(SentencePiece(rows, algorithm)).parts)
        theirs = sentencepiece.SentencePieceProcessor(model_proto=data)
        ours = Tokenizer.from_parts(read(data))
        for _ in range(20):
            text = "".join(chance.choice("가나다 ab라") for _ in range(chance.randrange(60)))
            assert ours.encode(text).ids == theirs.encode(text), (rows, text)


def test_names_and_score_bits_are_kept():
    third = struct.unpack("<f", struct.pack("<f", 1 / 3))[0]
    rows = [("<모름>", 0.0, "unknown"), ("가", third), ("<끝>", 0.0, "control")]
    tokenizer = Tokenizer(SentencePiece(rows, unk_piece="<모름>", eos_piece="<끝>"))
    model = read(format.to_bytes(tokenizer.parts)).model
    assert model.rows[1].score == third
    assert model.named_pieces["eos_piece"] == "<끝>"
    theirs = sentencepiece.SentencePieceProcessor(model_proto=format.to_bytes(tokenizer.parts))
    assert (theirs.unk_id(), theirs.eos_id(), theirs.bos_id()) == (0, 2, -1)
