"""A plan: what fits comes first and fast, what divides is found, what is impossible names the cluster that would do."""

from __future__ import annotations

import json
import re
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from textpipe.cli.app import run
from textpipe.errors import ConfigError, LimitError
from textpipe.nn.shapes import GptConfig, TransformerConfig
from textpipe.planning import ClusterConfig, make_plan
from textpipe.planning.anatomy import anatomy
from textpipe.planning.layouts import fitting_layouts, layouts, smallest_cluster, step_time
from textpipe.planning.memory import PRECISIONS, Layout, Workload, layout_memory
from textpipe.planning.plan import command
from textpipe.planning.text import memory_bar, plan_text
from textpipe.training.presets import preset
from textpipe.training.run_config import TrainConfig

GPT3 = GptConfig(vocab_size=51_200, context=2048, layers=96, heads=96, width=12288)
TRAIN = TrainConfig(batch_size=1536, steps=1000)
SMALL = anatomy(GptConfig(vocab_size=1000, context=64, layers=4, heads=4, width=64))


def work(batch=16, positions=64, **more):
    return Workload(precision=PRECISIONS["float32"], batch=batch, positions=positions, **more)


def test_every_layout_uses_all_gpus_and_divides():
    cluster = ClusterConfig(gpus=8, gpus_per_node=4)
    found = list(layouts(SMALL, work(), cluster, 8))
    assert {layout.gpus for layout in found} == {8}
    for layout in found:
        assert SMALL.heads % layout.tensor == 0
        assert SMALL.num_blocks % layout.pipeline == 0
        assert 16 % (layout.data * layout.micro_batch) == 0
        assert layout.tensor <= cluster.gpus_per_node
    assert {layout.pipeline for layout in found} == {1, 2, 4}
    assert {layout.sharding for layout in found} == {"ddp", "zero1", "zero2", "zero3"}


@settings(max_examples=50)
@given(
    ranks=st.sampled_from([1, 2, 4, 8]),
    tensor=st.sampled_from([1, 2, 4]),
    recompute=st.booleans(),
    micro=st.sampled_from([1, 2]),
)
def test_sharing_more_never_takes_more(ranks, tensor, recompute, micro):
    model = anatomy(GptConfig(vocab_size=100, context=64, layers=8, heads=8, width=256))

    def total(sharding="ddp", **more):
        one = {"data": ranks, "tensor": tensor, "recompute": recompute, "micro_batch": micro, **more}
        parts = layout_memory(model, work(batch=64), Layout(sharding=sharding, **one)).components
        return sum(part.num_bytes for part in parts if part.name != "gathered")

    assert total("ddp") >= total("zero1") >= total("zero2") >= total("zero3")
    assert total(tensor=1) >= total(tensor=2)
    assert total(micro_batch=2) >= total(micro_batch=1)


def test_a_pipeline_has_a_bubble_that_more_micro_batches_shrink():
    cluster = ClusterConfig(gpus=4)
    few, many = (step_time(SMALL, work(batch=n), Layout(pipeline=4, micro_batch=1), cluster) for n in (4, 64))
    assert few.bubble / few.compute == pytest.approx(3 / 4)
    assert many.bubble / many.compute == pytest.approx(3 / 64)


def test_recomputing_costs_a_forward_of_the_blocks():
    cluster = ClusterConfig(gpus=1)
    kept, again = (step_time(SMALL, work(), Layout(recompute=r), cluster).compute for r in (False, True))
    assert 1.2 < again / kept < 4 / 3


def test_gpt3_is_laid_out_as_it_was_trained():
    plan = make_plan(GPT3, TRAIN, ClusterConfig(gpus=1024), tokens=300_000_000_000, precision="mixed-fp32-gradients")
    best = plan.layouts[0]
    assert best.layout.tensor == 8  # a node, as in every published run of this size
    assert best.layout.pipeline > 1
    assert 15 < plan.days(best) < 34  # 34 with everything recomputed
    assert plan.cost(best) == pytest.approx(plan.days(best) * 24 * 1024 * 2.0)


def test_the_fastest_comes_first_and_all_fit():
    plan = make_plan(*preset("base", vocab_size=50_257), ClusterConfig(gpus=4))
    times = [float(f"{planned.time.total:.3g}") for planned in plan.layouts]
    assert times == sorted(times)
    assert all(planned.memory.total_bytes <= plan.cluster.device_bytes for planned in plan.layouts)
    assert plan.layouts[0].layout == Layout(data=4, micro_batch=8)


def test_a_bert_writes_nothing_and_its_plan_says_nothing_of_it(capsys):
    assert run(["plan", "bert", "--vocab-size", "30522", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["kv_cache_bytes"] is None
    assert run(["plan", "bert", "--vocab-size", "30522"]) == 0
    assert "writing" not in capsys.readouterr().out


def test_an_impossible_plan_names_the_smallest_cluster_that_fits_and_it_does_fit():
    with pytest.raises(LimitError, match=r"no layout .* fits on 8 a100-80.*the smallest cluster .* that fits has 64"):
        make_plan(GPT3, TRAIN, ClusterConfig(gpus=8))
    assert make_plan(GPT3, TRAIN, ClusterConfig(gpus=64)).layouts
    model, asked = anatomy(GPT3), work(batch=1536, positions=2048)
    count, planned = smallest_cluster(model, asked, ClusterConfig())
    assert planned.layout.gpus == count
    for fewer in (24, 32):
        assert not fitting_layouts(model, asked, ClusterConfig(), gpus=fewer)


@pytest.mark.parametrize(("layers", "width", "batch"), [(56, 5632, 5040), (24, 4096, 45), (7, 8192, 14)])
def test_the_smallest_cluster_has_the_fewest_gpus_of_all_numbers(layers, width, batch):
    model = anatomy(GptConfig(vocab_size=51_200, context=2048, layers=layers, heads=width // 128, width=width))
    asked = Workload(precision=PRECISIONS["mixed"], batch=batch, positions=2048)
    count, planned = smallest_cluster(model, asked, ClusterConfig())
    assert planned.layout.gpus == count
    for fewer in range(1, count):
        try:
            assert not fitting_layouts(model, asked, ClusterConfig(), gpus=fewer)
        except ConfigError:
            continue


def test_a_run_no_cluster_holds_says_what_a_gpu_would_need():
    with pytest.raises(LimitError, match=r"no number of t4-16 GPUs holds this run; the least .* GiB a GPU"):
        make_plan(GPT3.replaced(layers=1, heads=1), TRAIN, ClusterConfig(gpu="t4-16", gpus=8))


def test_a_batch_that_does_not_divide_is_refused_naming_what_would():
    model = GptConfig(vocab_size=100, context=8, layers=1, heads=1, width=8)
    with pytest.raises(ConfigError, match=r"batch_size: 6 sequences .* by 4 GPUs .*a multiple of 4"):
        make_plan(model, TrainConfig(batch_size=6), ClusterConfig(gpus=4))


def test_an_unknown_gpu_names_the_nearest():
    with pytest.raises(ConfigError, match='did you mean "a100-80"'):
        ClusterConfig(gpu="a100")


def test_pairs_are_planned_by_tokens():
    model = TransformerConfig(vocab_size=1000, context=128, width=64, heads=4)
    plan = make_plan(model, TrainConfig(batch_tokens=4096), ClusterConfig(gpus=2))
    assert plan.work.batch == 32
    assert {planned.layout.pipeline for planned in plan.layouts} == {1}


def test_muon_and_a_running_mean_are_counted():
    model, train = preset("base", vocab_size=50_257)
    sizes = []
    for config in (train, train.replaced(optimizer="muon"), train.replaced(average_decay=0.99)):
        parts = make_plan(model, config, ClusterConfig(gpus=1)).layouts[0].memory.components
        sizes.append({part.name: part.num_bytes for part in parts})
    matrices = anatomy(model).inner_matrix_parameters
    assert sizes[0]["optimizer"] - sizes[1]["optimizer"] == pytest.approx(4 * matrices)
    assert sizes[2]["running mean"] == 4 * model.num_parameters


@pytest.mark.parametrize(
    ("layout", "starts"),
    [
        (Layout(data=12), "torchrun --nnodes 2 --nproc-per-node 6 -m "),
        (Layout(data=16), "torchrun --nnodes 2 --nproc-per-node 8 -m "),
        (Layout(data=3, tensor=4, sharding="zero3"), "torchrun --nnodes 3 --nproc-per-node 4 -m "),
        (Layout(data=11), "torchrun --nnodes 11 --nproc-per-node 1 -m "),
        (Layout(data=5), "torchrun --nproc-per-node 5 -m "),
        (Layout(), "textpipe train"),
    ],
)
def test_a_command_starts_as_many_processes_as_the_layout_has_and_tensor_ranks_on_one_machine(layout, starts):
    words = command(layout, ClusterConfig(gpus=layout.gpus, gpus_per_node=8), TrainConfig(), "autocast")
    assert words.startswith(starts)
    numbers = {name: int(value) for name, value in re.findall(r"--(nnodes|nproc-per-node) (\d+)", words)}
    assert numbers.get("nnodes", 1) * numbers.get("nproc-per-node", 1) == layout.gpus


@pytest.mark.parametrize(
    ("layout", "train", "precision"),
    [
        (Layout(data=4, sharding="zero3"), {"optimizer": "muon"}, "autocast"),
        (Layout(tensor=4), {"dtype": "float16"}, "autocast"),
        (Layout(pipeline=4), {"optimizer": "muon"}, "autocast"),
        (Layout(pipeline=4), {"document_mask": True}, "autocast"),
        (Layout(data=4), {}, "mixed"),
        (Layout(data=4, sharding="zero1"), {}, "autocast"),
        (Layout(data=2, pipeline=2), {}, "autocast"),
        (Layout(data=2, tensor=2), {}, "autocast"),
    ],
)
def test_no_command_is_named_that_train_would_refuse(layout, train, precision):
    cluster = ClusterConfig(gpus=4)
    assert command(layout, cluster, TrainConfig(**train), precision) is None
    assert command(Layout(data=4), cluster, TrainConfig(**train), "autocast") is not None


def test_where_the_fastest_layout_is_not_trained_the_fastest_that_is_has_its_command_and_where_none_is_that_is_said():
    plan = make_plan(GPT3.replaced(layers=8), TRAIN, ClusterConfig(gpus=64))
    trained = [number for number, planned in enumerate(plan.layouts, 1) if plan.command(planned)]
    assert trained[0] > 1
    *_, what, words, more = plan_text(plan).splitlines()
    assert f"layout {trained[0]} " in what
    assert words.strip().removesuffix("\\") + more.strip() == plan.command(plan.layouts[trained[0] - 1])
    plan = make_plan(GPT3.replaced(layers=8), TRAIN, ClusterConfig(gpus=64), precision="mixed")
    assert plan_text(plan).endswith("textpipe train runs none of these layouts itself")


def test_a_bar_is_as_long_as_the_memory():
    plan = make_plan(*preset("base", vocab_size=50_257), ClusterConfig(gpus=1, memory_gib=8))
    for planned in plan.layouts:
        bar = memory_bar(planned, plan.cluster.device_bytes)
        share = 1 - bar.count(".") / len(bar)
        assert len(bar) == 60
        assert share == pytest.approx(planned.memory.total_bytes / plan.cluster.device_bytes, abs=0.02)


def test_the_text_fits_a_wide_terminal_and_adds_up():
    text = plan_text(make_plan(GPT3, TRAIN, ClusterConfig(gpus=1024)))
    assert max(len(line) for line in text.splitlines()) <= 140
    assert "174,615,846,912" in text


WORDS = ["plan", "gpt", "--vocab-size", "50257", "--gpus", "4"]


def test_the_verb_prints_a_table_and_json_of_the_same(capsys, tmp_path):
    assert run([*WORDS, "--svg", str(tmp_path / "plan.svg")]) == 0
    text = capsys.readouterr().out
    assert run([*WORDS, "--json"]) == 0
    data = json.loads(capsys.readouterr().out)
    assert f"{data['parameters']:,}" in text
    first = data["layouts"][0]
    assert sum(part["bytes"] for part in first["components"]) == pytest.approx(first["gpu_bytes"], abs=10)
    assert first["command"] in text
    assert first["command"].startswith("torchrun --nproc-per-node 4 -m textpipe train")
    rows = [line.split() for line in text.splitlines() if re.match(r" +\d+ +\d+ +\d+ +\d+ ", line)]
    assert [row[-1] for row in rows] == ["no" if each["command"] is None else "yes" for each in data["layouts"]]
    assert {row[-1] for row in rows} == {"yes", "no"}
    chart = ElementTree.fromstring((tmp_path / "plan.svg").read_text(encoding="utf-8"))
    assert chart.tag == "{http://www.w3.org/2000/svg}svg"
    named = [node.text for node in chart.iter("{http://www.w3.org/2000/svg}text")]
    assert "usable memory of a GPU, GiB: 73.6" in named


def test_a_chart_is_not_written_over_another_file(capsys, tmp_path):
    (tmp_path / "plan.svg").write_text("mine", encoding="utf-8")
    assert run([*WORDS, "--svg", str(tmp_path / "plan.svg")]) == 3
    captured = capsys.readouterr()
    assert "there is a file already" in captured.err
    assert captured.out == ""
    assert (tmp_path / "plan.svg").read_text(encoding="utf-8") == "mine"


def test_the_size_of_the_vocabulary_is_the_tokenizers(capsys, small_tokenizer_json, tmp_path):
    (tmp_path / "tokenizer.json").write_text(small_tokenizer_json, encoding="utf-8")
    assert run(["plan", "gpt", "--tokenizer", str(tmp_path), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["vocab_size"] == 400


def test_a_file_may_hold_model_training_and_cluster(capsys, tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text(
        "[model]\nvocab_size = 99\nlayers = 2\n[train]\nbatch_size = 32\n[cluster]\ngpus = 2\nprice = 7.0\n"
    )
    assert run(["plan", "gpt", "--config", str(path), "--layers", "3", "--json"]) == 0
    data = json.loads(capsys.readouterr().out)
    assert (data["cluster"]["gpus"], data["cluster"]["price"], data["sequences_per_step"]) == (2, 7.0, 32)
    path.write_text("[cluster]\ngpuss = 2\n")
    assert run(["plan", "gpt", "--config", str(path)]) == 2
    assert 'did you mean "gpus"' in capsys.readouterr().err


@pytest.mark.parametrize(
    ("more", "code", "message"),
    [
        (["--gpu", "h1000"], 2, "no gpu 'h1000'"),
        (["--precision", "fp4"], 2, "no precision 'fp4'"),
        (["--tokens", "0"], 2, "1 to 1e18"),
        (["--tokens", "nan"], 2, "1 to 1e18"),
        (["--layers", "0"], 2, "layers = 0"),
        (["--width", "65536", "--heads", "8", "--layers", "1024"], 4, "the smallest cluster|no number of"),
        (["--gpus", "7", "--layers", "12"], 2, "cannot be shared evenly by 7 GPUs"),
    ],
)
def test_what_cannot_be_planned_is_said_in_one_line(more, code, message, capsys):
    assert run([*WORDS, *more]) == code
    err = capsys.readouterr().err
    assert re.search(message, err)
    assert err.count("\n") == 1


def test_without_a_vocabulary_the_plan_asks_for_one(capsys):
    assert run(["plan", "gpt"]) == 2
    assert "--tokenizer" in capsys.readouterr().err
