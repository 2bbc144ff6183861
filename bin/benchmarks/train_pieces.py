"""Piece vocabularies: textpipe beside tokenizers (WordPiece) or sentencepiece (byte-pair training), whole processes.

Every contender prints a digest of its pieces; they must be equal, or no figure is printed. tokenizers numbers the
characters inside words in the order of a hash, so both are given them all as special tokens, in order (found once,
before the clock runs); words are cut at white space. For sentencepiece the characters are left as they are, on both
sides, and so are lines of any length.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import json
import os
import sys
import tempfile
from pathlib import Path

from contenders import print_table, run_in_turn

PEERS = {"word-piece": "tokenizers", "sentencepiece": "sentencepiece"}
_ANY_LENGTH = 1 << 29


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="bin/bench train-pieces", description=__doc__)
    parser.add_argument("files", nargs="+", type=Path, help="texts as they are, not packed")
    parser.add_argument("--model", choices=sorted(PEERS), default="word-piece")
    parser.add_argument("--vocab-size", type=int, default=32_000)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--one", help=argparse.SUPPRESS)
    parser.add_argument("--special", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.one:
        pieces = LEARNERS[options.model, options.one](options)
        print(f"{len(pieces)} pieces, sha256 {hashlib.sha256(repr(pieces).encode()).hexdigest()}")
        return 0
    size = sum(file.stat().st_size for file in options.files)
    print(f"{options.model}: {size / 1e6:.1f} MB of text, {options.vocab_size:,} entries, {options.threads} threads")
    with tempfile.TemporaryDirectory() as scratch:
        options.special = Path(scratch, "special.json")
        special = special_pieces(options.files) if options.model == "word-piece" else []
        options.special.write_text(json.dumps(special), encoding="utf-8")
        table = run_in_turn({name: command(name, options) for name in ("textpipe", PEERS[options.model])}, options.runs)
    if len({runs.output for runs in table.values()}) != 1:
        sys.exit("the results differ: " + ", ".join(f"{r.name} {r.output.strip()}" for r in table.values()))
    print(f"all alike: {next(iter(table.values())).output.strip()}")
    print_table(table)
    return 0


def command(name: str, options: argparse.Namespace) -> list[str]:
    entry = str(Path(__file__).with_name("run.py"))
    flags = ["--model", options.model, "--vocab-size", str(options.vocab_size), "--threads", str(options.threads)]
    flags += ["--special", str(options.special)]
    return [sys.executable, entry, "train-pieces", *map(str, options.files), *flags, "--one", name]


def special_pieces(files: list[Path]) -> list[str]:
    characters: set[str] = set()
    for file in files:
        characters.update(file.read_text(encoding="utf-8"))
    return ["[UNK]", *sorted(f"##{character}" for character in characters if not character.isspace())]


def our_word_piece(options: argparse.Namespace) -> list[str]:
    from textpipe.core._native import grammar_step
    from textpipe.trainers import WordCutter, WordPieceTrainer, count_files, train_word_piece

    special = json.loads(options.special.read_text(encoding="utf-8"))
    counts = count_files(options.files, WordCutter(cutting=(grammar_step(2),)), threads=options.threads)
    trainer = WordPieceTrainer(vocab_size=options.vocab_size, special_tokens=special, show_progress=False)
    return list(train_word_piece(counts, trainer, threads=options.threads))


def their_word_piece(options: argparse.Namespace) -> list[str]:
    os.environ["RAYON_NUM_THREADS"] = str(options.threads)
    from tokenizers import Tokenizer, models, pre_tokenizers, trainers

    special = json.loads(options.special.read_text(encoding="utf-8"))
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    trainer = trainers.WordPieceTrainer(vocab_size=options.vocab_size, special_tokens=special, show_progress=False)
    tokenizer.train([str(file) for file in options.files], trainer)
    vocab = tokenizer.get_vocab()
    return sorted(vocab, key=lambda piece: vocab[piece])


def our_sentencepiece(options: argparse.Namespace) -> list[tuple[str, float]]:
    from textpipe.trainers import SentencePieceBpeTrainer, SentenceReader, count_files, train_sentencepiece_bpe

    trainer = SentencePieceBpeTrainer(vocab_size=options.vocab_size)
    reader = SentenceReader(reserved=tuple(trainer.reserved), max_sentence_bytes=_ANY_LENGTH)
    words = count_files(options.files, trainer.cutter(reader), threads=options.threads)
    pieces = train_sentencepiece_bpe(words, trainer, threads=options.threads).pieces
    return [(piece, score) for piece, score in pieces]


def their_sentencepiece(options: argparse.Namespace) -> list[tuple[str, float]]:
    import sentencepiece

    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        input=",".join(str(file) for file in options.files),
        model_writer=model,
        model_type="bpe",
        vocab_size=options.vocab_size,
        normalization_rule_name="identity",
        max_sentence_length=_ANY_LENGTH,
        num_threads=options.threads,
        minloglevel=3,
    )
    pieces = sentencepiece.SentencePieceProcessor(model_proto=model.getvalue())
    return [(pieces.id_to_piece(i), pieces.get_score(i)) for i in range(pieces.get_piece_size())]


LEARNERS = {
    ("word-piece", "textpipe"): our_word_piece,
    ("word-piece", "tokenizers"): their_word_piece,
    ("sentencepiece", "textpipe"): our_sentencepiece,
    ("sentencepiece", "sentencepiece"): their_sentencepiece,
}
