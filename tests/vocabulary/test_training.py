"""Vocabularies from texts: every model and preset, weights, formats, inputs that change, memory."""

from __future__ import annotations

import errno
import json
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from textpipe import sources
from textpipe.cli.app import run
from textpipe.errors import ConfigError, InputError, LimitError, StateError
from textpipe.evaluation.vocabulary import vocabulary_metrics
from textpipe.files import read_manifest
from textpipe.models import BPE, Unigram, WordLevel, WordPiece
from textpipe.records import Document
from textpipe.tokenizer import Tokenizer
from textpipe.trainers import spilling
from textpipe.trainers.memory import MemoryLimit, resident_bytes
from textpipe.vocabulary import PRESETS, VocabConfig, count_words, forecast, preset_settings, train_vocabulary

KO = "밥을 먹고 학교에 갔다. 친구들이 밥을 또 먹었다ㅋㅋㅋ 한국어 형태소 분석은 어렵다 12345\n"
EN = "The ferry is late again, and nobody on the pier minds. It's 3D don't we know?\n"


@pytest.fixture
def texts(tmp_path):
    files = {"ko": tmp_path / "ko.txt", "en": tmp_path / "en.txt"}
    files["ko"].write_text(KO * 30, encoding="utf-8")
    files["en"].write_text(EN * 90, encoding="utf-8")
    return files


@pytest.mark.parametrize("preset", [preset for preset in PRESETS if preset != "sentencepiece"])
def test_every_preset_trains_a_tokenizer_that_tokenizers_reads_alike(texts, tmp_path, preset):
    import tokenizers

    if preset == "ko-morpheme":
        pytest.importorskip("kiwipiepy")
    config = VocabConfig(**{**preset_settings(preset), "vocab_size": 330})
    made = train_vocabulary(texts.values(), tmp_path / "vocab", config)
    theirs = tokenizers.Tokenizer.from_file(str(made.path / "tokenizer.json"))
    for text in (KO, EN, "가나다 \u1112\u1161\u11ab 😀 ABC", ""):
        assert made.tokenizer.encode(text).ids == theirs.encode(text).ids
        assert made.tokenizer.encode(text, "둘").type_ids == theirs.encode(text, "둘").type_ids


@pytest.mark.parametrize(
    ("settings", "kind"),
    [
        ({"model": "wordpiece", "pre_tokenizer": "whitespace"}, WordPiece),
        ({"model": "wordpiece", "pre_tokenizer": "whitespace", "scoring": "likelihood"}, WordPiece),
        ({"model": "wordlevel", "pre_tokenizer": "whitespace-split"}, WordLevel),
        ({"model": "bpe", "pre_tokenizer": "metaspace"}, BPE),
        ({"model": "unigram", "pre_tokenizer": "metaspace"}, Unigram),
        ({"model": "bpe", "pre_tokenizer": "whitespace", "limit_alphabet": 30}, BPE),
    ],
)
def test_other_models_know_an_unknown_token(texts, tmp_path, settings, kind):
    made = train_vocabulary(texts.values(), tmp_path / "vocab", VocabConfig(vocab_size=120, **settings))
    assert isinstance(made.tokenizer.model, kind)
    assert made.tokenizer.token_to_id("<unk>") is not None
    assert made.tokenizer.token_to_id("<unk>") in made.tokenizer.encode("中國").ids


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"model": "wordpiece", "pre_tokenizer": "byte-level"}, "byte-level is for bpe"),
        ({"unk_token": "[UNK]"}, "unk_token has no use"),
        ({"template": "[CLS]"}, "must have \\$A"),
        ({"scoring": "likelihood"}, "scoring is for wordpiece, not for bpe"),
        ({"model": "wordlevel", "max_token_length": 3}, "max_token_length is for bpe"),
        ({"model": "wordlevel", "limit_alphabet": 3}, "limit_alphabet is for bpe"),
    ],
)
def test_settings_that_exclude_each_other_are_refused_by_name(settings, message):
    with pytest.raises(ConfigError, match=message):
        VocabConfig(**settings)


def test_byte_fallback_leaves_nothing_unknown(texts, tmp_path):
    config = VocabConfig(
        model="unigram", pre_tokenizer="metaspace", vocab_size=400, byte_fallback=True, unk_token="<unk>"
    )
    tokenizer = train_vocabulary(texts.values(), tmp_path / "vocab", config).tokenizer
    ids = tokenizer.encode("中國").ids
    assert tokenizer.token_to_id("<unk>") not in ids
    assert tokenizer.decode(ids) == "中國"


def test_morphemes_are_cut_while_learning_and_not_in_the_tokenizer(texts, tmp_path):
    pytest.importorskip("kiwipiepy")
    settings = {"vocab_size": 340}
    plain = train_vocabulary(texts["ko"], tmp_path / "plain", VocabConfig(**settings)).tokenizer
    config = VocabConfig(**{**preset_settings("ko-morpheme"), **settings})
    cut = train_vocabulary(texts["ko"], tmp_path / "cut", config).tokenizer
    assert cut.pre_tokenizer == plain.pre_tokenizer
    assert cut.decode(cut.encode(KO).ids) == KO
    pieces = [cut.id_to_bytes(number).decode("utf-8", "replace") for number in cut.encode(" 학교에 밥을").ids]
    assert "을" in pieces


def test_tokens_keep_to_whole_characters_and_one_script_where_asked(tmp_path):
    file = tmp_path / "mixed.txt"
    file.write_text("밥abc밥abc 3D밥 갂갃간갇 " * 60, encoding="utf-8")
    config = VocabConfig(vocab_size=290, whole_characters=True, scripts_apart=True)
    tokenizer = train_vocabulary(file, tmp_path / "vocab", config).tokenizer
    pieces = [
        tokenizer.id_to_bytes(number).decode("utf-8", "replace") for number in range(257, tokenizer.get_vocab_size())
    ]
    assert "밥abc" not in "".join(pieces)
    assert not any("\ufffd" in piece.strip("\ufffd") for piece in pieces)
    with pytest.raises(ConfigError, match="are for bpe, not for wordlevel"):
        VocabConfig(model="wordlevel", scripts_apart=True)


def test_a_template_may_name_special_tokens_alone(texts, tmp_path):
    config = VocabConfig(vocab_size=300, template="[X] $A")
    with pytest.raises(InputError, match=r"\[X\], which is no special token"):
        train_vocabulary(texts.values(), tmp_path / "vocab", config)
    assert not (tmp_path / "vocab").exists()


def bytes_per_token(tokenizer, text):
    return vocabulary_metrics(tokenizer, [Document(id="", text=text)]).languages[0].bytes_per_token


def test_weights_move_the_vocabulary_towards_the_heavier_corpus(texts, tmp_path):
    inputs = [f"{name}={path}" for name, path in texts.items()]
    made = {}
    for weights in ("ko=0.9,en=0.1", "ko=0.1,en=0.9"):
        config = VocabConfig(vocab_size=280, weights=weights)
        made[weights] = train_vocabulary(inputs, tmp_path / weights, config).tokenizer
    heavy, light = made.values()
    assert bytes_per_token(heavy, KO) > bytes_per_token(light, KO)
    assert bytes_per_token(heavy, EN) < bytes_per_token(light, EN)


def test_parity_brings_bytes_per_token_together(texts, tmp_path):
    inputs = [f"{name}={path}" for name, path in texts.items()]
    gaps = []
    for weights in ("temperature=1", "parity"):
        tokenizer = train_vocabulary(inputs, tmp_path / weights, VocabConfig(vocab_size=310, weights=weights)).tokenizer
        fits = bytes_per_token(tokenizer, KO), bytes_per_token(tokenizer, EN)
        gaps.append(max(fits) / min(fits))
    assert gaps[1] < gaps[0]


@pytest.mark.parametrize("weights", ["ko=0.5,fr=0.5", "ko=1"])
def test_weights_that_do_not_go_with_the_inputs_are_refused_before_a_word_is_counted(texts, tmp_path, weights):
    def progress(*_row, **_facts):
        raise AssertionError("something was read")

    inputs = [f"{name}={path}" for name, path in texts.items()]
    config = VocabConfig(vocab_size=300, weights=weights)
    with pytest.raises(ConfigError, match=r"no input is named 'fr'|the weights do not name en"):
        train_vocabulary(inputs, tmp_path / "vocab", config, progress=progress)
    with pytest.raises(ConfigError, match=r"no input is named 'fr'|the weights do not name en"):
        forecast(inputs, config)


def test_parity_without_texts_is_refused(texts, tmp_path):
    for name, path in texts.items():
        count_words(path, tmp_path / f"{name}.counts")
    inputs = [f"{name}={tmp_path / name}.counts" for name in texts]
    with pytest.raises(InputError, match="parity is measured on text, and ko has none"):
        train_vocabulary(inputs, tmp_path / "vocab", VocabConfig(vocab_size=300, weights="parity"))
    train_vocabulary(inputs, tmp_path / "vocab", VocabConfig(vocab_size=300, weights="equal"))


def test_counts_alone_are_those_a_training_saves(texts, tmp_path):
    count_words(texts.values(), tmp_path / "alone.counts")
    train_vocabulary(texts.values(), tmp_path / "vocab", VocabConfig(vocab_size=300), counts_file=tmp_path / "b.counts")
    assert (tmp_path / "alone.counts").read_bytes() == (tmp_path / "b.counts").read_bytes()


def test_the_same_bytes_for_any_threads_and_memory(texts, tmp_path):
    config = VocabConfig(vocab_size=300, weights="ko=0.6,en=0.4")
    inputs = [f"{name}={path}" for name, path in texts.items()]
    ways = [{"threads": 1}, {"threads": 4}, {"threads": 2, "memory_limit": resident_bytes() + (1 << 30)}]
    made = [train_vocabulary(inputs, tmp_path / str(n), config, **way).path for n, way in enumerate(ways)]
    for name in ("tokenizer.json", "README.md", "manifest.json"):
        assert len({(path / name).read_bytes() for path in made}) == 1


def test_a_state_that_a_killed_run_left_beside_its_finished_folder_is_removed(texts, tmp_path):
    out = tmp_path / "made" / "vocab"
    config = VocabConfig(vocab_size=300)
    train_vocabulary(texts.values(), out, config)
    for stage in ("", "words.", "spans.", "parity."):
        out.with_name(f".vocab.{stage}training").write_bytes(b"saved when all but its removal was done")
    train_vocabulary(texts.values(), out, config)
    assert list(out.parent.iterdir()) == [out]


def test_a_memory_limit_that_cannot_be_kept_is_refused_and_nothing_is_left(texts, tmp_path):
    out = tmp_path / "out" / "vocab"
    with pytest.raises(LimitError, match="under a memory limit of 20 MB"):
        train_vocabulary(texts.values(), out, VocabConfig(vocab_size=300), memory_limit="20MB")
    assert not out.exists()


def test_a_file_that_changes_while_it_is_read_is_refused(texts, tmp_path):
    def progress(*_row, **_facts):
        with texts["ko"].open("a", encoding="utf-8") as file:
            file.write("더")

    with pytest.raises(StateError, match=r"ko\.txt: this file changed while it was read"):
        train_vocabulary(texts.values(), tmp_path / "vocab", VocabConfig(vocab_size=300), progress=progress)
    assert not (tmp_path / "vocab").exists()


def test_formats_are_written_beside_and_what_they_lose_is_named(texts, tmp_path):
    config = VocabConfig(**{**preset_settings("bert"), "vocab_size": 200})
    made = train_vocabulary(texts.values(), tmp_path / "bert", config, formats=["vocab.txt"])
    assert len((made.path / "vocab.txt").read_text(encoding="utf-8").splitlines()) == made.counts["vocab_size"]
    assert made.counts["lost"] == {}
    names = {entry["path"] for entry in read_manifest(made.path, verify=True)["files"]}
    assert names == {"tokenizer.json", "vocab.txt", "README.md"}
    pieces = train_vocabulary(texts.values(), tmp_path / "nfc", VocabConfig(vocab_size=300), formats=["vocab.json"])
    assert "normalizer NFC()" in pieces.counts["lost"]["vocab.json"][0]
    assert "What the other formats do not hold" in (pieces.path / "README.md").read_text(encoding="utf-8")
    ranks = train_vocabulary(texts.values(), tmp_path / "gpt", VocabConfig(vocab_size=300), formats=["tiktoken"])
    assert (ranks.path / "vocab.tiktoken").stat().st_size > 256
    with pytest.raises(ConfigError, match=r"there is no format .vocab\.text."):
        train_vocabulary(texts.values(), tmp_path / "other", config, formats=["vocab.text"])


def test_a_text_that_yields_fewer_entries_says_so(texts, tmp_path, capsys):
    assert run(["train-vocab", str(texts["ko"]), "-n", "5000", "--out", str(tmp_path / "vocab"), "-q"]) == 0
    sentence = "5,000 entries were asked for: the text yields no more than these."
    assert sentence in capsys.readouterr().out
    assert sentence in (tmp_path / "vocab" / "README.md").read_text(encoding="utf-8")


def test_invalid_utf8_is_replaced_where_asked_and_counted_on_the_card(tmp_path, capsys):
    file = tmp_path / "mixed.txt"
    file.write_bytes((KO * 20).encode() + "밥\n".encode("cp949"))
    flags = ["train-vocab", str(file), "-n", "300", "-q", "--out", str(tmp_path / "vocab")]
    assert run(flags) == 3
    assert "is not UTF-8" in capsys.readouterr().err
    assert run([*flags, "--invalid-utf8", "replace"]) == 0
    assert re.search(r"\d runs of bytes .* count as U\+FFFD", (tmp_path / "vocab/README.md").read_text("utf-8"))


def test_settings_come_from_a_file_and_flags_go_before_it(texts, tmp_path, capsys):
    file = tmp_path / "vocab.toml"
    file.write_text('preset = "bert"\nvocab_size = 150\nmin_frequency = 2\n', encoding="utf-8")
    flags = ["train-vocab", str(texts["ko"]), "--config", str(file), "-q", "--out"]
    assert run([*flags, str(tmp_path / "a"), "-n", "140"]) == 0
    config = read_manifest(tmp_path / "a")["config"]
    assert (config["model"], config["vocab_size"], config["min_frequency"]) == ("wordpiece", 140, 2)
    file.write_text("vocab_sise = 150\n", encoding="utf-8")
    assert run([*flags, str(tmp_path / "b")]) == 2
    error = capsys.readouterr().err
    assert "vocab.toml" in error
    assert "vocab_size" in error


@pytest.mark.parametrize("has_own", [False, True])
def test_words_that_do_not_fit_wait_beside_the_folder_or_where_is_said(texts, tmp_path, monkeypatch, has_own):
    folders = []
    begin = spilling.SpillingCounts.__init__

    def noted(self, *row, folder, **facts):
        folders.append(folder)
        begin(self, *row, folder=folder, **facts)

    monkeypatch.setattr(spilling.SpillingCounts, "__init__", noted)
    words = ["train-vocab", str(texts["ko"]), "-n", "300", "-q", "--memory-limit", str(resident_bytes() + (1 << 30))]
    own = ["--scratch-folder", str(tmp_path / "scratch")] if has_own else []
    assert run([*words, *own, "--out", str(tmp_path / "made" / "vocab")]) == 0
    assert folders == [tmp_path / ("scratch" if has_own else "made")]


def test_a_full_disk_is_told_with_the_option_that_helps(texts, tmp_path, monkeypatch, capsys):
    def write_out(self):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(spilling.SpillingCounts, "_write_out", write_out)
    monkeypatch.setattr(spilling, "_FIXED_BYTES", 1 << 40)  # all room is spoken for
    monkeypatch.setattr(MemoryLimit, "require", lambda *_: None)
    words = ["train-vocab", str(texts["ko"]), "-n", "300", "-q", "--memory-limit", str(resident_bytes() + (1 << 30))]
    assert run([*words, "--out", str(tmp_path / "vocab")]) == 5
    told = capsys.readouterr().err
    assert f"{tmp_path}: No space left on device" in told
    assert "set --scratch-folder to a folder on another disk" in told


def test_a_dry_run_tells_the_memory_and_writes_nothing(texts, tmp_path, capsys):
    flags = ["train-vocab", *map(str, texts.values()), "--out", str(tmp_path / "vocab"), "--dry-run"]
    assert run([*flags, "--memory-limit", "1MB"]) == 0
    shown = capsys.readouterr().out
    assert re.search(r"memory\tabout \d[\d.,]* [MG]B: above the limit of 1 MB", shown)
    assert not (tmp_path / "vocab").exists()


def test_a_forecast_grows_with_the_text(tmp_path, monkeypatch):
    monkeypatch.setattr("textpipe.vocabulary.forecasting._SAMPLE_BYTES", 1 << 16)
    sizes = []
    for number in (3000, 30_000):
        file = tmp_path / f"{number}.txt"
        file.write_text("".join(f"{n} 번째 낱말{n % 977}\n" for n in range(number)), encoding="utf-8")
        sizes.append(forecast(file, VocabConfig()).num_words)
    assert sizes[0] == pytest.approx(3000, rel=0.1)
    assert sizes[1] > 2.5 * sizes[0]


def test_only_counts_needs_a_file_and_then_trains_nothing(texts, tmp_path, capsys):
    assert run(["train-vocab", str(texts["ko"]), "--only-counts"]) == 2
    assert "--save-counts" in capsys.readouterr().err
    file = tmp_path / "ko.counts"
    flags = ["--only-counts", "--save-counts", str(file), "--out", str(tmp_path / "vocab"), "-q"]
    assert run(["train-vocab", str(texts["ko"]), *flags]) == 0
    assert file.exists()
    assert not (tmp_path / "vocab").exists()


def test_weighted_counts_are_not_saved(texts, tmp_path):
    config = VocabConfig(vocab_size=300, weights="equal")
    with pytest.raises(ConfigError, match="counts are saved without weights"):
        train_vocabulary(texts.values(), tmp_path / "vocab", config, counts_file=tmp_path / "a.counts")


def test_parquet_and_jsonl_give_the_same_vocabulary(tmp_path):
    arrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    rows = [KO, EN] * 30
    parquet.write_table(arrow.table({"text": rows}), tmp_path / "a.parquet")
    lines = "".join(json.dumps({"text": row}) + "\n" for row in rows)
    (tmp_path / "a.jsonl").write_text(lines, encoding="utf-8")
    assert list(sources.iter_texts(tmp_path / "a.parquet")) == rows
    made = [
        train_vocabulary(tmp_path / name, tmp_path / f"of-{name}", VocabConfig(vocab_size=300)).tokenizer
        for name in ("a.parquet", "a.jsonl")
    ]
    assert isinstance(made[0], Tokenizer)
    assert made[0].to_str() == made[1].to_str()


KILLED = """
import os, signal, sys
from textpipe.trainers import counting, rhythm
from textpipe.vocabulary import VocabConfig, train_vocabulary
counting._CHUNK_CHARS, rhythm._SAVE_EVERY_S, rhythm._LEAST_RATIO = 400, 0.0, 0
phase, reports, stop, out, *inputs = sys.argv[1:]
left = int(reports)
def progress(now, *row, **facts):
    global left
    left -= now == phase
    if now == phase and left == 0:
        os.kill(os.getpid(), int(stop))
train_vocabulary(inputs, out, VocabConfig(vocab_size=300, weights="ko=0.5,en=0.5"), threads=2, progress=progress)
"""


@pytest.mark.parametrize("phase", ["count words", "merge"])
@pytest.mark.parametrize("stop", [signal.SIGKILL, signal.SIGINT])
def test_stopped_and_run_again_writes_the_same_files_and_leaves_nothing_else(tmp_path, phase, stop):
    inputs = []
    for name, text in (("ko", KO), ("en", EN)):
        file = tmp_path / f"{name}.jsonl"
        file.write_text(json.dumps({"text": text}, ensure_ascii=False).join(["", "\n"]) * 60, encoding="utf-8")
        inputs.append(f"{name}={file}")
    out = tmp_path / "made" / "vocab"
    reports = 15 if phase == "count words" else 1
    root = Path(__file__).parents[2]
    for again in (True, False):
        arguments = [phase, str(reports if again else 0), str(int(stop)), str(out), *inputs]
        ended = subprocess.run([sys.executable, "-c", KILLED, *arguments], cwd=root, capture_output=True, check=False)
        assert (ended.returncode != 0) == again, ended.stderr.decode()
        assert any(path.suffix == ".counting" for path in out.parent.iterdir()) == again
    config = VocabConfig(vocab_size=300, weights="ko=0.5,en=0.5")
    whole = train_vocabulary(inputs, tmp_path / "whole", config).path
    for name in ("tokenizer.json", "README.md", "manifest.json"):
        assert (out / name).read_bytes() == (whole / name).read_bytes()
    assert [path.name for path in out.parent.iterdir()] == ["vocab"]
