"""Parity: every pattern in the wild over texts, ids and places beside tokenizers 0.23.3, ids beside tiktoken 0.14.

A part is a pre-tokenizer of the wild (with the normalizer that goes with it) before one learned vocabulary, or one of
tiktoken's vocabularies. Files are cut into documents of about 4,000 characters. Every part prints the tokens compared
and the first document that differs; the exit code is 1 when one does. `--slice 2/5` takes every fifth document from the
second on, so that a long comparison can be done a piece at a time.

Declared exceptions, which are not compared: text with a lone surrogate (refused, where `tokenizers` cannot be given it
at all); texts on which `tokenizers` panics (an added token with lstrip right after another added token).
"""

from __future__ import annotations

import argparse
import struct
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

DOCUMENT_CHARS = 4000
RANKS = {"cl100k": "cl100k_base", "o200k": "o200k_base", "llama3": "llama3", "qwen3": "qwen3"}

TIKTOKEN_CL100K = (
    r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}+| ?[^\s\p{L}\p{N}]++[\r\n]*+"
    r"|\s++$|\s*[\r\n]|\s+(?!\S)|\s"
)


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="bin/bench parity", description=__doc__)
    parser.add_argument("files", nargs="+", type=Path, help="UTF-8 text, .zst as it is")
    parser.add_argument("--only", nargs="*", help="names of parts")
    parser.add_argument("--slice", default="1/1", help="which part of the documents, such as 2/5")
    parser.add_argument("--vocab-size", type=int, default=4000)
    options = parser.parse_args(arguments)
    number, count = map(int, options.slice.split("/"))
    texts = [text for file in options.files for text in documents(file)][number - 1 :: count]
    print(f"{len(texts):,} documents, {sum(len(text.encode()) for text in texts) / 1e6:.1f} MB", flush=True)
    parts = dict(all_parts(texts, options.vocab_size))
    wanted = options.only or parts
    total = 0
    good = True
    for name in wanted:
        start = time.perf_counter()
        num_tokens, difference = parts[name](texts)
        total += num_tokens
        seconds = time.perf_counter() - start
        print(f"{name:24} {num_tokens:>12,} tokens {seconds:6.0f} s  {difference or 'the same'}", flush=True)
        good = good and difference is None
    print(f"{'all':24} {total:>12,} tokens")
    return 0 if good else 1


def documents(file: Path) -> Iterator[str]:
    from textpipe.sources import read_blocks

    text = b"".join(read_blocks(file)).decode()
    for begin in range(0, len(text), DOCUMENT_CHARS):
        yield text[begin : begin + DOCUMENT_CHARS]


Compare = Callable[[list[str]], tuple[int, str | None]]


def all_parts(texts: list[str], vocab_size: int) -> Iterator[tuple[str, Compare]]:
    scratch = tempfile.mkdtemp()
    sample = Path(scratch, "sample.txt")
    sample.write_text("\n".join(texts[:: max(1, len(texts) // 500)]), encoding="utf-8")
    learned: dict[str, str] = {}
    for name, (kind, normalizer, pre_tokenizer) in pipelines().items():
        yield (
            name,
            lambda texts, made=(kind, normalizer, pre_tokenizer): beside_tokenizers(
                whole_tokenizer(sample, vocab_size, learned, made), texts
            ),
        )
    for name, encoding in RANKS.items():
        yield f"tiktoken {name}", lambda texts, made=(name, encoding): beside_tiktoken(*made, Path(scratch), texts)


def pipelines() -> dict[str, tuple[str, Any, Any]]:
    """By name: the kind of vocabulary, the normalizer and the pre-tokenizer, as parts of `tokenizers`."""
    from tokenizers import Regex, normalizers, pre_tokenizers

    from textpipe.pre_tokenizers.grammars import PATTERNS

    split, sequence = pre_tokenizers.Split, pre_tokenizers.Sequence
    spelled = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)

    def patterns(*wanted: str) -> Any:
        return sequence([*(split(Regex(pattern), "isolated") for pattern in wanted), spelled])

    digits = pre_tokenizers.Digits(individual_digits=True)
    gpt2 = pre_tokenizers.ByteLevel(add_prefix_space=False)
    bloom = " ?[^(\\s|[.,!?…。，、।۔،])]+"
    coder = (r"[\r\n]", r"\s?\p{L}+", r"\s?\p{P}+", "[一-龥ࠀ-一가-퟿]+")
    made: dict[str, tuple[str, Any, Any]] = {name: ("bytes", None, patterns(each)) for name, each in PATTERNS.items()}
    made["gpt2"] = ("bytes", None, gpt2)
    clip = sequence([split(Regex(PATTERNS["clip"]), "removed", True), spelled])
    made["clip"] = ("bytes", normalizers.Lowercase(), clip)
    made["roberta"] = ("bytes", None, pre_tokenizers.ByteLevel(add_prefix_space=True))
    made["qwen2 with nfc"] = ("bytes", normalizers.NFC(), patterns(PATTERNS["gpt4 digit"]))
    made["deepseek v3"] = ("bytes", None, patterns(r"\p{N}{1,3}", "[一-龥぀-ゟ゠-ヿ]+", PATTERNS["deepseek"]))
    made["deepseek coder"] = ("bytes", None, sequence([*(split(Regex(p), "isolated") for p in coder), digits, spelled]))
    made["bloom"] = ("bytes", None, patterns(bloom))
    made["starcoder"] = ("bytes", None, sequence([digits, gpt2]))
    falcon = [pre_tokenizers.Punctuation("contiguous"), gpt2, pre_tokenizers.Digits()]
    made["falcon"] = ("bytes", None, sequence([*falcon, split(Regex("[0-9]{3}"), "isolated")]))
    made["gemma"] = ("characters", normalizers.Replace(" ", "▁"), split(" ", "merged_with_previous"))
    llama = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    made["llama 2, by lines"] = ("characters", llama, split("\n", "merged_with_next"))
    made["mistral metaspace"] = ("characters", None, pre_tokenizers.Metaspace("▁", "first"))
    xlnet = [normalizers.Replace("``", '"'), normalizers.NFKD(), normalizers.StripAccents(), normalizers.Lowercase()]
    made["xlnet"] = ("characters", normalizers.Sequence(xlnet), pre_tokenizers.Metaspace())
    t5 = normalizers.Sequence([normalizers.Nmt(), normalizers.NFKC(), normalizers.Strip()])
    made["t5"] = ("characters", t5, sequence([pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace()]))
    bert = pre_tokenizers.BertPreTokenizer()
    made["bert uncased"] = ("bert", normalizers.BertNormalizer(), bert)
    made["bert cased"] = ("bert", normalizers.BertNormalizer(lowercase=False), bert)
    made["whitespace, digits"] = ("words", normalizers.NFC(), sequence([pre_tokenizers.Whitespace(), digits]))
    scripts = sequence([pre_tokenizers.UnicodeScripts(), pre_tokenizers.Metaspace()])
    made["unicode scripts"] = ("characters", None, scripts)
    return made


def whole_tokenizer(sample: Path, vocab_size: int, learned: dict[str, str], parts: tuple[str, Any, Any]) -> str:
    """tokenizer.json of the parts before a vocabulary of their kind, which is learned once."""
    import tokenizers

    kind, normalizer, pre_tokenizer = parts
    if kind not in learned:
        learned[kind] = learn(sample, vocab_size, kind)
    whole = tokenizers.Tokenizer.from_str(learned[kind])
    whole.pre_tokenizer = pre_tokenizer
    if normalizer is not None:
        whole.normalizer = normalizer
    json_text: str = whole.to_str()
    return json_text


def learn(sample: Path, vocab_size: int, kind: str) -> str:
    import tokenizers
    from tokenizers import models, normalizers, pre_tokenizers, trainers

    settings: dict[str, Any] = {"vocab_size": vocab_size, "show_progress": False, "special_tokens": ["[UNK]"]}
    learner: Any
    if kind == "bytes":
        made = tokenizers.Tokenizer(models.BPE())
        learner = trainers.BpeTrainer(**settings, initial_alphabet=pre_tokenizers.ByteLevel.alphabet())
        made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    elif kind == "characters":
        made, learner = tokenizers.Tokenizer(models.BPE(unk_token="[UNK]")), trainers.BpeTrainer(**settings)
        made.pre_tokenizer = pre_tokenizers.Metaspace()
    elif kind == "bert":
        made = tokenizers.Tokenizer(models.WordPiece(unk_token="[UNK]"))
        learner = trainers.WordPieceTrainer(**settings)
        made.normalizer, made.pre_tokenizer = normalizers.BertNormalizer(), pre_tokenizers.BertPreTokenizer()
    else:
        made = tokenizers.Tokenizer(models.WordLevel(unk_token="[UNK]"))
        learner, made.pre_tokenizer = trainers.WordLevelTrainer(**settings), pre_tokenizers.Whitespace()
    made.train([str(sample)], learner)
    json_text: str = made.to_str()
    return json_text


def beside_tokenizers(json_text: str, texts: list[str]) -> tuple[int, str | None]:
    import tokenizers

    from textpipe import Tokenizer

    ours, theirs = Tokenizer.from_str(json_text), tokenizers.Tokenizer.from_str(json_text)
    if ours.pipeline.native is None:
        return 0, "there is no native program for it"
    num_tokens = 0
    for start in range(0, len(texts), 64):
        batch = texts[start : start + 64]
        flat, places = ours.encode_to_numpy(batch, threads=1)
        for number, (text, expected) in enumerate(zip(batch, theirs.encode_batch(batch), strict=True)):
            num_tokens += len(expected.ids)
            if flat[places[number] : places[number + 1]].tolist() != expected.ids:
                return num_tokens, f"ids differ in document {start + number}"
            found = ours.encode(text)
            if found.ids != expected.ids or found.offsets != expected.offsets:
                return num_tokens, f"places differ in document {start + number}"
    return num_tokens, None


def beside_tiktoken(name: str, encoding: str, scratch: Path, texts: list[str]) -> tuple[int, str | None]:
    import base64

    import quicktok
    import tiktoken

    from textpipe import Tokenizer
    from textpipe.formats.encodings import ENCODINGS

    data = (Path(quicktok.__file__).parent / "data" / f"{name}.vocab").read_bytes()
    ranks: dict[bytes, int] = {}
    at = 4
    while at < len(data):  # two bytes of size, the piece, four of its rank
        (size,) = struct.unpack_from("<H", data, at)
        (ranks[data[at + 2 : at + 2 + size]],) = struct.unpack_from("<I", data, at + 2 + size)
        at += 6 + size
    path = scratch / f"{encoding}.tiktoken"
    rows = sorted(ranks.items(), key=lambda row: row[1])
    path.write_bytes(b"".join(base64.b64encode(piece) + b" %d\n" % rank for piece, rank in rows))
    ours = Tokenizer.from_file(path)
    pattern = TIKTOKEN_CL100K if name == "cl100k" else ENCODINGS[encoding].pattern
    theirs = tiktoken.Encoding(name, pat_str=pattern, mergeable_ranks=ranks, special_tokens={})
    num_tokens = 0
    for start in range(0, len(texts), 64):
        batch = texts[start : start + 64]
        flat, places = ours.encode_to_numpy(batch, threads=1)
        for number, text in enumerate(batch):
            # tiktoken itself puts nothing into a normal form.
            expected = theirs.encode_ordinary(ours.normalizer.normalize_str(text) if ours.normalizer else text)
            num_tokens += len(expected)
            if flat[places[number] : places[number + 1]].tolist() != expected:
                return num_tokens, f"ids differ in document {start + number}"
    return num_tokens, None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
