"""One tokenizer in the hands of many Python threads, while it changes."""

from __future__ import annotations

import random
import sys
import threading
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest
from sentencepiece_models import LINES, model_bytes
from tokenizer_samples import KOREAN_LINES, byte_level_json

from textpipe import Tokenizer
from textpipe.errors import InputError
from textpipe.formats import sentencepiece
from textpipe.normalizers import Lowercase, Strip
from textpipe.pre_tokenizers import ByteLevel

TEXT = " 안녕 ".join(f"<{number}>" for number in range(40))


@pytest.fixture(autouse=True)
def threads_take_turns_often() -> Iterator[None]:
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


def run_together(*works: Callable[[], None]) -> None:
    """Run each in a thread of its own; the first that fails fails here."""
    failures: list[BaseException] = []

    def guarded(work: Callable[[], None]) -> None:
        try:
            work()
        except BaseException as failure:  # of whatever kind: the test is to fail by it
            failures.append(failure)

    workers = [threading.Thread(target=guarded, args=(work,)) for work in works]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    if failures:
        raise failures[0]


def test_texts_are_encoded_by_the_tokens_of_some_moment_while_tokens_are_added():
    tokenizer = Tokenizer.from_str(byte_level_json())
    moments = {tuple(tokenizer.encode(TEXT).ids)}
    for number in range(40):
        tokenizer.add_tokens([f"<{number}>"])
        moments.add(tuple(tokenizer.encode(TEXT).ids))
    shared = Tokenizer.from_str(byte_level_json())
    done = threading.Event()

    def add() -> None:
        for number in range(40):
            shared.add_tokens([f"<{number}>"])
        done.set()

    def encode() -> None:
        while not done.is_set():
            ids, _ = shared.encode_to_numpy([TEXT])
            assert tuple(ids.tolist()) in moments
            encoding = shared.encode(TEXT)
            assert tuple(encoding.ids) in moments

    run_together(add, encode, encode, encode)
    assert shared.encode(TEXT).ids == tokenizer.encode(TEXT).ids


def test_what_a_thread_encodes_with_has_the_tokens_there_were_while_others_are_added():
    tokenizer = Tokenizer.from_str(byte_level_json())
    before = tokenizer.pipeline
    ids = before.encode([TEXT], skip_special=False)[0].ids
    tokenizer.add_tokens(["<1>"])
    assert "<1>" not in before.added.ids
    assert before.encode_staged([TEXT], skip_special=False)[0].ids == ids != tokenizer.encode(TEXT).ids


def test_large_batches_of_several_threads_do_not_meet():
    shared = Tokenizer.from_str(byte_level_json())
    batches = [[line + str(number) for line in KOREAN_LINES] * 600 for number in range(4)]
    expected = [
        Tokenizer.from_str(byte_level_json()).encode_to_numpy(batch, threads=1)[0].tolist() for batch in batches
    ]

    def encode(number: int) -> Callable[[], None]:
        def work() -> None:
            for _ in range(3):
                assert shared.encode_to_numpy(batches[number], threads=2)[0].tolist() == expected[number]

        return work

    run_together(*(encode(number) for number in range(4)))


def test_what_a_stopped_thread_had_in_hand_is_not_remembered():
    # The last text stops the other thread within one of its own, where words are left undone.
    draw = random.Random(1)
    letters = sorted(set("".join(LINES)) - {" "})
    batch = [" ".join("".join(draw.choices(letters, k=24)) for _ in range(3000)) for _ in range(6)]

    def make() -> Tokenizer:
        return Tokenizer.from_parts(sentencepiece.read(model_bytes("bpe"), path="x.model"))

    expected = make().encode_to_numpy(batch)[0].tolist()
    for _ in range(4):
        tokenizer = make()
        with pytest.raises(InputError, match="surrogate"):
            tokenizer.encode_to_numpy([*batch, "\ud800"], threads=2)
        for _ in range(2):
            assert tokenizer.encode_to_numpy(batch, threads=2)[0].tolist() == expected


class Meddled(Lowercase):
    """A normalizer during whose looking at, the n-th time, another thread does something."""

    meddle: Callable[[], None] | None = None
    left = 0

    def settings(self) -> tuple[Any, ...]:
        Meddled.left -= 1
        if Meddled.left == 0 and Meddled.meddle is not None:
            meddler = threading.Thread(target=Meddled.meddle)
            meddler.start()
            meddler.join()
        return super().settings()


@pytest.mark.parametrize("moment", range(1, 5))
def test_a_stage_that_is_set_while_another_thread_looks_at_the_stages_stays_set(moment: int):
    shared = Tokenizer.from_str(byte_level_json())
    shared.normalizer = Meddled()
    cut = shared.pre_tokenizer = ByteLevel(add_prefix_space=False)
    found = Strip()
    Meddled.meddle = lambda: setattr(shared, "normalizer", found)
    cut.add_prefix_space = True  # so that the next call makes a program of the stages anew
    Meddled.left = moment
    shared.encode("가")
    if Meddled.left <= 0:
        assert shared.normalizer is found
    assert shared.encode("가 ").ids == shared.encode(" 가" if Meddled.left <= 0 else " 가 ").ids


def test_tokens_that_threads_add_are_all_there():
    contents = [f"<{name}{number}>" for name in "abcd" for number in range(25)]

    def add(some: list[str]) -> None:
        for content in some:
            shared.add_tokens([content])

    for _ in range(5):
        shared = Tokenizer.from_str(byte_level_json())
        run_together(*(partial(add, contents[start::4]) for start in range(4)))
        assert {token.content for token in shared.get_added_tokens_decoder().values()} >= set(contents)
        assert len({shared.token_to_id(content) for content in contents}) == len(contents)


def test_stages_that_two_threads_set_are_both_there():
    for _ in range(20):
        shared = Tokenizer.from_str(byte_level_json())
        normalizer, pre_tokenizer = Lowercase(), ByteLevel(add_prefix_space=False)
        run_together(
            partial(setattr, shared, "normalizer", normalizer),
            partial(setattr, shared, "pre_tokenizer", pre_tokenizer),
            partial(setattr, shared, "post_processor", None),
        )
        assert shared.normalizer is normalizer
        assert shared.pre_tokenizer is pre_tokenizer


def test_what_is_encoded_meanwhile_keeps_the_tokens_it_began_with():
    shared = Tokenizer.from_str(byte_level_json())
    before = shared.pipeline
    shared.add_tokens(["<새>"])
    assert "<새>" not in before.added.ids
    assert "<새>" in shared.pipeline.added.ids
