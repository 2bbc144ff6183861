"""Small models of every family with random weights."""

from __future__ import annotations

import torch

from textpipe.nn.architectures import new_model
from textpipe.nn.shapes import BertConfig, GptConfig, RopeScaling, Seq2SeqConfig, TransformerConfig

GPT = {"vocab_size": 400, "context": 48, "layers": 2, "heads": 4, "width": 32}
PAIR = {"vocab_size": 400, "context": 48, "encoder_layers": 2, "decoder_layers": 1, "heads": 4, "width": 32}
SCALING = RopeScaling(factor=8.0, original_context=16)
SHAPES = {
    "gpt1": GptConfig(layout="gpt1", **GPT),
    "gpt2": GptConfig(**GPT),
    "gpt2-untied-narrow": GptConfig(**GPT, tied=False, feed_forward=48),
    "gpt2-without-bias": GptConfig(**GPT, bias=False),
    "llama": GptConfig(layout="llama", **GPT),
    "llama-grouped-untied-bias": GptConfig(
        layout="llama", **GPT, kv_heads=2, tied=False, bias=True, rope_base=50_000.0, norm_epsilon=1e-6
    ),
    "llama-scaled": GptConfig(layout="llama", **GPT, rope_scaling=SCALING),
    "bert": BertConfig(vocab_size=400, context=48, layers=2, heads=4, width=32),
    "bert-next-sentence": BertConfig(vocab_size=400, context=48, layers=2, heads=4, width=32, next_sentence=True),
    "marian": TransformerConfig(**PAIR),
    "marian-two-vocabularies": TransformerConfig(**PAIR, source_vocab_size=300),
    "marian-silu": TransformerConfig(**PAIR, activation="silu"),
    "marian-bias": TransformerConfig(**PAIR, head_bias=True),
    "m-pegasus": TransformerConfig(**PAIR, layout="pre"),
    "m-pegasus-bias": TransformerConfig(**PAIR, layout="pre", head_bias=True),
    "marian-unscaled": TransformerConfig(**PAIR, scaled_embedding=False),
    "m2m100-unscaled": TransformerConfig(**PAIR, layout="pre", positions="fairseq", scaled_embedding=False),
    "m2m100": TransformerConfig(**PAIR, layout="pre", positions="fairseq"),
    "seq2seq": Seq2SeqConfig(vocab_size=400, embedding=16, width=32, encoder_width=16, context=48),
}


def random_model(shape, seed=1):
    """A model whose every number is random, biases and norms too."""
    made = new_model(shape)
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, weight in made.named_parameters():
            # small embeddings beside larger matrices: else a model with tied ones repeats what it reads
            spread = 0.02 if "embedding" in name else 0.3
            weight.normal_(1.0 if "norm.weight" in name else 0.0, spread, generator=generator)
    return made.eval()
