"""Every kind of attack on every file that a loader reads: it ends in an error that names the file, or in no harm.

A loader's files are small and whole; an attack makes broken ones of one of them. All variants of one attack on one file
are read in a process of their own, which limits of memory and of processor time would end.
"""

from __future__ import annotations

import base64
import json
import multiprocessing
import resource
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from tokenizer_file_parts import BYTES, piece, ranks, split, template, token

from textpipe.errors import FormatError, InputError, LimitError, TextpipeError
from textpipe.formats.own_stages import register
from textpipe.normalizers import Normalizer

MEMORY_BYTES, CPU_S, MOST_S = 2 << 30, 60, 1.0
TEXT = "가 나 ab 학교에서 ㅋㅋ <s> [CLS] 12"
OWN = "attacked.Same"

PLACES = [{"SpecialToken": {"id": "<s>", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}]
PADDING = {
    "strategy": "BatchLongest", "direction": "Right", "pad_to_multiple_of": None, "pad_id": 3, "pad_type_id": 0,
    "pad_token": "<s>",
}  # fmt: skip
BPE = {
    "version": "1.0",
    "truncation": {"direction": "Right", "max_length": 9, "strategy": "LongestFirst", "stride": 1},
    "padding": PADDING,
    "added_tokens": [token("<s>", 3, special=True)],
    "normalizer": {"type": "Sequence", "normalizers": [{"type": "NFC"}, {"type": "Prepend", "prepend": "a"}]},
    "pre_tokenizer": split(r"\s+"),
    "post_processor": template(PLACES, {"<s>": {"id": "<s>", "ids": [3], "tokens": ["<s>"]}}),
    "decoder": {"type": "Replace", "pattern": {"String": "a"}, "content": " "},
    "model": {"type": "BPE", "vocab": {"a": 0, "b": 1, "ab": 2}, "merges": [["a", "b"]]},
}
UNIGRAM = {
    "model": {"type": "Unigram", "unk_id": 0, "vocab": [["<unk>", 0.0], ["a", -1.5]], "byte_fallback": False},
}
OWN_STAGE = {
    "normalizer": {"type": OWN, "times": 1},
    "model": {"type": "WordPiece", "unk_token": "[U]", "continuing_subword_prefix": "##",
              "max_input_chars_per_word": 9, "vocab": {"[U]": 0, "학": 1, "##교": 2}},
}  # fmt: skip
CONFIG = {
    "tokenizer_class": "PreTrainedTokenizerFast",
    "do_lower_case": False,
    "unk_token": "[UNK]",
    "cls_token": {"content": "[CLS]", "lstrip": False, "normalized": False, "rstrip": False, "single_word": False},
    "added_tokens_decoder": {"7": token("<s>", 7, special=True)},
    "additional_special_tokens": ["<x>"],
    "model_max_length": 512,
}
del CONFIG["added_tokens_decoder"]["7"]["id"]
VOCAB_TXT = "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\n한\n##국\n".encode()
SENTENCES = piece(b"<unk>", 2) + b"".join(piece(part.encode()) for part in ("▁", "가", "▁가", "a"))
RANKS = ranks([*BYTES, (b"ab", 256)])
SPECIALS = {"pad_token": "[PAD]"}
ENCODING = {"name": "x", "pat_str": r"\p{L}+|\s+", "special_tokens": {"<s>": 300}, "nfc": True}


@register(OWN)
@dataclass(eq=False, repr=False)
class Same(Normalizer):
    """A stage of the user's own, with a setting."""

    times: int = 1

    def apply(self, text):
        return text


def dumped(tree: Any) -> bytes:
    return json.dumps(tree, ensure_ascii=False).encode("utf-8", "surrogatepass")


# By loader: its files, the first one named to the reader ("" for the folder itself).
LOADERS: dict[str, tuple[str, dict[str, bytes]]] = {
    "tokenizer.json": ("tokenizer.json", {"tokenizer.json": dumped(BPE)}),
    "tokenizer.json of unigrams": ("tokenizer.json", {"tokenizer.json": dumped(UNIGRAM)}),
    "a stage of our own": ("tokenizer.json", {"tokenizer.json": dumped(OWN_STAGE)}),
    "sentencepiece": ("x.model", {"x.model": SENTENCES}),
    "tiktoken": ("mine.tiktoken", {"mine.tiktoken": RANKS, "mine.encoding.json": dumped(ENCODING)}),
    "vocab.txt": ("vocab.txt", {"vocab.txt": VOCAB_TXT}),
    "vocab.json": ("vocab.json", {"vocab.json": dumped(BPE["model"]["vocab"]), "merges.txt": b"#version: 0.2\na b\n"}),
    "transformers": ("", {"tokenizer_config.json": dumped(CONFIG), "special_tokens_map.json": dumped(SPECIALS),
                          "vocab.txt": VOCAB_TXT}),
}  # fmt: skip

HOSTILE = [
    None, True, 0, -1, 1 << 31, 1 << 62, 1e308, "", "\0", "\ud800", "a" * 100_000, "(a+)+$", "(?R)", "(", [], {}, [[]],
    [None] * 2, {"type": "Sequence"}, {"Regex": "(a*)*b"}, {"String": ""}, [["a", "b"]] * 3,
]  # fmt: skip


def cut_anywhere(data: bytes) -> Iterator[bytes]:
    step = max(1, len(data) // 1500)
    return (data[:size] for size in range(0, len(data), step))


def byte_changed(data: bytes) -> Iterator[bytes]:
    for at in range(0, len(data), max(1, len(data) // 400)):
        for value in (0, 0xFF, data[at] ^ 1, data[at] ^ 0x80):
            yield data[:at] + bytes([value]) + data[at + 1 :]


def noise(data: bytes) -> Iterator[bytes]:
    yield from (
        b"",
        b"\0",
        b"\xff" * 5000,
        b"\xef\xbb\xbf",
        b"\xef\xbb\xbf" + data,
        data + data,
        data + b"\0",
        b"\n" * 5000,
    )
    yield from (data.decode("utf-8", "replace").encode("utf-16"), data[::-1], b"9" * 1_000_000, b'"' + b"\\u" * 500_000)


def deep(data: bytes) -> Iterator[bytes]:
    for opened in (b"[", b'{"a":', b'{"model":', b'{"normalizer":[', b"\n\x80", b"\x0b"):
        yield opened * 200_000
    yield data[:-1] + b',"deep":' + b"[" * 100_000 + b"]" * 100_000 + b"}"


def long_piece(data: bytes) -> Iterator[bytes]:
    long = "가" * 40_000
    yield long.encode() + b"\n" + data
    yield data + long.encode() + b" " + long.encode() + b"\n"
    yield base64.b64encode(long.encode()) + b" 257\n" + data
    yield data + piece(long.encode())


def twice_or_huge(data: bytes) -> Iterator[bytes]:
    for old, new in ((b"1", b"0"), (b"1", b"-1"), (b"2", b"1"), (b"2", b"99999999999"), (b"3", b"4611686018427387904")):
        yield data.replace(old, new)
    lines = data.splitlines(keepends=True)
    yield from (data + lines[-1], b"".join(reversed(lines)), data + piece(b"a"))


def hostile_values(data: bytes) -> Iterator[bytes]:
    """A JSON tree with one value after the other replaced, left out, or under another key."""
    tree = json.loads(data)
    yield from map(dumped, HOSTILE)
    for parent, key in list(places(tree)):
        kept = parent[key]
        for value in HOSTILE:
            parent[key] = value
            yield dumped(tree)
        parent[key] = kept
        if isinstance(parent, dict):
            del parent[key]
            yield dumped(tree)
            for other in ("no such key", "a" * 100_000):
                parent[other] = kept
                yield dumped(tree)
                del parent[other]
            parent[key] = kept


def places(tree: Any) -> Iterator[tuple[Any, Any]]:
    if isinstance(tree, dict | list):
        for key in list(tree) if isinstance(tree, dict) else range(len(tree)):
            yield tree, key
            yield from places(tree[key])


ATTACKS: dict[str, Callable[[bytes], Iterator[bytes]]] = {
    "cut anywhere": cut_anywhere,
    "a byte changed": byte_changed,
    "noise": noise,
    "nested deep": deep,
    "a piece of 100 KB": long_piece,
    "ids twice, huge, negative": twice_or_huge,
    "hostile values": hostile_values,
}


def attack(folder: Path, named: str, file: str, variants: Iterator[bytes], answer: Any) -> None:
    """Read every variant; the answer is how many were refused, and all that went wrong."""
    from textpipe import Tokenizer

    taken = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (taken + MEMORY_BYTES, taken + MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_S, CPU_S))
    num_refused, wrong = 0, []
    for data in variants:
        (folder / file).write_bytes(data)
        start = time.process_time()
        try:
            tokenizer = Tokenizer.from_file(folder / named, allow=[OWN])
        except FormatError as error:
            num_refused += 1
            if str(folder) not in error.path or len(str(error)) > 2000:
                wrong.append(f"{data[:300]!r}: {error}"[:900])
        except (LimitError, InputError) as error:
            num_refused += 1
            if str(folder) not in str(error):
                wrong.append(f"{data[:300]!r}: {error}"[:900])
        except Exception as error:
            wrong.append(f"{data[:300]!r}: {type(error).__name__} {error}"[:900])
        else:
            try:
                tokenizer.decode(tokenizer.encode(TEXT, "b").ids)
                tokenizer.encode_to_numpy([TEXT])
            except TextpipeError:  # a pattern without end, a vocabulary without an unknown piece
                pass
            except Exception as error:
                wrong.append(f"{data[:300]!r}: when used {type(error).__name__} {error}"[:900])
        seconds = time.process_time() - start
        if seconds > MOST_S:
            wrong.append(f"{seconds:.1f} s of {data[:300]!r}")
    answer.send((num_refused, wrong))


CASES = [
    pytest.param(loader, file, name, id=f"{loader}-{file}-{name}")
    for loader, (_, files) in LOADERS.items()
    for file in files
    for name in ATTACKS
    if name != "hostile values" or file.endswith(".json")
]


@pytest.mark.parametrize(("loader", "file", "name"), CASES)
@pytest.mark.filterwarnings("ignore:.*next free id")
def test_an_attack_on_a_file_ends_in_an_error_that_names_it_or_in_no_harm(loader, file, name, tmp_path):
    named, files = LOADERS[loader]
    for other, data in files.items():
        (tmp_path / other).write_bytes(data)
    context = multiprocessing.get_context("fork")
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=attack, args=(tmp_path, named, file, ATTACKS[name](files[file]), sender))
    process.start()
    sender.close()
    try:
        num_refused, wrong = receiver.recv()
    except EOFError:
        process.join()
        pytest.fail(f"the process ended with {process.exitcode}")
    process.join()
    assert not wrong, "\n".join(wrong[:5])
    assert num_refused > 0


@pytest.mark.parametrize("loader", LOADERS)
def test_the_files_that_are_attacked_are_whole(loader, tmp_path):
    from textpipe import Tokenizer

    named, files = LOADERS[loader]
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
    assert Tokenizer.from_file(tmp_path / named, allow=[OWN]).encode("가 ab 한국").ids
