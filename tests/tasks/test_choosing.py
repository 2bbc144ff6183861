"""Every architecture has its data and its task, and no other data are taken."""

from __future__ import annotations

from pathlib import Path

import pytest

from textpipe.data.packing import PackedData
from textpipe.data.pairs import PackedPairs
from textpipe.data.training_data import TrainingData
from textpipe.data.two_corpora import TwoCorpora
from textpipe.errors import ConfigError
from textpipe.nn.shapes import GptConfig
from textpipe.tasks.choosing import LEARNS_FROM, task_for
from textpipe.tasks.fine_tuning import LabelledData
from textpipe.training.run_config import ARCHITECTURES, DataIdentity, TrainConfig

NEEDED = {
    "classifier": {"labels": ("좋음", "나쁨")},
    "tagger": {"labels": ("O", "B-x")},
    "bilingual": {"languages": ("ko", "en")},
}
KINDS = (PackedData, PackedPairs, TwoCorpora, LabelledData)


def test_every_architecture_has_its_data_and_its_task():
    assert LEARNS_FROM.keys() == ARCHITECTURES.keys()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ARCHITECTURES)
def test_data_of_another_kind_are_refused_with_what_makes_the_right_ones(name, kind):
    if kind is LEARNS_FROM[name].data:
        pytest.skip("these are its own")
    model = ARCHITECTURES[name](vocab_size=9, width=8, **NEEDED.get(name, {}))
    data = object.__new__(kind)
    data.corpora = (data,)
    data.path = Path("here")
    with pytest.raises(ConfigError, match=rf"^here: a {name} is not trained on this.*use {LEARNS_FROM[name].made_by}"):
        task_for(model, data, TrainConfig())


def test_what_a_run_keeps_of_its_data_is_what_they_say(small_packed):
    kept = DataIdentity(**small_packed.as_identity())
    assert isinstance(small_packed, TrainingData)
    assert (kept.fingerprint, kept.eos_id) == (small_packed.fingerprint, small_packed.eos_id)
    assert kept.path == str(small_packed.path.resolve())
    task = task_for(GptConfig(vocab_size=small_packed.vocab_size, context=8), small_packed, TrainConfig())
    assert type(task) is LEARNS_FROM["gpt"].task
