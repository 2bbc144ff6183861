"""File formats of tokenizers, in and out.

conversion          one door: read any of them, write any of them, and say beforehand what would be lost
tokenizer_json      every part; tokenizer_models and tokenizer_parts read its objects, fields names its faults
sentencepiece       .model files; sentencepiece_file reads them as values, protobuf as messages
translation_folders  source.spm, sentencepiece.bpe.model and the ids beside them
vocabularies        vocab.txt, and vocab.json with merges.txt; families builds the rest around them
"""

from textpipe.formats.conversion import (
    FORMATS,
    Format,
    detect,
    format_named,
    format_of_name,
    losses,
    notes,
    read_file,
    write_file,
)
from textpipe.formats.parts import Parts

__all__ = [
    "FORMATS",
    "Format",
    "Parts",
    "detect",
    "format_named",
    "format_of_name",
    "losses",
    "notes",
    "read_file",
    "write_file",
]
