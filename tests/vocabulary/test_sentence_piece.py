"""Tokenizers trained as sentencepiece trains them."""

from __future__ import annotations

import io

import pytest
import sentencepiece

from textpipe.errors import ConfigError, InputError
from textpipe.formats import write_file
from textpipe.trainers import SentencePieceBpeTrainer, UnigramTrainer
from textpipe.vocabulary import charsmap_named, train_sentencepiece

SPECIAL = ("<unk>", "<s>", "</s>")
LINES = [
    "학교에 갔다가 집에 왔다. ㈜텍스트 ＡＢＣ",
    "학교에서 밥을 먹고 집에 갔다 ㅋㅋㅋ",
    "  밥을\t먹었다. 밥은 맛있었다!  ",
    "\u1112\u1161\u11ab글은 NFD로도 온다 １２３４번",
    "The School 학교 is here, 漢字 too. 2024년 3월",
    "<s>는 글에도 있다",
    "",
] * 4


def theirs(**settings):
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(LINES), model_writer=model, hard_vocab_limit=False, minloglevel=3, **settings
    )
    return sentencepiece.SentencePieceProcessor(model_proto=model.getvalue())


def ours(tmp_path, normalization="nmt_nfkc", **settings):
    (tmp_path / "lines.txt").write_text("\n".join(LINES), encoding="utf-8")
    defaults = {"special_tokens": SPECIAL, "unk_token": "<unk>", "compat": "sentencepiece", "show_progress": False}
    trainer = UnigramTrainer(**(defaults | settings))
    return train_sentencepiece(tmp_path / "lines.txt", trainer, normalization=normalization)


@pytest.mark.parametrize("normalization", ["nmt_nfkc", "nfkc", "nmt_nfkc_cf", "nfkc_cf", "identity"])
def test_a_model_file_holds_what_sentencepiece_learns(tmp_path, normalization):
    expected = theirs(vocab_size=120, normalization_rule_name=normalization)
    tokenizer = ours(tmp_path, normalization, vocab_size=120)
    write_file(tokenizer.parts, tmp_path / "ours.model")
    loaded = sentencepiece.SentencePieceProcessor(model_file=str(tmp_path / "ours.model"))
    ids = range(expected.get_piece_size())
    assert loaded.get_piece_size() == expected.get_piece_size()
    for number in ids:
        assert loaded.id_to_piece(number) == expected.id_to_piece(number)
        assert loaded.get_score(number) == expected.get_score(number)
        for kind in ("is_control", "is_unknown", "is_byte"):
            assert getattr(loaded, kind)(number) == getattr(expected, kind)(number)
    for line in [*LINES, "처음 보는 글자 뷁 🙂"]:
        assert tokenizer.encode(line).ids == expected.encode(line) == loaded.encode(line)
        assert tokenizer.decode(expected.encode(line)) == expected.decode(expected.encode(line))


def test_user_defined_symbols_and_bytes_are_those_of_sentencepiece(tmp_path):
    expected = theirs(vocab_size=400, user_defined_symbols=["<2ko>", "갔다"], byte_fallback=True)
    tokenizer = ours(tmp_path, vocab_size=400, user_defined_symbols=("<2ko>", "갔다"), byte_fallback=True)
    assert [tokenizer.id_to_token(i) for i in range(expected.get_piece_size())] == [
        expected.id_to_piece(i) for i in range(expected.get_piece_size())
    ]
    for line in ["<2ko> 학교에 갔다가 뷁 왔다", "갔다갔다"]:
        assert tokenizer.encode(line).ids == expected.encode(line)


def test_a_normalization_there_is_none_of_is_refused():
    with pytest.raises(ConfigError, match="nmt_nfkc"):
        charsmap_named("nmt_nfk")


def test_a_file_without_text_is_refused(tmp_path):
    (tmp_path / "empty.txt").write_text("\n  \n", encoding="utf-8")
    with pytest.raises(InputError, match="no text"):
        train_sentencepiece(tmp_path / "empty.txt", UnigramTrainer(unk_token="<unk>"))


@pytest.mark.parametrize("model", [UnigramTrainer, SentencePieceBpeTrainer])
def test_lines_too_long_to_be_trained_on_are_told_where_there_are_no_others(tmp_path, model):
    file = tmp_path / "long.txt"
    file.write_text("밥을 먹고 " * 1000, encoding="utf-8")
    trainer = model(vocab_size=50, special_tokens=SPECIAL)
    with pytest.raises(InputError, match="lines of at most 4,192 bytes: longer ones are left out"):
        train_sentencepiece(file, trainer)
