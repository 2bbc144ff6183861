"""What a run leaves for people and other tools: a card, curves, samples, event files; and how others go on from it."""

from __future__ import annotations

import copy
import json
import os
import shutil
import signal

import pytest
import torch

from textpipe.errors import ConfigError, InputError, MissingExtraError, StateError
from textpipe.files import write_json
from textpipe.interchange.importing import ModelFolder
from textpipe.nn.architectures import new_model
from textpipe.nn.blocks import set_checkpointing
from textpipe.nn.gpt import GptConfig
from textpipe.training import Start, Trainer, load_model
from textpipe.training.checkpoints import Checkpoint
from textpipe.training.exporting import export_run
from textpipe.training.run_config import RunConfig, TrainConfig
from textpipe.training.step import Stepper

CONFIG = TrainConfig(
    steps=6,
    batch_size=4,
    learning_rate=1e-2,
    warmup_steps=1,
    log_every=1,
    validate_every=3,
    checkpoint_every=2,
    keep_checkpoints=3,
    sample_every=3,
    sample_tokens=4,
    sample_prompts=("바다|``", "The"),
    device="cpu",
)


def shape(data, **changes):
    return GptConfig(vocab_size=data.vocab_size, context=16, layers=1, heads=2, width=16).replaced(**changes)


@pytest.fixture(scope="module")
def whole(small_packed, tmp_path_factory):
    out = tmp_path_factory.mktemp("folder") / "run"
    return Trainer(shape(small_packed), small_packed, CONFIG, out=out).run()


def rows(out):
    return [json.loads(line) for line in (out / "log.jsonl").read_text(encoding="utf-8").splitlines()]


def test_the_card_says_what_the_model_is_and_shows_its_newest_samples(whole):
    card = (whole.out / "README.md").read_text(encoding="utf-8")
    assert card.startswith("# run\n")
    assert "6 of 6 steps" in card
    assert f"{whole.val_loss:.4f}" in card
    for sample in rows(whole.out)[-1]["samples"]:
        assert sample["prompt"] + sample["text"] in card


def test_every_line_of_the_log_is_heard(small_packed, tmp_path):
    heard = []
    Trainer(shape(small_packed), small_packed, CONFIG, out=tmp_path, listeners=[heard.append]).run()
    assert heard == rows(tmp_path)


def test_five_lines_train_into_the_folder_run(small_packed, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = Trainer(shape(small_packed), small_packed, CONFIG).run()
    assert result.out.name == "run"
    assert load_model("run")[2]["step"] == 6


def stopping_at(step):
    def progress(phase, done, total, **facts):
        if done == step:
            os.kill(os.getpid(), signal.SIGINT)

    return progress


def scalars(folder):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    found = EventAccumulator(str(folder / "tensorboard"))
    found.Reload()
    return {tag: [(event.step, event.value) for event in found.Scalars(tag)] for tag in found.Tags()["scalars"]}


def test_event_files_hold_the_curves_of_the_log_also_after_a_resume(small_packed, tmp_path):
    pytest.importorskip("tensorboard", reason="needs the extra: pip install 'textpipe[tensorboard]'")
    config = CONFIG.replaced(tensorboard=True)
    with pytest.raises(KeyboardInterrupt):
        Trainer(shape(small_packed), small_packed, config, out=tmp_path, progress=stopping_at(3)).run()
    Trainer(shape(small_packed), small_packed, config, out=tmp_path).run()
    found = scalars(tmp_path)
    for tag, name in (("training/loss", "loss"), ("training/lr", "lr"), ("validation/val_loss", "val_loss")):
        expected = [(row["step"], row[name]) for row in rows(tmp_path) if name in row]
        assert [step for step, _ in found[tag]] == [step for step, _ in expected]
        assert [value for _, value in found[tag]] == pytest.approx([value for _, value in expected], rel=1e-5)


def test_without_tensorboard_the_line_that_installs_it_is_said(small_packed, tmp_path, monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "tensorboard", None)
    with pytest.raises(MissingExtraError, match=r'pip install "textpipe\[tensorboard\]"'):
        Trainer(shape(small_packed), small_packed, CONFIG.replaced(tensorboard=True), out=tmp_path).run()


@pytest.mark.parametrize("kind", ["run", "checkpoint", "export"])
def test_a_run_begins_with_the_weights_it_is_given(kind, whole, small_packed, tmp_path):
    places = {"run": whole.out, "checkpoint": whole.checkpoint, "export": tmp_path / "export"}
    if kind == "export":
        export_run(whole.out, places[kind])
    start = Start.open(places[kind])
    model = shape(small_packed, dropout=0.1, feed_forward=64 if kind == "export" else None)  # dropout may differ
    config = CONFIG.replaced(steps=2, warmup_steps=0)
    result = Trainer(model, small_packed, config, out=tmp_path / "new", start=start).run()
    first = rows(result.out)[0]["val_loss"]
    assert first == pytest.approx(whole.val_loss, abs=1e-6)
    assert f"{start.path.resolve()}" in (result.out / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("again", ["the weights", "what the run noted of them"])
def test_a_run_from_other_weights_is_resumed_to_the_bit(again, whole, small_packed, tmp_path):
    start = Start.open(whole.out)
    for folder, progress in (("a", None), ("b", stopping_at(2))):
        trainer = Trainer(
            shape(small_packed), small_packed, CONFIG, out=tmp_path / folder, start=start, progress=progress
        )
        if progress is None:
            trainer.run()
        else:
            with pytest.raises(KeyboardInterrupt):
                trainer.run()
    noted = start if again == "the weights" else trainer.run_config.start
    Trainer(shape(small_packed), small_packed, CONFIG, out=tmp_path / "b", start=noted).run()
    weights = [load_model(tmp_path / folder)[0].state_dict() for folder in "ab"]
    assert all(torch.equal(weights[0][name], weights[1][name]) for name in weights[0])
    with pytest.raises(StateError, match=r"start\.sha256"):
        Trainer(shape(small_packed), small_packed, CONFIG, out=tmp_path / "b").run()


def test_what_was_noted_of_other_weights_begins_no_run(whole, small_packed, tmp_path):
    config = shape(small_packed)
    noted = Start.open(whole.out).identity(config)
    with pytest.raises(StateError, match="no checkpoint to go on from"):
        Trainer(config, small_packed, CONFIG, out=tmp_path / "new", start=noted).run()
    assert [path.name for path in (tmp_path / "new").iterdir()] == [".lock"]


def test_weights_of_another_shape_are_refused_before_anything_is_written(whole, small_packed, tmp_path):
    trainer = Trainer(
        shape(small_packed, layers=2), small_packed, CONFIG, out=tmp_path / "new", start=Start.open(whole.out)
    )
    with pytest.raises(ConfigError, match="another shape: layers = 1 there and 2 now"):
        trainer.run()
    assert not (tmp_path / "new" / "config.toml").exists()


def test_an_export_carries_the_card_and_is_the_newest_or_best_checkpoint(whole, tmp_path):
    facts = export_run(whole.out, tmp_path / "export")
    assert facts["weights"] == whole.checkpoint.name
    card = (tmp_path / "export" / "README.md").read_text(encoding="utf-8")
    assert "AutoModelForCausalLM" in card
    assert f"{whole.val_loss:.4f}" in card
    model, _, _ = load_model(whole.out)
    weights = ModelFolder.open(tmp_path / "export").weights()
    assert all(torch.equal(weights[name], weight) for name, weight in model.named_parameters())


def test_another_tokenizer_beside_an_export_is_refused(whole, small_packed, tmp_path):
    export_run(whole.out, tmp_path / "export")
    tokenizer = json.loads((tmp_path / "export" / "tokenizer.json").read_bytes())
    vocab = tokenizer["model"]["vocab"]
    one, two = sorted(vocab, key=vocab.get)[300:302]
    vocab[one], vocab[two] = vocab[two], vocab[one]
    write_json(tmp_path / "export" / "tokenizer.json", tokenizer)
    model = shape(small_packed, feed_forward=64)
    with pytest.raises(StateError, match=r"the tokenizer of the data is not that of these weights.*pack the data with"):
        Trainer(model, small_packed, CONFIG, out=tmp_path / "new", start=Start.open(tmp_path / "export")).run()


def test_weights_of_a_vocabulary_of_another_size_are_refused_with_the_cure(whole, small_packed, tmp_path):
    start = Start.open(whole.out)
    with pytest.raises(StateError, match=r"of a vocabulary of 400 entries and the data of one of 401.*--tokenizer"):
        start.check_size(401)
    small = copy.copy(small_packed)
    small.vocab_size = 300
    with pytest.raises(StateError, match="of a vocabulary of 400 entries and the data of one of 300"):
        Trainer(shape(small_packed), small, CONFIG, out=tmp_path / "new", start=start)
    assert not (tmp_path / "new").exists()


@pytest.mark.skipif(shutil.which("g++") is None, reason="torch.compile needs a C++ compiler")
def test_a_compiled_model_learns_the_same_and_saves_its_own_names(small_packed, tmp_path):
    config = CONFIG.replaced(steps=3, validate_every=3, sample_tokens=0, threads=1)
    logs, names = [], []
    for is_compiled in (False, True):
        out = tmp_path / str(is_compiled)
        result = Trainer(shape(small_packed), small_packed, config.replaced(compile=is_compiled), out=out).run()
        logs.append([row["loss"] for row in rows(out)[1:]])
        names.append(set(Checkpoint.open(result.checkpoint).tensors("model.safetensors")))
    assert logs[1] == pytest.approx(logs[0], abs=1e-5)
    assert names[0] == names[1]


def test_without_a_compiler_the_setting_to_leave_out_is_named(small_packed, tmp_path, monkeypatch):
    from torch._inductor import exc

    def refuses(*_):
        raise exc.InductorError("InvalidCxxCompiler: No working C++ compiler found", None)

    trainer = Trainer(shape(small_packed), small_packed, CONFIG.replaced(compile=True), out=tmp_path)
    monkeypatch.setattr(Stepper, "_accumulate", refuses)
    with pytest.raises(ConfigError, match=r"compile: torch\.compile cannot make kernels here.*without --compile"):
        trainer.run()


@pytest.mark.parametrize("name", ["tokenizer.json", "manifest.json", "log.jsonl"])
def test_a_folder_that_holds_something_else_is_left_as_it_is(name, small_packed, tmp_path):
    (tmp_path / name).write_text("mine", encoding="utf-8")
    with pytest.raises(StateError, match=f"this folder holds something else: {name}"):
        Trainer(shape(small_packed), small_packed, CONFIG, out=tmp_path).run()
    assert (tmp_path / name).read_text(encoding="utf-8") == "mine"
    assert {path.name for path in tmp_path.iterdir()} <= {name, ".lock"}


def kept_bytes(model, is_on):
    """What a forward pass keeps for backward, weights left out."""
    set_checkpointing(model, is_on)
    weights = {weight.data_ptr() for weight in model.parameters()}
    kept = {}

    def pack(tensor):
        if tensor.data_ptr() not in weights:
            kept[tensor.data_ptr()] = tensor.nbytes
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        states = model(torch.zeros(4, 16, dtype=torch.long))
    assert states.requires_grad
    return sum(kept.values())


def test_activation_checkpointing_keeps_a_fraction_of_the_activations():
    model = new_model(GptConfig(vocab_size=50, context=16, layers=8, heads=2, width=32))
    assert kept_bytes(model, True) < 0.35 * kept_bytes(model, False)


def test_a_folder_without_eos_is_refused_for_writing_and_not_for_training(whole, small_packed, tmp_path):
    export_run(whole.out, tmp_path / "export")
    for name in ("config.json", "generation_config.json"):
        values = json.loads((tmp_path / "export" / name).read_bytes())
        write_json(tmp_path / "export" / name, {key: value for key, value in values.items() if key != "eos_token_id"})
    with pytest.raises(InputError, match=r"config\.json names no eos_token_id"):
        load_model(tmp_path / "export")
    start = Start.open(tmp_path / "export")
    Trainer(start.shape, small_packed, CONFIG.replaced(steps=1, warmup_steps=0), out=tmp_path / "x", start=start).run()


def test_a_run_of_layout_pre_from_before_there_were_kinds_of_positions_keeps_those_it_was_trained_with():
    shape = {"vocab_size": 9, "width": 8, "heads": 2, "layout": "pre"}
    data = {"path": "pairs", "fingerprint": "", "tokenizer_sha256": "", "eos_id": 0}
    run = {"architecture": "transformer", "train": {}, "data": data}
    assert RunConfig(**run, model=shape).model.positions == "fairseq"
    assert RunConfig(**run, model={**shape, "positions": "vaswani"}).model.positions == "vaswani"
    assert RunConfig(**run, model={**shape, "layout": "post"}).model.positions == "vaswani"
