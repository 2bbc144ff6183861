"""The recurrent model: its cells and attentions against loops written out; padding and selection change nothing."""

from __future__ import annotations

import copy
import math

import pytest
import torch

from textpipe.errors import ConfigError
from textpipe.nn.seq2seq import Seq2Seq, Seq2SeqConfig

SHAPE = Seq2SeqConfig(vocab_size=40, embedding=6, width=8, encoder_width=4, layers=2)
KINDS = [
    {"attention": "none"},
    {"attention": "none", "cell": "gru", "bidirectional": False},
    {"attention": "bahdanau"},
    {"attention": "bahdanau", "cell": "gru", "input_feeding": True},
    {"attention": "dot"},
    {"attention": "dot", "input_feeding": False},
    {"attention": "general", "encoder_width": 5},
    {"attention": "general", "cell": "gru", "input_feeding": False, "bidirectional": False},
    {"attention": "concat", "source_vocab_size": 30},
    {"attention": "concat", "input_feeding": False, "layers": 1},
]


@pytest.fixture(scope="module", params=KINDS, ids=lambda kind: "-".join(map(str, kind.values())))
def model(request):
    made = Seq2Seq(SHAPE.replaced(**request.param), seed=3).eval()
    generator = torch.Generator().manual_seed(2)
    with torch.no_grad():
        for weight in made.parameters():
            weight.uniform_(-0.5, 0.5, generator=generator)
    return made


@pytest.fixture(scope="module")
def batch():
    generator = torch.Generator().manual_seed(1)
    source = torch.randint(0, 30, (3, 7), generator=generator)
    target = torch.randint(0, 40, (3, 5), generator=generator)
    return source, torch.tensor([7, 2, 5]), target


def cell_step(kind, x, state, weights):
    """One step of one cell, from its definition; ``weights`` are (W_ih, W_hh, b_ih, b_hh)."""
    w_ih, w_hh, b_ih, b_hh = weights
    from_x, from_h = w_ih @ x + b_ih, w_hh @ state[0] + b_hh
    if kind == "lstm":
        enter, forget, new, out = (from_x + from_h).chunk(4)
        cell = forget.sigmoid() * state[1] + enter.sigmoid() * new.tanh()
        return out.sigmoid() * cell.tanh(), cell
    (reset, keep), x_new, h_new = (from_x + from_h)[: 2 * len(state[0])].sigmoid().chunk(2), *_last(from_x, from_h)
    hidden = (1 - keep) * (x_new + reset * h_new).tanh() + keep * state[0]
    return (hidden,)


def _last(from_x, from_h):
    return from_x.chunk(3)[2], from_h.chunk(3)[2]


def weights_of(cells, layer, ending=""):
    return [getattr(cells, f"{name}_l{layer}{ending}") for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")]


def read_slowly(model, source):
    """The encoder's states (S, M) and the decoder's first state, layer by layer, for one source without padding."""
    config = model.config
    xs = list((model.source_embedding or model.embedding)(source))
    firsts = []
    for layer in range(config.layers):
        ways = []
        for ending in ("", "_reverse")[: 2 if config.bidirectional else 1]:
            state = tuple(
                torch.zeros(config.encoder_width, dtype=xs[0].dtype) for _ in range(2 if config.cell == "lstm" else 1)
            )
            states = []
            for x in xs if ending == "" else reversed(xs):
                state = cell_step(config.cell, x, state, weights_of(model.encoder, layer, ending))
                states.append(state[0])
            ways.append((states if ending == "" else states[::-1], state))
        xs = [torch.cat(parts) for parts in zip(*(states for states, _ in ways), strict=True)]
        both = [torch.cat(parts) for parts in zip(*(state for _, state in ways), strict=True)]
        firsts.append(tuple(torch.tanh(model.bridge.weight @ part + model.bridge.bias) for part in both))
    return torch.stack(xs), firsts


def scores_slowly(model, query, states):
    score, kind = model.score, model.config.attention
    if kind == "dot":
        return torch.stack([query @ state for state in states])
    if kind == "general":
        return torch.stack([query @ (score.key.weight @ state) for state in states])
    parts = [torch.tanh(score.query.weight @ query + score.key.weight @ state) for state in states]
    return torch.stack([score.sum.weight[0] @ part for part in parts])


def write_slowly(model, source, target):
    """The decoder's states (T, D) for one source and target, from the definitions."""
    config = model.config
    memory, state = read_slowly(model, source)
    fed = torch.zeros(config.width, dtype=memory.dtype)
    written = []
    for token in target:
        x = [model.embedding.weight[token]]
        context = None
        if config.attention == "bahdanau":
            context = torch.softmax(scores_slowly(model, state[-1][0], memory), 0) @ memory
            x.append(context)
        if config.feeds_input:
            x.append(fed)
        out = torch.cat(x)
        for layer in range(config.layers):
            state[layer] = cell_step(config.cell, out, state[layer], weights_of(model.decoder, layer))
            out = state[layer][0]
        if config.attention not in ("none", "bahdanau"):
            context = torch.softmax(scores_slowly(model, out, memory), 0) @ memory
        fed = out if context is None else torch.tanh(model.combine.weight @ torch.cat([out, context]))
        written.append(fed)
    return torch.stack(written)


def test_states_equal_a_loop_written_out(model, batch):
    source, lengths, target = batch
    with torch.no_grad():
        found = model(source, lengths, target)
        for row, length in enumerate(lengths.tolist()):
            expected = write_slowly(model, source[row, :length], target[row])
            torch.testing.assert_close(found[row], expected, rtol=0, atol=1e-6)


def gradients(model, loss):
    return dict(
        zip(
            dict(model.named_parameters()),
            torch.autograd.grad(loss, list(model.parameters()), allow_unused=True, materialize_grads=True),
            strict=True,
        )
    )


@pytest.mark.parametrize("lengths", [(7, 2, 5), (1, 1, 3)], ids=["full", "padding behind all"])
def test_gradients_equal_those_of_a_loop_written_out(model, batch, lengths):
    source, _, target = batch
    double = copy.deepcopy(model).double()
    weights = torch.randn(3, 5, 8, generator=torch.Generator().manual_seed(4), dtype=torch.float64)
    found = gradients(double, (double(source, torch.tensor(lengths), target) * weights).sum())
    rows = [write_slowly(double, source[row, :length], target[row]) for row, length in enumerate(lengths)]
    expected = gradients(double, (torch.stack(rows) * weights).sum())
    assert any(gradient.abs().max() > 0.1 for gradient in expected.values())
    for name in expected:
        torch.testing.assert_close(found[name], expected[name], rtol=0, atol=1e-9, msg=name)


def test_writing_step_by_step_equals_all_at_once(model, batch):
    source, lengths, target = batch
    with torch.no_grad():
        memory = model.encode(source, lengths)
        whole = model.decode(target, memory)
        state = model.start(memory)
        steps = [model.step(token, memory, state) for token in target.split(1, dim=1)]
    torch.testing.assert_close(torch.cat(steps, dim=1), whole, rtol=0, atol=1e-6)


def test_each_step_tells_where_it_looked(model, batch):
    source, lengths, target = batch
    with torch.no_grad():
        memory = model.encode(source, lengths)
        state = model.start(memory)
        model.step(target[:, :1], memory, state)
    if model.config.attention == "none":
        assert state.weights_BS is None
        return
    torch.testing.assert_close(state.weights_BS.sum(dim=1), torch.ones(3))
    assert (state.weights_BS[~memory.mask_BS] == 0).all()


def test_chosen_sequences_go_on_as_they_would_alone(model, batch):
    source, lengths, target = batch
    rows = torch.tensor([2, 0, 2])
    with torch.no_grad():
        memory = model.encode(source, lengths)
        state = model.start(memory)
        model.step(target[:, :1], memory, state)
        state.select(rows)
        found = model.step(target[rows, 1:2], memory.select(rows), state)
        expected = model.decode(target[:, :2], memory)[rows, 1:]
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-6)


def test_the_seed_alone_decides_the_first_weights():
    torch.manual_seed(1)
    first = Seq2Seq(SHAPE, seed=3).state_dict()
    torch.manual_seed(2)
    again = Seq2Seq(SHAPE, seed=3).state_dict()
    assert all(torch.equal(first[name], again[name]) for name in first)


def test_the_gate_that_forgets_begins_open():
    model = Seq2Seq(SHAPE)
    bias = model.decoder.bias_ih_l0 + model.decoder.bias_hh_l0
    assert bias.view(4, -1)[1].tolist() == [1.0] * 8
    assert math.isclose(bias.sum().item(), 8.0)


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"attention": "dot", "encoder_width": 5}, "the decoder's 8 and the encoder's 10"),
        ({"attention": "none", "input_feeding": True}, "input_feeding feeds what was attended to"),
    ],
)
def test_shapes_that_cannot_be_are_refused(keys, message):
    with pytest.raises(ConfigError, match=message):
        SHAPE.replaced(**keys)


@pytest.mark.parametrize("cell", ["lstm", "gru"])
@pytest.mark.parametrize("attention", ["none", "bahdanau", "dot", "general", "concat"])
@pytest.mark.parametrize("layers", [1, 3])
def test_number_of_parameters_is_that_of_the_model(cell, attention, layers):
    shape = Seq2SeqConfig(
        vocab_size=30,
        source_vocab_size=20,
        cell=cell,
        attention=attention,
        layers=layers,
        embedding=6,
        width=16,
        encoder_width=8,
    )
    for config in (shape, shape.replaced(encoder_width=16, bidirectional=False)):
        assert config.num_parameters == sum(weight.numel() for weight in Seq2Seq(config).parameters())
