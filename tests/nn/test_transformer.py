"""The Transformer agrees with transformers' Marian, Pegasus and M2M100; cache, padding and selection change nothing."""

from __future__ import annotations

import pytest
import torch
from model_twins import assert_same_gradients, twins_of

from textpipe.errors import ConfigError
from textpipe.nn.losses import linear_cross_entropy
from textpipe.nn.transformer import Transformer, TransformerConfig

SHAPE = TransformerConfig(vocab_size=101, context=24, encoder_layers=2, decoder_layers=3, heads=4, width=64)


def their_marian(transformers, shape):
    config = transformers.MarianConfig(
        vocab_size=shape.source_vocab_size or shape.vocab_size,
        decoder_vocab_size=shape.vocab_size,
        max_position_embeddings=shape.context,
        share_encoder_decoder_embeddings=shape.source_vocab_size is None,
        tie_word_embeddings=True,
        activation_function=shape.activation,
        scale_embedding=shape.scaled_embedding,
        pad_token_id=0,
        decoder_start_token_id=1,
        eos_token_id=2,
        **common(shape),
    )
    return transformers.MarianMTModel(config)


def their_m2m100(transformers, shape):
    config = transformers.M2M100Config(
        vocab_size=shape.vocab_size,
        max_position_embeddings=shape.context,
        encoder_layerdrop=0.0,
        decoder_layerdrop=0.0,
        scale_embedding=shape.scaled_embedding,
        pad_token_id=1,
        **common(shape),
    )
    return transformers.M2M100ForConditionalGeneration(config)


def their_pegasus(transformers, shape):
    config = transformers.PegasusConfig(
        vocab_size=shape.vocab_size,
        max_position_embeddings=shape.context,
        activation_function=shape.activation,
        scale_embedding=shape.scaled_embedding,
        **common(shape),
    )
    return transformers.PegasusForConditionalGeneration(config)


def common(shape):
    return {
        "d_model": shape.width,
        "encoder_layers": shape.encoder_layers,
        "decoder_layers": shape.decoder_layers,
        "encoder_attention_heads": shape.heads,
        "decoder_attention_heads": shape.heads,
        "encoder_ffn_dim": shape.inner_width,
        "decoder_ffn_dim": shape.inner_width,
        "dropout": 0.0,
        "attention_dropout": 0.0,
        "activation_dropout": 0.0,
    }


FAMILIES = {
    "marian": (their_marian, SHAPE),
    "marian-silu": (their_marian, SHAPE.replaced(activation="silu")),
    "marian-two-vocabularies": (their_marian, SHAPE.replaced(source_vocab_size=77)),
    "marian-unscaled": (their_marian, SHAPE.replaced(scaled_embedding=False)),
    "pegasus": (their_pegasus, SHAPE.replaced(layout="pre")),
    "pegasus-unscaled": (their_pegasus, SHAPE.replaced(layout="pre", scaled_embedding=False)),
    "m2m100": (their_m2m100, SHAPE.replaced(layout="pre", positions="fairseq")),
}


@pytest.fixture(scope="module", params=FAMILIES)
def twins(request):
    make, shape = FAMILIES[request.param]
    return twins_of(make(pytest.importorskip("transformers"), shape), Transformer(shape))


@pytest.fixture(scope="module")
def batch():
    # ids from 3 on: theirs takes some ids for padding
    generator = torch.Generator().manual_seed(1)
    source = torch.randint(3, 77, (3, 24), generator=generator)
    target = torch.randint(3, 101, (3, 17), generator=generator)
    return source, torch.tensor([24, 9, 15]), target


def their_logits(theirs, source, lengths, target):
    mask = (torch.arange(source.shape[1])[None] < lengths[:, None]).long()
    return theirs(input_ids=source, attention_mask=mask, decoder_input_ids=target, use_cache=False).logits


def test_logits_equal_transformers(twins, batch):
    theirs, ours = twins
    with torch.no_grad():
        expected = their_logits(theirs, *batch)
        found = ours.logits(ours(*batch))
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-6 * expected.abs().max().item())


def test_loss_and_every_gradient_equal_transformers(twins, batch):
    theirs, ours = twins
    source, lengths, target = batch
    theirs.zero_grad()
    ours.zero_grad()
    expected = their_logits(theirs, source, lengths, target[:, :-1])
    their_loss = torch.nn.functional.cross_entropy(expected.flatten(0, 1), target[:, 1:].flatten())
    their_loss.backward()
    states = ours(source, lengths, target[:, :-1])
    total, count = linear_cross_entropy(states.flatten(0, 1), ours.head_weight, target[:, 1:].flatten())
    (total / count).backward()
    assert abs(their_loss.item() - (total / count).item()) <= 1e-6 * max(1.0, their_loss.item())
    assert_same_gradients(theirs, ours)


def test_writing_step_by_step_equals_reading_at_once(twins, batch):
    _, ours = twins
    source, lengths, target = batch
    with torch.no_grad():
        memory = ours.encode(source, lengths)
        whole = ours.decode(target, memory)
        state = ours.start(memory)
        steps = [ours.step(token, memory, state) for token in target.split(1, dim=1)]
    torch.testing.assert_close(torch.cat(steps, dim=1), whole, rtol=1e-6, atol=3e-6)


def test_chosen_sequences_go_on_as_they_would_alone(twins, batch):
    _, ours = twins
    source, lengths, target = batch
    rows = torch.tensor([2, 0, 2])
    with torch.no_grad():
        memory = ours.encode(source, lengths)
        state = ours.start(memory)
        ours.step(target[:, :1], memory, state)
        chosen = memory.select(rows)
        state.select(rows)
        found = ours.step(target[rows, 1:2], chosen, state)
        expected = ours.decode(target[:, :2], memory)[rows, 1:]
    torch.testing.assert_close(found, expected, rtol=1e-6, atol=3e-6)


def test_padding_of_the_source_changes_nothing(twins, batch):
    _, ours = twins
    source, lengths, target = batch
    with torch.no_grad():
        together = ours(source, lengths, target)
        for row, length in enumerate(lengths.tolist()):
            one = slice(row, row + 1)
            alone = ours(source[one, :length], lengths[one], target[one])
            torch.testing.assert_close(together[one], alone, rtol=1e-6, atol=3e-6)


def test_number_of_parameters_is_that_of_the_model():
    for _, config in FAMILIES.values():
        assert config.num_parameters == sum(weight.numel() for weight in Transformer(config).parameters())


def test_an_odd_width_is_refused():
    with pytest.raises(ConfigError, match="width 33 is odd"):
        TransformerConfig(vocab_size=10, width=33, heads=3)


@pytest.mark.parametrize("rows", [[0, 1, 2], [2, 0, 0], [1], [2, 2, 1, 0, 0]])
def test_a_cache_goes_on_with_the_chosen_rows_as_one_that_read_them(rows, batch):
    model = Transformer(SHAPE).eval()
    source, lengths, target = batch
    chosen = torch.tensor(rows)
    memory = model.encode(source, lengths)
    state = model.start(memory)
    with torch.no_grad():
        model.step(target[:, :6], memory, state)
        state.select(chosen)
        found = model.step(target[chosen, 6:7], memory.select(chosen), state)
        expected = model.decode(target[:, :7], memory)[chosen, 6:]
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-5)
