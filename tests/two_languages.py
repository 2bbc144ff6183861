"""Two small languages, sentences of them drawn apart, for tests of translation that is learned without any."""

from __future__ import annotations

import numpy as np

from textpipe.data.packing import PackConfig, pack
from textpipe.data.two_corpora import TwoCorpora
from textpipe.models import WordLevel
from textpipe.pre_tokenizers import WhitespaceSplit
from textpipe.records import Document
from textpipe.tokenizer import Tokenizer

NAMES = ["Mina", "Juno", "Sora", "Hana", "Taro"]  # spelled alike in both
NOUNS, VERBS = ["sea", "hill", "tree", "bird"], ["sees", "hears", "likes"]
KOREAN = dict(zip([*NOUNS, *VERBS], ["바다", "언덕", "나무", "새", "본다", "듣는다", "좋아한다"], strict=True))
LANGUAGES = ("en", "ko")


def sentences(number, seed):
    """A name, a verb and one or two nouns, each keeping its own company, in both languages."""
    taste, draw = np.random.default_rng(7), np.random.default_rng(seed)
    verbs_of, nouns_of = taste.dirichlet([0.4] * 3, size=5), taste.dirichlet([0.4] * 4, size=3)
    found = []
    for _ in range(number):
        name = int(draw.integers(5))
        verb = int(draw.choice(3, p=verbs_of[name]))
        nouns = [NOUNS[noun] for noun in draw.choice(4, size=int(draw.integers(1, 3)), p=nouns_of[verb])]
        korean = " ".join([NAMES[name], *(KOREAN[noun] for noun in nouns), KOREAN[VERBS[verb]]])
        found.append((" ".join([NAMES[name], VERBS[verb], *nouns]), korean))
    return found


def tokenizer():
    """Their words."""
    words = ["<|endoftext|>", "<|unknown|>", *NAMES, *KOREAN, *KOREAN.values()]
    made = Tokenizer(WordLevel({word: number for number, word in enumerate(words)}, unk_token="<|unknown|>"))
    made.pre_tokenizer = WhitespaceSplit()
    made.add_special_tokens(["<|endoftext|>"])
    return made


def packed(texts, words, out):
    """Texts as a folder of shards, a tenth of them held out."""
    documents = [Document(str(number), text) for number, text in enumerate(texts)]
    return pack(documents, words, out, PackConfig(val_fraction=0.1))


def corpora(words, folder):
    """1,500 sentences of each language."""
    first = packed([one for one, _ in sentences(1500, 1)], words, folder / "en")
    second = packed([other for _, other in sentences(1500, 2)], words, folder / "ko")
    return TwoCorpora(first, second, LANGUAGES)
