"""The measures of tokenizers against their definitions, written out slowly."""

from __future__ import annotations

import json
import math
from collections import Counter

import pytest

from textpipe import Tokenizer, decoders, normalizers, pre_tokenizers
from textpipe.cli.app import run
from textpipe.errors import InputError
from textpipe.evaluation.tokenization import measure_tokenization, parity
from textpipe.models import BPE, Unigram
from textpipe.records import Document
from textpipe.trainers import BpeTrainer

KO = ["밥을 먹었다 ㅋㅋㅋ", "학교에 갔다", "한 글자 뷁", ""]
EN = ["the ferry is late", "don't mind"]
DOCUMENTS = [Document(id="", text=t, lang="ko") for t in KO] + [Document(id="", text=t, lang="en") for t in EN]


@pytest.fixture(scope="module")
def tokenizer():
    made = Tokenizer(BPE())
    made.normalizer = normalizers.NFC()
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    made.train_from_iterator(
        KO[:2] * 9 + EN,
        BpeTrainer(vocab_size=300, initial_alphabet=alphabet, special_tokens=["<|end|>"], show_progress=False),
    )
    return made


def is_broken(raw):
    try:
        raw.decode()
    except UnicodeDecodeError:
        return True
    return False


def measured_slowly(tokenizer, texts):
    ids = [number for text in texts for number in tokenizer.encode(text, add_special_tokens=False).ids]
    words = [word for text in texts for word in text.split()]
    shares = [count / len(ids) for count in Counter(ids).values()]
    return {
        "num_tokens": len(ids),
        "bytes_per_token": sum(len(text.encode()) for text in texts) / len(ids),
        "fertility": len(ids) / len(words),
        "single_token": sum(len(tokenizer.encode(" " + word).ids) == 1 for word in words) / len(words),
        "broken": sum(is_broken(tokenizer.id_to_bytes(number)) for number in ids) / len(ids),
        "renyi_efficiency": math.log(sum(p**2.5 for p in shares)) / (1 - 2.5) / math.log(tokenizer.get_vocab_size()),
    }


def test_every_measure_is_that_of_its_definition(tokenizer):
    report = measure_tokenization(tokenizer, DOCUMENTS)
    for use, texts in zip(report.languages, (KO, EN), strict=True):
        for name, value in measured_slowly(tokenizer, texts).items():
            assert getattr(use, name) == pytest.approx(value), name
    assert [use.lang for use in report.languages] == ["ko", "en"]
    used = {number for text in KO + EN for number in tokenizer.encode(text).ids}
    assert report.dead_pieces == tokenizer.get_vocab_size() - 1 - len(used)


def test_unknown_and_byte_fallback_are_told_apart():
    pieces = [("<unk>", 0.0), ("밥", -1.0), *((f"<0x{byte:02X}>", -9.0) for byte in range(256))]
    texts = [Document(id="", text="밥뷁", lang="ko")]
    for byte_fallback, unknown, fallback in ((False, 1 / 2, 0), (True, 0, 3 / 4)):
        made = Tokenizer(Unigram(pieces, 0, byte_fallback))
        made.decoder = decoders.ByteFallback()
        use = measure_tokenization(made, texts).languages[0]
        assert (use.unknown, use.byte_fallback) == (unknown, fallback)


def test_parity_is_tokens_over_tokens(tokenizer):
    pairs = list(zip(KO[:2], EN, strict=True))
    tokens = [sum(len(tokenizer.encode(pair[side]).ids) for pair in pairs) for side in (0, 1)]
    assert parity(tokenizer, pairs) == tokens[0] / tokens[1]
    with pytest.raises(InputError, match="no pairs"):
        parity(tokenizer, [])


def test_the_command_shows_tokenizers_side_by_side_and_as_json(tokenizer, tmp_path, capsys):
    for name in ("a.json", "b.json"):
        tokenizer.save(tmp_path / name)
    text, pairs = tmp_path / "ko.txt", tmp_path / "pairs.tsv"
    text.write_text("\n".join(KO * 30), encoding="utf-8")
    pairs.write_text("".join(f"{ko}\t{en}\n" for ko, en in zip(KO, EN, strict=False)), encoding="utf-8")
    words = ["eval-vocab", str(tmp_path / "a.json"), str(tmp_path / "b.json"), "-c", str(text)]
    assert run([*words, "--aligned", str(pairs)]) == 0
    assert "bytes per token" in capsys.readouterr().out
    assert run([*words, "--aligned", str(pairs), "--json"]) == 0
    made = json.loads(capsys.readouterr().out)["tokenizers"]
    assert made[str(tmp_path / "a.json")] == made[str(tmp_path / "b.json")]
    assert made[str(tmp_path / "a.json")]["parity"] > 0
    pairs.write_text("no tab\n", encoding="utf-8")
    assert run([*words, "--aligned", str(pairs)]) == 3
    assert "line 1: no tab" in capsys.readouterr().err
