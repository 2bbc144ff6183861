"""The experiment of fine-tuning: what is held out stays unseen, and the rules it is compared with are what they say."""

from __future__ import annotations

import importlib
import json
import math
import sys
from collections import Counter
from pathlib import Path

import pytest
import torch

from textpipe.data.labelled_text import Example
from textpipe.data.tagged_text import TaggedText
from textpipe.errors import InputError

FOLDER = Path(__file__).resolve().parents[2] / "bin" / "experiments"
GOOD = ("정말 재미있는 영화", "배우도 훌륭하다", "훌륭하다 정말")
BAD = ("지루하고 아깝다", "다시는 안 본다", "시간이 아깝다")
REVIEWS = [(text, label) for label, texts in (("1", GOOD), ("0", BAD)) for text in texts]


@pytest.fixture(scope="module", autouse=True)
def _found():
    sys.path.insert(0, str(FOLDER))
    yield
    sys.path.remove(str(FOLDER))


def module(name):
    return importlib.import_module(name)


def table(path, rows, names="text\tlabel"):
    path.write_text("\n".join([names, *("\t".join(row) for row in rows)]) + "\n", encoding="utf-8")
    return path


def tagged(marked):
    """``<김철수:PS>는 산다`` as a tagged text of characters."""
    text, tags = "", []
    for part in marked.split("<"):
        name, found, rest = part.partition(">")
        if found:
            name, _, kind = name.partition(":")
            text, tags = text + name, [*tags, f"B-{kind}", *[f"I-{kind}"] * (len(name) - 1)]
        else:
            rest = name
        text, tags = text + rest, [*tags, *["O"] * len(rest)]
    return TaggedText(text, tuple((at, at + 1) for at in range(len(text))), tuple(tags), "")


def test_texts_that_occur_again_are_on_one_side_and_the_share_is_what_was_asked_for():
    examples = [Example(f"글 {number // 3}", f"둘째 {number}", "가", "") for number in range(300)]
    learn, held_out = module("fine_tuning").cut(examples, 0.2, 0)
    assert (len(learn), len(held_out)) == (240, 60)
    assert sorted([*learn, *held_out], key=examples.index) == examples
    assert not {each.text for each in learn} & {each.text for each in held_out}
    again, other = (module("fine_tuning").cut(examples, 0.2, seed)[1] for seed in (0, 1))
    assert again == held_out != other


def test_examples_of_both_files_are_taken_from_those_to_learn_from_and_counted(tmp_path):
    one = table(tmp_path / "a.tsv", [("가", "1"), (" 나 ", "0"), ("다", "1")])
    other = table(tmp_path / "b.tsv", [("나", "0"), ("라", "1")])
    found = module("fine_tuning").examples_of(f"label={one},{other}", 0.2, 0)
    assert ([each.text for each in found.learn], len(found.held_out), found.shared) == (["가", "다"], 2, 1)
    with pytest.raises(InputError, match="every example to learn from is held out too"):
        module("fine_tuning").examples_of(f"label={one},{one}", 0.2, 0)


def test_tf_idf_is_that_of_its_formula():
    texts = ["가나", "가 가", "다나가"]
    baselines = module("baselines")
    features = [baselines.grams(text) for text in texts]
    tf_idf = baselines.TfIdf(features)
    rows = tf_idf.rows([*features, baselines.grams("없음")])
    dense = rows.times(torch.eye(len(tf_idf.columns)))
    held_by = Counter(gram for each in features for gram in set(each))
    for row, each in zip(dense, features, strict=False):
        values = {gram: count * (math.log(4 / (1 + held_by[gram])) + 1) for gram, count in Counter(each).items()}
        length = math.sqrt(sum(value**2 for value in values.values()))
        expected = [values.get(gram, 0.0) / length for gram in tf_idf.columns]
        assert row.tolist() == pytest.approx(expected, abs=1e-6)
    assert not dense[3].any()


def test_logistic_regression_ends_where_no_weight_can_be_bettered():
    baselines = module("baselines")
    rows = baselines.TfIdf([baselines.grams(text) for text in GOOD + BAD]).rows(map(baselines.grams, GOOD + BAD))
    targets = torch.tensor([1, 1, 1, 0, 0, 0])
    weights, bias = (
        each.requires_grad_() for each in baselines._regression(rows, targets, (rows.columns_E.max() + 1, 2))
    )
    wrong = torch.nn.functional.cross_entropy(rows.times(weights) + bias, targets, reduction="sum")
    (wrong + weights.square().sum() / 2).backward()
    assert max(weights.grad.abs().max(), bias.grad.abs().max()) < 1e-3


def test_labels_of_texts_like_those_learnt_are_found_and_of_pairs_by_what_both_have():
    predicted = module("baselines").predicted_labels
    learn = [Example(text, None, label, "") for text, label in REVIEWS]
    assert predicted(learn, [Example(text, None, "", "") for text in ("정말 훌륭한 배우", "아까운 시간이다")]) == [
        "1",
        "0",
    ]
    unseen, *seen = (*GOOD, *BAD)
    pairs = [Example(one, other, str(one == other), "") for one in seen for other in seen]
    pairs += 4 * [Example(one, one, "True", "") for one in seen]
    assert predicted(pairs, [Example(unseen, other, "", "") for other in (unseen, BAD[0])]) == ["True", "False"]


def test_alike_texts_have_a_greater_cosine_and_overlap_than_others():
    baselines = module("baselines")
    pairs = [Example("비행기가 난다", other, "0", "") for other in ("비행기가 난다", "비행기는 난다", "고양이")]
    for found in (baselines.cosines(pairs, pairs), baselines.overlaps(pairs)):
        assert found[0] == pytest.approx(1.0)
        assert 1 > found[1] > found[2] == 0


def test_the_list_of_names_takes_the_longest_and_leaves_out_what_is_rather_no_name():
    learn = map(tagged, ["<김철수:PS>는 <서울:LC>에 산다", "<서울시:OG>가 정한 이 길", "<이:PS>는 이 길을 이제 안다"])
    names = module("baselines").Gazetteer(list(learn))
    text = "이 서울시의 서울과 김철수"
    spans = [(text[span.begin : span.end], span.type) for span in names.spans(tagged(text))]
    assert spans == [("서울시", "OG"), ("서울", "LC"), ("김철수", "PS")]


def test_a_lead_is_counted_on_the_same_examples():
    held_out = [Example(str(number), None, "1", "") for number in range(100)]
    one, other = ["1"] * 80 + ["0"] * 20, ["1"] * 70 + ["0"] * 30
    found = module("baselines").lead(held_out, one, other)
    assert found.value == pytest.approx(0.1)
    assert 0 < found.low < 0.1 < found.high < 0.2
    assert module("baselines").lead(held_out, one, one).high == 0


def test_all_arms_are_scored_on_what_was_held_out_and_chosen_by_nothing(tmp_path, capsys):
    rows = [(f"{text} {number}", label) for text, label in REVIEWS for number in "가나다"]
    learn, test = table(tmp_path / "a.tsv", rows[::2]), table(tmp_path / "b.tsv", rows[1::2])
    text = tmp_path / "text.txt"
    text.write_text("\n".join([*GOOD, *BAD] * 900 + [row[0] for row in rows]), encoding="utf-8")
    words = [str(text), "--on", f"label={learn},{test}", "--out", str(tmp_path / "out"), "--vocab-size", "90"]
    assert (
        module("fine_tuning").main([*words, "--layers", "1", "--steps", "4", "--epochs", "2", "--least-steps", "3"])
        == 0
    )
    said = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert said[0]["lines_left_out"] == 9
    assert said[1] == {"on": "label", "learn": 9, "held_out": 9, "shared": 0}
    assert [row["what"] for row in said[2:]] == [
        "the commonest label",
        "tf-idf and logistic regression",
        "pretrained",
        "random",
        "pretrained before the commonest label",
        "pretrained before tf-idf and logistic regression",
        "pretrained before random",
    ]
    score = {row["what"]: float(row["accuracy"].split()[0]) for row in said[2:]}
    assert score["pretrained before random"] == pytest.approx(score["pretrained"] - score["random"], abs=1e-4)
    assert all("[" in row["accuracy"] for row in said[2:])
