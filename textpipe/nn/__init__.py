"""Definitions of models, and nothing else: no files, no loops, no data.

gpt          decoder-only language model, in the layouts of GPT-1, GPT-2 and Llama
bert         encoder that reads both ways, with its pretraining heads
bert_heads   the heads it is fine-tuned with
transformer  encoder and decoder
seq2seq      recurrent encoder and decoder, with attention
memory       what the two kinds of encoder and decoder have in common
blocks       what every Transformer is built of
attention    attention, its masks, rotary positions and key-value cache
activations  what bends the numbers inside a feed-forward layer
plain        a model without the bookkeeping of modules, for writing
losses       cross-entropy of a linear layer without holding all its logits
shapes       the configurations, without torch
"""
