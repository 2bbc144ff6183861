"""The first inputs of every fuzz target, made from what the tests use.

What enters: the folder for the seeds. What leaves: a folder a target: Korean and English lines behind every choice of
a first byte that a target draws, and small tokenizers of every format and kind for the loaders.
"""

from __future__ import annotations

import base64
import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "tests"))

import tokenizers as oracle
from tokenizer_samples import ALPHABET, KOREAN_LINES, byte_level_json

from textpipe.files import write_bytes

norm, pre, post, dec = oracle.normalizers, oracle.pre_tokenizers, oracle.processors, oracle.decoders
TARGETS = ("utf8", "json", "steps", "bpe", "unigram", "word_piece", "sentences", "encoder", "words")


def main(folder: Path) -> None:
    """Write all of them."""
    for target in TARGETS:
        for number, line in enumerate([*KOREAN_LINES, ALPHABET, "a" * 300, " \n\t  \r\n", "e\u0301" * 40]):
            for choice in range(0, 256, 5):
                head = bytes([choice, number % 4, choice * 7 % 256])
                write_bytes(folder / target / f"{number}-{choice}", head + line.encode())
    for number, data in enumerate(files()):
        write_bytes(folder / "loaders" / str(number), data)


def files() -> list[bytes]:
    """Small files, the first byte telling the loaders' target which name to give it."""
    rows = [byte_level_json(300), *whole(), *parts()]
    ranks = b"".join(base64.b64encode(bytes([byte])) + b" %d\n" % byte for byte in range(256)) + b"YWI= 256\n"
    vocab = "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\n한국\n##어\na\n##b\n".encode()
    merges = b"#version: 0.2\na b\n"
    return [
        *(b"\0" + row.encode() for row in rows),
        b"\1" + ranks,
        b"\2" + vocab,
        b'\3{"a":0,"b":1,"ab":2}',
        b"\4" + merges,
    ]


def whole() -> list[str]:
    """One tokenizer a model, trained on the lines."""
    made = []
    for model, trainer in (
        (oracle.models.BPE(unk_token="<unk>", byte_fallback=True), oracle.trainers.BpeTrainer),
        (oracle.models.WordPiece(unk_token="<unk>"), oracle.trainers.WordPieceTrainer),
        (oracle.models.Unigram(), oracle.trainers.UnigramTrainer),
        (oracle.models.WordLevel(unk_token="<unk>"), oracle.trainers.WordLevelTrainer),
    ):
        tokenizer = oracle.Tokenizer(model)
        tokenizer.pre_tokenizer = pre.Metaspace()
        extra = {"unk_token": "<unk>"} if trainer is oracle.trainers.UnigramTrainer else {}
        options = trainer(vocab_size=260, special_tokens=["<unk>", "<s>"], show_progress=False, **extra)
        tokenizer.train_from_iterator(KOREAN_LINES, options)
        tokenizer.add_tokens([oracle.AddedToken("ㅋㅋ", lstrip=True, single_word=True)])
        made.append(tokenizer.to_str())
    return made


def parts() -> list[str]:
    """A tiny model with each part in turn."""
    pattern = oracle.Regex(r"[가-힣]+|\d")
    stages = {
        "normalizer": [
            norm.NFC(), norm.NFKD(), norm.Strip(), norm.BertNormalizer(), norm.Nmt(), norm.Prepend("▁"),
            norm.ByteLevel(), norm.Replace(pattern, "나"), norm.Sequence([norm.Lowercase(), norm.StripAccents()]),
        ],
        "pre_tokenizer": [
            pre.ByteLevel(), pre.Split(pattern, "merged_with_next"), pre.Sequence([pre.Digits(), pre.Punctuation()]),
            pre.FixedLength(3), pre.CharDelimiterSplit("가"), pre.UnicodeScripts(), pre.BertPreTokenizer(),
        ],
        "post_processor": [
            post.TemplateProcessing("a $A", "a $A b:1 $B:1", [("a", 0), ("b", 1)]),
            post.Sequence([post.ByteLevel(), post.RobertaProcessing(("a", 0), ("b", 1))]),
        ],
        "decoder": [
            dec.Sequence([dec.Replace("a", "b"), dec.ByteFallback(), dec.Fuse(), dec.Strip(" ", 1, 0)]), dec.CTC(),
        ],
    }  # fmt: skip
    model = {"type": "BPE", "vocab": {"a": 0, "b": 1, "ab": 2, "가": 3}, "merges": [["a", "b"]]}
    rows = [{"model": model, stage: json.loads(part.__getstate__())} for stage, some in stages.items() for part in some]
    return [json.dumps({"version": "1.0", **row}, ensure_ascii=False) for row in rows]


if __name__ == "__main__":
    main(Path(sys.argv[1]))
