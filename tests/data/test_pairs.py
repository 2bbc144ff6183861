"""Pairs stay together; batches are of like length, within their budget, and a function of (seed, step)."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch

from textpipe.data.batches import IGNORED
from textpipe.data.pair_plans import PairPlan
from textpipe.data.pairs import PackedPairs, pack_pairs
from textpipe.errors import ConfigError, FormatError, InputError
from textpipe.tokenizer import Tokenizer

PAIRS = [("바다 " * (1 + n % 7) + str(n), "the sea " * (1 + n * 3 % 5) + str(n)) for n in range(300)]


@pytest.fixture(scope="module")
def packed(small_tokenizer, tmp_path_factory):
    out = tmp_path_factory.mktemp("pairs") / "shards"
    return pack_pairs(PAIRS, PAIRS[:40], small_tokenizer, out)


def test_a_tokenizer_that_draws_packs_the_same_pairs_by_the_same_seed(small_tokenizer, tmp_path):
    drawing = json.loads(small_tokenizer.to_str())
    drawing["model"]["dropout"] = 0.3
    tokenizer = Tokenizer.from_str(json.dumps(drawing))
    seeds = {"a": 1, "b": 1, "c": 2}
    made = {name: pack_pairs(PAIRS, PAIRS[:40], tokenizer, tmp_path / name, seed=n) for name, n in seeds.items()}
    assert made["a"].fingerprint == made["b"].fingerprint != made["c"].fingerprint


def plan_of(packed, **changes):
    settings = {"batch_tokens": 400, "context": 64, "seed": 5, "begin": 0}
    return PairPlan(packed.train, **{**settings, **changes})


def text_of(tokenizer, ids):
    return tokenizer.decode([number for number in ids.tolist() if number not in (0, IGNORED)])


def test_source_and_target_of_every_pair_stay_together(packed, small_tokenizer):
    batch = packed.train.batch(np.array([7, 123, 299]), begin=0)
    for row, number in enumerate((7, 123, 299)):
        source = batch.source_BS[row, : batch.lengths_B[row]]
        assert (text_of(small_tokenizer, source), text_of(small_tokenizer, batch.targets_BT[row])) == PAIRS[number]
        assert source[-1] == packed.eos_id
        wanted = batch.targets_BT[row][batch.targets_BT[row] != IGNORED]
        assert wanted[-1] == packed.eos_id
        assert batch.read_BT[row, : len(wanted)].tolist() == [0, *wanted[:-1].tolist()]


def test_no_batch_is_over_its_budget_with_padding_counted(packed):
    plan = plan_of(packed)
    for step in range(30):
        batch = plan.batch(step)
        assert len(batch.samples) * max(batch.source_BS.shape[1], batch.read_BT.shape[1]) <= 400


def test_parts_of_a_batch_are_the_batch(packed):
    batch = plan_of(packed).batch(0)
    parts = list(batch.split(3))
    assert sum(part.num_targets for part in parts) == batch.num_targets
    assert [number for part in parts for number in part.samples] == list(batch.samples)
    for part in parts:
        width = part.read_BT.shape[1]
        first = batch.samples.index(part.samples[0])
        rows = slice(first, first + len(part.samples))
        assert torch.equal(part.targets_BT, batch.targets_BT[rows, :width])
        assert (batch.targets_BT[rows, width:] == IGNORED).all()


@pytest.mark.parametrize("pair", [("", "x"), ("x", " \n")])
def test_a_pair_with_an_empty_side_is_refused_with_its_number(small_tokenizer, tmp_path, pair):
    with pytest.raises(InputError, match="pair 3 of train has an empty"):
        pack_pairs([*PAIRS[:2], pair], PAIRS[:2], small_tokenizer, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_special_token_written_in_a_pair_is_text_a_token_or_an_error(small_tokenizer, tmp_path):
    pairs = [*PAIRS[:5], ("가<|endoftext|>나", "a<|endoftext|>b")]
    ends = {}
    for policy in ("text", "allow"):
        made = pack_pairs(pairs, PAIRS[:2], small_tokenizer, tmp_path / policy, special=policy)
        ends[policy] = [int((shard.tokens == made.eos_id).sum()) for shard in (made.train.source, made.train.target)]
    assert ends == {"text": [6, 6], "allow": [7, 7]}
    with pytest.raises(InputError, match=r"pair 6 of train: its source holds the special token .* at character 1"):
        pack_pairs(pairs, PAIRS[:2], small_tokenizer, tmp_path / "out", special="raise")
    assert not (tmp_path / "out").exists()


def test_what_cannot_be_packed_is_refused(small_tokenizer, tmp_path):
    with pytest.raises(ConfigError, match="no token '</s>' to end texts with"):
        pack_pairs(PAIRS, PAIRS, small_tokenizer, tmp_path / "out", eos="</s>")
    with pytest.raises(InputError, match="no pair for the split val"):
        pack_pairs(PAIRS, [], small_tokenizer, tmp_path / "out")
    with pytest.raises(InputError, match="no such folder"):
        PackedPairs(tmp_path / "absent")


def test_a_folder_with_a_changed_file_is_refused(small_tokenizer, tmp_path):
    pack_pairs(PAIRS, PAIRS[:9], small_tokenizer, tmp_path / "out")
    path = tmp_path / "out" / "train.target-00000.bin"
    data = bytearray(path.read_bytes())
    data[100] ^= 1
    path.write_bytes(data)
    with pytest.raises(FormatError, match="is not the file that was written"):
        PackedPairs(tmp_path / "out", verify=True)
