"""Fine-tuning runs: every task is learnt, stopped runs end as ones never stopped, and bad data are refused."""

from __future__ import annotations

import json
import shutil

import pytest
import torch

from textpipe.data.example_files import format_named, read_examples
from textpipe.errors import ConfigError, FormatError, InputError, StateError
from textpipe.nn.architectures import new_model
from textpipe.nn.shapes import BertConfig, ClassifierConfig, RegressorConfig, SpanFinderConfig, TaggerConfig
from textpipe.tasks.encoder_tasks import encoder_task
from textpipe.tasks.fine_tuning import FineTuning, LabelledData
from textpipe.tasks.prediction import predict
from textpipe.training import Start, TrainConfig, Trainer, load_model
from textpipe.training.checkpoints import Checkpoint, find_checkpoint, list_checkpoints

SIZES = {"context": 48, "layers": 1, "heads": 2, "width": 32}
GOOD, BAD = (
    ("정말 재미있는 영화", "배우도 훌륭하다", "훌륭하다 정말"),
    ("지루하고 아깝다", "다시는 안 본다", "시간이 아깝다"),
)
PEOPLE, PLACES = ("김철수", "이영희", "철수", "영희"), ("서울", "부산", "서산")


def labels():
    rows = [(text, label) for label, texts in (("긍정", GOOD), ("부정", BAD)) for text in texts]
    return "text\tlabel\n" + "".join(
        f"{text}{tail}\t{label}\n" for text, label in rows for tail in ("", " 다", " 영화")
    )


def scores():
    rows = [(one, other, 20 + 30 * ((one in GOOD) + (other in GOOD))) for one in GOOD + BAD for other in GOOD + BAD]
    return "sentence1\tsentence2\tscore\n" + "".join(f"{one}\t{other}\t{score}\n" for one, other, score in rows)


def tags():
    made = []
    for one in PEOPLE:
        for place in PLACES:
            for word, kind in ((one, "PS"), ("는", None), (" ", None), (place, "LC"), ("에서 산다", None)):
                marks = ["O"] * len(word) if kind is None else [f"B-{kind}"] + [f"I-{kind}"] * (len(word) - 1)
                made += [f"{char}\t{mark}" for char, mark in zip(word, marks, strict=True)]
            made.append("")
    return "\n".join(made) + "\n"


def questions():
    rows = []
    for one in PEOPLE:
        for place in PLACES:
            context = f"{one}는 {place}에서 산다"
            answers = [{"text": one, "answer_start": 0}]
            rows.append({"context": context, "qas": [{"id": context, "question": "누가 산다", "answers": answers}]})
    return json.dumps({"data": [{"paragraphs": rows}]}, ensure_ascii=False)


TASKS = {
    "label": ("a.tsv", labels, format_named(None, "label"), ClassifierConfig, "val_accuracy", 0.95),
    "score": ("a.tsv", scores, format_named("korsts", None), RegressorConfig, "val_spearman", 0.8),
    "tags": ("a.conll", tags, format_named("klue-ner", None), TaggerConfig, "val_entity_f1", 0.95),
    "answer": ("a.json", questions, format_named("squad", None), SpanFinderConfig, "val_answer_f1", 0.9),
}


@pytest.fixture
def made(tmp_path, marked_tokenizer):
    """A function that writes a task's examples and gives data, shape and settings."""

    def make(name, **train):
        file, text, format_, kind, *_ = TASKS[name]
        path = tmp_path / file
        path.write_text(text(), encoding="utf-8")
        data = LabelledData([path], [path], format_, marked_tokenizer)
        shape = kind(vocab_size=data.vocab_size, **SIZES, **data.shape_facts())
        settings = {
            "steps": 6,
            "batch_size": 8,
            "learning_rate": 5e-3,
            "warmup_steps": 2,
            "device": "cpu",
            "threads": 1,
        }
        settings |= {"validate_every": 3, "checkpoint_every": 2, "sample_every": 3, "log_every": 1}
        return data, shape, TrainConfig(**(settings | train))

    return make


@pytest.mark.parametrize("name", TASKS)
def test_what_the_examples_say_is_learnt_and_told_of_texts_again(made, name, tmp_path):
    data, shape, config = made(name, steps=120, warmup_steps=10, validate_every=60, checkpoint_every=60)
    result = Trainer(shape, data, config, out=tmp_path / "run").run()
    *_, measure, least = TASKS[name]
    assert result.scores[measure] >= least
    model, tokenizer, facts = load_model(tmp_path / "run")
    assert facts["architecture"] in ("classifier", "regressor", "tagger", "span-finder")
    task = encoder_task(model.config, tokenizer)
    told = predict(model, task, data.val)
    again = {f"val_{key}": value for key, value in task.scores(data.val, told).items()}
    assert again == pytest.approx({key: result.scores[key] for key in again})
    assert all(json.dumps(each.as_json()) and str(each) for each in told)


def test_places_of_tokens_are_kept_of_what_is_predicted_and_not_of_what_is_learnt(made):
    data, shape, _ = made("tags")
    found = data.read(shape)
    assert {len(window.offsets) for window in found.train} == {0}
    assert [len(window.offsets) for window in found.val] == [len(window.ids) for window in found.val]


def test_a_stopped_run_ends_as_one_never_stopped(made, tmp_path):
    data, shape, config = made("label", steps=7, keep_checkpoints=9)
    Trainer(shape, data, config, out=tmp_path / "whole").run()
    Trainer(shape, data, config, out=tmp_path / "cut").run()
    for path in list_checkpoints(tmp_path / "cut" / "checkpoints")[2:]:
        shutil.rmtree(path)
    assert find_checkpoint(tmp_path / "cut").name == "step-00000004"
    Trainer(shape, data, config, out=tmp_path / "cut").run()
    logs = [
        [
            {k: v for k, v in json.loads(line).items() if k != "tokens_per_s"}
            for line in (path / "log.jsonl").read_text().splitlines()
        ]
        for path in (tmp_path / "whole", tmp_path / "cut")
    ]
    assert logs[0] == logs[1]
    one, other = (
        Checkpoint.open(find_checkpoint(tmp_path / name)).tensors("model.safetensors") for name in ("whole", "cut")
    )
    assert all(torch.equal(one[name], other[name]) for name in one)


@pytest.mark.parametrize("name", TASKS)
def test_cutting_a_step_into_micro_batches_changes_no_loss(made, name):
    data, shape, config = made(name)
    task = FineTuning(shape, data, config)
    model = new_model(shape, seed=1)
    batch = task.batch(1)
    whole, count = task.loss(model, batch)
    parts = [task.loss(model, part) for part in batch.split(3)]
    assert whole.item() == pytest.approx(sum(loss.item() for loss, _ in parts), rel=1e-5)
    assert int(count) == sum(int(number) for _, number in parts) == batch.num_targets


def test_the_best_checkpoint_is_the_one_with_the_best_measure_whatever_the_loss(tmp_path):
    for step, scores in ((2, {"val_loss": 0.9, "val_accuracy": 0.8}), (4, {"val_loss": 0.3, "val_accuracy": 0.7})):
        folder = tmp_path / "checkpoints" / f"step-{step:08d}"
        folder.mkdir(parents=True)
        (folder / "state.json").write_text(json.dumps({"scores": scores}))
    assert find_checkpoint(tmp_path, best=True).name == "step-00000002"
    assert find_checkpoint(tmp_path).name == "step-00000004"


def test_a_run_of_other_examples_or_labels_is_refused_in_the_same_folder(made, tmp_path):
    data, shape, config = made("label")
    Trainer(shape, data, config, out=tmp_path / "run").run()
    before = sorted((path, path.stat().st_mtime_ns) for path in (tmp_path / "run").rglob("*"))
    (tmp_path / "a.tsv").write_text(labels().replace("긍정", "좋음"), encoding="utf-8")
    other = LabelledData([tmp_path / "a.tsv"], [tmp_path / "a.tsv"], data.format, data.tokenizer)
    with pytest.raises(StateError, match=r"a run on other data|model\.labels"):
        Trainer(shape.replaced(**other.shape_facts()), other, config, out=tmp_path / "run").run()
    assert sorted((path, path.stat().st_mtime_ns) for path in (tmp_path / "run").rglob("*")) == before


def test_a_model_is_not_trained_on_data_of_another_kind(made, tmp_path):
    data, _, config = made("label")
    with pytest.raises(ConfigError, match="a bert is not trained on this"):
        Trainer(BertConfig(vocab_size=data.vocab_size, **SIZES), data, config, out=tmp_path / "run")


@pytest.mark.parametrize(
    ("text", "error", "message"),
    [
        ("text\tlabel\n가\t1\n나\t1\n", InputError, "'1' is the only label"),
        ("text\tlable\n가\t1\n", FormatError, r"line 2.*no column 'label'.*lable"),
        ("text\tlabel\n가\t1\textra\n", FormatError, r"line 2.*3 cells"),
        ("text\tlabel\n\t1\n", FormatError, r"line 2.*text is empty"),
    ],
)
def test_bad_examples_are_refused_with_their_line(tmp_path, marked_tokenizer, text, error, message):
    path = tmp_path / "a.tsv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(error, match=message):
        LabelledData([path], [path], format_named(None, "label"), marked_tokenizer).shape_facts()


def test_scores_that_are_none_or_all_the_same_are_refused(tmp_path, marked_tokenizer):
    path = tmp_path / "a.tsv"
    for text, message in (
        ("text\tlabel\n가\t좋음\n", r"line 2.*'좋음' is not a number"),
        ("text\tlabel\n가\t2\n나\t2\n", "every score is 2"),
    ):
        path.write_text(text, encoding="utf-8")
        with pytest.raises(InputError, match=message):
            LabelledData([path], [path], format_named(None, "score"), marked_tokenizer).shape_facts()


def test_a_tokenizer_without_marks_is_refused_before_anything_is_written(tmp_path, small_tokenizer):
    path = tmp_path / "a.tsv"
    path.write_text(labels(), encoding="utf-8")
    with pytest.raises(ConfigError, match=r"no token \[CLS\]"):
        LabelledData([path], [path], format_named(None, "label"), small_tokenizer)
    assert [each.name for each in tmp_path.iterdir()] == ["a.tsv"]
    assert read_examples([path], format_named(None, "label"))


def logits_of(model, data, shape):
    task = FineTuning(shape, data, TrainConfig(device="cpu"))
    return model.eval()(task.batch(0).tokens_BT, lengths_B=task.batch(0).lengths_B)


@pytest.mark.parametrize(
    ("name", "other"),
    [
        ("label", lambda shape: shape.replaced(labels=shape.labels[::-1])),
        ("tags", lambda shape: shape.replaced(labels=(*shape.labels[2:], *shape.labels[:2]))),
        ("score", lambda shape: shape.replaced(mean=shape.mean + 0.25, spread=2 * shape.spread)),
        ("answer", lambda shape: shape.replaced(may_be_unanswered=not shape.may_be_unanswered)),
    ],
)
def test_a_learnt_head_goes_on_whatever_the_order_of_labels_or_the_unit_of_numbers(made, name, other, tmp_path):
    data, shape, config = made(name)
    Trainer(shape, data, config, out=tmp_path / "run").run()
    start, now = Start.open(tmp_path / "run"), other(shape)
    model = new_model(now, seed=7)
    start.load(model)
    before, after = (logits_of(each, data, shape) for each in (load_model(tmp_path / "run")[0], model))
    if name in ("label", "tags"):
        after = after[..., [now.labels.index(label) for label in shape.labels]]
    torch.testing.assert_close(after, before)
    assert start.changes(now) == ()


def test_labels_that_only_one_side_knows_are_named_in_log_card_and_configuration(made, tmp_path):
    data, shape, config = made("label")
    Trainer(shape, data, config, out=tmp_path / "run").run()
    (tmp_path / "a.tsv").write_text(labels().replace("긍정", "좋음") + "무난하다\t중립\n", encoding="utf-8")
    other = LabelledData([tmp_path / "a.tsv"], [tmp_path / "a.tsv"], data.format, data.tokenizer)
    now, start = shape.replaced(**other.shape_facts()), Start.open(tmp_path / "run")
    result = Trainer(now, other, config, out=tmp_path / "new", start=start).run()
    said = ("the label '좋음' is new", "the label '중립' is new", "the label '긍정' is not kept")
    assert start.changes(now) == Checkpoint.open(result.checkpoint).config.start.changes == said
    assert "; ".join(said) in (tmp_path / "new" / "README.md").read_text(encoding="utf-8")
    begun, model = load_model(tmp_path / "run")[0].classifier, new_model(now, seed=7)
    start.load(model)
    first = new_model(now, seed=7).classifier.weight
    assert torch.equal(model.classifier.weight[now.labels.index("부정")], begun.weight[shape.labels.index("부정")])
    assert torch.equal(model.classifier.weight[now.labels.index("좋음")], first[now.labels.index("좋음")])


def test_a_head_of_another_kind_is_left_behind_with_a_word(made, tmp_path):
    data, shape, config = made("label")
    Trainer(shape, data, config, out=tmp_path / "run").run()
    tagged, tagger, _ = made("tags")
    assert Start.open(tmp_path / "run").changes(tagger) == ("the head is new",)
    assert Start.open(tmp_path / "run").changes(shape.replaced(dropout=0.5)) == ()
    Trainer(tagger, tagged, config, out=tmp_path / "tagged", start=Start.open(tmp_path / "run")).run()
    assert Start.open(tmp_path / "tagged").changes(shape) == ("the pooler is new", "the head is new")
