"""What does not fit into memory is refused before the run, with the setting that would fit and by how much."""

from __future__ import annotations

import re

import pytest

from textpipe.errors import LimitError
from textpipe.nn.shapes import BertConfig, GptConfig, Seq2SeqConfig, TransformerConfig
from textpipe.planning.workload import step_bytes
from textpipe.training import room
from textpipe.training.room import bytes_a_parameter, check_room, cure
from textpipe.training.run_config import TrainConfig

SHAPES = {
    "gpt": GptConfig(vocab_size=500, context=128, layers=6, heads=4, width=64),
    "bert": BertConfig(vocab_size=500, context=128, layers=6, heads=4, width=64),
    "transformer": TransformerConfig(vocab_size=500, context=64, encoder_layers=3, decoder_layers=3, width=64),
}
CONFIG = TrainConfig(batch_size=32, device="cpu", dtype="float32")


def has_free(monkeypatch, number):
    monkeypatch.setattr(room, "free_bytes", lambda device: number)


def test_a_model_whose_weights_do_not_fit_is_refused_with_the_layers_that_would(monkeypatch):
    has_free(monkeypatch, 4_000_000)
    deep = GptConfig(vocab_size=500, context=16, layers=12, heads=2, width=64)
    with pytest.raises(
        LimitError, match=r"parameters wants .* MB for weights.* 4\.0 MB are free.*try layers \d+"
    ) as caught:
        check_room(deep, CONFIG)
    layers = int(str(caught.value).rsplit("layers ", 1)[1])
    each = bytes_a_parameter(CONFIG)
    assert deep.replaced(layers=layers).num_parameters * each <= 4_000_000
    assert deep.replaced(layers=layers + 1).num_parameters * each > 4_000_000
    with pytest.raises(LimitError, match=r"try width \d+ and layers 1"):
        check_room(deep.replaced(width=1024), CONFIG)


@pytest.mark.parametrize("name", SHAPES)
def test_activations_that_do_not_fit_name_the_largest_half_that_does(name, monkeypatch):
    model, states = SHAPES[name], SHAPES[name].num_parameters * bytes_a_parameter(CONFIG)
    free = int((step_bytes(model, CONFIG) + 3 * states) / 4)
    has_free(monkeypatch, free)
    with pytest.raises(LimitError, match=r"activations included.*which changes no result") as caught:
        check_room(model, CONFIG)
    size = int(re.search(r"micro_batch_size (\d+)", str(caught.value)).group(1))
    check_room(model, CONFIG.replaced(micro_batch_size=size))  # the advice is good
    with pytest.raises(LimitError):
        check_room(model, CONFIG.replaced(micro_batch_size=2 * size))


def test_where_one_sequence_is_too_much_activations_are_recomputed_then_the_context_is_cut(monkeypatch):
    model, one = SHAPES["gpt"].replaced(context=4096), CONFIG.replaced(micro_batch_size=1)
    again = one.replaced(checkpoint_activations=True)
    has_free(monkeypatch, int(step_bytes(model, again)) + 1)
    with pytest.raises(LimitError, match="micro_batch_size 1 and checkpoint_activations: about"):
        check_room(model, one)
    check_room(model, again)
    has_free(monkeypatch, int(step_bytes(model.replaced(context=1024), again)) + 1)
    with pytest.raises(LimitError, match="checkpoint_activations and context 1024: about"):
        check_room(model, one)


def test_what_fits_is_not_refused_and_what_cannot_be_told_is_not_either(monkeypatch):
    for model in SHAPES.values():
        has_free(monkeypatch, int(step_bytes(model, CONFIG)) + 1)
        check_room(model, CONFIG)
        has_free(monkeypatch, None)
        check_room(model, CONFIG)


def test_each_cure_of_a_full_memory_says_a_setting_and_by_how_much():
    for model in SHAPES.values():
        for size in (32, 2):
            told = re.fullmatch(
                r"try micro_batch_size (\d+), which changes no result: about ([\d.]+) MB instead of ([\d.]+) MB",
                cure(model, CONFIG, size),
            )
            assert int(told.group(1)) == size // 2
            assert float(told.group(2)) < float(told.group(3))
    recurrent = Seq2SeqConfig(vocab_size=500, context=64)
    assert cure(recurrent, CONFIG, 8) == "try micro_batch_size 4, which changes no result"
    assert cure(recurrent, CONFIG, 1) == "try micro_batch_size 1 and context 32"
