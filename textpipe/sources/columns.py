"""Texts in columns: Parquet files, and Arrow tables and arrays that Python holds.

What enters: a file, or any object with Arrow's C interface (of pyarrow, polars, pandas, …). What leaves: strings, row
after row; rows without a text are passed over. Promises: one batch of rows in memory at a time.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

from textpipe.errors import FormatError, InputError, did_you_mean, require

__all__ = ["TEXT_COLUMN", "is_arrow", "iter_arrow_texts", "iter_parquet_texts"]

TEXT_COLUMN = "text"
_BATCH_ROWS = 4096


def is_arrow(data: object) -> bool:
    """Whether an object speaks Arrow's C interface."""
    return hasattr(data, "__arrow_c_stream__") or hasattr(data, "__arrow_c_array__")


def iter_parquet_texts(path: str | os.PathLike[str], column: str = TEXT_COLUMN) -> Iterator[str]:
    """The texts in a column of a Parquet file.

    Raises
    ------
    MissingExtraError
        when pyarrow is not installed.
    FormatError
        when the file is none, is damaged, or has no such column of texts.
    """
    parquet = require("pyarrow.parquet", extra="arrow")
    arrow = require("pyarrow", extra="arrow")
    try:
        with parquet.ParquetFile(path) as file:
            _check_column(file.schema_arrow, column, path)
            for batch in file.iter_batches(_BATCH_ROWS, columns=[column], use_threads=False):
                yield from _strings(batch.column(0))
    except arrow.ArrowException as error:
        raise FormatError(f"no whole Parquet file ({str(error).splitlines()[0][:200]})", path=path) from None
    except OSError as error:
        if error.errno is not None:
            raise
        raise FormatError(f"no whole Parquet file ({str(error).splitlines()[0][:200]})", path=path) from None


def iter_arrow_texts(data: Any, column: str = TEXT_COLUMN) -> Iterator[str]:
    """The texts of an Arrow array, or of a column of a table or of a stream of batches.

    Raises
    ------
    MissingExtraError
        when pyarrow is not installed.
    InputError
        when there is no such column, or it does not hold texts.
    """
    arrow = require("pyarrow", extra="arrow")
    if isinstance(data, arrow.Array | arrow.ChunkedArray):
        _check_strings(data.type, "the array")
        for chunk in data.chunks if isinstance(data, arrow.ChunkedArray) else [data]:
            for start in range(0, len(chunk), _BATCH_ROWS):
                yield from _strings(chunk[start : start + _BATCH_ROWS])
        return
    reader = arrow.RecordBatchReader.from_stream(data)
    _check_column(reader.schema, column, "the table")
    for batch in reader:
        texts = batch.column(batch.schema.get_field_index(column))
        for start in range(0, len(texts), _BATCH_ROWS):
            yield from _strings(texts[start : start + _BATCH_ROWS])


def _strings(texts: Any) -> Iterator[str]:
    return (text for text in texts.to_pylist() if text is not None)


def _check_column(schema: Any, column: str, where: object) -> None:
    if column not in schema.names:
        raise InputError(f"no column {column!r}", where=where, hint=did_you_mean(column, schema.names))
    _check_strings(schema.field(column).type, f"{where}: column {column}")


def _check_strings(kind: Any, where: object) -> None:
    types = require("pyarrow.types", extra="arrow")
    if types.is_dictionary(kind):
        kind = kind.value_type
    views = types.is_string_view(kind) if hasattr(types, "is_string_view") else False
    if not (types.is_string(kind) or types.is_large_string(kind) or views):
        raise InputError(f"holds {kind}, not texts", where=where, allowed="strings")
