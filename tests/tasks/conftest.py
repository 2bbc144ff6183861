"""A tokenizer with BERT's marks that cuts Korean into characters. One thread: these models are small."""

from __future__ import annotations

import unicodedata

import pytest
import torch

from textpipe.implementations import BertWordPieceTokenizer

torch.set_num_threads(1)

LINES = (
    "정말 재미있는 영화였다 배우도 훌륭하다",
    "지루하고 시간이 아깝다 다시는 안 본다",
    "김철수는 서울에서 이영희는 부산에서 산다",
    "한글은 세종대왕이 1443년에 만들었다 누가 언제 만들었나",
)


@pytest.fixture(scope="session")
def marked_tokenizer():
    chars = sorted({char for form in ("NFC", "NFD") for line in LINES for char in unicodedata.normalize(form, line)})
    entries = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *(mark + char for char in chars for mark in ("", "##"))]
    vocab = {entry: number for number, entry in enumerate(entries)}
    return BertWordPieceTokenizer(vocab, lowercase=False, strip_accents=False)
