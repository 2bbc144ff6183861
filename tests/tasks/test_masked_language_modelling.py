"""Pretraining of an encoder: the loss is that of BertForPreTraining, and both heads learn."""

from __future__ import annotations

import json

import pytest

from textpipe.data.packing import PackConfig, pack
from textpipe.errors import ConfigError
from textpipe.evaluation.model_scores import Evaluator
from textpipe.nn.bert import BERT
from textpipe.nn.shapes import BertConfig
from textpipe.records import Document
from textpipe.tasks.masked_language_modelling import MaskedLanguageModelling, masked_language_modelling_loss
from textpipe.training.loop import Trainer
from textpipe.training.run_config import TrainConfig


@pytest.fixture(scope="module")
def packed(marked_tokenizer, tmp_path_factory):
    """Documents of one syllable each: a second half of another document shows at once."""
    texts = [" ".join("정말"[number % 2] * (12 + number % 5)) for number in range(200)]
    documents = [Document(id=str(number), text=text, lang="ko") for number, text in enumerate(texts)]
    out = tmp_path_factory.mktemp("nsp") / "shards"
    return pack(documents, marked_tokenizer, out, PackConfig(eos="[SEP]", val_fraction=0.2))


def shape_of(packed, **changes):
    settings = {"context": 11, "layers": 1, "heads": 2, "width": 32, "next_sentence": True}
    return BertConfig(vocab_size=packed.vocab_size, **{**settings, **changes})


CONFIG = TrainConfig(
    steps=200, warmup_steps=20, batch_size=32, learning_rate=1e-2, weight_decay=0.0, device="cpu", dtype="float32"
)


def test_the_loss_of_a_step_is_that_of_transformers(packed):
    transformers = pytest.importorskip("transformers")
    from textpipe.interchange.families import Ids, config_of
    from textpipe.interchange.names import to_theirs

    shape = shape_of(packed)
    ours = BERT(shape, seed=2)
    theirs = transformers.BertForPreTraining(transformers.BertConfig(**config_of(shape, Ids(3, 0, 3)))).eval()
    theirs.load_state_dict(to_theirs(shape, dict(ours.named_parameters())), strict=False)
    task = MaskedLanguageModelling(shape, packed, CONFIG)
    batch = task.batch(0)
    total, count = masked_language_modelling_loss(ours, batch, follows_weight=batch.num_targets / 32)
    expected = theirs(
        input_ids=batch.tokens_BT,
        token_type_ids=batch.segments_BT,
        labels=batch.targets_BT,
        next_sentence_label=batch.follows_B,
    ).loss
    assert (batch.follows_B >= 0).all()
    assert abs((total / count - expected).item()) <= 1e-6
    mean_weight = CONFIG.mask_share * 8  # 8 tokens beside three marks
    own = task.loss(ours, batch)[0]
    follows = masked_language_modelling_loss(ours, batch, follows_weight=1.0)[0] - total_of_hidden(ours, batch)
    assert own.item() == pytest.approx((total_of_hidden(ours, batch) + mean_weight * follows).item(), rel=1e-5)


def total_of_hidden(model, batch):
    return masked_language_modelling_loss(model, batch)[0]


def test_both_heads_learn_and_an_evaluation_gives_the_loss_of_the_log(packed, tmp_path):
    shape = shape_of(packed)
    result = Trainer(shape, packed, CONFIG, out=tmp_path / "run").run()
    first = json.loads((tmp_path / "run" / "log.jsonl").read_text(encoding="utf-8").split("\n")[0])
    assert result.val_loss < 0.5 * first["val_loss"]
    assert first["val_next_sentence_accuracy"] < 0.6
    assert result.scores["val_next_sentence_accuracy"] > 0.7
    assert "told right" in (tmp_path / "run" / "README.md").read_text(encoding="utf-8")
    assert Evaluator.open(tmp_path / "run").packed(packed.path).loss == pytest.approx(result.val_loss, abs=1e-6)


def test_documents_by_themselves_are_trained_validated_and_evaluated(packed, tmp_path):
    shape, apart = shape_of(packed, next_sentence=False, context=32), CONFIG.replaced(document_mask=True)
    result = Trainer(shape, packed, apart, out=tmp_path / "run").run()
    first = json.loads((tmp_path / "run" / "log.jsonl").read_text(encoding="utf-8").split("\n")[0])
    assert result.val_loss < 0.5 * first["val_loss"]
    assert Evaluator.open(tmp_path / "run").packed(packed.path).loss == pytest.approx(result.val_loss, abs=1e-6)
    mixed = Evaluator.open(tmp_path / "run", document_mask=False).packed(packed.path)
    assert mixed.loss != pytest.approx(result.val_loss, abs=1e-3)


def test_two_halves_want_two_kinds_of_segments(packed):
    with pytest.raises(ConfigError, match="segment_types: with next_sentence there are two kinds"):
        MaskedLanguageModelling(shape_of(packed, segment_types=1), packed, CONFIG)
