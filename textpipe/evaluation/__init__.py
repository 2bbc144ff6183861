"""How good a model or a tokenizer is, in numbers that can be compared.

bits_per_byte   a language model over a whole split, and the unigram baseline
"""
