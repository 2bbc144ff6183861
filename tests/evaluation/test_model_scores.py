"""A model on texts: what transformers would sum up, whatever begins and ends a document there."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import pytest
import torch

from textpipe.errors import ConfigError, InputError
from textpipe.evaluation import model_scores
from textpipe.evaluation.model_scores import Evaluator
from textpipe.files import write_bytes, write_json
from textpipe.nn.architectures import new_model
from textpipe.nn.shapes import ClassifierConfig, Seq2SeqConfig
from textpipe.processors import TemplateProcessing
from textpipe.records import Document
from textpipe.tokenizer import Tokenizer

TEXTS = ("바다는 넓다", "the ferry is late", "ㅎㅎ", "한글은 소리를 적는다 1")


@pytest.fixture(scope="module")
def llama(small_tokenizer_json, tmp_path_factory):
    """A model of transformers whose texts begin with one token and end with another, and its folder."""
    transformers = pytest.importorskip("transformers")
    folder = tmp_path_factory.mktemp("llama") / "llama"
    sizes = {"vocab_size": 400, "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4}
    torch.manual_seed(5)
    config = transformers.LlamaConfig(**sizes, intermediate_size=48, max_position_embeddings=64, bos_token_id=1)
    theirs = transformers.LlamaForCausalLM(config).eval()
    for weight in theirs.parameters():
        torch.nn.init.normal_(weight, 0.02, 0.2)
    theirs.save_pretrained(folder)
    write_json(folder / "generation_config.json", {"bos_token_id": 1, "eos_token_id": [0, 7]})
    tokenizer = Tokenizer.from_str(small_tokenizer_json)
    tokenizer.post_processor = TemplateProcessing("<|other|> $A", "<|other|> $A $B", [("<|other|>", 1)])
    write_bytes(folder / "tokenizer.json", tokenizer.to_str().encode())
    return theirs, folder


@pytest.mark.parametrize("texts", [TEXTS[:1], TEXTS], ids=["one", "several"])
def test_documents_are_scored_as_transformers_does_each_by_itself(texts, llama):
    theirs, folder = llama
    evaluator = Evaluator.open(folder, document_mask=True)
    nats = num_tokens = 0
    for text in texts:
        ids = [*evaluator.tokenizer.encode(text).ids, 0]
        assert ids[0] == 1
        with torch.no_grad():
            found = theirs(input_ids=torch.tensor([ids]), labels=torch.tensor([ids]))
        nats, num_tokens = nats + found.loss.item() * (len(ids) - 1), num_tokens + len(ids) - 1
    score = evaluator.documents(Document(id=text, text=text) for text in texts)
    assert num_tokens <= evaluator.shape.context
    assert (score.num_predicted, score.num_tokens) == (num_tokens, num_tokens)
    assert score.nats == pytest.approx(nats, rel=1e-5)
    num_bytes = sum(len(text.encode()) for text in texts)
    assert score.bits_per_byte == pytest.approx(nats / math.log(2) / num_bytes, rel=1e-5)


def test_what_is_written_in_a_text_as_a_special_token_is_text(llama):
    evaluator = Evaluator.open(llama[1])
    written = evaluator.documents([Document(id="a", text="<|endoftext|>")])
    assert written.num_tokens == 1 + len(evaluator.tokenizer.encode("<|endoftext|>", special="text").ids) - 1
    assert written.num_tokens > 2


@pytest.mark.parametrize("documents", [[], [Document(id="a", text="")]])
def test_no_text_is_refused_or_has_no_bits_per_byte(documents, llama):
    evaluator = Evaluator.open(llama[1])
    if not documents:
        with pytest.raises(InputError, match="there is no document"):
            evaluator.documents(documents)
    else:
        score = evaluator.documents(documents)
        assert (score.num_tokens, score.bits_per_byte) == (1, None)
        json.dumps(score.as_json(), allow_nan=False)


def test_a_model_that_tells_labels_is_refused_with_the_verb_that_scores_it(small_tokenizer):
    model = new_model(ClassifierConfig(vocab_size=400, width=8, heads=2, labels=("좋음", "나쁨")))
    with pytest.raises(ConfigError, match=r"a classifier tells labels and predicts no text.*textpipe predict --score"):
        Evaluator(model, small_tokenizer, {"architecture": "classifier"})


PAIRS = [("바다 " * (1 + n % 5), "sea " * (1 + n % 3)) for n in range(20)]
LONG = ("바다 " * 60, "sea")


@pytest.fixture(scope="module")
def recurrent(small_tokenizer):
    """A model of pairs that has learned nothing."""
    shape = Seq2SeqConfig(vocab_size=400, embedding=8, width=8, encoder_width=4, context=32)
    facts = {"architecture": "seq2seq", "eos_id": 0, "borders": {"eos_id": 0}}
    return Evaluator(new_model(shape, seed=1).eval(), small_tokenizer, facts)


def test_pairs_are_scored_the_same_however_many_are_held_at_once(recurrent, monkeypatch):
    pairs = [*PAIRS, LONG, LONG, LONG, LONG]
    whole = recurrent.pairs(pairs)
    assert whole.num_left_out == 4
    assert whole.bits_per_byte is None
    assert whole.text_bytes == sum(len(target) for _, target in pairs)
    for size in (1, 3, 20):
        monkeypatch.setattr(model_scores, "_PAIRS_AT_ONCE", size)
        parts = recurrent.pairs(iter(pairs))
        assert parts.nats == pytest.approx(whole.nats, rel=1e-6)
        assert replace(parts, nats=whole.nats) == whole


def test_what_is_wrong_with_pairs_is_said_of_a_long_stream_too(recurrent, monkeypatch):
    monkeypatch.setattr(model_scores, "_PAIRS_AT_ONCE", 3)
    with pytest.raises(InputError, match="pair 5 has an empty target"):
        recurrent.pairs([*PAIRS[:4], ("바다", " ")])
    with pytest.raises(InputError, match="there is no pair"):
        recurrent.pairs([])
    with pytest.raises(InputError, match="all 4 pairs are longer than the 32 tokens the model reads"):
        recurrent.pairs([LONG] * 4)
