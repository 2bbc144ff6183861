"""A run: learns, resumes to the bit, cuts steps without changing them, stops cleanly, refuses what does not fit."""

from __future__ import annotations

import json
import math
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from textpipe.data.packing import pack
from textpipe.errors import ConfigError, FormatError, InputError, LimitError, StateError
from textpipe.nn.gpt import GptConfig
from textpipe.training.checkpoints import Checkpoint, find_checkpoint, list_checkpoints
from textpipe.training.loading import load_model
from textpipe.training.loop import Trainer
from textpipe.training.presets import PRESETS, preset
from textpipe.training.run_config import TrainConfig
from textpipe.training.step import Stepper

STEPS = 12
CONFIG = TrainConfig(
    steps=STEPS,
    batch_size=6,
    learning_rate=1e-2,
    warmup_steps=3,
    log_every=1,
    validate_every=5,
    checkpoint_every=4,
    sample_every=6,
    sample_tokens=5,
    sample_prompts=("바다", "The"),
    device="cpu",
    dtype="float32",
    seed=3,
)


def shape(data, **changes):
    return GptConfig(vocab_size=data.vocab_size, context=16, layers=2, heads=2, width=32, dropout=0.1).replaced(
        **changes
    )


def rows(out):
    """The log without what the clock decides."""
    lines = (out / "log.jsonl").read_text(encoding="utf-8").splitlines()
    return [{k: v for k, v in json.loads(line).items() if k != "tokens_per_s"} for line in lines]


def weights(out):
    path = find_checkpoint(out)
    return (path / "model.safetensors").read_bytes(), (path / "optimizer.safetensors").read_bytes()


class StopAfter:
    """Progress that asks the run to stop as Ctrl-C would, at one step."""

    def __init__(self, step, number=signal.SIGINT):
        self.step, self.number = step, number

    def __call__(self, phase, done, total, **facts):
        if done == self.step:
            os.kill(os.getpid(), self.number)


@pytest.fixture(scope="module")
def whole(small_packed, tmp_path_factory):
    """The run that never stopped."""
    out = tmp_path_factory.mktemp("whole") / "run"
    return Trainer(shape(small_packed), small_packed, CONFIG, out=out).run()


def test_a_run_learns(whole):
    assert whole.val_loss < rows(whole.out)[0]["val_loss"]
    assert whole.steps == STEPS


def test_the_log_has_a_line_a_step_with_all_that_is_promised(whole):
    log = [json.loads(line) for line in (whole.out / "log.jsonl").read_text().splitlines()]
    assert [row["step"] for row in log] == list(range(STEPS + 1))
    assert {"val_loss", "val_bits_per_byte", "unigram_entropy", "num_parameters"} <= log[0].keys()
    for row in log[1:]:
        assert {"loss", "lr", "grad_norm", "tokens_per_s"} <= row.keys()
    assert [row["step"] for row in log if "val_loss" in row] == [0, 5, 10, 12]
    assert [row["step"] for row in log if "samples" in row] == [6, 12]
    assert [sample["prompt"] for sample in log[6]["samples"]] == ["바다", "The"]


def test_a_run_repeated_is_the_same_to_the_bit(whole, small_packed, tmp_path):
    Trainer(shape(small_packed), small_packed, CONFIG, out=tmp_path).run()
    assert rows(tmp_path) == rows(whole.out)
    assert weights(tmp_path) == weights(whole.out)


def stopped_at(cut, model, data, out, number=signal.SIGINT):
    """Run until step ``cut`` is done and saved: the signal comes while the step before it is reported."""
    with pytest.raises(KeyboardInterrupt, match=f"{number.name}: saved at step {cut} of {STEPS}"):
        Trainer(model, data, CONFIG, out=out, progress=StopAfter(cut - 1, number)).run()
    assert Checkpoint.open(find_checkpoint(out)).step == cut


@pytest.mark.parametrize("cuts", [(1,), (3,), (4,), (5,), (8,), (11,), (2, 3, 7, 9), tuple(range(1, 12))])
def test_stopped_and_resumed_is_never_stopped_to_the_bit(cuts, whole, small_packed, tmp_path):
    for cut in cuts:
        stopped_at(cut, shape(small_packed), small_packed, tmp_path)
    Trainer(shape(small_packed), small_packed, CONFIG, out=tmp_path).run()
    assert rows(tmp_path) == rows(whole.out)
    assert weights(tmp_path) == weights(whole.out)


def test_sigterm_saves_and_leaves_too(whole, small_packed, tmp_path):
    stopped_at(6, shape(small_packed), small_packed, tmp_path, signal.SIGTERM)


def test_a_run_stopped_between_validations_that_goes_no_further_knows_its_loss(small_packed, tmp_path):
    still = CONFIG.replaced(learning_rate=1e-30, validate_every=2)
    with pytest.raises(KeyboardInterrupt):
        Trainer(shape(small_packed), small_packed, still, out=tmp_path, progress=StopAfter(6, signal.SIGTERM)).run()
    result = Trainer(shape(small_packed), small_packed, still.replaced(patience=1), out=tmp_path).run()
    assert result.steps == 7
    assert math.isfinite(result.val_loss)


def test_the_handlers_of_signals_are_given_back(whole, small_packed, tmp_path):
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    stopped_at(2, shape(small_packed), small_packed, tmp_path)
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == before


def test_a_finished_run_repeated_trains_no_more(small_packed, tmp_path):
    first = Trainer(shape(small_packed), small_packed, CONFIG, out=tmp_path).run()
    before = rows(tmp_path), weights(tmp_path)
    again = Trainer(shape(small_packed), small_packed, CONFIG, out=tmp_path).run()
    assert (rows(tmp_path), weights(tmp_path)) == before
    assert (again.val_loss, again.checkpoint) == (first.val_loss, first.checkpoint)


KILLED = """
import os, sys, torch
torch.set_num_threads(1)
from textpipe.files import calls
from textpipe.data.packing import PackedData
from textpipe.nn.gpt import GptConfig
from textpipe.training.loop import Trainer
from textpipe.training.run_config import TrainConfig
data, out, call, model, config = sys.argv[1:]
class Killing(calls.System):
    left = int(call)
    def fsync(self, descriptor):
        # only what is saved after the first checkpoint counts
        if any(name.startswith("step-") for name in os.listdir(out + "/checkpoints")):
            Killing.left -= 1
            if Killing.left < 0:
                os.kill(os.getpid(), 9)
        super().fsync(descriptor)
os.makedirs(out + "/checkpoints", exist_ok=True)
calls.system = Killing()
Trainer(GptConfig.model_validate_json(model), PackedData(data), TrainConfig.model_validate_json(config), out=out).run()
"""


@pytest.mark.parametrize("call", [1, 6, 9, 13])
def test_killed_while_saving_and_resumed_is_never_stopped_to_the_bit(call, whole, small_packed, tmp_path):
    model = shape(small_packed)
    arguments = [str(small_packed.path), str(tmp_path), str(call), model.model_dump_json(), CONFIG.model_dump_json()]
    root = Path(__file__).parents[2]
    ended = subprocess.run([sys.executable, "-c", KILLED, *arguments], cwd=root, capture_output=True, check=False)
    assert ended.returncode == -signal.SIGKILL, ended.stderr.decode()
    Trainer(model, small_packed, CONFIG, out=tmp_path).run()
    assert rows(tmp_path) == rows(whole.out)
    assert weights(tmp_path) == weights(whole.out)
    assert not [path for path in tmp_path.rglob("*") if path.name.endswith(".tmp")]


def test_killed_after_any_step_and_resumed_is_never_stopped_to_the_bit(whole, small_packed, tmp_path):
    model = shape(small_packed)
    for step in range(1, STEPS):  # each time further than the checkpoint it goes on from, or not far enough for one
        child = os.fork()
        if child == 0:
            Trainer(model, small_packed, CONFIG, out=tmp_path, progress=StopAfter(step, signal.SIGKILL)).run()
            os._exit(0)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
    Trainer(model, small_packed, CONFIG, out=tmp_path).run()
    assert rows(tmp_path) == rows(whole.out)
    assert weights(tmp_path) == weights(whole.out)


@pytest.mark.parametrize("size", [1, 4, 6])
def test_micro_batches_of_any_size_are_one_batch(size, small_packed, tmp_path):
    model = shape(small_packed, dropout=0.0)
    config = CONFIG.replaced(steps=1, warmup_steps=0)
    one, cut = (
        Trainer(model, small_packed, config, out=tmp_path / "a"),
        Trainer(model, small_packed, config.replaced(micro_batch_size=size), out=tmp_path / "b"),
    )
    for trainer in (one, cut):
        trainer._open()
        batch = trainer.task.batch(0)
        trainer.loss = trainer.stepper._accumulate(batch, batch.num_targets)
    assert cut.loss == pytest.approx(one.loss, abs=1e-6)
    for mine, theirs in zip(cut.stepper.model.parameters(), one.stepper.model.parameters(), strict=True):
        torch.testing.assert_close(mine.grad, theirs.grad, rtol=0, atol=1e-6)


def test_a_loss_that_is_not_a_number_stops_naming_step_and_samples_and_saves_nothing(small_packed, tmp_path):
    config = CONFIG.replaced(learning_rate=1e30, gradient_clip=0.0, warmup_steps=0, schedule="constant")
    with pytest.raises(StateError, match=r"step \d+: the loss is .*samples \d+ … \d+"):
        Trainer(shape(small_packed), small_packed, config, out=tmp_path).run()
    for path in list_checkpoints(tmp_path / "checkpoints"):
        assert math.isfinite(Checkpoint.open(path).scores.get("val_loss") or 0.0)


def test_another_configuration_is_refused_naming_the_keys(whole, small_packed):
    with pytest.raises(StateError, match=r"train\.learning_rate = 0\.01 there and 0\.5 now") as caught:
        Trainer(shape(small_packed, layers=1), small_packed, CONFIG.replaced(learning_rate=0.5), out=whole.out).run()
    assert "model.layers = 2 there and 1 now" in str(caught.value)


def test_keys_that_say_nothing_about_the_weights_may_change(whole, small_packed, tmp_path):
    stopped_at(5, shape(small_packed), small_packed, tmp_path)
    eager = CONFIG.replaced(keep_checkpoints=1, checkpoint_every=3, validate_every=2, sample_tokens=0)
    Trainer(shape(small_packed), small_packed, eager, out=tmp_path).run()
    assert weights(tmp_path) == weights(whole.out)


def test_another_tokenizer_is_refused_with_both_digests(whole, small_documents, small_tokenizer_json, tmp_path):
    from textpipe.tokenizer import Tokenizer

    other = Tokenizer.from_str(small_tokenizer_json.replace("<|other|>", "<|another|>"))
    data = pack(small_documents, other, tmp_path / "shards")
    with pytest.raises(StateError) as caught:
        Trainer(shape(data), data, CONFIG, out=whole.out).run()
    with pytest.raises(StateError) as also:
        load_model(whole.out, tokenizer=other)
    ours = Checkpoint.open(whole.checkpoint).config.data.tokenizer_sha256
    for message in (str(caught.value), str(also.value)):
        assert other.sha256 in message
        assert ours in message


def test_a_vocabulary_of_another_size_is_refused(small_packed, tmp_path):
    with pytest.raises(ConfigError, match="vocab_size: the model has 7 and the data 400"):
        Trainer(shape(small_packed, vocab_size=7), small_packed, CONFIG, out=tmp_path)


def test_two_runs_in_one_folder_are_refused(small_packed, tmp_path):
    from textpipe.files import lock_directory

    with lock_directory(tmp_path), pytest.raises(StateError, match="another textpipe process is writing here"):
        Trainer(shape(small_packed), small_packed, CONFIG, out=tmp_path).run()


def test_cuda_asked_for_but_absent_is_refused(small_packed, tmp_path):
    if torch.cuda.is_available():
        pytest.skip("there is a GPU here")
    with pytest.raises(ConfigError, match=r"device: no cuda device here.*allowed: auto, cpu"):
        Trainer(shape(small_packed), small_packed, CONFIG.replaced(device="cuda"), out=tmp_path)


@pytest.mark.parametrize(
    ("size", "cure"),
    [
        (None, r"try micro_batch_size 3, which changes no result: about \d\.\d MB instead of \d\.\d MB"),
        (2, "try micro_batch_size 1, which changes no result: about"),
        (1, "try micro_batch_size 1 and checkpoint_activations: about"),
    ],
)
def test_out_of_memory_says_which_setting_to_lower_and_to_what(size, cure, small_packed, tmp_path, monkeypatch):
    def full(*_):
        raise torch.OutOfMemoryError("CUDA out of memory")

    trainer = Trainer(shape(small_packed), small_packed, CONFIG.replaced(micro_batch_size=size), out=tmp_path)
    monkeypatch.setattr(Stepper, "_accumulate", full)
    with pytest.raises(LimitError, match=f"out of memory with .* sequences at once.*{cure}"):
        trainer.run()


def test_the_newest_and_the_best_checkpoints_are_kept(small_packed, tmp_path, monkeypatch):
    scores = iter([9.0, 5.0, 1.0, 7.0, 8.0, 6.0, 5.5])
    monkeypatch.setattr(Trainer, "_validate", lambda self: {"val_loss": next(scores), "val_bits_per_byte": 1.0})
    config = CONFIG.replaced(validate_every=2, checkpoint_every=2, keep_checkpoints=2, sample_tokens=0)
    Trainer(shape(small_packed), small_packed, config, out=tmp_path).run()
    kept = [path.name for path in list_checkpoints(tmp_path / "checkpoints")]
    assert kept == ["step-00000004", "step-00000010", "step-00000012"]
    assert find_checkpoint(tmp_path, best=True).name == "step-00000004"
    assert find_checkpoint(tmp_path).name == "step-00000012"


def test_a_checkpoint_changed_in_one_byte_is_refused(small_packed, tmp_path):
    result = Trainer(shape(small_packed), small_packed, CONFIG, out=tmp_path).run()
    for name in ("model.safetensors", "optimizer.safetensors", "state.json", "tokenizer.json"):
        path = result.checkpoint / name
        good = path.read_bytes()
        changed = bytearray(good)
        changed[len(changed) // 2] ^= 1
        path.write_bytes(changed)
        with pytest.raises(FormatError, match=f"{name} is not the file that was written"):
            load_model(tmp_path)
        path.write_bytes(good[:-1])
        with pytest.raises(FormatError, match=f"{name} has"):
            load_model(tmp_path)
        path.write_bytes(good)
    load_model(tmp_path)


def test_half_made_folders_are_no_checkpoints(whole, tmp_path):
    (tmp_path / "checkpoints" / ".step-00000099.1-abcd.tmp").mkdir(parents=True)
    (tmp_path / "checkpoints" / "step-latest").mkdir()
    with pytest.raises(InputError, match="no checkpoint in this folder"):
        find_checkpoint(tmp_path)
    with pytest.raises(InputError, match="no such folder"):
        find_checkpoint(tmp_path / "absent")


def test_a_loaded_model_is_the_trained_one(whole, small_packed):
    from textpipe.evaluation.bits_per_byte import bits_per_byte

    model, tokenizer, facts = load_model(whole.out)
    assert facts["step"] == STEPS
    assert tokenizer.sha256 == small_packed.tokenizer_sha256
    assert bits_per_byte(model, small_packed.val, batch_size=6).loss == pytest.approx(whole.val_loss, abs=1e-6)


def test_dropout_does_not_depend_on_what_drew_random_numbers_before(whole, small_packed, tmp_path):
    state = torch.manual_seed(99).get_state()
    Trainer(shape(small_packed), small_packed, CONFIG.replaced(steps=STEPS), out=tmp_path).run()
    assert weights(tmp_path) == weights(whole.out)
    assert torch.equal(torch.get_rng_state(), state)


def test_document_masks_are_trained_and_validated_with(small_packed, tmp_path):
    config = CONFIG.replaced(document_mask=True, sample_tokens=0)
    result = Trainer(shape(small_packed), small_packed, config, out=tmp_path).run()
    assert result.val_loss < rows(tmp_path)[0]["val_loss"]


def test_bfloat16_products_are_close_to_float32(whole, small_packed, tmp_path):
    result = Trainer(shape(small_packed), small_packed, CONFIG.replaced(dtype="bfloat16"), out=tmp_path).run()
    assert result.val_loss == pytest.approx(whole.val_loss, rel=0.02)


@pytest.mark.parametrize(("architecture", "name"), [(kind, name) for kind in PRESETS for name in PRESETS[kind]])
def test_every_preset_is_valid(architecture, name):
    model, train = preset(name, vocab_size=8000, architecture=architecture)
    assert train.warmup_steps < train.steps
    assert model.vocab_size == 8000


def test_an_unknown_preset_names_the_nearest():
    with pytest.raises(ConfigError, match='did you mean "nano"'):
        preset("nanno", vocab_size=10)


def test_a_damaged_newest_checkpoint_is_named_with_the_cure_and_the_one_before_goes_on(whole, small_packed, tmp_path):
    trainer = Trainer(shape(small_packed), small_packed, CONFIG, out=tmp_path)
    trainer.run()
    newest = list_checkpoints(tmp_path / "checkpoints")[-1]
    (newest / "state.json").write_text("{}")
    again = Trainer(shape(small_packed), small_packed, CONFIG, out=tmp_path)
    with pytest.raises(StateError, match=f"remove .*{newest.name}"):
        again.run()
    shutil.rmtree(newest)
    again.run()
    assert weights(tmp_path) == weights(whole.out)
