"""sentencepiece models in the parts of `tokenizers`, which then gives the ids of sentencepiece but where it is said."""

from __future__ import annotations

import random

import pytest
import sentencepiece as sp
import tokenizers as oracle
from sentencepiece_models import KINDS, LINES, SPACED_ALPHABET, model_bytes, processor
from tokenizer_samples import corpus

from textpipe import Tokenizer
from textpipe.cli.app import run
from textpipe.errors import InputError
from textpipe.formats import losses, notes, read_file, sentencepiece, write_file
from textpipe.normalizers import Lowercase

OWN = {"unigram with suffixes", "bpe with suffixes", "words", "characters"}


def parts_of(kind):
    return sentencepiece.read(model_bytes(kind), path="x.model")


@pytest.fixture(scope="module", params=sorted(KINDS.keys() - OWN))
def loaded(request, tmp_path_factory):
    path = tmp_path_factory.mktemp("converted") / "tokenizer.json"
    write_file(parts_of(request.param), path, accept_losses=True)
    return request.param, oracle.Tokenizer.from_file(str(path)), Tokenizer.from_file(path)


def random_texts(count):
    letters = [letter for letter in SPACED_ALPHABET if letter not in "▁<"]
    draw = random.Random(7)
    return ["".join(draw.choices(letters, k=draw.randrange(40))) for _ in range(count)] + LINES


def test_texts_that_are_normalized_alike_have_the_ids_of_sentencepiece(loaded):
    kind, theirs, _ = loaded
    symbols = parts_of(kind).model.texts_of("user_defined")
    texts = [
        text for text in random_texts(400) if theirs.normalizer.normalize_str(text) == processor(kind).normalize(text)
    ]
    texts = [text for text in texts if not any(symbol in processor(kind).normalize(text) for symbol in symbols)]
    assert len(texts) > 200
    wrong = [text for text in texts if theirs.encode(text).ids != processor(kind).encode(text)]
    assert len(wrong) <= len(texts) // 200  # ties of sums in single precision
    for text in texts:
        ids = theirs.encode(text).ids
        if theirs.token_to_id("<unk>") not in ids:
            assert theirs.decode(ids) == processor(kind).decode(ids)


def test_real_text_that_is_spelled_otherwise_has_two_equally_likely_spellings(loaded):
    kind, theirs, _ = loaded
    if not kind.startswith("unigram"):
        pytest.skip("the rows of byte pairs have no sums")
    model = processor(kind)
    symbols = parts_of(kind).model.texts_of("user_defined")
    reviews = corpus("ko-reviews.txt.zst", 300_000).splitlines()[:1000]
    compared = 0
    for text in reviews:
        normal = model.normalize(text)
        if theirs.normalizer.normalize_str(text) != normal or any(symbol in normal for symbol in symbols):
            continue  # what differs there is said in the losses
        compared += 1
        found, expected = theirs.encode(text).ids, model.encode(text)
        if found != expected:
            sums = [sum(map(model.get_score, ids)) for ids in (found, expected)]
            assert sums[0] == pytest.approx(sums[1], rel=1e-6), text
    assert compared > 300


def test_what_is_written_encodes_alike_in_both_packages(loaded):
    _, theirs, ours = loaded
    for text in [*random_texts(100), "<s>영화</s>", "<0x41>", "ㅋㅋ"]:
        assert ours.encode(text).ids == theirs.encode(text).ids
        assert ours.decode(ours.encode(text).ids) == theirs.decode(theirs.encode(text).ids)


@pytest.mark.parametrize("kind", sorted(OWN))
def test_a_model_that_tokenizers_has_no_parts_for_stays_one_of_our_own(kind):
    assert any("cannot read the file" in loss for loss in losses(parts_of(kind), "tokenizer.json"))


def test_what_is_done_otherwise_is_said_before_anything_is_written(tmp_path):
    path = tmp_path / "tokenizer.json"
    with pytest.raises(InputError, match="equally likely"):
        write_file(parts_of("unigram"), path)
    assert not path.exists()
    found = losses(parts_of("bpe of bytes"), "tokenizer.json")
    assert any("<0x41>" in loss for loss in found)
    assert any("user-defined" in loss for loss in found)
    assert not any("unknown" in loss for loss in found)


def test_a_converted_model_is_one_that_transformers_loads(tmp_path, capsys):
    (tmp_path / "x.model").write_bytes(model_bytes("unigram"))
    out = tmp_path / "folder"
    assert run(["convert", str(tmp_path / "x.model"), str(out)]) == 3
    assert "lost: " in capsys.readouterr().out
    assert run(["convert", str(tmp_path / "x.model"), str(out), "--accept-losses"]) == 0
    theirs = oracle.Tokenizer.from_file(str(out / "tokenizer.json"))
    assert theirs.encode("영화를 보고").ids == processor("unigram").encode("영화를 보고")


@pytest.mark.parametrize(
    ("kind", "option"),
    [
        ("unigram with suffixes", "treat_whitespace_as_suffix"),
        ("words", "model_type=word"),
        ("characters", "model_type=char"),
    ],
)
def test_the_option_that_tokenizers_has_no_parts_for_is_named(kind, option):
    assert losses(parts_of(kind), "tokenizer.json")[-1].endswith(f"as it has nothing for {option}")


@pytest.mark.parametrize("kind", ["unigram", "unigram of bytes", "unigram across spaces", "bpe", "bpe of bytes"])
def test_a_tokenizer_json_whose_pieces_all_come_back_from_a_model_file_loses_nothing_there(kind, tmp_path):
    write_file(parts_of(kind), tmp_path / "x.json", accept_losses=True)
    parts = read_file(tmp_path / "x.json")
    assert losses(parts, "model") == []
    assert notes(parts, "model")[0].startswith("in tokenizer.json, and not in a .model, a text that spells <unk>")
    write_file(parts, tmp_path / "again.model")
    theirs = oracle.Tokenizer.from_file(str(tmp_path / "x.json"))
    again = sp.SentencePieceProcessor(model_file=str(tmp_path / "again.model"))
    assert [again.id_to_piece(number) for number in range(len(again))] == [
        theirs.id_to_token(number) for number in range(theirs.get_vocab_size())
    ]
    for line in LINES[:-1]:  # the last has jamo that `tokenizers` does not put together
        assert again.encode(line) == theirs.encode(line).ids
    write_file(read_file(tmp_path / "again.model"), tmp_path / "again.json", accept_losses=True)
    model = read_file(tmp_path / "again.json").model
    assert model.get_vocab() == parts.model.get_vocab()
    rounded = "a .model keeps scores in single precision" in notes(parts, "model")
    assert (model == parts.model) is not rounded


def test_what_a_model_file_would_change_of_a_tokenizer_json_is_a_loss_still(tmp_path):
    write_file(parts_of("unigram"), tmp_path / "x.json", accept_losses=True)
    changed = Tokenizer.from_file(tmp_path / "x.json")
    changed.normalizer = Lowercase()
    assert [loss.partition(" ")[0] for loss in losses(changed.parts, "model")] == ["normalizer", "decoder"]
