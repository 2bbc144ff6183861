"""Training on two corpora by the one loop: it learns to translate, resumes to the bit, and its runs are loaded."""

from __future__ import annotations

import pytest
import torch
import two_languages as two
from short_runs import SETTINGS, check_resumes, rows

from textpipe.errors import ConfigError, StateError
from textpipe.generation.translating import Translator
from textpipe.nn.shapes import BilingualConfig, TransformerConfig
from textpipe.training.checkpoints import Checkpoint, find_checkpoint
from textpipe.training.exporting import export_run
from textpipe.training.loading import load_model
from textpipe.training.loop import Trainer
from textpipe.training.run_config import TrainConfig
from textpipe.training.watching import rank_of

SHAPE = {"heads": 2, "encoder_layers": 1, "decoder_layers": 1, "context": 16, "layout": "pre"}
SHORT = {**SETTINGS, "batch_tokens": 60, "back_translation_after": 3}


@pytest.fixture(scope="module")
def words():
    return two.tokenizer()


@pytest.fixture(scope="module")
def data(words, tmp_path_factory):
    return two.corpora(words, tmp_path_factory.mktemp("two"))


def shape(data, **more):
    return BilingualConfig(vocab_size=data.vocab_size, languages=two.LANGUAGES, **{"width": 16, **SHAPE, **more})


def test_it_learns_to_translate_without_a_translation(data, words, tmp_path):
    settings = {**SHORT, "steps": 180, "batch_tokens": 160, "warmup_steps": 20, "back_translation_after": 90}
    settings |= {"validate_every": 180, "checkpoint_every": 180, "sample_tokens": 0, "log_every": 60}
    settings |= {"learning_rate": 3e-3, "weight_decay": 0.0, "beta2": 0.98}
    trainer = Trainer(
        shape(data, width=32, encoder_layers=2, decoder_layers=2), data, TrainConfig(**settings), out=tmp_path
    )
    result = trainer.run()
    assert result.scores["val_round_trip"] > 0.6
    held_out = dict(two.sentences(60, 99))
    for to, pairs in (("ko", held_out), ("en", {other: one for one, other in held_out.items()})):
        written = [found.text for found in Translator.open(tmp_path, languages=(None, to)).translate(list(pairs))]
        assert sum(one == other for one, other in zip(written, pairs.values(), strict=True)) >= 0.4 * len(pairs)


@pytest.mark.parametrize("settings", [{}, {"average_decay": 0.9, "dtype": "bfloat16"}], ids=["plain", "mean"])
def test_a_run_resumes_to_the_bit_before_and_after_back_translation_begins(settings, data, tmp_path):
    config = TrainConfig(**{**SHORT, **settings})
    whole = check_resumes(shape(data, dropout=0.1), data, config, tmp_path)
    assert whole.val_loss < rows(whole.out)[0]["val_loss"]


def test_the_best_checkpoint_is_the_one_of_which_most_comes_back_whatever_the_loss(data, tmp_path):
    settings = {**SHORT, "validate_every": 2, "checkpoint_every": 2, "keep_checkpoints": 1}
    Trainer(shape(data), data, TrainConfig(**settings), out=tmp_path).run()
    came_back = {row["step"]: row["val_round_trip"] for row in rows(tmp_path)[1:] if "val_round_trip" in row}
    best = Checkpoint.open(find_checkpoint(tmp_path, best=True))
    assert came_back[best.step] == max(came_back.values())
    assert rank_of({"val_loss": 0.1, "val_round_trip": 0.6}) > rank_of({"val_loss": 0.5, "val_round_trip": 0.7})


@pytest.mark.parametrize("decay", [0.0, 0.9])
def test_a_loaded_model_is_the_trained_one_in_both_directions(decay, data, words, tmp_path):
    trainer = Trainer(shape(data), data, TrainConfig(**SHORT, average_decay=decay), out=tmp_path)
    result = trainer.run()
    model, tokenizer, facts = load_model(tmp_path)
    assert facts["architecture"] == "bilingual"
    assert tokenizer.sha256 == words.sha256
    assert trainer.task.validate(model, torch.float32) == pytest.approx(result.scores, abs=1e-6)
    assert not model.words_LV.all()
    assert torch.equal(model.words_LV, trainer.stepper.model.words_LV)
    card = (tmp_path / "README.md").read_text(encoding="utf-8")
    assert "textpipe translate . --target-language ko" in card
    assert "come back from a translation there and back" in card


def test_micro_batches_are_one_batch(data, tmp_path):
    gradients = []
    for number, size in enumerate((None, 3)):
        trainer = Trainer(shape(data), data, TrainConfig(**SHORT, micro_batch_size=size), out=tmp_path / str(number))
        trainer._open()
        batch = trainer.task.batch(5)
        trainer.stepper._accumulate(batch, batch.num_targets)
        gradients.append([weight.grad for weight in trainer.stepper.model.parameters()])
    for one, cut in zip(*gradients, strict=True):
        torch.testing.assert_close(cut, one, rtol=0, atol=1e-5)


def test_what_does_not_go_together_is_refused(data, tmp_path):
    with pytest.raises(ConfigError, match=r"a bilingual is not trained on this.*train unsupervised"):
        Trainer(shape(data), data.corpora[0], TrainConfig(**SHORT), out=tmp_path / "one")
    plain = TransformerConfig(vocab_size=data.vocab_size, width=16, **SHAPE)
    keys = {key: value for key, value in SHORT.items() if key != "back_translation_after"}
    with pytest.raises(ConfigError, match="a transformer is not trained on this"):
        Trainer(plain, data, TrainConfig(**keys), out=tmp_path / "two")
    with pytest.raises(ConfigError, match="back_translation_after is read by bilingual, this is a transformer"):
        Trainer(plain, data, TrainConfig(**SHORT), out=tmp_path / "three")
    with pytest.raises(ConfigError, match="label_smoothing is read by"):
        Trainer(shape(data), data, TrainConfig(**SHORT, label_smoothing=0.1), out=tmp_path / "four")
    assert not list(tmp_path.iterdir())


def test_another_direction_of_the_corpora_is_another_run(data, tmp_path):
    Trainer(shape(data), data, TrainConfig(**{**SHORT, "steps": 2}), out=tmp_path / "run").run()
    turned = two.TwoCorpora(data.corpora[1], data.corpora[0], two.LANGUAGES[::-1])
    other = shape(data).replaced(languages=two.LANGUAGES[::-1])
    with pytest.raises(StateError, match=r"another configuration: model\.languages"):
        Trainer(other, turned, TrainConfig(**{**SHORT, "steps": 2}), out=tmp_path / "run").run()
    with pytest.raises(ConfigError, match="no language 'fr' in this model"):
        Translator.open(tmp_path / "run", languages=(None, "fr"))
    with pytest.raises(ConfigError, match="'ko' is to be translated into itself"):
        Translator.open(tmp_path / "run", languages=("ko", "ko"))
    for languages, direction in ((("ko", None), (1, 0)), ((None, "ko"), (0, 1)), (("ko", "en"), (1, 0))):
        assert load_model(tmp_path / "run", languages=languages)[0].direction == direction


def test_an_export_is_refused_since_no_model_of_transformers_computes_it(data, tmp_path):
    Trainer(shape(data), data, TrainConfig(**{**SHORT, "steps": 2}), out=tmp_path / "run").run()
    with pytest.raises(ConfigError, match="no model of transformers adds"):
        export_run(tmp_path / "run", tmp_path / "exported")
    assert not (tmp_path / "exported").exists()
