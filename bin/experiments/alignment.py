"""Where a recurrent model looked while it wrote: a picture of its attention.

What enters: a model with attention and a pair of texts. What leaves: an SVG with a row for each written token and a
column for each token of the source, the darker the more of it was read.
"""

from __future__ import annotations

from html import escape
from pathlib import Path

import torch

from textpipe import Tokenizer
from textpipe.data.pairs import PackedPairs
from textpipe.files import write_text
from textpipe.nn.seq2seq import Seq2Seq

__all__ = ["draw", "weights"]

_CELL, _MARGIN = 26, 64


@torch.no_grad()
def weights(model: Seq2Seq, source: list[int], target: list[int]) -> torch.Tensor:
    """The attention (T, S) of each step of writing ``target``, which begins with what a target is begun from."""
    memory = model.encode(torch.tensor([source]), torch.tensor([len(source)]))
    state = model.start(memory)
    rows = []
    for token in target:
        model.step(torch.tensor([[token]]), memory, state)
        assert state.weights_BS is not None
        rows.append(state.weights_BS[0])
    return torch.stack(rows)


def draw(model: Seq2Seq, data: PackedPairs, source: str, target: str, *, path: Path) -> None:
    """Draw the attention of a pair in the vocabularies of ``data``."""
    paths = (data.source_tokenizer_path, data.tokenizer_path)
    read, written = (
        Tokenizer.from_file(path).encode(text, add_special_tokens=False)
        for path, text in zip(paths, (source, target), strict=True)
    )
    weights_TS = weights(model, [*read.ids, data.train.source.info.eos_id], [data.eos_id, *written.ids])
    columns, rows = [*read.tokens, "end"], [*written.tokens, "end"]
    width, height = (_MARGIN + _CELL * len(names) + 8 for names in (columns, rows))
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" font-family="sans-serif" '
        f'font-size="13"><title>attention: {escape(source)}</title><rect width="100%" height="100%" fill="white"/>'
    ]
    for place, name in enumerate(columns):
        x = _MARGIN + _CELL * place + _CELL / 2
        parts.append(f'<text x="{x}" y="{_MARGIN - 10}" text-anchor="middle">{escape(name)}</text>')
    for place, (name, row) in enumerate(zip(rows, weights_TS.tolist(), strict=True)):
        y = _MARGIN + _CELL * place
        parts.append(f'<text x="{_MARGIN - 10}" y="{y + 18}" text-anchor="end">{escape(name)}</text>')
        parts += [
            f'<rect x="{_MARGIN + _CELL * column}" y="{y}" width="{_CELL - 1}" height="{_CELL - 1}" fill="#1f4e9c" '
            f'fill-opacity="{value:.3f}" stroke="#dddddd"><title>{value:.3f}</title></rect>'
            for column, value in enumerate(row)
        ]
    write_text(path, "".join([*parts, "</svg>\n"]))
