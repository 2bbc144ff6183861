"""Files of ranks: the ids of tiktoken, and back without loss."""

from __future__ import annotations

import base64
import dataclasses
import json
import struct
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizer_samples import KOREAN_LINES, byte_level_json, corpus

from textpipe import Tokenizer, formats
from textpipe.cli.app import run
from textpipe.core._rank_bpe import plain_ranks
from textpipe.core.byte_alphabet import to_bytes
from textpipe.errors import FormatError, InputError, LimitError, TextpipeError
from textpipe.formats import encodings, tiktoken
from textpipe.limits import DEFAULT_LIMITS
from textpipe.models import BPE, WordPiece

TEXTS = [*KOREAN_LINES, "a<|endoftext|>b", "x = 12345\r\n\r\n  \t y", "ſ's 'LL we'Ve", "  ", ""]


def small_ranks():
    model = json.loads(byte_level_json())["model"]
    pieces = {to_bytes(piece): number - 1 for piece, number in model["vocab"].items() if number > 0}
    return dict(sorted(pieces.items(), key=lambda row: row[1]))


def write_ranks(path, ranks):
    path.write_bytes(b"".join(base64.b64encode(piece) + b" %d\n" % rank for piece, rank in ranks.items()))
    return path


@pytest.mark.parametrize("name", ["gpt2", "cl100k_base", "o200k_base", "llama3", "qwen3"])
def test_a_known_name_gives_the_ids_of_tiktoken(name, tmp_path):
    peer = pytest.importorskip("tiktoken")
    encoding = encodings.ENCODINGS[name]
    ranks = small_ranks()
    special = {"<|endoftext|>": 100257}
    theirs = peer.Encoding(name, pat_str=encoding.pattern, mergeable_ranks=ranks, special_tokens=special)
    own = encodings.Encoding(encoding.pattern, special)
    ours = Tokenizer.from_parts(tiktoken.read(write_ranks(tmp_path / "x.tiktoken", ranks), encoding=own))
    for text in TEXTS:
        ids = ours.encode(text).ids
        assert ids == theirs.encode(text, allowed_special="all")
        assert ours.decode(ids, skip_special_tokens=False) == text
    named = Tokenizer.from_file(write_ranks(tmp_path / f"{name}.tiktoken", ranks))
    assert named.encode("안녕 it's").ids == theirs.encode("안녕 it's")
    assert named.token_to_id("<|endoftext|>") == encoding.special_tokens.get("<|endoftext|>")


def ranks_of_wheel(name):
    """A vocabulary inside the quicktok wheel: size and bytes and rank, one after the other."""
    quicktok = pytest.importorskip("quicktok")
    data = (Path(quicktok.__file__).parent / "data" / f"{name}.vocab").read_bytes()
    ranks, at = {}, 4
    while at < len(data):
        (size,) = struct.unpack_from("<H", data, at)
        (ranks[data[at + 2 : at + 2 + size]],) = struct.unpack_from("<I", data, at + 2 + size)
        at += 6 + size
    return ranks


def test_the_published_cl100k_is_known_by_its_digest_and_encodes_as_tiktoken(tmp_path):
    peer = pytest.importorskip("tiktoken")
    ranks = ranks_of_wheel("cl100k")
    encoding = encodings.ENCODINGS["cl100k_base"]
    theirs = peer.Encoding(
        "x", pat_str=encoding.pattern, mergeable_ranks=ranks, special_tokens={"<|endoftext|>": 100257}
    )
    path = write_ranks(tmp_path / "some.file", dict(sorted(ranks.items(), key=lambda row: row[1])))
    ours = Tokenizer.from_file(path)
    assert ours.encode("<|endofprompt|>").ids == [100276]
    for text in (*TEXTS, "\n".join(KOREAN_LINES * 50)):
        assert ours.encode_to_numpy([text])[0].tolist() == theirs.encode(text, allowed_special="all")


def test_the_published_cl100k_encodes_a_corpus_as_tiktoken(tmp_path):
    peer = pytest.importorskip("tiktoken")
    ranks = ranks_of_wheel("cl100k")
    pattern = encodings.ENCODINGS["cl100k_base"].pattern
    theirs = peer.Encoding("x", pat_str=pattern, mergeable_ranks=ranks, special_tokens={})
    ours = Tokenizer.from_file(write_ranks(tmp_path / "cl100k_base.tiktoken", ranks))
    for name in ("ko-reviews.txt.zst", "ko-docs.txt.zst", "en-docs.txt.zst"):
        text = corpus(name, 60_000)
        assert ours.encode_to_numpy([text])[0].tolist() == theirs.encode_ordinary(text)


@pytest.mark.parametrize(
    ("name", "size"), [("o200k_harmony", 1090), ("llama3", 256), ("qwen3", 26), ("cl100k_base", 5)]
)
def test_the_special_tokens_of_an_encoding_have_ids_of_their_own(name, size):
    tokens = encodings.ENCODINGS[name].special_tokens
    assert len(tokens) == len(set(tokens.values())) == size
    quicktok = pytest.importorskip("quicktok")
    file = Path(quicktok.__file__).parent / "data" / f"{name.removesuffix('_base')}.special"
    data = file.read_bytes()
    found, at = {}, 4
    while at < len(data):
        number, length = struct.unpack_from("<IH", data, at)
        found[data[at + 6 : at + 6 + length].decode()] = number
        at += 6 + length
    # One id of harmony has two names; the one it decodes to is kept.
    assert found == tokens | ({"<|endofprompt|>": 200018} if name == "o200k_harmony" else {})


def test_what_is_written_is_read_back_and_by_tiktoken(tmp_path):
    parts = tiktoken.read(write_ranks(tmp_path / "cl100k_base.tiktoken", small_ranks()))
    assert formats.losses(parts, "tiktoken") == []
    written = formats.write_file(parts, tmp_path / "out" / "mine.tiktoken")
    assert [path.name for path in written] == ["mine.tiktoken", "mine.encoding.json"]
    ours = Tokenizer.from_file(written[0])
    assert ours.to_str() == Tokenizer.from_parts(parts).to_str()
    peer = pytest.importorskip("tiktoken")
    from tiktoken.load import load_tiktoken_bpe

    settings = json.loads(written[1].read_text(encoding="utf-8"))
    theirs = peer.Encoding(**settings, mergeable_ranks=load_tiktoken_bpe(str(written[0])))
    for text in TEXTS:
        assert ours.encode(text).ids == theirs.encode(text, allowed_special="all")


def test_a_model_of_ranks_keeps_itself_in_our_json_and_becomes_merges_for_tokenizers(tmp_path):
    oracle = pytest.importorskip("tokenizers")
    parts = tiktoken.read(write_ranks(tmp_path / "cl100k_base.tiktoken", small_ranks()))
    ours = Tokenizer.from_parts(parts)
    assert Tokenizer.from_str(ours.to_str()).to_str() == ours.to_str()
    assert formats.losses(parts, "tokenizer.json") == [
        "model RankBPE is read back as BPE, which differs on about one token of a million"
    ]
    with pytest.raises(InputError, match="cannot hold all"):
        formats.write_file(parts, tmp_path / "tokenizer.json")
    formats.write_file(parts, tmp_path / "tokenizer.json", accept_losses=True)
    theirs = oracle.Tokenizer.from_file(str(tmp_path / "tokenizer.json"))
    for text in TEXTS:
        assert theirs.encode(text).ids == ours.encode(text).ids == Tokenizer.from_file(tmp_path).encode(text).ids


def test_a_learned_model_is_written_as_ranks_with_its_one_loss_named(tmp_path, capsys):
    Tokenizer.from_str(byte_level_json()).save(tmp_path / "tokenizer.json")
    command = ["convert", str(tmp_path / "tokenizer.json"), str(tmp_path / "x.tiktoken")]
    assert run(command) == 3
    assert "lost: model BPE is read back as RankBPE" in capsys.readouterr().out
    assert run([*command, "--accept-losses"]) == 0
    before, after = (Tokenizer.from_file(tmp_path / name) for name in ("tokenizer.json", "x.tiktoken"))
    for text in TEXTS:
        assert before.encode(text).ids == after.encode(text).ids


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (WordPiece({"[UNK]": 0}), "files of ranks hold BPE, not WordPiece"),
        (BPE(), "ByteLevel"),
    ],
)
def test_a_tokenizer_without_bytes_has_no_ranks(model, message):
    with pytest.raises(InputError, match=message):
        formats.losses(Tokenizer(model).parts, "tiktoken")


def test_ids_that_do_not_follow_the_merges_have_no_ranks():
    row = json.loads(byte_level_json())
    row["model"]["merges"].reverse()
    with pytest.raises(InputError, match="the ids do not follow the merges"):
        formats.losses(Tokenizer.from_str(json.dumps(row)).parts, "tiktoken")


@pytest.mark.parametrize(
    ("data", "error", "message"),
    [
        (b"YQ== 0\nYg==\n", FormatError, "line 2: no rank"),
        (b"YQ== 0\n!!! 1\n", FormatError, "line 2: no rank"),
        (b"YQ== 0\nYg== 1 2\n", FormatError, "line 2: no rank"),
        (b"YQ== 0\nYg== x\n", FormatError, "line 2: no rank"),
        (b"YQ== 0\nYg== " + b"9" * 5000, FormatError, "line 2: no rank"),
        (b"YQ== 0\nYg== -1\n", FormatError, "line 2: the rank -1"),
        (b"YQ== 0\nYg== 99999999\n", FormatError, "line 2: the rank 99999999"),
        (b"YQ== 0\nYQ== 1\n", FormatError, "line 2: a piece stands twice"),
        (b"YQ== 0\nYg== 0\n", FormatError, '"a" and "b" have the same id'),
        (b"YQ== 0\n", FormatError, "the byte 0x00 has no rank"),
        (b"YQ== 0\n" + base64.b64encode(b"a" * 5000) + b" 1\n", FormatError, "line 2: a piece of 5000 bytes"),
        (b"".join(base64.b64encode(b"a" * n) + b" %d\n" % n for n in range(1, 3000)), LimitError, "squares"),
    ],
)
def test_a_broken_file_is_refused_with_its_line(data, error, message, tmp_path):
    path = tmp_path / "gpt2.tiktoken"
    path.write_bytes(data)
    with pytest.raises(error, match=message):
        Tokenizer.from_file(path)


def test_convert_takes_the_name_of_an_encoding(tmp_path, capsys):
    path = write_ranks(tmp_path / "mine.tiktoken", small_ranks())
    command = ["convert", str(path), str(tmp_path / "out"), "--accept-losses", "--encoding"]
    assert run([*command, "qwen3"]) == 0
    ours = Tokenizer.from_parts(tiktoken.read(path, encoding="qwen3"))
    for text in TEXTS:
        assert Tokenizer.from_file(tmp_path / "out").encode(text).ids == ours.encode(text).ids
    capsys.readouterr()
    assert run([*command, "qwen33"]) == 3
    assert 'did you mean "qwen3"' in capsys.readouterr().err
    assert run(["convert", str(tmp_path / "out"), str(tmp_path / "b.json"), "--encoding", "gpt2"]) == 3
    assert "--encoding is for files of ranks" in capsys.readouterr().err


def test_a_file_that_nothing_is_known_of_asks_for_its_encoding(tmp_path):
    path = write_ranks(tmp_path / "mine.tiktoken", small_ranks())
    with pytest.raises(InputError, match=r"does not say how text is cut.*mine\.encoding\.json"):
        Tokenizer.from_file(path)
    for settings, message in (
        ("{", "not JSON"),
        ('{"pat_str": "("}', "special_tokens: is missing"),
        ('{"pat_str": "(", "special_tokens": {}}', "not a regular expression"),
        ('{"pat_str": "a", "special_tokens": {"a": 0}}', "has a rank too"),
        ('{"pat_str": "a", "special_tokens": {"<e>": "0"}}', r"special_tokens\.<e>: is"),
    ):
        (tmp_path / "mine.encoding.json").write_text(settings, encoding="utf-8")
        with pytest.raises(TextpipeError, match=message):
            Tokenizer.from_file(path)


LINE_PARTS = [
    "YQ==",
    "YWI=",
    "YWJj",
    "Y",
    "=",
    "==",
    "YQ=",
    "Y=Q=",
    "YR==",
    "!",
    "7Iqk",
    " ",
    "\t",
    "0",
    "7",
    "16777215",
    "\n",
    "\r\n",
]


@given(st.lists(st.sampled_from(LINE_PARTS), max_size=12).map("".join).map(str.encode))
def test_the_quick_reader_of_ranks_gives_what_lines_one_by_one_give_or_leaves_the_file_to_them(data):
    found = plain_ranks(data, piece_bytes=3, rank_end=1 << 24)
    if found:
        assert found == tiktoken._parse_lines(data, path="x", limits=DEFAULT_LIMITS)


@given(st.dictionaries(st.binary(min_size=1, max_size=9), st.integers(0, (1 << 24) - 1)), st.booleans())
def test_the_quick_reader_of_ranks_reads_what_is_written(ranks, ends):
    data = b"".join(base64.b64encode(piece) + b" %d\n" % rank for piece, rank in ranks.items())
    assert plain_ranks(data if ends else data[:-1], piece_bytes=9, rank_end=1 << 24) == ranks
    if ranks:
        longest = max(map(len, ranks))
        assert plain_ranks(data, piece_bytes=longest - 1, rank_end=1 << 24) is None
        assert plain_ranks(data, piece_bytes=9, rank_end=max(ranks.values())) is None
        assert plain_ranks(data + data, piece_bytes=9, rank_end=1 << 24) is None


@pytest.mark.parametrize("num_lines", [255, 256, 257])
def test_a_file_of_more_lines_than_a_vocabulary_may_have_is_refused(num_lines):
    data = b"".join(base64.b64encode(b"a%d" % rank) + b" %d\n" % rank for rank in range(num_lines))
    limits = dataclasses.replace(DEFAULT_LIMITS, vocab_size=256)
    if num_lines <= 256:
        assert len(tiktoken.parse_ranks(data, path="x.tiktoken", limits=limits)) == num_lines
        return
    with pytest.raises(FormatError, match=r"lines.*256"):
        tiktoken.parse_ranks(data, path="x.tiktoken", limits=limits)
