"""Every architecture learns by the one loop and resumes to the bit; the loop's settings do what they say."""

from __future__ import annotations

import math

import pytest
import torch
from short_runs import SETTINGS, STEPS, check_resumes, files, rows

from textpipe.data.packing import PackConfig, pack
from textpipe.data.pairs import pack_pairs
from textpipe.errors import ConfigError, InputError, StateError
from textpipe.models import WordLevel
from textpipe.nn.architectures import new_model
from textpipe.nn.shapes import (
    BertConfig,
    BilingualConfig,
    ClassifierConfig,
    GptConfig,
    RegressorConfig,
    Seq2SeqConfig,
    SpanFinderConfig,
    TaggerConfig,
    TransformerConfig,
)
from textpipe.pre_tokenizers import WhitespaceSplit
from textpipe.tokenizer import Tokenizer
from textpipe.training.averaging import mean_weights
from textpipe.training.checkpoints import list_checkpoints
from textpipe.training.loading import load_model
from textpipe.training.loop import Trainer
from textpipe.training.optimizers import Optimizer
from textpipe.training.run_config import TrainConfig

SMALL = {"context": 24, "dropout": 0.1}


@pytest.fixture(scope="module")
def marked_tokenizer(small_documents):
    """Words as tokens, with BERT's marks."""
    words = sorted({word for document in small_documents for word in document.text.split()})
    marks = ["[UNK]", "<|endoftext|>", "[CLS]", "[SEP]", "[MASK]"]
    made = Tokenizer(WordLevel({word: n for n, word in enumerate([*marks, *words])}, unk_token="[UNK]"))
    made.pre_tokenizer = WhitespaceSplit()
    made.add_special_tokens(marks)
    return made


@pytest.fixture(scope="module")
def texts(small_documents, marked_tokenizer, tmp_path_factory):
    out = tmp_path_factory.mktemp("marked") / "shards"
    return pack(small_documents, marked_tokenizer, out, PackConfig(val_fraction=0.1))


@pytest.fixture(scope="module")
def pairs(small_tokenizer, tmp_path_factory):
    rows = [(" ".join("abcdefgh"[(n * k) % 8] for k in range(1, 2 + n % 5)), str(n % 9)) for n in range(200)]
    return pack_pairs(rows, rows[:30], small_tokenizer, tmp_path_factory.mktemp("pairs") / "shards")


def case(name, texts, pairs):
    if name in ("gpt", "llama"):
        shape = GptConfig(vocab_size=texts.vocab_size, layers=2, heads=2, width=16, **SMALL)
        return (shape.replaced(layout="llama") if name == "llama" else shape), texts, {"batch_size": 6}
    if name in ("bert", "bert-halves"):
        shape = BertConfig(vocab_size=texts.vocab_size, layers=2, heads=2, width=16, **SMALL)
        return shape.replaced(next_sentence=name != "bert"), texts, {"batch_size": 6}
    if name == "transformer":
        shape = TransformerConfig(
            vocab_size=pairs.vocab_size, encoder_layers=1, decoder_layers=2, heads=2, width=16, **SMALL
        )
        return shape, pairs, {"batch_tokens": 200}
    shape = Seq2SeqConfig(vocab_size=pairs.vocab_size, embedding=8, width=16, encoder_width=8, **SMALL)
    return shape, pairs, {"batch_tokens": 200}


NAMES = ["gpt", "llama", "bert", "bert-halves", "transformer", "seq2seq"]


@pytest.mark.parametrize("name", NAMES)
def test_every_architecture_learns_and_resumes_to_the_bit(name, texts, pairs, tmp_path):
    shape, data, extra = case(name, texts, pairs)
    result = check_resumes(shape, data, TrainConfig(**SETTINGS, **extra), tmp_path)
    log = rows(result.out)
    assert result.val_loss < log[0]["val_loss"]
    assert log[0]["num_parameters"] > 0
    assert math.isfinite(log[0]["unigram_entropy"])
    assert ("samples" in log[4]) == (not name.startswith("bert"))


@pytest.mark.parametrize("name", NAMES)
def test_a_loaded_model_is_the_trained_one(name, texts, pairs, tmp_path):
    shape, data, extra = case(name, texts, pairs)
    trainer = Trainer(shape, data, TrainConfig(**SETTINGS, **extra), out=tmp_path)
    result = trainer.run()
    model, tokenizer, facts = load_model(tmp_path)
    assert trainer.task.validate(model, torch.float32)["val_loss"] == pytest.approx(result.val_loss, abs=1e-6)
    assert tokenizer.sha256 == data.tokenizer_sha256
    assert facts["architecture"] == {"llama": "gpt", "bert-halves": "bert"}.get(name, name)


@pytest.mark.parametrize(
    "settings",
    [
        {"optimizer": "muon"},
        {"average_decay": 0.9},
        {"dtype": "bfloat16", "label_smoothing": 0.1},
        {"dtype": "float16"},
        {"checkpoint_activations": True, "micro_batch_size": 4},
        {"schedule": "wsd"},
        {"schedule": "inverse_sqrt"},
    ],
    ids="-".join,
)
def test_every_setting_resumes_to_the_bit(settings, texts, pairs, tmp_path):
    shape, data, extra = case("gpt", texts, pairs)
    check_resumes(shape, data, TrainConfig(**{**SETTINGS, **extra, **settings}), tmp_path)


@pytest.mark.parametrize("name", ["bert-halves", "transformer", "seq2seq"])
def test_micro_batches_of_unequal_sizes_are_one_batch(name, texts, pairs, tmp_path):
    shape, data, extra = case(name, texts, pairs)
    shape = shape.replaced(dropout=0.0)
    gradients = []
    for number, size in enumerate((None, 4)):
        config = TrainConfig(**{**SETTINGS, **extra}, micro_batch_size=size)
        trainer = Trainer(shape, data, config, out=tmp_path / str(number))
        trainer._open()
        batch = trainer.task.batch(0)
        trainer.stepper._accumulate(batch, batch.num_targets)
        gradients.append([weight.grad for weight in trainer.stepper.model.parameters()])
    for one, cut in zip(*gradients, strict=True):
        torch.testing.assert_close(cut, one, rtol=0, atol=1e-6)


def test_activations_computed_again_change_no_weight(texts, pairs, tmp_path):
    shape, data, extra = case("gpt", texts, pairs)
    config = TrainConfig(**SETTINGS, **extra)
    Trainer(shape, data, config, out=tmp_path / "kept").run()
    Trainer(shape, data, config.replaced(checkpoint_activations=True), out=tmp_path / "again").run()
    assert files(tmp_path / "kept")["model.safetensors"] == files(tmp_path / "again")["model.safetensors"]


def test_the_running_mean_is_validated_saved_and_loaded(texts, pairs, tmp_path):
    shape, data, extra = case("gpt", texts, pairs)
    config = TrainConfig(**SETTINGS, **extra, average_decay=0.9)
    trainer = Trainer(shape, data, config, out=tmp_path)
    result = trainer.run()
    model, _, _ = load_model(tmp_path)
    mean = trainer.stepper.mean.weights
    assert all(torch.equal(weight, mean[name]) for name, weight in model.named_parameters())
    assert not torch.equal(
        mean["blocks.0.attention.query.weight"], trainer.stepper.model.blocks[0].attention.query.weight
    )
    assert trainer.task.validate(model, torch.float32)["val_loss"] == pytest.approx(result.val_loss, abs=1e-6)


_ATTENTION = [f"attention.{part}.weight" for part in ("query", "key", "value", "output")]
_FEED_FORWARD = ["feed_forward.up.weight", "feed_forward.down.weight"]
_ONE = {"vocab_size": 20, "width": 8, "heads": 2, "layers": 1}
_TWO = {"vocab_size": 20, "width": 8, "heads": 2, "encoder_layers": 1, "decoder_layers": 1}
_BLOCK = [f"blocks.0.{name}" for name in [*_ATTENTION, *_FEED_FORWARD]]
_PAIR = [
    *(f"{side}.0.{name}" for side in ("encoder", "decoder") for name in [*_ATTENTION, *_FEED_FORWARD]),
    *(f"decoder.0.source_{name}" for name in _ATTENTION),
]


@pytest.mark.parametrize(
    ("shape", "moved"),
    [
        (GptConfig(**_ONE), _BLOCK),
        (GptConfig(**_ONE, layout="llama", tied=False), [*_BLOCK, "blocks.0.feed_forward.gate.weight"]),
        (BertConfig(**_ONE, next_sentence=True), _BLOCK),
        (ClassifierConfig(**_ONE, labels=("a", "b")), _BLOCK),
        (RegressorConfig(**_ONE), _BLOCK),
        (TaggerConfig(**_ONE, labels=("O", "B-x", "I-x")), _BLOCK),
        (SpanFinderConfig(**_ONE), _BLOCK),
        (TransformerConfig(**_TWO, layout="pre", source_vocab_size=30), _PAIR),
        (BilingualConfig(**_TWO, languages=("a", "b")), _PAIR),
    ],
    ids=lambda value: type(value).__name__ if not isinstance(value, list) else "",
)
def test_muon_moves_the_matrices_of_blocks_and_adamw_all_the_rest(shape, moved):
    model = new_model(shape)
    optimizer = Optimizer(model, TrainConfig(optimizer="muon"))
    for weight in model.parameters():
        weight.grad = torch.ones_like(weight)
    for part in optimizer.parts:
        part.step()
    entries = optimizer.state()
    assert {key.rpartition("/")[0] for key in entries if key.endswith("/momentum_buffer")} == set(moved)
    rest = {name for name, _ in model.named_parameters()} - set(moved)
    assert {key.rpartition("/")[0] for key in entries if key.endswith("/exp_avg")} == rest


def test_the_memory_of_an_optimiser_goes_to_no_other():
    model = new_model(GptConfig(**_ONE))
    optimizers = [Optimizer(model, TrainConfig(optimizer=name)) for name in ("adamw", "muon")]
    for weight in model.parameters():
        weight.grad = torch.ones_like(weight)
    for optimizer, other in (optimizers, optimizers[::-1]):
        for part in optimizer.parts:
            part.step()
        optimizer.load_state(optimizer.state())
        with pytest.raises(StateError, match=r"blocks\.0\..*is of another optimiser.*--init-from"):
            other.load_state(optimizer.state())


def test_a_step_without_a_target_leaves_all_as_it_was_and_the_run_goes_on(texts, pairs, tmp_path):
    shape, data, _ = case("bert", texts, pairs)
    shape = shape.replaced(context=3)  # one token a sequence, which may be the end of a document
    config = TrainConfig(**{**SETTINGS, "batch_size": 1, "average_decay": 0.5, "steps": 40, "sample_tokens": 0})
    trainer = Trainer(shape, data, config, out=tmp_path / "run")
    empty = [step for step in range(1, 41) if not trainer.task.batch(step - 1).num_targets]
    assert 0 < len(empty) < 40
    trainer._open()
    for step in range(1, 41):
        before = state_of(trainer.stepper)
        done = trainer.stepper(step)
        assert (done.loss is None) == (step in empty)
        assert (state_of(trainer.stepper) == before) == (step in empty)
    assert trainer.run().steps == 40
    assert [row["step"] for row in rows(tmp_path / "run") if row.get("loss", 0) is None] == empty


def state_of(stepper):
    tensors = {f"{file}/{name}": tensor for file, part in stepper.tensors().items() for name, tensor in part.items()}
    return {name: tensor.tolist() for name, tensor in tensors.items()}, stepper.state()


def test_patience_ends_a_run_that_gains_nothing_and_the_same_call_leaves_it_so(texts, pairs, tmp_path):
    shape, data, extra = case("gpt", texts, pairs)
    config = TrainConfig(**{**SETTINGS, **extra, "steps": 400, "learning_rate": 0.05, "validate_every": 2}, patience=2)
    result = Trainer(shape, data, config, out=tmp_path).run()
    assert result.steps < 400
    scores = [row["val_loss"] for row in rows(tmp_path) if "val_loss" in row][1:]
    assert min(scores[-2:]) >= min(scores[:-2])
    before = files(tmp_path)
    again = Trainer(shape, data, config, out=tmp_path).run()
    assert (again.steps, files(tmp_path)) == (result.steps, before)


def test_a_loss_that_jumps_stops_naming_step_and_samples(texts, pairs, tmp_path):
    shape, data, extra = case("gpt", texts, pairs)
    settings = {"learning_rate": 3.0, "warmup_steps": 0, "schedule": "constant", "gradient_clip": 0.0}
    config = TrainConfig(**{**SETTINGS, **extra, **settings, "max_loss_rise": 0.5})
    with pytest.raises(StateError, match=r"step \d+: the loss jumped to .*samples \d+ … \d+"):
        Trainer(shape, data, config, out=tmp_path).run()
    assert all(path.name != f"step-{STEPS:08d}" for path in list_checkpoints(tmp_path / "checkpoints"))


def test_the_mean_of_checkpoints_is_the_mean():
    first, second = {"w": torch.tensor([1.0, 3.0])}, {"w": torch.tensor([2.0, 5.0])}
    assert mean_weights([first, second])["w"].tolist() == [1.5, 4.0]
    with pytest.raises(InputError, match="different shapes"):
        mean_weights([first, {"w": torch.zeros(3)}])


@pytest.mark.parametrize(
    ("name", "settings", "message"),
    [
        ("seq2seq", {"document_mask": True}, "document_mask is read by gpt, bert, this is a seq2seq"),
        ("gpt", {"mask_share": 0.3}, "mask_share is read by bert, this is a gpt"),
        ("seq2seq", {"batch_size": 5}, "batch_size is read by gpt, bert, .*, this is a seq2seq"),
        ("seq2seq", {"optimizer": "muon"}, "muon is for matrices of blocks, and a seq2seq has none: take adamw"),
        ("gpt", {"batch_tokens": 5}, "batch_tokens is read by transformer, bilingual, seq2seq, this is a gpt"),
    ],
)
def test_a_key_that_an_architecture_does_not_read_is_refused(name, settings, message, texts, pairs):
    shape, data, _ = case(name, texts, pairs)
    with pytest.raises(ConfigError, match=message):
        Trainer(shape, data, TrainConfig(**{**SETTINGS, **settings}), out="never-made")


def test_data_of_the_other_kind_are_refused(texts, pairs, tmp_path):
    gpt, _, extra = case("gpt", texts, pairs)
    with pytest.raises(ConfigError, match=r"a gpt is not trained on this.*use pack"):
        Trainer(gpt, pairs, TrainConfig(**SETTINGS, **extra), out=tmp_path)
    rnn, _, extra = case("seq2seq", texts, pairs)
    with pytest.raises(ConfigError, match=r"a seq2seq is not trained on this.*use pack-pairs"):
        Trainer(rnn, texts, TrainConfig(**SETTINGS, **extra), out=tmp_path)
