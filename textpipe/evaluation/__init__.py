"""How good a model or a tokenizer is, in numbers that can be compared.

vocabulary      how well a vocabulary fits texts
tokenization    the measures papers compare tokenizers by
comparison      where two tokenizers cut texts differently
bits_per_byte   a language model over a whole split, and the unigram baseline
model_scores    any trained model on texts or packed data: nats, perplexity, bits per byte
labels          a classifier: accuracy, F1 of each class and over all
correlation     predicted numbers: Pearson's and Spearman's coefficient
entities        tagged text: F1 over whole entities
answers         questions: exact match and F1
translations    BLEU and chrF with signatures
extracts        summaries made of a text's own sentences, which others are held against
bootstrap       the interval of any of them
"""
