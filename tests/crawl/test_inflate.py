"""Bodies are inflated exactly, and bombs are noticed early."""

import gzip
import random
import zlib
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from textpipe.crawl.inflate import Inflater, inflate_gzip
from textpipe.errors import InputError, LimitError
from textpipe.limits import DEFAULT_LIMITS


def raw_deflate(data):
    stream = zlib.compressobj(wbits=-15)
    return stream.compress(data) + stream.flush()


PACK = {"gzip": gzip.compress, "x-gzip": gzip.compress, "deflate": zlib.compress, "": bytes, "identity": bytes}


def inflate(header, data, step):
    inflater = Inflater(header)
    return b"".join(piece for i in range(0, len(data), step) for piece in inflater.feed(data[i : i + step]))


@settings(deadline=None)  # a busy machine is no failure
@given(st.binary(max_size=5000), st.sampled_from(sorted(PACK)), st.integers(1, 700))
def test_what_was_packed_comes_out_however_it_arrives(data, name, step):
    assert inflate(name, PACK[name](data), step) == data


@settings(deadline=None)  # a busy machine is no failure
@given(st.binary(min_size=1, max_size=3000), st.integers(1, 50))
def test_raw_deflate_is_understood(data, step):
    assert inflate("deflate", raw_deflate(data), step) == data


def test_a_large_body_is_whole():
    data = random.Random(0).randbytes(1_500_000)
    assert inflate("gzip", gzip.compress(data), 1 << 16) == data


def test_several_gzip_members_are_one_body_and_padding_is_ignored():
    data = gzip.compress(b"one ") + gzip.compress(b"two") + b"\0" * 40
    assert inflate("gzip", data, 7) == b"one two"


def test_two_encodings_are_undone_in_turn():
    assert inflate("deflate, gzip", gzip.compress(zlib.compress(b"inner" * 100)), 11) == b"inner" * 100


def test_three_encodings_are_refused():
    with pytest.raises(LimitError, match="content encodings"):
        Inflater("gzip, gzip, gzip")


@pytest.mark.parametrize("name", ["br", "zstd", "compress", "gzip, br"])
def test_an_encoding_that_was_not_asked_for_is_refused(name):
    with pytest.raises(InputError, match="gzip, deflate"):
        Inflater(name)


def test_damaged_data_is_told():
    with pytest.raises(InputError, match="not gzip"):
        inflate("gzip", b"\x1f\x8bnot really gzip at all", 100)


@pytest.mark.parametrize("layers", [1, 2])
def test_a_bomb_is_noticed_before_it_is_in_memory(layers):
    bomb = gzip.compress(bytes(1 << 28))
    for _ in range(layers - 1):
        bomb = gzip.compress(bomb)
    inflater = Inflater(", ".join(["gzip"] * layers))
    with pytest.raises(LimitError, match="inflate to more"):
        for _ in inflater.feed(bomb):
            pass
    assert inflater.num_bytes < max(2 << 20, 201 * len(bomb))


def test_pieces_are_small_so_that_a_caller_can_stop():
    inflater = Inflater("gzip", replace(DEFAULT_LIMITS, inflate_ratio=10**9))
    pieces = inflater.feed(gzip.compress(bytes(1 << 26)))
    assert len(next(pieces)) <= 1 << 16


@pytest.mark.parametrize(("cap", "fits"), [(999, False), (1000, True), (1001, True)])
def test_a_gzip_file_is_inflated_up_to_its_cap(cap, fits):
    data = gzip.compress(b"x" * 1000)
    if fits:
        assert len(inflate_gzip(data, cap)) == 1000
    else:
        with pytest.raises(LimitError):
            inflate_gzip(data, cap)
