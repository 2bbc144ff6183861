"""A plain model answers as the module does, to the bit, and leaves to modules what only they can do."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from textpipe.nn.bert import BERT, BertConfig
from textpipe.nn.gpt import GPT, GptConfig
from textpipe.nn.plain import plain
from textpipe.nn.seq2seq import Seq2Seq, Seq2SeqConfig
from textpipe.nn.transformer import Transformer, TransformerConfig

IDS = torch.tensor([[3, 1, 4, 1, 5], [9, 2, 6, 5, 3]])
LENGTHS = torch.tensor([5, 3])


@pytest.mark.parametrize(
    "keys",
    [{"layout": "gpt1"}, {"layout": "gpt2"}, {"layout": "gpt2", "tied": False}, {"layout": "llama", "kv_heads": 2}],
)
@torch.no_grad()
def test_a_plain_gpt_reads_and_writes_as_the_module_does(keys):
    model = GPT(GptConfig(vocab_size=20, context=8, layers=2, heads=4, width=16, **keys), seed=1).eval()
    twin = plain(model)
    caches = [part.new_cache(2, padding=[0, 2]) for part in (model, twin)]
    for step in (IDS, IDS[:, :1], IDS[:, 1:2]):
        one, other = (part.logits(part(step, cache=cache)) for part, cache in zip((model, twin), caches, strict=True))
        assert torch.equal(one, other)
    assert torch.equal(model(IDS), twin(IDS))


@torch.no_grad()
def test_a_plain_bert_answers_as_the_module_does():
    model = BERT(BertConfig(vocab_size=20, context=8, layers=2, heads=2, width=16, next_sentence=True), seed=1).eval()
    states = plain(model)(IDS, lengths_B=LENGTHS)
    assert torch.equal(states, model(IDS, lengths_B=LENGTHS))
    assert torch.equal(plain(model).next_sentence_logits(states), model.next_sentence_logits(states))


@pytest.mark.parametrize("layout", ["post", "pre"])
@torch.no_grad()
def test_a_plain_transformer_answers_as_the_module_does(layout):
    shape = TransformerConfig(vocab_size=20, context=8, width=16, heads=2, layout=layout)
    same_by_steps(Transformer(shape, seed=1).eval())


@pytest.mark.parametrize("cell", ["lstm", "gru"])
@pytest.mark.parametrize("attention", ["none", "bahdanau", "general", "concat"])
@torch.no_grad()
def test_a_plain_recurrent_model_answers_as_the_module_does(cell, attention):
    shape = Seq2SeqConfig(vocab_size=20, embedding=8, width=16, encoder_width=8, cell=cell, attention=attention)
    same_by_steps(Seq2Seq(shape, seed=1).eval())


def same_by_steps(model):
    written = []
    for part in (model, plain(model)):
        memory = part.encode(IDS, LENGTHS)
        state = part.start(memory)
        written.append(torch.cat([part.step(IDS[:, [place]], memory, state) for place in range(3)], dim=1))
    assert torch.equal(*written)


def test_weights_that_move_are_seen():
    layer = nn.Linear(2, 3)
    twin = plain(layer)
    with torch.no_grad():
        layer.weight.add_(1.0)
    x = torch.ones(1, 2)
    assert torch.equal(twin(x), layer(x))


def test_hooks_of_a_part_are_called():
    model = nn.Sequential(nn.Linear(2, 2))
    block = Block()
    called = []
    block.inner.register_forward_hook(lambda *_: called.append(True))
    plain(block)(torch.ones(1, 2))
    assert called == [True]
    model.register_forward_pre_hook(lambda *_: called.append(False))
    assert plain(model) is model


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.inner = nn.Linear(2, 2)
        self.dropout = nn.Dropout(0.5)

    def forward(self, x):
        return self.dropout(self.inner(x))


def test_dropout_goes_on_in_training_and_is_left_out_otherwise():
    x = torch.ones(64, 2)
    assert (plain(Block().train())(x) == 0).any()
    assert not (plain(Block().eval())(x) == 0).any()
