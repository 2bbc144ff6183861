"""BERT agrees with transformers' BertForMaskedLM and BertForPreTraining; padding changes nothing."""

from __future__ import annotations

import itertools

import pytest
import torch
from model_twins import assert_same_gradients, twins_of

from textpipe.data.batches import IGNORED
from textpipe.errors import StateError
from textpipe.nn.bert import BERT, BertConfig
from textpipe.nn.losses import linear_cross_entropy

SHAPE = BertConfig(vocab_size=211, context=32, layers=3, heads=4, width=64)


@pytest.fixture(scope="module", params=[False, True], ids=["masked", "pretraining"])
def twins(request):
    transformers = pytest.importorskip("transformers")
    shape = SHAPE.replaced(next_sentence=request.param)
    config = transformers.BertConfig(
        vocab_size=shape.vocab_size,
        max_position_embeddings=shape.context,
        hidden_size=shape.width,
        intermediate_size=shape.inner_width,
        num_hidden_layers=shape.layers,
        num_attention_heads=shape.heads,
        hidden_dropout_prob=0.0,
        attention_probs_dropout_prob=0.0,
    )
    theirs = (transformers.BertForPreTraining if request.param else transformers.BertForMaskedLM)(config)
    return twins_of(theirs, BERT(shape))


@pytest.fixture(scope="module")
def batch():
    generator = torch.Generator().manual_seed(1)
    ids = torch.randint(0, SHAPE.vocab_size, (3, 32), generator=generator)
    segments = (torch.arange(32)[None] >= torch.tensor([[10], [3], [32]])).long()
    return ids, torch.tensor([32, 20, 7]), segments


def real(lengths):
    return torch.arange(32)[None] < lengths[:, None]


def masked_logits(theirs, ids, lengths, segments):
    out = theirs(ids, attention_mask=real(lengths).long(), token_type_ids=segments)
    return (out.logits if "logits" in out else out.prediction_logits), out.get("seq_relationship_logits")


def test_logits_of_both_heads_equal_transformers(twins, batch):
    theirs, ours = twins
    ids, lengths, segments = batch
    with torch.no_grad():
        their_logits, their_order = masked_logits(theirs, ids, lengths, segments)
        states = ours(ids, lengths_B=lengths, segments_BT=segments)
        ours_at, theirs_at = ours.logits(states)[real(lengths)], their_logits[real(lengths)]
        torch.testing.assert_close(ours_at, theirs_at, rtol=0, atol=1e-6 * theirs_at.abs().max().item())
        if their_order is not None:
            torch.testing.assert_close(ours.next_sentence_logits(states), their_order, rtol=0, atol=1e-6)


def test_loss_and_every_gradient_equal_transformers(twins, batch):
    theirs, ours = twins
    ids, lengths, segments = batch
    chosen = torch.zeros(3, 32, dtype=torch.bool)
    chosen[:, ::3] = True
    targets = ids.masked_fill(~(chosen & real(lengths)), IGNORED)
    follows = torch.tensor([0, 1, 0])
    theirs.zero_grad()
    ours.zero_grad()
    their_logits, their_order = masked_logits(theirs, ids, lengths, segments)
    their_loss = torch.nn.functional.cross_entropy(their_logits.flatten(0, 1), targets.flatten(), ignore_index=IGNORED)
    states = ours(ids, lengths_B=lengths, segments_BT=segments)
    total, count = linear_cross_entropy(
        ours.head_states(states).flatten(0, 1), ours.head_weight, targets.flatten(), bias_V=ours.head_bias
    )
    loss = total / count
    if their_order is not None:
        their_loss = their_loss + torch.nn.functional.cross_entropy(their_order, follows)
        loss = loss + torch.nn.functional.cross_entropy(ours.next_sentence_logits(states), follows)
    their_loss.backward()
    loss.backward()
    assert abs(their_loss.item() - loss.item()) <= 1e-6
    assert_same_gradients(theirs, ours)


def test_padding_changes_nothing(twins, batch):
    _, ours = twins
    ids, lengths, segments = batch
    with torch.no_grad():
        together = ours(ids, lengths_B=lengths, segments_BT=segments)
        for row, length in enumerate(lengths.tolist()):
            alone = ours(ids[row : row + 1, :length], segments_BT=segments[row : row + 1, :length])
            torch.testing.assert_close(together[row, :length], alone[0], rtol=1e-6, atol=3e-6)


def test_packed_documents_with_their_mask_equal_separate_documents(twins, batch):
    _, ours = twins
    (ids, *_), cuts = batch, (0, 3, 4, 9)
    parts = list(itertools.pairwise(cuts))
    positions = torch.cat([torch.arange(end - start) for start, end in parts])[None]
    documents = torch.cat([torch.full((end - start,), number) for number, (start, end) in enumerate(parts)])[None]
    with torch.no_grad():
        packed = ours(ids[:1, :9], positions_BT=positions, documents_BT=documents)
        apart = torch.cat([ours(ids[:1, start:end]) for start, end in parts], dim=1)
    torch.testing.assert_close(packed, apart, rtol=1e-6, atol=3e-6)


def test_number_of_parameters_is_that_of_the_model_and_of_bert():
    for config in (SHAPE, SHAPE.replaced(next_sentence=True, segment_types=3), SHAPE.replaced(feed_forward=100)):
        assert config.num_parameters == sum(weight.numel() for weight in BERT(config).parameters())
    base = BertConfig(vocab_size=30522, context=512, layers=12, heads=12, width=768, next_sentence=True)
    assert base.num_parameters == 110_106_428


def test_a_model_without_a_pooler_says_so():
    model = BERT(SHAPE)
    with pytest.raises(StateError, match="no pooler"):
        model.next_sentence_logits(torch.zeros(1, 2, 64))
