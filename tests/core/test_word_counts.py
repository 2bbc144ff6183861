"""The native word counter against a plain dictionary."""

from __future__ import annotations

import random
import threading
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from textpipe.core._native import grammar_step, normal_form_step, prefix_space_step
from textpipe.core._word_counts import NUM_PARTITIONS, WordCounter, WordCounts
from textpipe.errors import InputError, LimitError

GPT2, WHITESPACE_SPLIT, WHOLE = 0, 2, 3
EDGES = (0, 1, 7, 8, 9, 15, 16, 17, 23, 24, 25, 31, 32, 127, 128, 129, 8191, 8192, 70_000)


def count_by_dictionary(words):
    return sorted(Counter(words).items(), key=lambda row: (-row[1], row[0]))


def count_natively(words):
    counts = WordCounts()
    counter = WordCounter(counts)
    counter.add_words(words)
    counter.flush()
    return counts.items()


@given(st.lists(st.text(st.sampled_from("aㅋ가 \0\n😀"), max_size=40)))
def test_every_word_is_counted_exactly(words):
    assert count_natively(words) == [(w, n) for w, n in count_by_dictionary([w.encode() for w in words])]


def test_words_of_every_length_around_the_edges_are_told_apart():
    rng = random.Random(1)
    words = []
    for size in EDGES:
        word = "".join(rng.choice("ab") for _ in range(size))
        words += [word, word, word + "a", "b" + word]
        words += [word[:-1] + "\0"] if word else []
    assert count_natively(words) == count_by_dictionary([w.encode() for w in words])


def test_a_shorter_word_is_not_its_longer_one_that_ends_in_zero_bytes():
    assert count_natively(["ab", "ab\0", "ab\0\0", "ab"]) == [(b"ab", 2), (b"ab\0", 1), (b"ab\0\0", 1)]


def test_more_words_than_the_front_table_holds_stay_exact():
    rng = random.Random(2)
    words = [str(int(rng.paretovariate(0.3)) % 60_000) for _ in range(200_000)]
    assert count_natively(words) == count_by_dictionary([w.encode() for w in words])


def test_words_of_one_row_drive_each_other_out_and_stay_exact():
    rng = random.Random(3)
    syllables = "가나다라마바사아자차카타파하각난닫랄맘밥삿앙잦찿캌탙팦핳"
    rare = ["".join(rng.choices(syllables, k=rng.randint(1, 12))) for _ in range(40_000)]
    words = [word for word in rare for word in (word, rng.choice(rare[:300]), *[word] * rng.randint(0, 2))]
    assert count_natively(words) == count_by_dictionary([w.encode() for w in words])


def test_counts_pass_32_bits():
    counts = WordCounts()
    for _ in range(3):
        counts.add("밥".encode(), (1 << 33) + 1)
    assert counts.items() == [("밥".encode(), 3 * ((1 << 33) + 1))]
    assert counts.num_occurrences == 3 * ((1 << 33) + 1)


def test_counters_in_many_threads_give_the_sum():
    counts = WordCounts(byte_level=True)
    text = ("밥을 먹고 학교에 갔다. The ferry is late again.\n" * 300).encode()

    def work():
        counter = WordCounter(counts, cutting=(grammar_step(GPT2),))
        for _ in range(5):
            counter.add_lines(text)
        counter.flush()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    once = WordCounts(byte_level=True)
    counter = WordCounter(once, cutting=(grammar_step(GPT2),))
    counter.add_lines(text)
    counter.flush()
    assert counts.items() == [(word, 20 * count) for word, count in once.items()]


def test_each_line_is_cut_by_itself_with_its_end():
    counts = WordCounts()
    counter = WordCounter(counts, cutting=(grammar_step(WHOLE),))
    counter.add_lines("가\r\n\n나".encode())
    counter.flush()
    assert dict(counts.items()) == {"가\r\n".encode(): 1, b"\n": 1, "나".encode(): 1}


def test_text_is_normalized_before_it_is_cut():
    counts = WordCounts()
    counter = WordCounter(counts, cutting=(grammar_step(WHITESPACE_SPLIT),), normalization=(normal_form_step(0),))
    counter.add_texts(["\u1112\u1161\u11ab 한", "한"])
    counter.flush()
    assert counts.items() == [("한".encode(), 3)]


def test_a_prefix_space_is_put_before_text_that_has_none():
    counts = WordCounts()
    counter = WordCounter(counts, cutting=(prefix_space_step(), grammar_step(GPT2)))
    counter.add_texts(["밥", " 밥", ""])
    counter.flush()
    assert counts.items() == [(" 밥".encode(), 2)]


def test_merging_adds_the_counts_and_keeps_the_other():
    left, right = WordCounts(), WordCounts()
    left.add(b"a", 2)
    right.add(b"a", 3)
    right.add(b"b", 1)
    left.merge(right)
    assert left.items() == [(b"a", 5), (b"b", 1)]
    assert right.items() == [(b"a", 3), (b"b", 1)]


def test_counts_of_bytes_and_of_characters_are_not_mixed():
    with pytest.raises(InputError, match="cannot be added"):
        WordCounts(byte_level=True).merge(WordCounts())


def test_half_a_surrogate_pair_is_refused():
    with pytest.raises(InputError, match="character 1 is half of a surrogate pair"):
        WordCounter(WordCounts()).add_words(["a\ud800"])


def test_a_stopped_counter_fails_instead_of_giving_a_part():
    counts = WordCounts()
    counter = WordCounter(counts)
    counter.add_words(["a"])
    counts.stop()
    with pytest.raises(RuntimeError, match="stopped"):
        counter.flush()


def test_flushing_twice_counts_once():
    counts = WordCounts()
    counter = WordCounter(counts)
    counter.add_words(["가", "가"])
    counter.flush()
    counter.flush()
    assert counts.items() == [("가".encode(), 2)]


@pytest.mark.parametrize(
    "word", [b"\xff\xfe", b"\xea", b"\xf0\x9f", "밥".encode()[:2], b"\xed\xa0\x80", "한글".encode("cp949")]
)
def test_a_word_that_is_not_utf8_is_refused_but_where_words_are_bytes(word):
    counts = WordCounts()
    with pytest.raises(InputError, match="a word is not UTF-8"):
        counts.add(word)
    assert counts.items() == []
    of_bytes = WordCounts(byte_level=True)
    of_bytes.add(word)
    assert of_bytes.items() == [(word, 1)]


def test_counts_that_together_pass_63_bits_are_refused_and_stay_as_they_were():
    most = (1 << 63) - 1
    full, more = WordCounts(), WordCounts()
    full.add(b"a", most - 1)
    full.add(b"b")
    more.add("밥".encode())
    for refused in (
        lambda: full.add(b"a"),
        lambda: full.add(b"c"),
        lambda: more.add(b"a", 1 << 63),
        lambda: full.merge(more),
    ):
        with pytest.raises(LimitError, match=r"pass 2\^63 - 1"):
            refused()
    assert full.items() == [(b"a", most - 1), (b"b", 1)]
    assert full.num_occurrences == most
    assert more.items() == [("밥".encode(), 1)]


def test_the_number_of_occurrences_follows_what_is_added_taken_and_scaled():
    counts = WordCounts()
    for number in range(500):
        counts.add(f"{number % 77}밥".encode(), number)
    counts.scale(3 << 20)
    assert counts.num_occurrences == sum(count for _, count in counts.items()) == 3 * sum(range(500))
    taken = [counts.take(partition) for partition in range(NUM_PARTITIONS)]
    assert counts.num_occurrences == 0
    for partition, records in enumerate(taken):
        counts.give_back(partition, records)
    assert counts.num_occurrences == 3 * sum(range(500))
