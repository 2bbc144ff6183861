"""bin/experiment unsupervised: two languages learn to translate each other from corpora that nobody has aligned.

Both languages are made by one small grammar. The first puts the verb second; the second, in Hangul, puts it last and
marks subject and object by particles, as Korean does. Every word has one counterpart that nothing tells; only names are
spelled alike. 20,000 sentences of each are drawn independently of each other. 500 sentences that are in neither, with
their translations, only score what was learned. Compared are five recipes:

* full: tokens begin as what they stand beside among the names (ppmi), then denoising, then back-translation too
* no-back-translation: the same vectors, denoising alone
* random-start: denoising and back-translation from random vectors
* self-learned, self-learned-no-back-translation: vectors that were also measured by tokens found to be alike

What comes back from a round trip is said beside what is right, and is not the same; ``lexicon`` says how many words,
of the 74 that are not names, begin nearest to their counterpart, before anything is trained.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any, NamedTuple

import characters
import numpy as np
import numpy.typing as npt
import running
import torch

from textpipe.data.packing import PackedData, pack
from textpipe.data.permutation import derive_key
from textpipe.data.two_corpora import TwoCorpora
from textpipe.generation.translation import translate_ids
from textpipe.nn.shapes import BilingualConfig
from textpipe.records import Document
from textpipe.tasks.unsupervised_translation import UnsupervisedTranslation
from textpipe.training.run_config import TrainConfig

LANGUAGES = ("first", "second")
SENTENCES, HELD_OUT = 20_000, 500
SIZES = {"noun": 40, "verb": 20, "adjective": 14, "name": 12}
_LATIN = ("ba", "de", "ki", "lo", "mu", "na", "pe", "ri", "so", "tu", "va", "ze")
_HANGUL = tuple("가나도루미바소어주치코타파하")
_LATIN_ENDS, _HANGUL_ENDS = dict(zip(SIZES, "nva", strict=False)), dict(zip(SIZES, "명동형", strict=False))
_SUBJECT, _OBJECT = "이", "을"
_SPREAD = 2.5  # of the logarithms of preferences: how much the company of a word tells of it
_MODEL = {"layout": "pre", "encoder_layers": 2, "decoder_layers": 2, "heads": 4, "width": 96, "feed_forward": 192}
_TRAIN = {
    "steps": 600,
    "batch_tokens": 448,  # 64 sentences of the longer language
    "learning_rate": 1e-3,
    "schedule": "constant",
    "warmup_steps": 0,
    "beta2": 0.98,
    "weight_decay": 0.0,
    "back_translation_after": 200,
}
_NEVER = {"back_translation_after": 1_000_000}
RECIPES: dict[str, dict[str, Any]] = {
    "full": {"initial_vectors": "ppmi"},
    "no-back-translation": {"initial_vectors": "ppmi", **_NEVER},
    "random-start": {"initial_vectors": "random"},
    "self-learned": {},
    "self-learned-no-back-translation": _NEVER,
}


class Words(NamedTuple):
    """A word class in both languages, and how often each is used."""

    first: list[str]
    second: list[str]
    shares: npt.NDArray[np.float64]


class Grammar:
    """Sentences of a subject, a verb and an object, and what goes with what.

    Words are used after Zipf's law. A verb prefers some names and nouns for its subject and others for its object, and
    a noun prefers some adjectives. That is all there is to tell words apart by.
    """

    def __init__(self, seed: int) -> None:
        self._draw = np.random.default_rng([seed, 0])
        self.words = {kind: self._words(kind, size) for kind, size in SIZES.items()}
        things = np.concatenate([self.words["name"].shares, self.words["noun"].shares])
        self.subjects, self.objects = (self._preferences("verb", things) for _ in range(2))
        self.adjectives = self._preferences("noun", self.words["adjective"].shares)

    def _words(self, kind: str, size: int) -> Words:
        shares = 1 / np.arange(1, size + 1)
        latin, hangul = self._spelled(size, _LATIN), self._spelled(size, _HANGUL)
        if kind == "name":
            names = [word.capitalize() for word in latin]
            return Words(names, names, shares / shares.sum())
        first, second = [word + _LATIN_ENDS[kind] for word in latin], [word + _HANGUL_ENDS[kind] for word in hangul]
        return Words(first, second, shares / shares.sum())

    def _spelled(self, size: int, syllables: tuple[str, ...]) -> list[str]:
        found: dict[str, None] = {}
        while len(found) < size:
            found["".join(self._draw.choice(syllables, size=2))] = None
        return list(found)

    def _preferences(self, kind: str, base: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        weights = base * np.exp(_SPREAD * self._draw.standard_normal((SIZES[kind], len(base))))
        return np.asarray(weights / weights.sum(axis=1, keepdims=True))

    def sentence(self, draw: np.random.Generator) -> tuple[str, str]:
        """A sentence in both languages."""
        verb = int(draw.choice(SIZES["verb"], p=self.words["verb"].shares))
        subject, object_ = (self._thing(draw, table[verb]) for table in (self.subjects, self.objects))
        first = [*subject[0], self.words["verb"].first[verb], *object_[0]]
        second = [*subject[1], _SUBJECT, *object_[1], _OBJECT, self.words["verb"].second[verb]]
        return " ".join(first), " ".join(second)

    def _thing(self, draw: np.random.Generator, shares: npt.NDArray[np.float64]) -> tuple[list[str], list[str]]:
        number = int(draw.choice(len(shares), p=shares))
        names, nouns, adjectives = (self.words[kind] for kind in ("name", "noun", "adjective"))
        if number < len(names.first):
            return [names.first[number]], [names.second[number]]
        noun = number - len(names.first)
        found = [nouns.first[noun]], [nouns.second[noun]]
        if draw.random() < 0.5:
            adjective = int(draw.choice(len(adjectives.first), p=self.adjectives[noun]))
            return [adjectives.first[adjective], *found[0]], [adjectives.second[adjective], *found[1]]
        return found


def corpora(seed: int, out: Path) -> tuple[TwoCorpora, list[tuple[str, str]]]:
    """20,000 sentences of each language, drawn apart, and 500 pairs that are in neither."""
    grammar = Grammar(seed)
    draw = np.random.default_rng([seed, 1])
    held: dict[tuple[str, str], None] = {}
    while len(held) < HELD_OUT:
        held[grammar.sentence(draw)] = None
    held_out = list(held)
    spelled = {word for each in grammar.words.values() for word in (*each.first, *each.second)}
    tokenizer = characters.words_of(spelled | {_SUBJECT, _OBJECT})
    packed = []
    for side, language in enumerate(LANGUAGES):
        folder = out / language
        if not folder.exists():
            out.mkdir(parents=True, exist_ok=True)
            known = {pair[side] for pair in held_out}
            draw = np.random.default_rng([seed, 2 + side])
            texts: list[str] = []
            while len(texts) < SENTENCES + HELD_OUT:
                text = grammar.sentence(draw)[side]
                texts += [] if text in known else [text]
            val, train = texts[:HELD_OUT], texts[HELD_OUT:]
            pack(
                (Document("", text) for text in train),
                tokenizer,
                folder,
                val_documents=(Document("", text) for text in val),
            )
        packed.append(PackedData(folder))
    return TwoCorpora(packed[0], packed[1], LANGUAGES), held_out


def lexicon(model: Any, data: TwoCorpora, grammar: Grammar) -> float:
    """The share of words, names left out, whose vector is nearest to that of their counterpart among its language's."""
    from textpipe import Tokenizer

    number = Tokenizer.from_file(data.tokenizer_path).token_to_id
    kinds = [words for kind, words in grammar.words.items() if kind != "name"]
    sides = [[number(word) for words in kinds for word in words[side]] for side in (0, 1)]
    vectors_VD = torch.nn.functional.normalize(model.embedding.weight.detach(), dim=1)
    nearest = (vectors_VD[sides[0]] @ vectors_VD[sides[1]].T).argmax(dim=1)
    return float((nearest == torch.arange(len(nearest))).float().mean())


def scores(model: Any, data: TwoCorpora, held_out: list[tuple[str, str]]) -> dict[str, float]:
    """Exact translations and right tokens of each direction, and exact round trips."""
    from textpipe import Tokenizer

    tokenizer = Tokenizer.from_file(data.tokenizer_path)
    sides = [
        [[*tokenizer.encode(pair[side], add_special_tokens=False).ids, data.eos_id] for pair in held_out]
        for side in (0, 1)
    ]
    found, trips = {}, 0.0
    for source, target in ((0, 1), (1, 0)):
        wrote = _translated(model.facing(source, target), sides[source], data.eos_id)
        back = _translated(model.facing(target, source), wrote, data.eos_id)
        name = f"{LANGUAGES[source]}_to_{LANGUAGES[target]}"
        found[f"{name}_exact"] = float(np.mean([one == other for one, other in zip(wrote, sides[target], strict=True)]))
        right = sum(
            one == other for a, b in zip(wrote, sides[target], strict=True) for one, other in zip(a, b, strict=False)
        )
        found[f"{name}_tokens"] = right / sum(map(len, sides[target]))
        trips += float(np.mean([one == other for one, other in zip(back, sides[source], strict=True)])) / 2
    return {**found, "round_trip_exact": trips}


def _translated(model: Any, sources: list[list[int]], eos_id: int) -> list[list[int]]:
    """The likeliest translations, with what ends them."""
    found = translate_ids(model, sources, eos_id=eos_id, max_tokens=model.config.context - 1)
    return [[*ids, eos_id] for ids in found]


def main(arguments: list[str]) -> int:
    parser = running.flags("unsupervised", __doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--recipe", choices=RECIPES, action="append", help="all when absent")
    parser.add_argument("--steps", type=int)
    chosen = parser.parse_args(arguments)
    data, held_out = corpora(chosen.seed, chosen.out / f"data-seed{chosen.seed}")
    shape = BilingualConfig(vocab_size=data.vocab_size, context=32, languages=LANGUAGES, **_MODEL)
    changed = {"steps": chosen.steps} if chosen.steps else {}
    for name in chosen.recipe or RECIPES:
        settings = {"validate_every": 100, "checkpoint_every": 100, "device": "cpu", "sample_tokens": 0}
        keys = {**_TRAIN, **settings, **RECIPES[name], **changed, "seed": chosen.seed, "threads": chosen.threads}
        begin = time.process_time()
        config = TrainConfig(**keys)
        first = UnsupervisedTranslation(shape, data, config).new_model(derive_key("weights", chosen.seed) >> 1)
        result, model = running.train(shape, data, config, chosen.out / f"{name}-seed{chosen.seed}")
        spent = time.process_time() - begin
        with torch.inference_mode():
            found = scores(model, data, held_out)
        parameters = sum(weight.numel() for weight in model.parameters())
        running.print_result(
            recipe=name,
            seed=chosen.seed,
            steps=result.steps,
            parameters=parameters,
            lexicon=lexicon(first, data, Grammar(chosen.seed)),
            **found,
            **result.scores,
            train_cpu_s=spent,
        )
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
