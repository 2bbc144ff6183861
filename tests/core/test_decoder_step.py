"""A native step refuses what does not fit its table, before it reads anything by it."""

from __future__ import annotations

import numpy as np
import pytest

from textpipe.core._decoder_step import DecoderStep, SourceStates

WIDTH, HEADS, INNER, ENTRIES, CONTEXT = 8, 2, 12, 10, 6


def numbers(*shape):
    return np.full(shape, 0.5, dtype=np.float32)


def matrix(rows, columns):
    return numbers(rows, columns), numbers(rows)


def norm():
    return numbers(WIDTH), numbers(WIDTH), 1e-5, True


def block(*, has_source=False):
    attention = {name: matrix(WIDTH, WIDTH) for name in ("query", "key", "value", "output")}
    made = {"attention_norm": norm(), "feed_forward_norm": norm()}
    made |= {f"attention.{name}": part for name, part in attention.items()}
    made |= {"feed_forward.up": matrix(INNER, WIDTH), "feed_forward.down": matrix(WIDTH, INNER)}
    if has_source:
        made |= {f"source_attention.{name}": part for name, part in attention.items()} | {"source_norm": norm()}
    return made


def table(**changed):
    return {
        "embedding": numbers(ENTRIES, WIDTH),
        "embedding_scale": 1.0,
        "added": None,
        "positions": numbers(CONTEXT, WIDTH),
        "turns": None,
        "blocks": [block(), block()],
        "final_norm": norm(),
        "heads": HEADS,
        "kv_heads": HEADS,
        "bend": "relu",
        "norm_first": True,
        "threads": 1,
    } | changed


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"embedding": numbers(0, WIDTH)}, "without numbers"),
        ({"heads": 3}, "a width of 8 in 3 heads"),
        ({"heads": 0}, "a width of 8 in 0 heads"),
        ({"kv_heads": 3}, "2 heads that share 3"),
        ({"bend": "sine"}, "a bend 'sine'; allowed: relu, gelu"),
        ({"added": numbers(WIDTH + 1)}, "added has 9 numbers, not 8"),
        ({"turns": numbers(1)}, "turns has 1 numbers, not 2"),
        ({"positions": numbers(CONTEXT, WIDTH - 1)}, "positions of width 7"),
        ({"final_norm": (numbers(WIDTH), numbers(1), 1e-5, True)}, "final_norm has 1 numbers, not 8"),
        ({"blocks": [block() | {"attention_norm": (numbers(7), None, 1e-5, True)}]}, "attention_norm has 7 numbers"),
        ({"blocks": [block() | {"attention.key": matrix(4, WIDTH)}]}, r"attention.key has the shape \(4, 8\), not \(8"),
        ({"blocks": [block() | {"attention.value": (numbers(8, 8), numbers(9))}]}, "attention.value has 9 numbers"),
        ({"blocks": [block() | {"feed_forward.down": matrix(WIDTH, INNER + 1)}]}, r"down has the shape \(8, 13\)"),
        ({"blocks": [block(), block() | {"feed_forward.up": matrix(INNER + 1, WIDTH)}]}, r"up has the shape \(13, 8\)"),
        ({"embedding": numbers(ENTRIES, WIDTH).astype(np.float64)}, "dtype mismatch"),
        ({"embedding": numbers(WIDTH, ENTRIES).T}, "not C-contiguous"),
        ({"blocks": [block() | {"attention.query": (numbers(8, 16)[:, ::2], None)}]}, "not C-contiguous"),
    ],
)
def test_weights_that_do_not_fit_are_refused(changed, message):
    with pytest.raises(ValueError, match=message):
        DecoderStep(**table(**changed))


@pytest.mark.parametrize("missing", ["attention_norm", "attention.output", "feed_forward.down"])
def test_a_block_without_one_of_its_parts_is_refused(missing):
    incomplete = {name: part for name, part in block().items() if name != missing}
    with pytest.raises(KeyError, match=missing):
        DecoderStep(**table(blocks=[incomplete]))


def given(rows=3, **changed):
    return {
        "tokens": np.zeros(rows, dtype=np.int64),
        "past": numbers(2, 2, rows, HEADS, CONTEXT, WIDTH // HEADS),
        "length": 2,
        "states": numbers(rows, WIDTH),
    } | changed


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"tokens": np.array([0, ENTRIES, 1])}, "the id 10; allowed: 0 to 9"),
        ({"tokens": np.array([0, -1, 1])}, "the id -1"),
        ({"tokens": np.zeros(2, dtype=np.int64)}, "a cache of the shape"),
        ({"tokens": np.zeros(3, dtype=np.int32)}, "dtype mismatch"),
        ({"past": numbers(2, 1, 3, HEADS, CONTEXT, 4)}, r"\(2, 1, 3, 2, 6, 4\), not \(2, 2, 3, 2, 6, 4\)"),
        ({"past": numbers(2, 2, 3, HEADS, CONTEXT, 5)}, "a cache of the shape"),
        ({"past": numbers(1, 2, 3, HEADS, CONTEXT, 4)}, "a cache of the shape"),
        ({"length": CONTEXT}, "position 6 of a cache of 6"),
        ({"length": -1}, "position -1"),
        ({"states": numbers(3, WIDTH + 1)}, "states of another shape"),
        ({"padding": np.array([0, 3, 0])}, "3 positions of padding, of 2"),
        ({"padding": np.array([0, -1, 0])}, "-1 positions of padding"),
        ({"padding": np.array([0, 0])}, "padding of 2 rows"),
        ({"past": numbers(2, 2, 3, HEADS, CONTEXT + 3, 4), "length": CONTEXT}, "position 6 of 6"),
    ],
)
def test_a_step_that_does_not_fit_is_refused(changed, message):
    with pytest.raises(ValueError, match=message):
        DecoderStep(**table()).step(**given(**changed))


def read(rows=3, positions=4, blocks=2):
    return [(numbers(rows, HEADS, positions, 4), numbers(rows, HEADS, positions, 4)) for _ in range(blocks)]


@pytest.mark.parametrize(
    ("keys_values", "lengths", "message"),
    [
        ([], [1, 1, 1], "lengths of 3 rows"),
        (read(), [1, 1], "lengths of 2 rows"),
        (read(), [1, 5, 1], "a source of 5 positions; allowed: 1 to 4"),
        (read(), [1, 0, 1], "a source of 0 positions"),
        ([*read(), *read(positions=5)], [1, 1, 1], "of the shapes"),
        ([(read()[0][0], numbers(3, HEADS, 3, 4))], [1, 1, 1], "of the shapes"),
        ([(numbers(3, HEADS, 4, 8)[..., ::2],) * 2], [1, 1, 1], "do not follow each other"),
        ([(numbers(3, HEADS, 4, 4)[::-1],) * 2], [1, 1, 1], "run backwards"),
    ],
)
def test_a_source_that_does_not_fit_is_refused(keys_values, lengths, message):
    with pytest.raises(ValueError, match=message):
        SourceStates(keys_values, np.array(lengths))


@pytest.mark.parametrize(
    ("made", "source", "message"),
    [
        ({}, SourceStates(read(), np.ones(3, dtype=np.int64)), "reads one, and no other does"),
        ({"blocks": [block(has_source=True)] * 2}, None, "reads one, and no other does"),
        (
            {"blocks": [block(has_source=True)] * 2},
            SourceStates(read(rows=2), np.ones(2, dtype=np.int64)),
            "a source of the shape",
        ),
        (
            {"blocks": [block(has_source=True)] * 2},
            SourceStates(read(blocks=1), np.ones(3, dtype=np.int64)),
            "another number of blocks",
        ),
    ],
)
def test_a_step_reads_the_source_it_was_made_for(made, source, message):
    with pytest.raises(ValueError, match=message):
        DecoderStep(**table(**made)).step(**given(), source=source)
