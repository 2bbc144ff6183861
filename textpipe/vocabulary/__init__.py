"""Vocabularies from texts: what ``textpipe train-vocab`` does, and its parts.

config      what vocabulary to train, and the presets
stages      settings → the stages of a tokenizer and its trainer
corpora     inputs by name and what each weighs; parity: weights under which all are cut alike
inputs      the files and their words counted
samples     a little text to measure on
training    all of it, to a folder; saved_states: how far it is, for one that goes on after a kill
finished    such a folder that is there already
card        the files of that folder; formats: whether they can be written
forecasting what all of it will take
editing     a tokenizer with more entries, or with fewer; edited: the folder of one
sentence_piece tokenizers as sentencepiece trains them
"""

from textpipe.vocabulary.card import output_names, shortfall
from textpipe.vocabulary.config import END_OF_TEXT, PRESETS, Preset, VocabConfig, commented_preset, preset_settings
from textpipe.vocabulary.edited import Origin, publish_extended, publish_pruned
from textpipe.vocabulary.editing import Pruned, extend_tokenizer, prune_tokenizer
from textpipe.vocabulary.finished import KIND, Vocabulary
from textpipe.vocabulary.forecasting import Forecast, forecast
from textpipe.vocabulary.formats import check_formats
from textpipe.vocabulary.inputs import SourceFiles
from textpipe.vocabulary.samples import sample_documents
from textpipe.vocabulary.sentence_piece import charsmap_named, train_sentencepiece
from textpipe.vocabulary.stages import make_tokenizer
from textpipe.vocabulary.training import count_words, train_vocabularies, train_vocabulary

__all__ = [
    "END_OF_TEXT",
    "KIND",
    "PRESETS",
    "Forecast",
    "Origin",
    "Preset",
    "Pruned",
    "SourceFiles",
    "VocabConfig",
    "Vocabulary",
    "charsmap_named",
    "check_formats",
    "commented_preset",
    "count_words",
    "extend_tokenizer",
    "forecast",
    "make_tokenizer",
    "output_names",
    "preset_settings",
    "prune_tokenizer",
    "publish_extended",
    "publish_pruned",
    "sample_documents",
    "shortfall",
    "train_sentencepiece",
    "train_vocabularies",
    "train_vocabulary",
]
