"""Text on disk, read in bounded memory: what every stage takes as INPUTS.

paths       what files a path stands for
inflating   the bytes of a file, unpacked on the way
lines       chunks of whole lines for the native engine
documents   documents and texts one by one
columns     texts in Parquet files and Arrow tables
"""

from textpipe.sources.columns import TEXT_COLUMN, is_arrow, iter_arrow_texts, iter_parquet_texts
from textpipe.sources.documents import TextUnit, iter_documents, iter_texts
from textpipe.sources.inflating import inflated_bytes, read_blocks
from textpipe.sources.lines import InvalidUtf8, LineReader, cut_at_space, iter_line_chunks, iter_lines
from textpipe.sources.paths import PACKED_SUFFIXES, Inputs, expand, is_jsonl, is_parquet

__all__ = [
    "PACKED_SUFFIXES",
    "TEXT_COLUMN",
    "Inputs",
    "InvalidUtf8",
    "LineReader",
    "TextUnit",
    "cut_at_space",
    "expand",
    "inflated_bytes",
    "is_arrow",
    "is_jsonl",
    "is_parquet",
    "iter_arrow_texts",
    "iter_documents",
    "iter_line_chunks",
    "iter_lines",
    "iter_parquet_texts",
    "iter_texts",
    "read_blocks",
]
