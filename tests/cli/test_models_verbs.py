"""export, generate and train --init-from with every architecture, as a person types them."""

from __future__ import annotations

import json
import math

import pytest

from textpipe.cli.app import run
from textpipe.files import write_text
from textpipe.tokenizer import Tokenizer

torch = pytest.importorskip("torch", reason="needs the extra: pip install 'textpipe[train]'")
FAST = ["--quiet", "--steps", "6", "--warmup-steps", "1", "--checkpoint-every", "2", "--keep-checkpoints", "3"]
FAST += ["--validate-every", "3", "--sample-tokens", "4", "--context", "32"]
GPT = ["--layers", "1", "--heads", "2", "--width", "16", "--batch-size", "4"]
PAIR = ["--width", "16", "--batch-tokens", "200"]
RUNS = {
    "gpt": ("texts", GPT),
    "llama": ("texts", [*GPT, "--layout", "llama"]),
    "bert": ("marked", GPT),
    "transformer": ("pairs", [*PAIR, "--heads", "2", "--encoder-layers", "1", "--decoder-layers", "1"]),
    "seq2seq": ("pairs", [*PAIR, "--embedding", "8", "--encoder-width", "8"]),
}


@pytest.fixture(scope="module")
def here(small_documents, small_tokenizer_json, tmp_path_factory):
    """A corpus, vocabularies, shards of each kind, and a small run of each architecture."""
    torch.set_num_threads(1)
    folder = tmp_path_factory.mktemp("models")
    rows = (json.dumps({"id": d.id, "text": d.text}, ensure_ascii=False) for d in small_documents)
    write_text(folder / "corpus.jsonl", "\n".join(rows) + "\n")
    write_text(folder / "pairs.tsv", "".join(f"바다 {n}\tthe sea {n}\n" for n in range(60)))
    write_text(folder / "empty.txt", "\n\n")
    write_text(folder / "vocab" / "tokenizer.json", small_tokenizer_json)
    marked = Tokenizer.from_str(small_tokenizer_json)
    marked.add_special_tokens(["[PAD]", "[CLS]", "[SEP]", "[MASK]"])
    marked.save(folder / "marked-vocab" / "tokenizer.json")
    corpus, pairs = str(folder / "corpus.jsonl"), str(folder / "pairs.tsv")
    assert run(["pack", corpus, "-t", str(folder / "vocab"), "--out", str(folder / "texts")]) == 0
    assert run(["pack", corpus, "-t", str(folder / "marked-vocab"), "--out", str(folder / "marked")]) == 0
    assert run(["pack-pairs", pairs, "--val", pairs, "-t", str(folder / "vocab"), "--out", str(folder / "pairs")]) == 0
    for name, (data, shape) in RUNS.items():
        verb = "gpt" if name == "llama" else name
        assert run(["train", verb, str(folder / data), "--out", str(folder / name), *FAST, *shape]) == 0
        assert run(["export", str(folder / name), "--to", str(folder / f"{name}-export")]) == 0
    return folder


PROMPTS = {"bert": "바다는 [MASK] 배는"}


@pytest.mark.parametrize("name", RUNS)
def test_a_run_a_checkpoint_and_its_export_write_the_same(name, here, capsys):
    words = ["--prompt", PROMPTS.get(name, "바다 7"), *(["--temperature", "0"] if name in ("gpt", "llama") else [])]
    places = [here / name, here / name / "checkpoints" / "step-00000006", here / f"{name}-export"]
    texts = []
    for place in places:
        capsys.readouterr()
        assert run(["generate", str(place), *words]) == 0
        texts.append(capsys.readouterr().out)
    assert texts[0] == texts[1] == texts[2]
    assert texts[0].strip()


@pytest.mark.parametrize("name", ["gpt", "transformer", "seq2seq"])
def test_prompts_of_a_file_are_written_in_their_order(name, here, tmp_path, capsys):
    write_text(tmp_path / "prompts.txt", "바다 1\nthe sea, which is long\n역\n")
    capsys.readouterr()
    words = ["generate", str(here / name), "--file", str(tmp_path / "prompts.txt"), "--json", "--beams", "2"]
    assert run([*words, "--max-tokens", "6", "--batch-size", "2"]) == 0
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [row["prompt"] for row in rows] == ["바다 1", "the sea, which is long", "역"]


def test_masks_are_filled_and_their_guesses_shown(here, capsys):
    words = ["generate", str(here / "bert"), "--prompt", "바다는 [MASK] 배는 [MASK]", "--top-k", "3", "--json"]
    assert run(words) == 0
    (row,) = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert "[MASK]" not in row["text"]
    assert [len(mask) for mask in row["masks"]] == [3, 3]
    shares = [guess["probability"] for guess in row["masks"][0]]
    assert shares == sorted(shares, reverse=True)


@pytest.mark.parametrize("name", RUNS)
def test_training_goes_on_from_a_run_and_from_its_export_alike(name, here, tmp_path, capsys):
    data, _ = RUNS[name]
    verb = "gpt" if name == "llama" else name
    logs = []
    for number, start in enumerate((here / name, here / f"{name}-export")):
        out = tmp_path / str(number)
        words = ["train", verb, str(here / data), "--init-from", str(start), "--out", str(out), "--quiet"]
        assert run([*words, "--steps", "2", "--warmup-steps", "0", "--sample-tokens", "0"]) == 0
        first, *_, last = (json.loads(line) for line in (out / "log.jsonl").read_text().splitlines())
        logs.append((first["val_loss"], last["val_loss"]))
        before = [json.loads(line) for line in (here / name / "log.jsonl").read_text().splitlines()][-1]
        assert first["val_loss"] == pytest.approx(before["val_loss"], abs=1e-6)
    assert logs[0] == logs[1]


def test_an_average_of_checkpoints_is_the_mean_of_their_weights(here, tmp_path, capsys):
    from textpipe.interchange.importing import ModelFolder
    from textpipe.training.checkpoints import Checkpoint, list_checkpoints

    assert run(["export", str(here / "gpt"), "--to", str(tmp_path / "mean"), "--average", "3"]) == 0
    assert "step-00000002 + step-00000004 + step-00000006" in capsys.readouterr().out
    weights = ModelFolder.open(tmp_path / "mean").weights()
    states = [Checkpoint.open(path).tensors("model.safetensors") for path in list_checkpoints(here / "gpt/checkpoints")]
    for name, found in weights.items():
        expected = sum(state[name].double() for state in states) / 3
        torch.testing.assert_close(found, expected.float(), rtol=0, atol=0)


@pytest.mark.parametrize("name", RUNS)
def test_a_run_and_its_export_are_scored_on_packed_data_as_the_log_says(name, here, capsys):
    data, _ = RUNS[name]
    log = [json.loads(line) for line in (here / name / "log.jsonl").read_text().splitlines()][-1]
    found = []
    for place in (here / name, here / f"{name}-export"):
        capsys.readouterr()
        assert run(["evaluate", str(place), str(here / data), "--json", "--quiet"]) == 0
        (row,) = json.loads(capsys.readouterr().out)["texts"]
        assert row["loss"] == pytest.approx(log["val_loss"], abs=1e-6)
        assert row["bits_per_byte"] == pytest.approx(log.get("val_bits_per_byte"), abs=1e-6)
        assert row["perplexity"] == pytest.approx(math.exp(row["loss"]), rel=1e-9)
        assert row["num_predicted"] == row["num_tokens"] or name == "bert"
        found.append(row)
    assert found[0] == found[1]


def test_texts_are_scored_as_they_are_when_packed_a_row_each(here, tmp_path, capsys):
    lines = ["바다는 넓고 배는 천천히 온다 ㅎㅎ", "The ferry is late again.", "한글은 소리를 적는다"] * 4
    write_text(tmp_path / "held.txt", "\n".join(lines) + "\n")
    write_text(tmp_path / "short.txt", "a\n")
    held = str(tmp_path / "held.txt")
    assert run(["pack", held, "--val", held, "-t", str(here / "vocab"), "--out", str(tmp_path / "packed")]) == 0
    capsys.readouterr()
    words = [held, str(tmp_path / "packed"), str(tmp_path / "short.txt"), "--quiet"]
    assert run(["evaluate", str(here / "gpt"), *words, "--json"]) == 0
    one, packed, short = json.loads(capsys.readouterr().out)["texts"]
    assert {**one, "text": ""} == {**packed, "text": ""}
    assert (short["text_bytes"], short["num_tokens"]) == (1, 2)
    assert one["text_bytes"] == sum(len(line.encode()) for line in lines)
    assert run(["evaluate", str(here / "gpt"), *words]) == 0
    head, *rows = [line.split("\t") for line in capsys.readouterr().out.splitlines()]
    assert head == ["text", "bytes", "tokens", "bits per byte", "perplexity", "nats a token"]
    assert [row[0] for row in rows] == words[:3]
    assert rows[0][3:] == [f"{one['bits_per_byte']:.4f}", f"{one['perplexity']:,.3f}", f"{one['loss']:.4f}"]
    for mask in ("--document-mask", "--no-document-mask"):
        assert run(["evaluate", str(here / "gpt"), held, "--json", "--quiet", mask]) == 0
        masked = json.loads(capsys.readouterr().out)["texts"][0]
        assert (masked["nats"] == one["nats"]) == (mask == "--no-document-mask")


def test_pairs_of_a_file_are_scored_as_packed_ones_and_their_translations_as_by_translate(here, tmp_path, capsys):
    pytest.importorskip("sacrebleu")
    pairs = str(here / "pairs.tsv")
    assert run(["evaluate", str(here / "transformer"), pairs, str(here / "pairs"), "--json", "--quiet"]) == 0
    one, packed = json.loads(capsys.readouterr().out)["texts"]
    assert {**one, "text": ""} == pytest.approx({**packed, "text": ""})
    assert run(["evaluate", str(here / "transformer"), pairs, "--bleu", "--beams", "2"]) == 0
    table = capsys.readouterr().out
    sides = [line.split("\t") for line in (here / "pairs.tsv").read_text().splitlines()]
    for side, name in enumerate(("ko", "en")):
        write_text(tmp_path / name, "".join(f"{row[side]}\n" for row in sides))
    words = ["translate", str(here / "transformer"), str(tmp_path / "ko"), "--reference", str(tmp_path / "en")]
    assert run([*words, "--beams", "2"]) == 0
    told = capsys.readouterr().err
    bleu, chrf = table.splitlines()[1].split("\t")[-2:]
    assert f"BLEU\t{bleu} " in told
    assert f"chrF\t{chrf} " in told


BAD = {
    "scored where nothing is": (["evaluate", "{here}/gpt", "absent.txt"], 3, "absent.txt: no such file or folder"),
    "scored on no text": (["evaluate", "{here}/gpt", "{here}/empty.txt"], 3, "empty.txt: there is no document"),
    "scored on pairs": (["evaluate", "{here}/gpt", "{here}/pairs"], 3, "what pack-pairs wrote, and a gpt reads what"),
    "pairs scored on texts": (["evaluate", "{here}/transformer", "{here}/texts"], 3, "reads what pack-pairs does"),
    "pairs scored on one text": (["evaluate", "{here}/seq2seq", "{here}/empty.txt"], 3, "there is no pair"),
    "scored on other ids": (["evaluate", "{here}/gpt", "{here}/marked"], 3, "a tokenizer that is not the model's"),
    "bleu of one text": (["evaluate", "{here}/gpt", "{here}/pairs.tsv", "--bleu"], 2, "--bleu is for a model of pairs"),
    "bleu of ids": (["evaluate", "{here}/transformer", "{here}/pairs", "--bleu"], 3, "--bleu reads texts, and these"),
    "mask of pairs": (["evaluate", "{here}/seq2seq", "{here}/pairs", "--document-mask"], 2, "a document mask is for"),
    "no model to score": (["evaluate", "{here}/vocab", "{here}/texts"], 3, "no checkpoint in this folder"),
    "absent run": (["export", "absent", "--to", "x"], 3, "absent: no such folder"),
    "no run": (["export", "{here}/vocab", "--to", "x"], 3, "no checkpoint in this folder"),
    "taken": (["export", "{here}/gpt", "--to", "{here}/gpt-export"], 3, "this folder exists already"),
    "few": (["export", "{here}/gpt", "--to", "x", "--average", "9"], 3, "3 checkpoints where the mean of 9"),
    "type": (["export", "{here}/gpt", "--to", "x", "--dtype", "int8"], 2, "float32, bfloat16, float16"),
    "both": (["export", "{here}/gpt", "--to", "x", "--best", "--average", "2"], 2, "--best with --average"),
    "best of an export": (["generate", "{here}/gpt-export", "--best"], 3, "this is one model"),
    "beams and draws": (["generate", "{here}/gpt", "--beams", "3", "--top-k", "4"], 2, "--top-k would do nothing"),
    "alpha alone": (["generate", "{here}/gpt", "--alpha", "2"], 2, "--alpha would do nothing"),
    "no beams": (["generate", "{here}/gpt", "--beams", "0"], 2, "beams = 0"),
    "penalty": (["generate", "{here}/gpt", "--beams", "2", "--length-penalty", "sqrt"], 2, "'average', 'gnmt'"),
    "no mask": (["generate", "{here}/bert", "--prompt", "바다"], 3, "prompt 0 has no [MASK]"),
    "bert writes": (["generate", "{here}/bert", "--max-tokens", "3"], 2, "fills masks and writes no text"),
    "source": (["generate", "{here}/transformer", "-p", "바다 " * 40], 3, "allowed: 32, the model's context"),
    "two prompts": (["generate", "{here}/gpt", "-p", "a", "--file", "-"], 3, "--prompt and --file together"),
    "other kind": (
        ["train", "bert", "{here}/marked", "--init-from", "{here}/gpt"],
        2,
        "the weights of a gpt (allowed: a bert)",
    ),
    "other shape": (
        ["train", "gpt", "{here}/texts", "--init-from", "{here}/gpt", "--layers", "2"],
        2,
        "layers = 1 there and 2 now",
    ),
    "no start": (["train", "gpt", "{here}/texts", "--init-from", "absent"], 3, "absent: no such folder"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_words_are_one_message_and_nothing_is_written(case, here, tmp_path, monkeypatch, capsys):
    words, code, message = BAD[case]
    monkeypatch.chdir(tmp_path)
    assert run([word.replace("{here}", str(here)) for word in words]) == code
    err = capsys.readouterr().err
    assert message in err
    assert "fault of textpipe" not in err
    assert not (tmp_path / "x").exists()
    assert not (tmp_path / "run" / "checkpoints").exists()


def test_weights_of_another_vocabulary_are_refused_with_the_cure(here, small_tokenizer_json, tmp_path, capsys):
    write_text(tmp_path / "vocab" / "tokenizer.json", small_tokenizer_json.replace("<|other|>", "<|another|>"))
    corpus = str(here / "corpus.jsonl")
    assert run(["pack", corpus, "-t", str(tmp_path / "vocab"), "--out", str(tmp_path / "shards")]) == 0
    words = ["train", "gpt", str(tmp_path / "shards"), "--out", str(tmp_path / "run"), "--quiet"]
    assert run([*words, "--init-from", str(here / "gpt")]) == 3
    assert "the tokenizer of the data is not that of these weights" in capsys.readouterr().err


def test_a_run_begun_with_other_weights_is_not_gone_on_with(here, tmp_path, capsys):
    words = ["train", "gpt", str(here / "texts"), "--out", str(tmp_path), "--quiet", *FAST]
    words += ["--init-from"]
    assert run([*words, str(here / "gpt")]) == 0
    before = sorted((tmp_path / "checkpoints").iterdir())
    assert run([*words, str(here / "gpt-export")]) == 3
    assert "start.sha256" in capsys.readouterr().err
    assert sorted((tmp_path / "checkpoints").iterdir()) == before
    assert run([*words, str(here / "gpt")]) == 0
