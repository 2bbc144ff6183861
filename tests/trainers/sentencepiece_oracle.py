"""What sentencepiece learns from lines, and lines to learn from."""

from __future__ import annotations

import io
import random

import sentencepiece

ALPHABETS = [
    "ab",
    "가각갂a",
    "가나다라ab1 ",
    "ㅋㅎㅠ가\u1112\u1161\u11ab",
    "한글漢字かなカナー12",
    "e\u0301ae\u0300",
    "abAB12-",
    "😀😃가a…",
    "\u2581ab",
]


def random_lines(seed: int, most: int = 30) -> list[str]:
    """A small text: few characters, words that recur, lines of spaces alone among them."""
    choose = random.Random(seed)
    alphabet = choose.choice(ALPHABETS)

    def word() -> str:
        return "".join(choose.choice(alphabet) for _ in range(choose.randint(1, 8)))

    known = [word() for _ in range(20)]
    return [
        " ".join(choose.choice(known) if choose.random() < 0.5 else word() for _ in range(choose.randint(1, 6)))
        if choose.random() < 0.95
        else " " * choose.randint(0, 2)
        for _ in range(choose.randint(1, most))
    ]


def learn(lines: list[str], vocab_size: int, **settings: object) -> list[tuple[str, float]]:
    """Pieces and scores after <unk>, <s> and </s>; RuntimeError where it refuses."""
    model = io.BytesIO()
    defaults = {"normalization_rule_name": "identity", "hard_vocab_limit": False, "minloglevel": 3}
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(lines), model_writer=model, vocab_size=vocab_size, **(defaults | settings)
    )
    processor = sentencepiece.SentencePieceProcessor(model_proto=model.getvalue())
    return [(processor.id_to_piece(i), processor.get_score(i)) for i in range(processor.get_piece_size())][3:]
