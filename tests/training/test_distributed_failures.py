"""A run of several processes that cannot go on: one message, an exit code, in seconds, and nothing lost."""

from __future__ import annotations

import json

import pytest
from test_distributed import STEPS, job, torchrun

from textpipe.errors import ConfigError
from textpipe.nn.shapes import BilingualConfig, GptConfig, Seq2SeqConfig
from textpipe.training.checkpoints import Checkpoint, find_checkpoint
from textpipe.training.distributed import Ranks
from textpipe.training.distributed.parallel import Parallel
from textpipe.training.loop import Trainer
from textpipe.training.run_config import TrainConfig


@pytest.fixture(scope="module")
def data(small_documents, small_tokenizer, tmp_path_factory):
    from textpipe.data.packing import pack

    return pack(small_documents, small_tokenizer, tmp_path_factory.mktemp("packed") / "shards")


def words(data, out, *more):
    return [
        "-m", "textpipe", "train", "gpt", data.path, "--out", out, "--steps", "4", "--warmup-steps", "1", "--context",
        "16", "--layers", "1", "--width", "32", "--heads", "2", "--batch-size", "4", "--checkpoint-every", "2",
        "--validate-every", "4", "--sample-tokens", "0", "--quiet", *more,
    ]  # fmt: skip


def said(done):
    """The lines of textpipe itself, without torchrun's report."""
    return [line for line in done.stderr.splitlines() if line.startswith("textpipe: ")]


def test_torchrun_and_the_verb_are_all_there_is_to_type(data, tmp_path):
    done = torchrun(*words(data, tmp_path / "run", "--sharding", "fsdp"))
    assert done.returncode == 0, done.stderr[-2000:]
    assert [line.split("\t")[0] for line in done.stdout.splitlines()] == ["checkpoint", "loss", "bits per byte"]
    steps = [json.loads(line)["step"] for line in (tmp_path / "run" / "log.jsonl").read_text().splitlines()]
    assert steps == sorted(set(steps))
    assert Checkpoint.open(find_checkpoint(tmp_path / "run")).step == 4


def test_what_does_not_divide_is_said_once(data, tmp_path):
    done = torchrun(*words(data, tmp_path / "run", "--batch-size", "5"))
    assert done.returncode != 0
    assert len(said(done)) == 1, done.stderr[-3000:]
    assert "--batch-size: 5 sequences a step cannot be shared evenly by 2 ranks" in said(done)[0]
    assert not (tmp_path / "run").exists()


DYING = """
import os, signal, sys
sys.path.insert(0, {tests!r})
from textpipe.training.step import Stepper
whole = Stepper.__call__
def step(self, number):
    if number == 3 and os.environ["RANK"] == "1":
        {how}
    return whole(self, number)
Stepper.__call__ = step
import distributed_worker
distributed_worker.main({jobs!r})
"""


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ("os.kill(os.getpid(), signal.SIGKILL)", "rank 0 lost another rank, which ended without a message"),
        ("raise ValueError('a fault of rank one')", "a fault of rank one"),
    ],
    ids=["killed", "raising"],
)
def test_a_rank_that_dies_ends_the_run_and_its_last_checkpoint_is_good(how, message, data, tmp_path):
    from pathlib import Path

    work = job("gpt", data, tmp_path / "run", checkpoint_every=2, sharding="fsdp")
    (tmp_path / "jobs.json").write_text(json.dumps([work]), encoding="utf-8")
    script = tmp_path / "dying.py"
    tests = str(Path(__file__).parent)
    script.write_text(DYING.format(tests=tests, how=how, jobs=str(tmp_path / "jobs.json")), encoding="utf-8")
    done = torchrun(script)  # would be stopped after minutes if it hung
    assert done.returncode != 0
    assert message in done.stderr
    assert Checkpoint.open(find_checkpoint(tmp_path / "run")).step == 2
    work["train"].pop("sharding")
    config, model = TrainConfig(**work["train"]), GptConfig(**work["model"])
    assert Trainer(model, data, config, out=tmp_path / "run").run().steps == STEPS


DISAGREEING = """
import os
from textpipe.training.distributed import joined
with joined() as ranks:
    ranks.check_same(["step-8", "step-4"][ranks.rank], what="the checkpoint", hint="share the folder")
"""


def test_ranks_that_see_different_checkpoints_say_who_sees_what(tmp_path):
    (tmp_path / "script.py").write_text(DISAGREEING, encoding="utf-8")
    done = torchrun(tmp_path / "script.py")
    assert done.returncode != 0
    assert "the ranks do not agree about the checkpoint: rank 1 has step-4, rank 0 step-8" in done.stderr


TWO = Ranks(0, 2, 0)


@pytest.mark.parametrize(
    ("ranks", "settings", "message"),
    [
        (Ranks(), {"tensor_parallel": 2}, r"1 process cannot be split into groups of 2 .*torchrun --nproc-per-node 2"),
        (Ranks(0, 3, 0), {"tensor_parallel": 2}, r"tensor_parallel: 3 processes .*allowed: 1, 3"),
        (Ranks(0, 4, 0), {"tensor_parallel": 2}, r"sharding: copies of a model whose layers are cut.*fsdp"),
        (TWO, {"sharding": "fsdp", "optimizer": "muon"}, r"optimizer: muon needs whole tensors.*adamw"),
        (TWO, {"tensor_parallel": 2, "dtype": "float16"}, r"dtype: float16 needs whole tensors"),
        (Ranks(), {"pipeline_parallel": 2}, r"1 process cannot be the 2 stages .*torchrun --nproc-per-node 2"),
        (TWO, {"pipeline_parallel": 2, "sharding": "fsdp"}, r"sharding: fsdp is not joined with a pipeline"),
    ],
)
def test_settings_that_do_not_go_together_are_refused_naming_what_would(ranks, settings, message):
    with pytest.raises(ConfigError, match=message):
        Parallel(TrainConfig(**settings), ranks)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"sharding": "fsdp"}, r"sharding: a model of two languages is not cut .*ddp"),
        ({"tensor_parallel": 2}, "tensor_parallel: a model of two languages"),
    ],
)
def test_a_model_of_two_languages_is_copied_and_never_cut(settings, message):
    shape = BilingualConfig(vocab_size=9, width=8, heads=2, languages=("ko", "en"))
    Parallel(TrainConfig(), TWO).check_model(shape)
    with pytest.raises(ConfigError, match=message):
        Parallel(TrainConfig(**settings), TWO).check_model(shape)


@pytest.mark.parametrize("settings", [{"sharding": "fsdp"}, {"tensor_parallel": 2}, {"pipeline_parallel": 2}])
def test_a_recurrent_model_is_copied_and_never_cut(settings):
    shape = Seq2SeqConfig(vocab_size=9)
    Parallel(TrainConfig(), TWO).check_model(shape)
    with pytest.raises(ConfigError, match=rf"{next(iter(settings))}: a recurrent model is not cut"):
        Parallel(TrainConfig(**settings), TWO).check_model(shape)


def test_a_division_that_is_refused_leaves_no_folder(data, tmp_path):
    shape = GptConfig(vocab_size=data.vocab_size, width=24, heads=3, layers=1)
    with pytest.raises(ConfigError, match="3 heads cannot be shared evenly"):
        Trainer(shape, data, TrainConfig(tensor_parallel=2), out=tmp_path / "run", ranks=TWO)
    assert not (tmp_path / "run").exists()


def test_layers_that_cannot_be_cut_evenly_are_named():
    from textpipe.training.distributed.tensor_plans import refuse_uneven_cut

    shape = GptConfig(vocab_size=9, width=24, heads=3, layers=1)
    with pytest.raises(ConfigError, match=r"tensor_parallel: 3 heads cannot be shared evenly by 2 ranks .*1, 3"):
        refuse_uneven_cut(shape, 2)
    shape = GptConfig(vocab_size=9, width=24, heads=4, kv_heads=1, layers=1, layout="llama")
    with pytest.raises(ConfigError, match="1 head of keys and values"):
        refuse_uneven_cut(shape, 2)


@pytest.mark.parametrize(
    ("changes", "settings", "message"),
    [
        ({"layers": 3}, {}, r"pipeline_parallel: 3 blocks cannot be shared evenly by 2 stages .*1, 3"),
        ({"tied": True}, {}, r"tied: .*--no-tied"),
        ({}, {"document_mask": True}, r"document_mask: stages do not pass document masks on"),
        (
            {},
            {"batch_size": 8, "micro_batch_size": 3},
            r"micro_batch_size: 8 sequences are not whole micro-batches of 3",
        ),
    ],
)
def test_models_that_cannot_be_cut_into_stages_are_refused_naming_the_setting(changes, settings, message):
    from textpipe.training.distributed.pipeline import refuse_what_cannot_be_cut

    shape = GptConfig(vocab_size=9, width=8, heads=2, layers=2, tied=False).replaced(**changes)
    with pytest.raises(ConfigError, match=message):
        refuse_what_cannot_be_cut(shape, TrainConfig(pipeline_parallel=2, **settings))


@pytest.mark.parametrize("variables", [{"RANK": "x", "WORLD_SIZE": "2"}, {"RANK": "2", "WORLD_SIZE": "2"}])
def test_an_environment_that_cannot_be_is_refused(variables, monkeypatch):
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(ConfigError, match="torchrun"):
        Ranks.from_environment()


def test_without_torchrun_a_process_is_alone(monkeypatch):
    for name in ("RANK", "WORLD_SIZE", "LOCAL_RANK"):
        monkeypatch.delenv(name, raising=False)
    assert Ranks.from_environment() == Ranks()
