"""Definitions of models, and nothing else: no files, no loops, no data.

gpt        decoder-only language model
attention  causal attention with a key-value cache
losses     cross-entropy of a linear layer without holding all its logits
"""
