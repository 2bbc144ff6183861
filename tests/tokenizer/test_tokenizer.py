"""The composed tokenizer: encoding, arrays, vocabulary, training, values."""

from __future__ import annotations

import copy
import pickle
import subprocess
import sys
import threading
from itertools import pairwise

import numpy as np
import pytest
import tokenizers as oracle
from hypothesis import given
from hypothesis import strategies as st
from tokenizer_samples import KOREAN_LINES, any_text, byte_level_json, corpus, texts

from textpipe import AddedToken, Tokenizer, decoders, normalizers, pre_tokenizers, processors
from textpipe.errors import InputError, LimitError
from textpipe.limits import Limits
from textpipe.models import BPE
from textpipe.stages.pattern import Regex
from textpipe.trainers import BpeTrainer


@pytest.fixture(scope="module")
def tokenizer():
    return Tokenizer.from_str(byte_level_json())


@given(text=any_text)
def test_every_text_comes_back(text):
    tokenizer = Tokenizer.from_str(byte_level_json())
    assert tokenizer.decode(tokenizer.encode(text).ids, skip_special_tokens=False) == text


@given(rows=st.lists(texts, max_size=8), threads=st.integers(1, 4))
def test_arrays_hold_the_ids_of_each_text_for_any_number_of_threads(rows, threads):
    tokenizer = Tokenizer.from_str(byte_level_json())
    ids, offsets = tokenizer.encode_to_numpy(rows, threads=threads)
    assert offsets.dtype == np.int64
    assert len(offsets) == len(rows) + 1
    assert [ids[a:b].tolist() for a, b in pairwise(offsets)] == [tokenizer.encode(row).ids for row in rows]


def test_real_text_gives_the_same_ids_for_one_thread_and_for_three(tokenizer):
    text = corpus("ko-reviews.txt.zst", 1_500_000)
    documents = [text[start : start + 1000] for start in range(0, len(text), 1000)]
    one, three = (tokenizer.encode_to_numpy(documents, threads=threads) for threads in (1, 3))
    again = tokenizer.encode_to_numpy(documents, threads=1)
    for first, second, third in zip(one, three, again, strict=True):
        assert np.array_equal(first, second)
        assert np.array_equal(first, third)


def test_ids_are_sixteen_bits_while_they_fit_and_wider_beyond(tokenizer):
    assert tokenizer.encode_to_numpy(["가"])[0].dtype == np.uint16
    wide = Tokenizer(BPE({"가": 1 << 16}))
    assert wide.encode_to_numpy(["가가"])[0].dtype == np.uint32
    assert wide.encode_to_numpy(["가가"])[0].tolist() == [1 << 16, 1 << 16]


def test_no_texts_and_empty_texts_give_empty_arrays(tokenizer):
    assert [part.tolist() for part in tokenizer.encode_to_numpy([])] == [[], [0]]
    assert [part.tolist() for part in tokenizer.encode_to_numpy(["", ""])] == [[], [0, 0, 0]]


def test_one_str_in_place_of_a_list_is_refused(tokenizer):
    with pytest.raises(InputError, match="pass \\[text\\]"):
        tokenizer.encode_to_numpy("가나다")


def test_no_threads_are_refused(tokenizer):
    with pytest.raises(InputError, match="0 threads"):
        tokenizer.encode_to_numpy(["가"], threads=0)


@pytest.mark.parametrize("bad", [b"x", 3, None])
def test_what_is_not_text_is_refused(tokenizer, bad):
    with pytest.raises((InputError, TypeError), match="a text is a str"):
        tokenizer.encode(bad)
    with pytest.raises((InputError, TypeError), match="a text is a str"):
        tokenizer.encode_to_numpy([bad])


def test_a_lone_surrogate_is_named_with_its_text_and_place(tokenizer):
    with pytest.raises(InputError, match=r"text 1: .*U\+D83D, at character 2"):
        tokenizer.encode_to_numpy(["가", "나다\ud83d"])
    with pytest.raises(InputError, match=r"U\+DC80, at character 0"):
        tokenizer.encode("\udc80")


def test_text_of_every_width_python_stores_encodes_alike(tokenizer):
    for text in ("ascii only", "caf\xe9 \xff", "한글 \u20ac", "😀 한글 \xe9 a"):
        assert tokenizer.decode(tokenizer.encode_to_numpy([text])[0].tolist()) == text


def test_a_megabyte_without_a_space_and_one_of_spaces_are_encoded(tokenizer):
    for text in ("ㅋ" * 350_000, "a" * 1_000_000, " " * 1_000_000, "'" * 500_000, "\u0301" * 300_000):
        ids, _ = tokenizer.encode_to_numpy([text])
        assert tokenizer.decode(ids.tolist()) == text


def test_threads_may_share_one_tokenizer(tokenizer):
    expected = [tokenizer.encode(line).ids for line in KOREAN_LINES]
    wrong = []

    def work():
        for _ in range(30):
            if [tokenizer.encode(line).ids for line in KOREAN_LINES] != expected:
                wrong.append(threading.get_ident())

    workers = [threading.Thread(target=work) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert wrong == []


def test_a_word_is_cached_exactly_among_words_that_share_its_beginning(tokenizer):
    words = ["가" * n for n in range(1, 30)] + ["a" * n for n in range(1, 40)] + ["가" * 5 + "a" * n for n in range(20)]
    fresh = [Tokenizer.from_str(byte_level_json()).encode_to_numpy([word])[0].tolist() for word in words]
    for _ in range(2):
        ids, offsets = tokenizer.encode_to_numpy(words)
        assert [ids[a:b].tolist() for a, b in pairwise(offsets)] == fresh


def test_native_and_staged_pipelines_give_the_same_encoding():
    native, staged = (Tokenizer.from_str(byte_level_json()) for _ in range(2))
    staged.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Split(Regex("(?!)"), "isolated"), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    )
    assert native.pipeline.native is not None
    assert staged.pipeline.native is None
    for line in KOREAN_LINES:
        assert staged.encode(line) == native.encode(line)
    assert staged.encode_to_numpy(KOREAN_LINES)[0].tolist() == native.encode_to_numpy(KOREAN_LINES)[0].tolist()


def both(add):
    ours, theirs = Tokenizer.from_str(byte_level_json()), oracle.Tokenizer.from_str(byte_level_json())
    add(ours, AddedToken)
    add(theirs, oracle.AddedToken)
    return ours, theirs


@given(text=st.text(alphabet=st.sampled_from("가나 ab<>x\n"), max_size=30), flags=st.tuples(*[st.booleans()] * 4))
def test_added_tokens_are_found_as_in_tokenizers(text, flags):
    names = ("lstrip", "rstrip", "single_word", "normalized")

    def add(tokenizer, token):
        tokenizer.add_tokens([token("가나", **dict(zip(names, flags, strict=True))), "가나<x>"])
        tokenizer.add_special_tokens(["<x>", "a b"])

    ours, theirs = both(add)
    assert ours.get_vocab() == theirs.get_vocab()
    try:
        expected = theirs.encode(text)
    except BaseException:  # it panics where two tokens take the same white space
        return
    found = ours.encode(text)
    assert (found.ids, found.tokens, found.offsets) == (expected.ids, expected.tokens, expected.offsets)


def test_ids_of_added_tokens_follow_on_from_the_vocabulary_as_in_tokenizers():
    def add(tokenizer, token):
        assert tokenizer.add_special_tokens(["<pad>", "<pad>", "", "ìķĪ"]) == 2
        assert tokenizer.add_tokens([token("새말"), "<pad>"]) == 2

    ours, theirs = both(add)
    assert ours.to_str() == theirs.to_str()
    assert ours.get_vocab_size() == theirs.get_vocab_size()
    assert ours.get_vocab_size(with_added_tokens=False) == theirs.get_vocab_size(with_added_tokens=False)
    assert ours.token_to_id("새말") == theirs.token_to_id("새말")
    assert ours.token_to_id("없는말") is None
    assert ours.id_to_token(10_000) is None


def test_special_tokens_in_a_text_can_be_plain_text():
    ours, theirs = both(lambda tokenizer, token: tokenizer.add_tokens(["코딩"]))
    ours.encode_special_tokens = theirs.encode_special_tokens = True
    text = "코딩 <|endoftext|>"
    assert ours.encode(text).ids == theirs.encode(text).ids == ours.encode_to_numpy([text])[0].tolist()
    assert 0 not in ours.encode(text).ids


def test_words_cut_beforehand_are_encoded_as_in_tokenizers():
    def add(tokenizer, token):
        tokenizer.add_special_tokens(["<s>"])

    ours, theirs = both(add)
    words, pair = ["안녕", "하세요 여러분", "", "<s>"], ["네", "it's"]
    for arguments in ((words,), (words, pair)):
        found, expected = (made.encode(*arguments, is_pretokenized=True) for made in (ours, theirs))
        for field in ("ids", "tokens", "offsets", "word_ids", "type_ids", "sequence_ids"):
            assert getattr(found, field) == getattr(expected, field)
    with pytest.raises(InputError, match="a list of words"):
        ours.encode("안녕", is_pretokenized=True)


def test_a_batch_holds_texts_and_pairs(tokenizer):
    batch = tokenizer.encode_batch(["가", ("나", "다")])
    assert [encoding.ids for encoding in batch] == [tokenizer.encode("가").ids, tokenizer.encode("나", "다").ids]


def test_look_ups_between_characters_words_and_tokens_are_those_of_tokenizers():
    ours, theirs = both(lambda tokenizer, token: None)
    for made, of in ((ours, processors), (theirs, oracle.processors)):
        special = [("<|endoftext|>", 0)]
        made.post_processor = of.TemplateProcessing("<|endoftext|> $A", "$A <|endoftext|> $B:1", special)
    found, expected = (made.encode(KOREAN_LINES[0], KOREAN_LINES[1]) for made in (ours, theirs))
    assert found.n_sequences == expected.n_sequences
    for index in range(len(expected.ids)):
        for method in ("token_to_chars", "token_to_word", "token_to_sequence"):
            assert getattr(found, method)(index) == getattr(expected, method)(index)
    for sequence in (0, 1):
        for index in range(40):
            for method in ("char_to_token", "char_to_word", "word_to_tokens", "word_to_chars"):
                assert getattr(found, method)(index, sequence) == getattr(expected, method)(index, sequence)
    assert ours.num_special_tokens_to_add(True) == theirs.num_special_tokens_to_add(True) == 1


def test_post_process_gives_what_encode_gives(tokenizer):
    made = Tokenizer.from_str(byte_level_json())
    made.post_processor = processors.TemplateProcessing("<|endoftext|> $A", None, [("<|endoftext|>", 0)])
    plain = made.encode("안녕", add_special_tokens=False)
    assert made.post_process(plain) == made.encode("안녕")


def test_bytes_of_ids(tokenizer):
    assert b"".join(tokenizer.id_to_bytes(number) for number in tokenizer.encode("쀍 한글").ids).decode() == "쀍 한글"
    assert tokenizer.id_to_bytes(0) == b""
    with pytest.raises(InputError, match="no piece has the id 9999"):
        tokenizer.id_to_bytes(9999)


def test_a_tokenizer_is_a_value(tokenizer):
    for other in (pickle.loads(pickle.dumps(tokenizer)), copy.deepcopy(tokenizer)):  # noqa: S301  (our own bytes)
        assert other.to_str() == tokenizer.to_str()
        assert other.sha256 == tokenizer.sha256
    changed = copy.deepcopy(tokenizer)
    changed.add_tokens(["새말"])
    assert changed.sha256 != tokenizer.sha256


def test_the_pipeline_is_printed(tokenizer):
    assert repr(tokenizer) == str(oracle.Tokenizer.from_str(tokenizer.to_str()))


@pytest.mark.parametrize("normalizer", [None, "NFC", "NFD"])
@pytest.mark.parametrize("pre_tokenizer", ["ByteLevel", "Whitespace", "Digits", None])
def test_training_gives_the_file_that_tokenizers_gives(normalizer, pre_tokenizer):
    made = []
    for tokenizer, norms, pres, decs in (
        (Tokenizer(BPE()), normalizers, pre_tokenizers, decoders),
        (oracle.Tokenizer(oracle.models.BPE()), oracle.normalizers, oracle.pre_tokenizers, oracle.decoders),
    ):
        if normalizer is not None:
            tokenizer.normalizer = getattr(norms, normalizer)()
        if pre_tokenizer is not None:
            tokenizer.pre_tokenizer = getattr(pres, pre_tokenizer)()
        tokenizer.decoder = decs.ByteLevel()
        trainer = BpeTrainer if isinstance(tokenizer, Tokenizer) else oracle.trainers.BpeTrainer
        tokenizer.train_from_iterator(
            KOREAN_LINES * 2, trainer(vocab_size=300, special_tokens=["<pad>"], show_progress=False)
        )
        made.append(tokenizer.to_str())
    assert made[0] == made[1]


def test_training_again_gives_added_tokens_new_ids():
    tokenizer = Tokenizer(BPE())
    tokenizer.add_tokens(["새말"])
    tokenizer.train_from_iterator(["가나다 가나다"], BpeTrainer(vocab_size=20, special_tokens=["<s>"]))
    assert tokenizer.token_to_id("<s>") == 0
    assert tokenizer.token_to_id("새말") == tokenizer.get_vocab_size() - 1
    assert len(set(tokenizer.get_vocab().values())) == tokenizer.get_vocab_size()


def test_an_interrupt_stops_encoding_soon():
    program = (
        "import _thread, threading\n"
        "from tokenizer_samples import byte_level_json\n"
        "from textpipe import Tokenizer\n"
        "tokenizer = Tokenizer.from_str(byte_level_json())\n"
        "texts = ['한글 ' * 10_000_000] * 8\n"
        "try:\n"
        "    threading.Timer(0.2, _thread.interrupt_main).start()\n"
        "    tokenizer.encode_to_numpy(texts, threads=2)\n"
        "    print('finished')\n"
        "except KeyboardInterrupt:\n    print('interrupted')\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd="tests", check=False)
    assert done.stdout == "interrupted\n", done.stderr


@pytest.mark.parametrize(
    ("normalizer", "text"),
    [
        ("None", "'a' * 40_000_000"),
        ("normalizers.NFD()", "'가나다' * 10_000_000"),
        ("normalizers.StripAccents()", "'가나다' * 10_000_000"),
        ("normalizers.Replace('a', 'b' * 20)", "'a' * 40_000_000"),
        ("normalizers.Replace(Regex('[ab]'), 'b' * 20)", "'a' * 40_000_000"),
        ("normalizers.Replace('a', 'b' * 140)", "'a' * 200_000"),  # few characters before it is rewritten
    ],
)
def test_an_interrupt_stops_the_work_on_one_huge_word_soon(normalizer, text):
    # What is not stopped takes several seconds of the processor, and is killed by the limit.
    program = (
        "import _thread, resource, threading\n"
        "from textpipe import Regex, Tokenizer, normalizers\n"
        "from textpipe.models import BPE\n"
        "tokenizer = Tokenizer(BPE({'a': 0, 'b': 1, 'bb': 2, '가': 3, '나': 4, '다': 5}, [('b', 'b')]))\n"
        f"tokenizer.normalizer = {normalizer}\n"
        f"text = {text}\n"
        "used = resource.getrusage(resource.RUSAGE_SELF)\n"
        "limit = int(used.ru_utime + used.ru_stime) + 3\n"
        "resource.setrlimit(resource.RLIMIT_CPU, (limit, limit))\n"
        "try:\n"
        "    threading.Timer(0.2, _thread.interrupt_main).start()\n"
        "    tokenizer.encode_to_numpy([text], threads=1)\n"
        "    print('finished')\n"
        "except KeyboardInterrupt:\n    print('interrupted')\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd="tests", check=False)
    assert done.stdout == "interrupted\n", (done.returncode, done.stderr)


def test_texts_are_encoded_where_the_system_gives_no_thread():
    program = (
        "import pathlib, resource\n"
        "from tokenizer_samples import byte_level_json\n"
        "from textpipe import Tokenizer\n"
        "tokenizer = Tokenizer.from_str(byte_level_json())\n"
        "texts = ['한글 텍스트 ' * 100_000] * 3\n"
        "expected = tokenizer.encode_to_numpy(texts, threads=1)[0].tolist()\n"
        "taken = int(pathlib.Path('/proc/self/statm').read_text().split()[0]) * resource.getpagesize()\n"
        "resource.setrlimit(resource.RLIMIT_AS, (taken + (1 << 28), taken + (1 << 28)))\n"
        "found = tokenizer.encode_to_numpy(texts, threads=4)[0].tolist()\n"
        "print(found == expected)\n"
    )
    # A thread wants a stack of a gigabyte, more than the limit leaves.
    command = ["sh", "-c", 'ulimit -s 1048576 && exec "$0" -c "$1"', sys.executable, program]
    done = subprocess.run(command, capture_output=True, text=True, cwd="tests", check=False)
    assert done.stdout == "True\n", done.stderr


def overlapping(flags):
    made = Tokenizer(BPE({"x": 0, "b": 1}))
    made.add_tokens([AddedToken("a", rstrip=True, **flags), AddedToken(" ", lstrip=True, **flags)])
    return made


@pytest.mark.parametrize("normalized", [False, True])
def test_a_token_within_white_space_that_another_took_is_not_found_again(normalized):
    made = overlapping({"normalized": normalized})
    encoding = made.encode("xa   b a b")
    assert encoding.tokens == ["x", "a   ", "b", " ", "a ", "b"]
    assert made.encode_to_numpy(["xa   b a b"])[0].tolist() == encoding.ids


def test_a_long_run_of_white_space_tokens_is_walked_once():
    for flags in ({"lstrip": True}, {"rstrip": True}):
        made = Tokenizer(BPE())
        made.add_tokens([AddedToken(" ", **flags)])
        assert len(made.encode_to_numpy([" " * 1_000_000])[0]) > 0


def test_many_added_tokens_are_added_in_linear_time():
    made = Tokenizer(BPE({"가": 0}))
    contents = [f"<{number}>" for number in range(100_000)]
    assert made.add_tokens(contents) == 100_000
    assert made.add_tokens(contents[::-1]) == 0
    assert made.token_to_id("<99999>") == 100_000


def test_two_pieces_of_one_id_are_encoded_as_in_tokenizers():
    # Python lets them pass, tokenizer.json does not; a token must not be taken for the longer of the two.
    vocab = {character: number for number, character in enumerate(pre_tokenizers.ByteLevel.alphabet())}
    vocab["z" * 1_000_000] = vocab["a"]
    made, theirs = Tokenizer(BPE(vocab)), oracle.Tokenizer(oracle.models.BPE(vocab, []))
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    theirs.pre_tokenizer = oracle.pre_tokenizers.ByteLevel(add_prefix_space=False)
    assert made.encode("aa 한").offsets == theirs.encode("aa 한").offsets
    assert made.encode("aa 한").ids == theirs.encode("aa 한").ids


def test_of_several_texts_with_a_lone_surrogate_the_first_is_named_for_any_number_of_threads(tokenizer):
    rows = ["가" * 70_000] * 3 + ["나" * 70_000 + "\udc00"] + ["\udc00"] * 5
    for threads in (1, 3):
        with pytest.raises(InputError, match=r"^text 3: "):
            tokenizer.encode_to_numpy(rows, threads=threads)


def test_more_threads_than_any_machine_has_are_refused(tokenizer):
    with pytest.raises(InputError, match="allowed: 1 to "):
        tokenizer.encode_to_numpy(["가"], threads=1 << 70)


@pytest.mark.parametrize("native", [True, False])
def test_a_text_longer_than_the_cap_is_refused_before_it_is_encoded(native, monkeypatch):
    monkeypatch.setattr("textpipe.tokenizer.pipeline.DEFAULT_LIMITS", Limits(text_bytes=400))
    tokenizer = Tokenizer.from_str(byte_level_json())
    if not native:
        digits = pre_tokenizers.Digits(individual_digits=True)
        tokenizer.pre_tokenizer = pre_tokenizers.Sequence([digits, pre_tokenizers.ByteLevel(add_prefix_space=False)])
    tokenizer.encode("가" * 100)
    tokenizer.encode_to_numpy(["가" * 100])
    for call in (tokenizer.encode, lambda text: tokenizer.encode_to_numpy(["a", text])):
        with pytest.raises(LimitError, match="101 characters"):
            call("가" * 101)
