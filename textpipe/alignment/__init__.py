"""Which word of a text belongs to which word of its translation: the statistical beginning of translation.

words    texts → words, and words → numbers
cells    pairs of texts as arrays: for each word, all that it may have come from
lexical  what words become: IBM model 1, by expectation and maximisation
jumps    the same where a word's place follows from the place before: a hidden Markov model
links    two alignments, one of each direction, made one
aligner  all of it on parallel text: alignments and a lexicon
"""

from textpipe.alignment.aligner import Aligned, AlignmentConfig, LexiconEntry, align
from textpipe.alignment.links import symmetrized
from textpipe.alignment.words import split_words

__all__ = ["Aligned", "AlignmentConfig", "LexiconEntry", "align", "split_words", "symmetrized"]
