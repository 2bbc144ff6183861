"""What encoders are fine-tuned for: windows, targets, and predictions back as characters of the text."""

from __future__ import annotations

import unicodedata

import numpy as np
import pytest
import torch

from textpipe.data.batches import IGNORED
from textpipe.data.framing import with_marks
from textpipe.data.labelled_text import Example
from textpipe.data.masking import Marks
from textpipe.data.question_text import Question
from textpipe.data.tagged_text import TaggedText
from textpipe.errors import InputError
from textpipe.nn.shapes import ClassifierConfig, RegressorConfig, SpanFinderConfig, TaggerConfig
from textpipe.tasks.encoder_tasks import encoder_task
from textpipe.tasks.tagging import tags_of

TAGS = ("O", "B-LC", "I-LC", "B-PS", "I-PS")
CONTEXT = "한글은 세종대왕이 1443년에 만들었다."


@pytest.fixture(scope="module")
def task(marked_tokenizer):
    """A function that makes the task of a kind of shape."""
    tokenizer = with_marks(marked_tokenizer, Marks.of(marked_tokenizer, eos_id=0))
    sizes = {"vocab_size": tokenizer.get_vocab_size(), "layers": 1, "heads": 2, "width": 16}

    def make(kind, context=48, **more):
        return encoder_task(kind(context=context, **sizes, **more), tokenizer)

    return make


def tagged(text, *spans):
    """A text whose characters have the tags of these (begin, end, type)."""
    tags = ["O"] * len(text)
    for begin, end, kind in spans:
        tags[begin:end] = [f"B-{kind}"] + [f"I-{kind}"] * (end - begin - 1)
    return TaggedText(text, tuple((at, at + 1) for at in range(len(text))), tuple(tags), "ner.tsv: line 4")


def question(answer, text="누가 만들었나", context=CONTEXT):
    begin = context.index(answer)
    return Question("q7", text, context, ((begin, begin + len(answer)),), "qa.json: question q7")


def one_hot(target, size):
    return torch.nn.functional.one_hot(torch.as_tensor(target).clamp(min=0), size).float() * 9


def test_a_pair_is_read_between_marks_and_what_looks_like_a_mark_is_text(task, marked_tokenizer):
    shape = task(ClassifierConfig, labels=("0", "1"))
    (window,) = shape.windows([Example("정말 [SEP] 영화", "재미", "1", "")])
    tokens = [marked_tokenizer.id_to_token(int(number)) for number in window.ids]
    assert (tokens[0], tokens[-1], tokens[window.second - 1]) == ("[CLS]", "[SEP]", "[SEP]")
    assert tokens.count("[SEP]") == 2
    assert int(window.target) == 1


def test_the_longer_of_a_pair_is_cut_and_the_marks_stay(task, marked_tokenizer):
    (window,) = task(RegressorConfig, context=12).windows([Example("영화 " * 40, "재미", "3.5", "")])
    ends = [marked_tokenizer.id_to_token(int(number)) for number in (window.ids[0], window.ids[-1])]
    assert (len(window.ids), ends, float(window.target)) == (12, ["[CLS]", "[SEP]"], 3.5)
    assert len(window.ids) - window.second == 3


def test_a_label_that_training_has_not_is_refused_with_line_and_nearest(task):
    with pytest.raises(InputError, match=r"dev\.tsv: line 9.*'긍졍'.*긍정"):
        task(ClassifierConfig, labels=("긍정", "부정")).windows([Example("가", None, "긍졍", "dev.tsv: line 9")])


def test_a_label_is_told_with_its_probability(task):
    classifier = task(ClassifierConfig, labels=("부정", "긍정"))
    examples = [Example("정말 재미", None, "긍정", ""), Example("지루", None, "부정", "")]
    windows = classifier.windows(examples)
    found = classifier.predictions(examples, windows, list(torch.tensor([[0.0, 2.0], [0.0, 1.0]])))
    assert [each.label for each in found] == ["긍정", "긍정"]
    assert sum(found[0].probabilities.values()) == pytest.approx(1)
    assert str(found[0]) == "긍정 0.881"
    assert classifier.scores(examples, found)["accuracy"] == 0.5


def test_numbers_that_never_vary_have_no_correlation_and_stop_nothing(task):
    regressor = task(RegressorConfig)
    examples = [Example("가", "나", str(score), "") for score in (1.0, 2.5, 4.0)]
    windows = regressor.windows(examples)
    flat = regressor.predictions(examples, windows, [torch.tensor([2.0])] * 3)
    assert regressor.scores(examples, flat) == {"pearson": None, "spearman": None}
    right = regressor.predictions(examples, windows, [torch.tensor([score]) for score in (0.5, 0.6, 4.0)])
    assert regressor.scores(examples, right)["spearman"] == pytest.approx(1)


@pytest.mark.parametrize("form", ["NFC", "NFD"])
@pytest.mark.parametrize("context", [48, 9], ids=["one window", "several windows"])
def test_marked_spans_come_back_from_the_tags_of_tokens(task, form, context):
    text = unicodedata.normalize(form, "김철수는 서울에서 이영희는 부산에서 산다")
    words = [(unicodedata.normalize(form, word), kind) for word, kind in (("김철수", "PS"), ("부산", "LC"))]
    example = tagged(text, *((text.index(word), text.index(word) + len(word), kind) for word, kind in words))
    tagger = task(TaggerConfig, context=context, labels=TAGS)
    windows = tagger.windows([example])
    assert (len(windows) > 1) == (context == 9)
    logits = [one_hot(window.target, len(TAGS)) for window in windows]
    (found,) = tagger.predictions([example], windows, logits)
    assert str(found) == f"{words[0][0]} (PS), {words[1][0]} (LC)"
    assert tagger.scores([example], [found]) == {"entity_f1": 1.0, "entity_macro_f1": 1.0}
    assert tagger.num_lost == 0


def test_marks_and_padding_have_no_tag(task):
    (window,) = task(TaggerConfig, labels=TAGS).windows([tagged("서울 산다", (0, 2, "LC"))])
    assert window.target[0] == window.target[-1] == IGNORED
    assert (window.target[1:-1] != IGNORED).all()


def test_tags_are_those_of_all_types_and_a_file_without_any_is_refused():
    assert tags_of([tagged("김철수", (0, 1, "PS")), tagged("서울", (0, 2, "LC"))]) == TAGS
    with pytest.raises(InputError, match="every tag is O"):
        tags_of([tagged("김철수")])
    with pytest.raises(InputError, match=r"ner\.tsv: line 4.*'X-PS' is not of BIO"):
        tags_of([TaggedText("김", ((0, 1),), ("X-PS",), "ner.tsv: line 4")])


@pytest.mark.parametrize("form", ["NFC", "NFD"])
@pytest.mark.parametrize("answer", ["세종대왕", "1443년", "한글"])
def test_an_answer_comes_back_from_its_first_and_last_token(task, form, answer):
    context = unicodedata.normalize(form, CONTEXT)
    asked = question(unicodedata.normalize(form, answer), context=context)
    finder = task(SpanFinderConfig, context=64)
    (window,) = finder.windows([asked])
    logits = torch.stack([one_hot(end, len(window.ids)) for end in window.target.tolist()], dim=1)
    (found,) = finder.predictions([asked], [window], [logits])
    assert found.answer == context[found.begin : found.end] == unicodedata.normalize(form, answer)
    assert finder.scores([asked], [found]) == {"exact_match": 1.0, "answer_f1": 1.0}


def test_a_long_text_is_read_in_windows_that_overlap_and_the_best_span_of_all_is_taken(task):
    long = "영화 배우 " * 30 + "세종대왕이 만들었다 " + "시간 본다 " * 30
    asked = question("세종대왕", context=long)
    finder = task(SpanFinderConfig, context=40)
    windows = finder.windows([asked])
    with_answer = [number for number, window in enumerate(windows) if tuple(window.target) != (0, 0)]
    assert len(windows) > 5
    assert 1 <= len(with_answer) < len(windows)
    logits = []
    for number, window in enumerate(windows):
        made = torch.zeros(len(window.ids), 2)
        made[window.target, [0, 1]] = 5.0 if number in with_answer else 9.0  # elsewhere the first position is likelier
        logits.append(made)
    (found,) = finder.predictions([asked], windows, logits)
    assert (found.answer, found.begin) == ("세종대왕", long.index("세종대왕"))


def test_nothing_is_the_answer_only_where_training_had_such_questions(task):
    asked = [question("한글")]
    windows = task(SpanFinderConfig).windows(asked)
    logits = torch.zeros(len(windows[0].ids), 2)
    logits[0] = 9.0
    for may_be, expected in ((False, False), (True, True)):
        (found,) = task(SpanFinderConfig, may_be_unanswered=may_be).predictions(asked, windows, [logits])
        assert (found.answer == "") == expected


def test_a_question_without_answer_points_at_the_first_position_and_one_that_fits_no_window_teaches_nothing(task):
    finder = task(SpanFinderConfig, context=24)
    no_answer = Question("q8", "누가", CONTEXT, (), "")
    assert {tuple(window.target) for window in finder.windows([no_answer])} == {(0, 0)}
    too_long = question("한글은 세종대왕이 1443년에 만들었다", context=CONTEXT * 3)
    assert {tuple(window.target) for window in finder.windows([too_long])} == {(IGNORED, IGNORED)}
    assert finder.num_lost == 1


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        (question("한글", text="누가 " * 60), r"question q7.*leaves no room"),
        (Question("q9", "누가", " ", (), "qa.json: question q9"), r"question q9.*empty"),
    ],
)
def test_a_question_that_cannot_be_read_is_refused_by_name(task, asked, message):
    with pytest.raises(InputError, match=message):
        task(SpanFinderConfig).windows([asked])


def test_questions_are_read_in_lots_as_they_are_one_by_one(task, monkeypatch):
    asked = [question("1443년", context=CONTEXT * times, text="누가 " * times) for times in (1, 3, 2, 4, 1)]
    alone = [window for one in asked for window in task(SpanFinderConfig, context=32).windows([one])]
    for size in (2, 1024):
        monkeypatch.setattr("textpipe.tasks.question_answering._ENCODED_AT_ONCE", size)
        found = task(SpanFinderConfig, context=32).windows(asked)
        assert [window.ids.tolist() for window in found] == [window.ids.tolist() for window in alone]
        assert [window.target.tolist() for window in found] == [window.target.tolist() for window in alone]
        assert {window.example for window in found} == set(range(5))


def test_the_longest_question_that_leaves_room_is_read_and_one_longer_by_a_token_is_not(task):
    finder = task(SpanFinderConfig, context=32)
    assert finder.windows([question("1443년", text="가" * 20)])  # 32 - 3 marks - 8 that windows share - 1
    with pytest.raises(InputError, match=r"a question of 21 tokens .*allowed: 20 tokens"):
        finder.windows([question("1443년", text="가" * 21)])


def test_spans_end_no_earlier_than_they_begin(task):
    finder = task(SpanFinderConfig)
    asked = [question("한글")]
    (window,) = finder.windows(asked)
    generator = torch.Generator().manual_seed(0)
    for _ in range(20):
        logits = torch.randn(len(window.ids), 2, generator=generator)
        (found,) = finder.predictions(asked, [window], [logits])
        first, last = window.second, len(window.ids) - 1
        slow = max((float(logits[i, 0] + logits[j, 1]), i, j) for i in range(first, last) for j in range(i, last))
        begin, end = window.offsets[slow[1]][0], window.offsets[slow[2]][1]
        assert found.answer == CONTEXT[begin:end].strip()
    assert np.isfinite(found.probability)
