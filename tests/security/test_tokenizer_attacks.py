"""Known attacks on tokenizer files, and some of our own: each ends in an error of textpipe, or in nothing at all.

Every one runs under a limit of processor time and of memory, in a process that the limits would end.
"""

from __future__ import annotations

import json
import multiprocessing
import resource
from pathlib import Path

import pytest
from tokenizer_file_parts import BYTES, PLACE_A, PLACE_X, charsmap, piece, ranks, split, template, token

from textpipe.errors import FormatError, InputError, LimitError, TextpipeError

CPU_S, MEMORY_BYTES = 10, 4 << 30
TEXT = "aaab 한국어 aaa ㅋㅋ" * 20 + "!"
LONG = "a" * 4000
SMALL = {"type": "BPE", "vocab": {"a": 0, "b": 1, "ab": 2}, "merges": [["a", "b"]]}


def tokenizer_json(model=SMALL, **stages):
    return json.dumps({"version": "1.0", "model": model, **stages}, ensure_ascii=False).encode()


def bpe(vocab, merges=(), **settings):
    return tokenizer_json({"type": "BPE", "vocab": vocab, "merges": list(merges), **settings})


def replace(content, pattern="a", kind="String"):
    return {"type": "Replace", "pattern": {kind: pattern}, "content": content}


ATTACKS = {
    # reported against other loaders
    "a merge longer than any piece": bpe({"a": 0, "b": 1}, [["a", "b"]]),
    "a stride above the length": tokenizer_json(
        truncation={"direction": "Right", "max_length": 1, "strategy": "LongestFirst", "stride": 5}
    ),
    "a template of an absent token": tokenizer_json(post_processor=template([PLACE_X, PLACE_A])),
    "a template of one text that has two": tokenizer_json(
        post_processor=template([PLACE_A, {"Sequence": {"id": "B", "type_id": 0}}])
    ),
    "a strip longer than the text": tokenizer_json(
        decoder={"type": "Strip", "content": "a", "start": 9, "stop": 1 << 40}
    ),
    "a length of zero": tokenizer_json(pre_tokenizer={"type": "FixedLength", "length": 0}),
    "a charsmap of noise": tokenizer_json(normalizer=charsmap(b"\xff" * 2048)),
    "a charsmap whose sizes lie": tokenizer_json(normalizer=charsmap(b"\xff\xff\xff\x7f" + b"\0" * 64)),
    "ranks without some bytes": ranks(BYTES[1:]),
    "a piece of 100 KB": bpe({"a" * 100_000: 0}),
    "a sentencepiece piece of 100 KB": piece(b"<unk>", 2) + piece(b"a" * 100_000),
    "a sentencepiece model of NUL": piece(b"<unk>", 2) + piece(b"\0") + piece(b"a\0b"),
    "a length beyond the file": piece(b"<unk>", 2) + b"\x0a\xff\xff\xff\xff\x0f",
    "groups without end": piece(b"<unk>", 2) + b"\x0b" * 1000,
    "pieces of NUL": bpe({"\0": 0, "\0\0": 1}, [["\0", "\0"]]),
    "a byte token of -1": bpe({"a": 0, "<0x-1>": 1, "<0xGG>": 2}, byte_fallback=True),
    "a huge id": bpe({"a": 1 << 62}),
    "the largest id": bpe({"a": (1 << 24) - 1}),
    "an id twice": bpe({"a": 0, "b": 0}),
    "a key twice": b'{"model": {"type": "BPE", "vocab": {"a": 0, "a": 1}, "merges": []}}',
    "negative ids": bpe({"a": -1}),
    # bombs: a few bytes that ask for much
    "replacements of replacements": tokenizer_json(
        normalizer={"type": "Sequence", "normalizers": [replace(LONG)] * 4}
    ),
    "replacements of every character": tokenizer_json(
        normalizer={"type": "Sequence", "normalizers": [replace(LONG, ".", "Regex")] * 4}
    ),
    "doubled thirty times": tokenizer_json(normalizer={"type": "Sequence", "normalizers": [replace("aa")] * 30}),
    "a decoder that doubles thirty times": tokenizer_json(
        decoder={"type": "Sequence", "decoders": [replace("aa")] * 30}
    ),
    "five hundred prefixes": tokenizer_json(
        normalizer={"type": "Sequence", "normalizers": [{"type": "Prepend", "prepend": LONG}] * 500}
    ),
    "a template of many tokens of many ids": tokenizer_json(
        post_processor=template(
            [PLACE_X] * 20_000 + [PLACE_A], {"x": {"id": "x", "ids": [0] * 20_000, "tokens": ["a"] * 20_000}}
        )
    ),
    "a template of many texts": tokenizer_json(post_processor=template([PLACE_A] * 100_000)),
    "padding to a trillion": tokenizer_json(
        padding={
            "strategy": {"Fixed": 1 << 40}, "direction": "Right", "pad_to_multiple_of": None, "pad_id": 0,
            "pad_type_id": 0, "pad_token": "a",
        }
    ),
    "deep arrays": b"[" * 1_000_000,
    "deep objects": b'{"a":' * 500_000,
    "deep sequences": tokenizer_json(
        normalizer=json.loads('{"type":"Sequence","normalizers":[' * 14 + '{"type":"NFC"}' + "]}" * 14)
    ),
    "a number of a million digits": b'{"version": ' + b"9" * 1_000_000 + b"}",
    "a string without an end": b'"' + b'\\"' * 1_000_000,
    "added tokens with one long beginning": tokenizer_json(
        added_tokens=[token("a" * 3000 + f"{number}", 3 + number) for number in range(2000)]
    ),
    "an empty added token": tokenizer_json(added_tokens=[token("", 3)]),
    "ranks of long runs": ranks([*BYTES, *((b"a" * size, 254 + size) for size in range(2, 2000))]),
    "long runs of merges": bpe(
        {"a" * size: size for size in range(1, 3000)}, [["a" * size, "a"] for size in range(1, 2999)]
    ),
    # patterns
    "a pattern that backtracks": tokenizer_json(pre_tokenizer=split(r"(a+)+$")),
    "counts of counts": tokenizer_json(pre_tokenizer=split("((((a{100}){100}){100}){100}){100}")),
    "groups four hundred deep": tokenizer_json(pre_tokenizer=split("(?:" * 400 + "a" + ")+" * 400)),
    "a pattern that calls itself": tokenizer_json(pre_tokenizer=split(r"(?R)?a")),
    "a look behind without end": tokenizer_json(pre_tokenizer=split(r"(?<=(?:a|aa)*)b")),
    # numbers
    "scores beyond all sums": tokenizer_json(
        {"type": "Unigram", "unk_id": 0, "vocab": [["a", 1e308], ["b", 1e308], ["ab", -1e308]], "byte_fallback": False}
    ),
    "a score that is none": b'{"model": {"type": "Unigram", "unk_id": 0, "vocab": [["a", NaN]]}}',
    "an unknown piece that is none": tokenizer_json({"type": "Unigram", "unk_id": 9, "vocab": [["a", -1.0]]}),
    "nothing in the vocabulary": bpe({}),
    "no unknown piece": tokenizer_json({"type": "WordLevel", "vocab": {"a": 0}, "unk_token": "[UNK]"}),
}  # fmt: skip


def attack(data, answer, path):
    """In a process of its own: read the file, encode and decode with what it gives."""
    taken = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()  # what the parent had
    resource.setrlimit(resource.RLIMIT_AS, (taken + MEMORY_BYTES, taken + MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_S, CPU_S))
    from textpipe import Tokenizer

    try:
        tokenizer = Tokenizer.from_file(path)
        ids = tokenizer.encode(TEXT, "b").ids
        tokenizer.encode_to_numpy([TEXT])
        tokenizer.decode([*ids, 0, 1])
        answer.send("loads")
    except TextpipeError as error:
        answer.send(error)


@pytest.mark.parametrize("name", ATTACKS)
def test_an_attack_ends_in_an_error_or_in_nothing(name, tmp_path):
    data = ATTACKS[name]
    path = tmp_path / {b"Y": "gpt2.tiktoken", b"\n": "x.model"}.get(
        data[:1], "gpt2.tiktoken" if data[:2] == b"AA" else "tokenizer.json"
    )
    path.write_bytes(data)
    context = multiprocessing.get_context("fork")
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=attack, args=(data, sender, path))
    process.start()
    sender.close()
    try:
        outcome = receiver.recv()
    except EOFError:
        outcome = None
    process.join()
    assert outcome is not None, f"the process ended with {process.exitcode}"
    if outcome != "loads":
        assert isinstance(outcome, FormatError | LimitError | InputError)
        assert len(str(outcome)) < 2000


BOMBS = [
    "replacements of replacements", "replacements of every character", "doubled thirty times", "five hundred prefixes",
    "a decoder that doubles thirty times", "a template of many tokens of many ids", "a template of many texts",
    "deep arrays", "deep objects", "a piece of 100 KB", "a huge id", "an id twice", "a key twice", "negative ids",
    "a template of one text that has two",
    "a template of an absent token", "a length of zero", "a charsmap of noise", "a charsmap whose sizes lie",
    "ranks without some bytes", "a length beyond the file", "counts of counts", "a score that is none",
    "a merge longer than any piece", "an unknown piece that is none", "ranks of long runs",
]  # fmt: skip


@pytest.mark.parametrize("name", BOMBS)
def test_a_file_that_cannot_be_meant_is_refused_when_it_is_read(name, tmp_path):
    from textpipe import Tokenizer

    data = ATTACKS[name]
    path = tmp_path / ("x.model" if data[:1] == b"\n" else "gpt2.tiktoken" if data[:1] in b"YA" else "tokenizer.json")
    path.write_bytes(data)
    with pytest.raises(TextpipeError) as caught:
        Tokenizer.from_file(path)
    assert isinstance(caught.value, FormatError | LimitError)
    assert path.name in str(caught.value)
