"""Fine-tuned encoders as the models of transformers, and back."""

from __future__ import annotations

import json

import pytest
import torch
from family_models import random_model

from textpipe.errors import FormatError
from textpipe.files import write_text
from textpipe.interchange.exporting import export_model
from textpipe.interchange.importing import ModelFolder
from textpipe.nn.bert_heads import copy_encoder
from textpipe.nn.shapes import BertConfig, ClassifierConfig, RegressorConfig, SpanFinderConfig, TaggerConfig

transformers = pytest.importorskip("transformers")
SIZES = {"vocab_size": 400, "context": 48, "layers": 2, "heads": 4, "width": 32}
SHAPES = {
    "SequenceClassification": ClassifierConfig(**SIZES, labels=("부정", "중립", "긍정")),
    "SequenceClassification-number": RegressorConfig(**SIZES, mean=2.5, spread=1.7),
    "TokenClassification": TaggerConfig(**SIZES, labels=("O", "B-LC", "I-LC")),
    "QuestionAnswering": SpanFinderConfig(**SIZES),
}


def batch():
    ids = torch.randint(6, 300, (3, 20), generator=torch.Generator().manual_seed(1))
    lengths = torch.tensor([20, 7, 13])
    segments = (torch.arange(20)[None] >= torch.tensor([[9], [3], [13]])).long()
    return ids, lengths, segments


@pytest.fixture(scope="module", params=SHAPES)
def exported(request, tmp_path_factory, word_tokenizer):
    folder = tmp_path_factory.mktemp("heads") / request.param
    model = random_model(SHAPES[request.param])
    export_model(model, word_tokenizer, folder, eos_id=3)
    return request.param.partition("-")[0], model, folder


def test_logits_in_transformers_are_ours(exported):
    kind, ours, folder = exported
    made = getattr(transformers, f"AutoModelFor{kind}")
    theirs, facts = made.from_pretrained(folder, output_loading_info=True, local_files_only=True)
    assert not any(facts[name] for name in ("missing_keys", "unexpected_keys", "mismatched_keys"))
    ids, lengths, segments = batch()
    mask = torch.arange(20)[None] < lengths[:, None]
    with torch.no_grad():
        found = ours(ids, lengths_B=lengths, segments_BT=segments)
        out = theirs.eval()(ids, attention_mask=mask.long(), token_type_ids=segments)
    expected = torch.stack([out.start_logits, out.end_logits], dim=-1) if kind == "QuestionAnswering" else out.logits
    if expected.dim() == 3:
        expected, found = expected[mask], found[mask]
    torch.testing.assert_close(found, expected, rtol=0, atol=2e-6 * max(1.0, expected.abs().max().item()))


def test_labels_are_named_in_transformers(exported):
    _, ours, folder = exported
    config = transformers.AutoConfig.from_pretrained(folder, local_files_only=True)
    if isinstance(ours.config, RegressorConfig):
        assert (config.num_labels, config.problem_type) == (1, "regression")
    elif not isinstance(ours.config, SpanFinderConfig):
        assert tuple(config.id2label[number] for number in range(3)) == ours.config.labels


def test_an_export_read_back_computes_the_same(exported):
    _, ours, folder = exported
    opened = ModelFolder.open(folder)
    assert getattr(opened.shape, "labels", None) == getattr(ours.config, "labels", None)
    ids, lengths, segments = batch()
    with torch.no_grad():
        expected, found = (m(ids, lengths_B=lengths, segments_BT=segments) for m in (ours, opened.model()))
    torch.testing.assert_close(found, expected, rtol=1e-6, atol=1e-5)


def test_two_unnamed_labels_have_the_names_transformers_gives_them(tmp_path, word_tokenizer):
    shape = SHAPES["SequenceClassification"].replaced(labels=("LABEL_0", "LABEL_1"))
    folder = export_model(random_model(shape), word_tokenizer, tmp_path / "two", eos_id=3)
    theirs = transformers.AutoModelForSequenceClassification.from_pretrained(folder, local_files_only=True)
    theirs.config.save_pretrained(folder)  # which leaves the table of these two out
    assert "id2label" not in json.loads((folder / "config.json").read_text())
    assert ModelFolder.open(folder).shape.labels == shape.labels


def test_several_labels_a_text_are_refused(exported, tmp_path):
    kind, _, folder = exported
    if kind != "SequenceClassification":
        pytest.skip("a matter of classifiers")
    config = json.loads((folder / "config.json").read_text())
    for path in folder.iterdir():
        if path.name != "config.json":
            (tmp_path / path.name).symlink_to(path)
    write_text(tmp_path / "config.json", json.dumps({**config, "problem_type": "multi_label_classification"}))
    with pytest.raises(FormatError, match="multi_label_classification, which is not computed here"):
        ModelFolder.open(tmp_path)


THEIR_CLASSES = ["BertModel", "BertForMaskedLM", "BertForPreTraining", "BertForTokenClassification"]


@pytest.mark.parametrize("their_class", THEIR_CLASSES)
def test_the_encoder_of_any_bert_is_one_to_begin_with(their_class, tmp_path, word_tokenizer):
    shape = BertConfig(**SIZES)
    export_model(random_model(shape), word_tokenizer, tmp_path / "start", eos_id=3)
    config = transformers.AutoConfig.from_pretrained(tmp_path / "start", local_files_only=True)
    theirs = getattr(transformers, their_class)(config)
    theirs.save_pretrained(tmp_path / "theirs")
    for name in ("tokenizer.json", "tokenizer_config.json"):
        (tmp_path / "theirs" / name).symlink_to(tmp_path / "start" / name)
    weights = ModelFolder.open(tmp_path / "theirs").encoder_weights()
    model = random_model(SHAPES["SequenceClassification"])
    new = copy_encoder(weights, model)
    assert set(new) == {"classifier.bias", "classifier.weight"} | ({"pooler.bias", "pooler.weight"} - set(weights))
    assert ("pooler.weight" in weights) == (their_class in ("BertModel", "BertForPreTraining"))
    inner = getattr(theirs, "bert", theirs)
    assert torch.equal(weights["token_embedding.weight"], inner.embeddings.word_embeddings.weight)
    assert torch.equal(weights["blocks.1.feed_forward.up.bias"], inner.encoder.layer[1].intermediate.dense.bias)


def test_a_bert_without_the_head_of_masked_tokens_is_told_to_lack_it(tmp_path, word_tokenizer):
    export_model(random_model(BertConfig(**SIZES)), word_tokenizer, tmp_path / "start", eos_id=3)
    config = transformers.AutoConfig.from_pretrained(tmp_path / "start", local_files_only=True)
    transformers.BertModel(config).save_pretrained(tmp_path / "theirs")
    (tmp_path / "theirs" / "tokenizer.json").symlink_to(tmp_path / "start" / "tokenizer.json")
    with pytest.raises(FormatError, match=r"the weights have no cls\.predictions"):
        ModelFolder.open(tmp_path / "theirs").weights()


def test_weights_without_a_block_are_no_encoder_to_begin_with(tmp_path, word_tokenizer):
    folder = export_model(random_model(BertConfig(**SIZES)), word_tokenizer, tmp_path / "bert", eos_id=3)
    config = json.loads((folder / "config.json").read_text())
    write_text(folder / "config.json", json.dumps({**config, "num_hidden_layers": 3}))
    with pytest.raises(FormatError, match=r"no bert\.encoder\.layer\.2\.attention"):
        ModelFolder.open(folder).encoder_weights()
