"""A shard gives back what was written, and nothing else is taken for one."""

from __future__ import annotations

import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from textpipe.data.shards import BegunSplit, ShardInfo, ShardWriter, TokenShard, TokenSplit, token_dtype
from textpipe.errors import FormatError, InputError, StateError

DIGEST = "ab" * 32


def shard_bytes(documents, vocab_size=1000, eos_id=0, digest=DIGEST):
    file = io.BytesIO()
    writer = ShardWriter(file, ShardInfo(vocab_size, eos_id, digest))
    for document in documents:
        tokens = np.array([*document, eos_id])
        writer.write(tokens, np.array([0, len(tokens)]), text_bytes=3 * len(document))
    writer.finish()
    return file.getvalue()


def written(path, documents, **facts):
    path.write_bytes(shard_bytes(documents, **facts))
    return path


@given(
    documents=st.lists(st.lists(st.integers(1, 69_999), max_size=20), max_size=10),
    vocab_size=st.sampled_from([70_000, 1 << 20]),
)
def test_a_shard_gives_back_what_was_written(documents, vocab_size, tmp_path_factory):
    path = written(tmp_path_factory.mktemp("shard") / "train-00000.bin", documents, vocab_size=vocab_size)
    shard = TokenShard(path)
    assert shard.tokens.dtype == token_dtype(vocab_size)
    assert [shard.tokens[a:b].tolist() for a, b in zip(shard.offsets, shard.offsets[1:], strict=False)] == [
        [*document, 0] for document in documents
    ]
    assert shard.info == ShardInfo(
        vocab_size,
        0,
        DIGEST,
        num_tokens=sum(len(d) + 1 for d in documents),
        num_documents=len(documents),
        text_bytes=3 * sum(len(d) for d in documents),
    )


@pytest.mark.parametrize(("vocab_size", "name"), [(1, "uint16"), (65_536, "uint16"), (65_537, "uint32")])
def test_ids_never_wrap_in_a_narrow_type(vocab_size, name):
    assert token_dtype(vocab_size).name == name


def test_an_id_outside_the_vocabulary_is_refused_while_writing():
    writer = ShardWriter(io.BytesIO(), ShardInfo(10, 0, DIGEST))
    with pytest.raises(StateError, match="token id 10 is outside the vocabulary"):
        writer.write(np.array([10]), np.array([0, 1]), text_bytes=1)


@pytest.mark.parametrize("vocab_size", [1000, 70_000])
def test_a_shard_cut_at_any_byte_is_refused(vocab_size, tmp_path):
    whole = shard_bytes([[1, 2, 3], [], [4, 5]], vocab_size=vocab_size)
    path = tmp_path / "train-00000.bin"
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        with pytest.raises(FormatError) as caught:
            TokenShard(path)
        assert caught.value.offset is not None
        assert str(path) in str(caught.value)


def test_a_shard_with_a_byte_too_many_is_refused(tmp_path):
    path = tmp_path / "x.bin"
    for extra in (b"\0", b"\0" * 8, shard_bytes([[1]])):
        path.write_bytes(shard_bytes([[1, 2, 3]]) + extra)
        with pytest.raises(FormatError):
            TokenShard(path)


def test_a_changed_byte_of_header_offsets_or_trailer_is_refused(tmp_path):
    whole = shard_bytes([[1, 2, 3], [4, 5]])
    path = tmp_path / "x.bin"
    tokens = range(64, 64 + 14)  # ids alone cannot be told from others here: the manifest's sha256 does that
    for place in range(len(whole)):
        if place in tokens or place in range(78, 80):  # and the zeros that fill up to eight bytes
            continue
        changed = bytearray(whole)
        changed[place] ^= 0x01
        path.write_bytes(changed)
        try:
            shard = TokenShard(path)
        except FormatError:
            continue
        # an inner offset may still rise: the bounds of documents moved, and the manifest's sha256 tells
        assert shard.info == TokenShard(written(tmp_path / "y.bin", [[1, 2, 3], [4, 5]])).info


@pytest.mark.parametrize("content", [b"", b"hello", b"\x80\x02}q\x00." * 100, b"TXPTOKEN" * 40, b"\0" * 200])
def test_foreign_files_are_refused(content, tmp_path):
    path = tmp_path / "x.bin"
    path.write_bytes(content)
    with pytest.raises(FormatError, match=r"x\.bin"):
        TokenShard(path)


def test_shards_of_two_tokenizers_are_not_read_together(tmp_path):
    paths = [written(tmp_path / "a.bin", [[1]]), written(tmp_path / "b.bin", [[1]], digest="cd" * 32)]
    with pytest.raises(StateError) as caught:
        TokenSplit(paths)
    assert DIGEST in str(caught.value)
    assert "cd" * 32 in str(caught.value)


def test_a_split_without_tokens_is_refused(tmp_path):
    with pytest.raises(InputError, match="no tokens"):
        TokenSplit([written(tmp_path / "a.bin", [])])


@given(
    sizes=st.lists(st.lists(st.integers(0, 5), min_size=1, max_size=4), min_size=1, max_size=4),
    start=st.integers(-30, 90),
    length=st.integers(1, 60),
)
def test_a_window_of_the_ring_is_the_tokens_one_after_the_other(sizes, start, length, tmp_path_factory):
    folder = tmp_path_factory.mktemp("split")
    number, stream, owners, paths = 0, [], [], []
    for shard, documents in enumerate(sizes):
        rows = []
        for size in documents:
            rows.append([1 + (number * 7 + i) % 900 for i in range(size)])
            stream += [*rows[-1], 0]
            owners += [number] * (size + 1)
            number += 1
        paths.append(written(folder / f"train-{shard:05d}.bin", rows))
    split = TokenSplit(paths)
    places = [(start + i) % len(stream) for i in range(length)]
    assert split.window(start, length).tolist() == [stream[place] for place in places]
    assert split.documents_of(start, length).tolist() == [owners[place] for place in places]
    begins = [place for place, owner in enumerate(owners) if place == 0 or owner != owners[place - 1]]
    begun, begun_owners = np.insert(stream, begins, 999), np.insert(owners, begins, range(number))
    marked = BegunSplit(split, 999)
    places = np.arange(start, start + length) % len(begun)
    assert marked.num_tokens == len(begun)
    assert marked.window(start, length).tolist() == begun[places].tolist()
    assert marked.documents_of(start, length).tolist() == begun_owners[places].tolist()


def test_counts_are_those_of_all_shards(tmp_path):
    split = TokenSplit([written(tmp_path / "a.bin", [[1, 2, 2]]), written(tmp_path / "b.bin", [[2, 999]])])
    counts = split.counts()
    assert (counts[0], counts[1], counts[2], counts[999], counts.sum()) == (2, 1, 3, 1, 7)
