"""Two processes train what one does: same losses, same data, one log, checkpoints for any number of ranks."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import torch
import two_languages
from distributed_worker import data_of, stop_at

from textpipe.data.pairs import pack_pairs
from textpipe.training.checkpoints import Checkpoint, find_checkpoint
from textpipe.training.loading import load_model
from textpipe.training.loop import Trainer
from textpipe.training.run_config import ARCHITECTURES, TrainConfig

ROOT = Path(__file__).parents[2]
STEPS = 5
TRAIN = {
    "steps": STEPS, "batch_size": 8, "learning_rate": 1e-2, "warmup_steps": 1, "log_every": 1, "validate_every": 5,
    "checkpoint_every": 5, "sample_every": 5, "sample_tokens": 4, "device": "cpu", "dtype": "float32", "seed": 3,
}  # fmt: skip
GPT = {"context": 16, "layers": 2, "heads": 2, "width": 32}


def torchrun(*words, processes=2, timeout_s=1200, **environment):
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={processes}"]
    settings = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT), **environment}
    command += map(str, words)
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=settings, cwd=ROOT
    ) as started:
        try:
            out, err = started.communicate(timeout=timeout_s)
        except BaseException:
            end_with_workers(started)
            raise
    return subprocess.CompletedProcess(command, started.returncode, out, err)


def end_with_workers(started):
    """Kill torchrun and what it started: each worker leads a group of its own, which outlives torchrun."""
    workers = Path(f"/proc/{started.pid}/task/{started.pid}/children").read_text(encoding="ascii").split()
    started.kill()
    for worker in workers:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(int(worker), signal.SIGKILL)


@pytest.fixture(scope="module")
def data(small_documents, small_tokenizer, tmp_path_factory):
    from textpipe.data.packing import pack

    return pack(small_documents, small_tokenizer, tmp_path_factory.mktemp("packed") / "shards")


@pytest.fixture(scope="module")
def marked(small_documents, small_tokenizer_json, tmp_path_factory):
    """Data of a vocabulary with the marks of BERT."""
    from textpipe.data.packing import PackConfig, pack
    from textpipe.tokenizer import Tokenizer

    tokenizer = Tokenizer.from_str(small_tokenizer_json)
    tokenizer.add_special_tokens(["[CLS]", "[SEP]", "[MASK]"])
    return pack(small_documents, tokenizer, tmp_path_factory.mktemp("marked") / "shards", PackConfig(eos="[SEP]"))


@pytest.fixture(scope="module")
def labelled(small_documents, small_tokenizer_json, tmp_path_factory):
    """Texts told by their length."""
    from textpipe.tokenizer import Tokenizer

    here = tmp_path_factory.mktemp("labelled")
    tokenizer = Tokenizer.from_str(small_tokenizer_json)
    tokenizer.add_special_tokens(["[CLS]", "[SEP]", "[MASK]"])
    tokenizer.save(str(here / "tokenizer.json"))
    texts = [" ".join(document.text.split()) for document in small_documents]
    lines = [f"{text}\t{'긴' if len(text) > 40 else '짧은'} 글" for text in texts if text]
    for name, part in (("train", lines[:60]), ("dev", lines[60:80])):
        (here / f"{name}.tsv").write_text("\n".join(["text\tlabel", *part]) + "\n", encoding="utf-8")
    return data_of({"architecture": "classifier", "data": here / "train.tsv"})


@pytest.fixture(scope="module")
def pairs(small_documents, small_tokenizer, tmp_path_factory):
    texts = [document.text for document in small_documents]
    rows = list(zip(texts[::2], texts[1::2], strict=True))
    out = tmp_path_factory.mktemp("pairs") / "pairs"
    return pack_pairs(rows[:140], rows[140:], small_tokenizer, out)


@pytest.fixture(scope="module")
def languages(tmp_path_factory):
    return two_languages.corpora(two_languages.tokenizer(), tmp_path_factory.mktemp("languages"))


def job(architecture, data, out, *, stop_at=None, model=None, **train):
    sizes = {"vocab_size": data.vocab_size}
    folder = data.path.parent if architecture == "bilingual" else data.path  # one of each language
    return {
        "architecture": architecture, "data": str(folder), "out": str(out), "stop_at": stop_at,
        "model": {**sizes, **(model or GPT)}, "train": {**TRAIN, **train},
    }  # fmt: skip


def alone(work):
    model = ARCHITECTURES[work["architecture"]](**work["model"])
    trainer = Trainer(model, data_of(work), TrainConfig(**work["train"]), out=work["out"], progress=stop_at(work))
    with contextlib.suppress(KeyboardInterrupt):
        trainer.run()


def rows(out, *keys):
    lines = (Path(out) / "log.jsonl").read_text(encoding="utf-8").splitlines()
    return [[row.get(key) for key in ("step", *keys)] for row in map(json.loads, lines)]


def flat(rows):
    return [value for row in rows for value in row if value is not None]


SMALL_BERT = {"context": 16, "layers": 1, "heads": 2, "width": 16}
SMALL_PAIRS = {"context": 64, "encoder_layers": 1, "decoder_layers": 2, "heads": 2, "width": 16, "layout": "pre"}
BILINGUAL = {**SMALL_PAIRS, "languages": list(two_languages.LANGUAGES)}
CLASSIFIER = {**SMALL_BERT, "dropout": 0.0, "labels": ["긴 글", "짧은 글"]}  # what is dropped depends on the rank
IN_BFLOAT16 = "fsdp in bfloat16"
RECURRENT = {"context": 64, "embedding": 8, "width": 16, "encoder_width": 8}
# name: architecture, shape, settings of one process and of two, settings of two alone
SAME = {
    "ddp": ("gpt", GPT, {}, {}),
    "fsdp": ("gpt", GPT, {}, {"sharding": "fsdp"}),
    "tensor": ("gpt", GPT, {}, {"tensor_parallel": 2}),
    "untied ddp in micro-batches": ("gpt", {**GPT, "tied": False}, {"micro_batch_size": 3}, {}),
    "fsdp in micro-batches, recomputed": (
        "gpt", GPT, {}, {"sharding": "fsdp", "micro_batch_size": 1, "checkpoint_activations": True},
    ),
    IN_BFLOAT16: ("gpt", GPT, {"dtype": "bfloat16"}, {"sharding": "fsdp"}),
    "a running mean, sharded": ("gpt", GPT, {"average_decay": 0.9}, {"sharding": "fsdp"}),
    "llama with shared keys, cut": (
        "gpt", {**GPT, "layout": "llama", "heads": 4, "kv_heads": 2}, {"document_mask": True}, {"tensor_parallel": 2},
    ),
    "pipeline": ("gpt", {**GPT, "tied": False}, {}, {"pipeline_parallel": 2, "micro_batch_size": 2}),
    "pipeline of llama": (
        "gpt", {**GPT, "tied": False, "layout": "llama"}, {"average_decay": 0.9}, {"pipeline_parallel": 2},
    ),
    "bert ddp": ("bert", {**SMALL_BERT, "next_sentence": True}, {}, {}),
    "bert fsdp": ("bert", SMALL_BERT, {"document_mask": True}, {"sharding": "fsdp"}),
    "classifier ddp": ("classifier", CLASSIFIER, {}, {}),
    "classifier fsdp": ("classifier", CLASSIFIER, {}, {"sharding": "fsdp"}),
    "transformer ddp": ("transformer", SMALL_PAIRS, {"batch_tokens": 300}, {}),
    "transformer fsdp": ("transformer", SMALL_PAIRS, {"batch_tokens": 300}, {"sharding": "fsdp"}),
    "transformer cut": ("transformer", SMALL_PAIRS, {"batch_tokens": 300}, {"tensor_parallel": 2}),
    "a pair a step": ("transformer", SMALL_PAIRS, {"batch_tokens": 64}, {"sharding": "fsdp"}),
    "recurrent ddp": ("seq2seq", RECURRENT, {"batch_tokens": 300}, {}),
    "two languages ddp": ("bilingual", BILINGUAL, {"batch_tokens": 90, "back_translation_after": 2}, {}),
    "two languages in micro-batches": (
        "bilingual", BILINGUAL, {"batch_tokens": 90, "back_translation_after": 2, "micro_batch_size": 5}, {},
    ),
}  # fmt: skip
RESUMED = ("ddp", "fsdp", "tensor", "pipeline")


@pytest.fixture(scope="module")
def kinds(data, marked, labelled, pairs, languages):
    """What each architecture learns from."""
    others = {"classifier": labelled, "transformer": pairs, "seq2seq": pairs, "bilingual": languages}
    return {"gpt": data, "bert": marked, **others}


@pytest.fixture(scope="module")
def folders(kinds, data, tmp_path_factory):
    """Every training of this file: by one process, by two in one start of torchrun, and begun by the other number."""
    here = tmp_path_factory.mktemp("runs")
    jobs = []
    for name, (architecture, model, both, two) in SAME.items():
        packed = kinds[architecture]
        settings = dict(both)
        if architecture != "gpt":
            settings |= {"sample_every": 1000}
        if architecture in ("transformer", "seq2seq", "bilingual"):
            settings |= {"batch_size": TrainConfig().batch_size}
        alone(job(architecture, packed, here / "one" / name, model=model, **settings))
        jobs.append(job(architecture, packed, here / "two" / name, model=model, **settings, **two))
    for name in RESUMED:
        _, model, _, keys = SAME[name]
        same = {"micro_batch_size": keys.get("micro_batch_size")}
        alone(job("gpt", data, here / "begun by one" / name, model=model, stop_at=3, **same))
        jobs.append(job("gpt", data, here / "begun by one" / name, model=model, **keys))
        jobs.append(job("gpt", data, here / "begun by two" / name, model=model, stop_at=3, **keys))
    (here / "jobs.json").write_text(json.dumps(jobs), encoding="utf-8")
    done = torchrun(Path(__file__).with_name("distributed_worker.py"), here / "jobs.json")
    assert done.returncode == 0, done.stderr[-3000:]
    for name in RESUMED:
        _, model, _, keys = SAME[name]
        same = {"micro_batch_size": keys.get("micro_batch_size")}
        alone(job("gpt", data, here / "begun by two" / name, model=model, **same))
    return here


def assert_alike(out, other, closeness=2e-5):
    keys = ("loss", "grad_norm", "val_loss")
    assert rows(out) == rows(other)
    assert flat(rows(out, *keys)) == pytest.approx(flat(rows(other, *keys)), rel=closeness, abs=1e-6)


@pytest.mark.parametrize("name", SAME)
def test_two_processes_train_as_one(name, folders):
    closeness = 5e-3 if name == IN_BFLOAT16 else 2e-5  # three digits, and sums in another order
    assert_alike(folders / "two" / name, folders / "one" / name, closeness)


@pytest.mark.parametrize("name", RESUMED)
@pytest.mark.parametrize("begun", ["begun by one", "begun by two"])
def test_a_run_goes_on_with_another_number_of_processes(name, begun, folders):
    assert_alike(folders / begun / name, folders / "one" / name)


@pytest.mark.parametrize("name", [name for name in SAME if name != IN_BFLOAT16])
def test_checkpoints_of_two_processes_hold_what_those_of_one_do(name, folders):
    ours, theirs = (Checkpoint.open(find_checkpoint(folders / number / name)) for number in ("two", "one"))
    assert ours.step == theirs.step == STEPS
    names = {path.name for path in theirs.path.iterdir()}
    assert {path.name for path in ours.path.iterdir()} == names
    for file in names - {"state.json", "manifest.json", "tokenizer.json", "source-tokenizer.json"}:
        mine, other = ours.tensors(file), theirs.tensors(file)
        assert mine.keys() == other.keys()
        for key, tensor in mine.items():
            if "key.bias" in key:  # adds the same to all scores of a position: its gradient is rounding alone
                continue
            apart = torch.linalg.vector_norm(tensor.reshape(other[key].shape).float() - other[key].float())
            assert apart <= 1e-3 * torch.linalg.vector_norm(other[key].float()) + 1e-6, key


def test_a_sharded_run_is_loaded_to_write_with(folders):
    model, _, facts = load_model(folders / "two" / "fsdp")
    assert facts["step"] == STEPS
    assert model.logits(model(torch.zeros(1, 4, dtype=torch.int64))).isfinite().all()


def test_samples_are_written_with_all_of_a_cut_model(folders):
    for name in ("fsdp", "tensor"):
        assert flat(rows(folders / "two" / name, "samples")) == flat(rows(folders / "one" / "ddp", "samples"))
