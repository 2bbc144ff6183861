"""The heads BERT is fine-tuned with agree with those of transformers; padding changes nothing."""

from __future__ import annotations

import pytest
import torch

from textpipe.data.batches import IGNORED
from textpipe.errors import ConfigError, StateError
from textpipe.interchange.names import pairs
from textpipe.nn.architectures import new_model
from textpipe.nn.bert import BERT, BertConfig
from textpipe.nn.bert_heads import SequenceClassifier, SequenceRegressor, SpanFinder, TokenClassifier, copy_encoder
from textpipe.nn.shapes import ClassifierConfig, RegressorConfig, SpanFinderConfig, TaggerConfig

SIZES = {"vocab_size": 97, "context": 16, "layers": 2, "heads": 4, "width": 32}
SHAPE = BertConfig(**SIZES)
LENGTHS = torch.tensor([16, 11, 5])
TOLERANCE = 1e-6


def classes(number):
    return ClassifierConfig(**SIZES, labels=tuple("가나다라"[:number]))


KINDS = {
    "label": ("BertForSequenceClassification", lambda: SequenceClassifier(classes(3)), 3),
    "number": ("BertForSequenceClassification", lambda: SequenceRegressor(RegressorConfig(**SIZES)), 1),
    "tags": ("BertForTokenClassification", lambda: TokenClassifier(TaggerConfig(**SIZES, labels=tuple("OABCD"))), 5),
    "span": ("BertForQuestionAnswering", lambda: SpanFinder(SpanFinderConfig(**SIZES)), 2),
}
HEAD_NAMES = {"bert.pooler.dense": "pooler", "classifier": "classifier", "qa_outputs": "ends"}


def real():
    return torch.arange(16)[None] < LENGTHS[:, None]


def batch():
    generator = torch.Generator().manual_seed(2)
    ids = torch.randint(0, SHAPE.vocab_size, (3, 16), generator=generator)
    return ids, (torch.arange(16)[None] >= torch.tensor([[7], [3], [16]])).long()


def our_names(theirs):
    names = {pair.theirs: pair.ours[0] for pair in pairs(SHAPE)}
    for name, _ in theirs.named_parameters():
        part, _, kind = name.rpartition(".")
        if part in HEAD_NAMES:
            names[name] = f"{HEAD_NAMES[part]}.{kind}"
    return {name: names[name] for name, _ in theirs.named_parameters()}


@pytest.fixture(scope="module", params=KINDS)
def twins(request):
    transformers = pytest.importorskip("transformers")
    their_class, make, num_labels = KINDS[request.param]
    config = transformers.BertConfig(
        vocab_size=SHAPE.vocab_size,
        max_position_embeddings=SHAPE.context,
        hidden_size=SHAPE.width,
        intermediate_size=SHAPE.inner_width,
        num_hidden_layers=SHAPE.layers,
        num_attention_heads=SHAPE.heads,
        hidden_dropout_prob=0.0,
        attention_probs_dropout_prob=0.0,
        num_labels=num_labels,
    )
    theirs, ours = getattr(transformers, their_class)(config), make()
    generator = torch.Generator().manual_seed(5)
    weights, names = dict(ours.named_parameters()), our_names(theirs)
    assert sorted(names.values()) == sorted(weights)
    with torch.no_grad():
        for name, weight in theirs.named_parameters():
            weight.normal_(1.0 if "LayerNorm.weight" in name else 0.0, 0.08, generator=generator)
            weights[names[name]].copy_(weight)
    return request.param, theirs.eval(), ours.eval()


def their_logits(out):
    return out.logits if "logits" in out else torch.stack([out.start_logits, out.end_logits], dim=-1)


def test_logits_of_padded_texts_and_pairs_equal_transformers(twins):
    kind, theirs, ours = twins
    ids, segments = batch()
    with torch.no_grad():
        expected = their_logits(theirs(ids, attention_mask=real().long(), token_type_ids=segments))
        found = ours(ids, lengths_B=LENGTHS, segments_BT=segments)
    if kind in ("tags", "span"):
        expected, found = expected[real()], found[real()]
    torch.testing.assert_close(found, expected, rtol=0, atol=TOLERANCE * max(1.0, expected.abs().max().item()))


def targets_of(kind):
    if kind == "label":
        return torch.tensor([2, 0, 1])
    if kind == "number":
        return torch.tensor([4.5, 0.0, 2.2])
    if kind == "span":
        return torch.tensor([[3, 8], [0, 0], [1, 4]])
    tags = torch.arange(48).reshape(3, 16) % 5
    return tags.masked_fill(~real(), IGNORED)


def test_loss_and_every_gradient_equal_transformers(twins):
    kind, theirs, ours = twins
    ids, segments = batch()
    targets = targets_of(kind)
    # Their span head lets answers end in padding, so answers are compared without any.
    lengths = None if kind == "span" else LENGTHS
    mask = torch.ones(3, 16).long() if kind == "span" else real().long()
    labels = (
        {"start_positions": targets[:, 0], "end_positions": targets[:, 1]} if kind == "span" else {"labels": targets}
    )
    theirs.zero_grad()
    expected = theirs(ids, attention_mask=mask, token_type_ids=segments, **labels).loss
    expected.backward()
    ours.zero_grad()
    total, count = ours.loss(ours(ids, lengths_B=lengths, segments_BT=segments), targets)
    (total / count).backward()
    assert abs(total.item() / int(count) - expected.item()) <= TOLERANCE * max(1.0, expected.item())
    weights = dict(ours.named_parameters())
    for name, our_name in our_names(theirs).items():
        gradient = dict(theirs.named_parameters())[name].grad
        difference = (gradient - weights[our_name].grad).abs().max().item()
        assert difference <= TOLERANCE * max(1.0, gradient.abs().max().item()), name


def test_padding_changes_no_loss(twins):
    kind, _, ours = twins
    ids, segments = batch()
    targets = targets_of(kind)
    with torch.no_grad():
        whole, count = ours.loss(ours(ids, lengths_B=LENGTHS, segments_BT=segments), targets)
        alone = 0.0
        for row, length in enumerate(LENGTHS.tolist()):
            logits = ours(ids[row : row + 1, :length], segments_BT=segments[row : row + 1, :length])
            target = targets[row : row + 1]
            alone += ours.loss(logits, target[:, :length] if kind == "tags" else target)[0].item()
    assert whole.item() == pytest.approx(alone, rel=1e-5)
    assert int(count) == (int(LENGTHS.sum()) if kind == "tags" else 3)


def test_an_ignored_answer_counts_as_no_target():
    torch.manual_seed(0)
    logits = torch.randn(2, 6, 2)
    one, _ = SpanFinder.loss(logits[:1], torch.tensor([[1, 2]]))
    both, count = SpanFinder.loss(logits, torch.tensor([[1, 2], [IGNORED, IGNORED]]))
    assert (both.item(), int(count)) == (one.item(), 1)


@pytest.mark.parametrize("has_pooler", [False, True])
def test_a_classifier_starts_from_a_pretrained_encoder_and_says_what_is_new(has_pooler):
    pretrained = BERT(SHAPE.replaced(next_sentence=has_pooler), seed=3)
    model = SequenceClassifier(classes(2), seed=4)
    new = copy_encoder(pretrained.state_dict(), model)
    expected = ["classifier.bias", "classifier.weight"] + ([] if has_pooler else ["pooler.bias", "pooler.weight"])
    assert sorted(new) == expected
    source = dict(pretrained.named_parameters())
    for name, weight in model.named_parameters():
        if name not in new:
            assert torch.equal(weight, source[name]), name


def test_an_encoder_of_another_shape_is_refused_and_nothing_copied():
    model = SequenceClassifier(classes(2), seed=4)
    before = {name: weight.clone() for name, weight in model.named_parameters()}
    with pytest.raises(StateError, match="position_embedding"):
        copy_encoder(BERT(SHAPE.replaced(context=8)).state_dict(), model)
    assert all(torch.equal(weight, before[name]) for name, weight in model.named_parameters())


def test_weights_that_lack_a_part_of_the_encoder_are_refused():
    weights = BERT(SHAPE).state_dict()
    del weights["blocks.1.attention.query.weight"]
    with pytest.raises(StateError, match=r"blocks\.1\.attention\.query\.weight"):
        copy_encoder(weights, SequenceClassifier(classes(2)))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: classes(1), "labels"),
        (lambda: ClassifierConfig(**SIZES, labels=("가", "나", "가")), "two numbers"),
        (lambda: TaggerConfig(**SIZES), "labels"),
    ],
)
def test_labels_that_tell_nothing_apart_are_refused(make, message):
    with pytest.raises(ConfigError, match=message):
        make()


@pytest.mark.parametrize(
    "shape",
    [classes(3), RegressorConfig(**SIZES), TaggerConfig(**SIZES, labels=tuple("OAB")), SpanFinderConfig(**SIZES)],
)
def test_parameters_are_counted_as_they_are(shape):
    assert shape.num_parameters == sum(weight.numel() for weight in new_model(shape).parameters())


def test_a_number_is_said_in_the_unit_of_training():
    ids, _ = batch()
    plain, scaled = (
        SequenceRegressor(RegressorConfig(**SIZES, **unit), seed=1) for unit in ({}, {"mean": 50.0, "spread": 9.0})
    )
    with torch.no_grad():
        torch.testing.assert_close(scaled.eval()(ids), 50.0 + 9.0 * plain.eval()(ids))
