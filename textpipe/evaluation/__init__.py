"""How good a model or a tokenizer is, in numbers that can be compared.

vocabulary      how well a vocabulary fits texts
tokenization    the measures papers compare tokenizers by
comparison      where two tokenizers cut texts differently
bits_per_byte   a language model over a whole split, and the unigram baseline
"""
