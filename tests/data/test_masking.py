"""Hidden tokens: the share and kinds promised, never a mark, a function of seed and sequence alone."""

from __future__ import annotations

import pytest
import torch

from textpipe.data.batches import IGNORED
from textpipe.data.masking import Marks, Masking
from textpipe.errors import ConfigError

MARKS = Marks(begin=1, end=2, mask=3, special=frozenset({0, 1, 2, 3}))


def masking(packed, **changes):
    settings = {"batch_size": 8, "context": 34, "seed": 1, "share": 0.15}
    return Masking(packed.train, MARKS, **{**settings, **changes})


def test_sequences_stand_between_their_marks(small_packed):
    batch = masking(small_packed).batch(0)
    assert batch.tokens_BT.shape == batch.targets_BT.shape == (8, 34)
    assert (batch.tokens_BT[:, 0] == 1).all()
    assert (batch.tokens_BT[:, -1] == 2).all()


def test_what_is_not_hidden_is_the_text_and_what_is_was_it(small_packed):
    plan = masking(small_packed)
    hidden, whole = plan.batch(4), plan.plan.batch(4).targets_BT
    targets = hidden.targets_BT[:, 1:-1]
    assert torch.equal(torch.where(targets == IGNORED, hidden.tokens_BT[:, 1:-1], targets), whole)


def test_shares_are_those_of_the_paper(small_packed):
    plan = masking(small_packed)
    chosen = masked = kept = free = 0
    for step in range(150):
        batch = plan.batch(step)
        is_chosen = batch.targets_BT != IGNORED
        chosen += int(is_chosen.sum())
        masked += int((batch.tokens_BT[is_chosen] == 3).sum())
        kept += int((batch.tokens_BT[is_chosen] == batch.targets_BT[is_chosen]).sum())
        free += int((plan.plan.batch(step).targets_BT > 3).sum())
    assert chosen / free == pytest.approx(0.15, abs=0.01)
    assert masked / chosen == pytest.approx(0.8, abs=0.02)
    assert kept / chosen == pytest.approx(0.1, abs=0.02)


@pytest.mark.parametrize("context", [3, 4, 10])
def test_of_every_sequence_with_an_ordinary_token_one_is_hidden(small_packed, context):
    plan = masking(small_packed, context=context, share=0.01)
    num_empty = 0
    for step in range(60):
        hidden, whole = plan.batch(step).targets_BT[:, 1:-1], plan.plan.batch(step).targets_BT
        has_ordinary = (whole > 3).any(dim=1)
        assert torch.equal((hidden != IGNORED).any(dim=1), has_ordinary)
        num_empty += int((~has_ordinary).sum())
    assert num_empty > 0 or context > 3


def test_marks_are_never_hidden_nor_put_in_the_place_of_others(small_packed):
    plan = masking(small_packed, share=1.0)
    for step in range(20):
        batch = plan.batch(step)
        inner, targets = batch.tokens_BT[:, 1:-1], batch.targets_BT[:, 1:-1]
        assert not (targets[targets != IGNORED] <= 3).any()
        was = plan.plan.batch(step).targets_BT
        assert not ((inner <= 2) & (was > 3)).any()


def test_the_same_tokens_are_hidden_however_a_step_is_shared(small_packed):
    plan = masking(small_packed)
    whole = plan.batch(3)
    parts = [plan.batch(3, rank=rank, world=2) for rank in (0, 1)]
    assert torch.equal(torch.cat([part.tokens_BT for part in parts]), whole.tokens_BT)
    assert torch.equal(masking(small_packed).batch(3).targets_BT, whole.targets_BT)
    assert not torch.equal(masking(small_packed, seed=2).batch(3).targets_BT, whole.targets_BT)


def test_evaluation_hides_the_same_whatever_the_batch_size(small_packed):
    plan = masking(small_packed)
    first = torch.cat([batch.targets_BT for batch in plan.consecutive(3)])
    assert torch.equal(torch.cat([batch.targets_BT for batch in plan.consecutive(8)]), first)


def test_a_vocabulary_without_marks_is_refused_with_the_cure(small_tokenizer):
    with pytest.raises(ConfigError, match=r"no token \[CLS\] or <s>.*--special-token"):
        Marks.of(small_tokenizer, eos_id=0)


def halves(packed, **changes):
    return masking(packed, next_sentence=True, **changes)


def parted(batch):
    """(first half, second half, follows) of each sequence, with what was hidden put back."""
    whole = torch.where(batch.targets_BT == IGNORED, batch.tokens_BT, batch.targets_BT)
    for row, segments, follows in zip(whole, batch.segments_BT, batch.follows_B.tolist(), strict=True):
        border = int((segments == 0).sum())
        yield row[1 : border - 1].tolist(), row[border:-1].tolist(), follows


def test_two_halves_stand_between_three_marks_and_are_of_two_segments(small_packed):
    batch = halves(small_packed).batch(0)
    assert batch.tokens_BT.shape == batch.targets_BT.shape == batch.segments_BT.shape == (8, 34)
    for row, targets, segments in zip(batch.tokens_BT, batch.targets_BT, batch.segments_BT, strict=True):
        border = int((segments == 0).sum())
        assert segments.tolist() == [0] * border + [1] * (34 - border)
        marks = torch.tensor([0, border - 1, 33])
        assert row[marks].tolist() == [1, 2, 2]
        assert (targets[marks] == IGNORED).all()


def test_a_second_half_follows_in_the_corpus_or_is_told_not_to(small_packed):
    plan, counts = halves(small_packed), {0: 0, 1: 0}
    for step in range(100):
        windows = plan.plan.batch(step).targets_BT.tolist()
        for (first, second, follows), window in zip(parted(plan.batch(step)), windows, strict=True):
            assert first == window[: len(first)]
            assert first[-1] != small_packed.eos_id  # the cut is inside a document
            assert (second == window[len(first) :]) == (follows == 0)
            counts[follows] += 1
    assert counts[1] / 800 == pytest.approx(0.5, abs=0.06)


def test_halves_are_the_same_however_a_step_is_shared_and_hidden_as_often(small_packed):
    plan = halves(small_packed)
    whole = plan.batch(3)
    for parts in ([plan.batch(3, rank=rank, world=2) for rank in (0, 1)], list(whole.split(3))):
        for name in ("tokens_BT", "targets_BT", "segments_BT", "follows_B"):
            assert torch.equal(torch.cat([getattr(part, name) for part in parts]), getattr(whole, name))
    hidden = sum(plan.batch(step).num_targets for step in range(50))
    assert hidden / (50 * 8 * plan.num_inner) == pytest.approx(0.15, abs=0.02)


def test_evaluation_in_halves_hides_no_token_past_the_end(small_packed):
    plan = halves(small_packed)
    batches = list(plan.consecutive(5))
    last = batches[-1].targets_BT[-1]
    over = len(batches[0].tokens_BT) and -small_packed.train.num_tokens % plan.num_inner
    assert over > 0
    assert (last[-over - 1 :] == IGNORED).all()
    told = torch.cat([batch.follows_B for batch in batches])
    assert set(told.tolist()) == {0, 1}


def test_a_context_without_room_for_two_halves_is_refused(small_packed):
    with pytest.raises(ConfigError, match=r"context of 4 has no room beside 3 marks \(allowed: 5 or more\)"):
        halves(small_packed, context=4)


def by_themselves(packed, **changes):
    """Documents each by itself; what ends them is what ends a text."""
    marks = Marks(begin=1, end=packed.eos_id, mask=3, special=MARKS.special | {packed.eos_id})
    return Masking(packed.train, marks, **{"batch_size": 8, "context": 34, "seed": 1, "document_mask": True, **changes})


def documents_in(batch):
    """(tokens with what was hidden put back, positions, documents) of each sequence."""
    whole = torch.where(batch.targets_BT == IGNORED, batch.tokens_BT, batch.targets_BT)
    return zip(whole.tolist(), batch.positions_BT.tolist(), batch.documents_BT.tolist(), strict=True)


def test_with_the_document_mask_each_document_stands_between_its_own_marks(small_packed):
    plan, num_whole = by_themselves(small_packed), 0
    for step in range(20):
        batch = plan.batch(step)
        assert batch.tokens_BT.shape == batch.targets_BT.shape == (8, 34)
        for tokens, positions, documents in documents_in(batch):
            for place in range(1, 34):
                is_first = tokens[place] == 1
                assert is_first == (tokens[place - 1] == small_packed.eos_id)
                assert documents[place] - documents[place - 1] == is_first
                assert positions[place] == (0 if is_first else positions[place - 1] + 1)
                num_whole += is_first
            assert (positions[0], documents[0]) == (0, 0)
    assert num_whole > 50


def test_with_the_document_mask_evaluation_reads_every_token_once(small_packed):
    plan = by_themselves(small_packed, share=1.0)
    targets = torch.cat([batch.targets_BT.flatten() for batch in plan.consecutive(5)])
    whole = small_packed.train.window(0, small_packed.train.num_tokens)
    assert targets[targets != IGNORED].tolist() == [token for token in whole.tolist() if token > 3]


def test_documents_that_end_as_no_text_does_are_refused_with_the_cure(small_packed):
    with pytest.raises(ConfigError, match=r"document_mask: what ends a document here.*pack with --eos"):
        masking(small_packed, document_mask=True)


def test_two_segments_are_no_documents_by_themselves(small_packed):
    with pytest.raises(ConfigError, match="document_mask: two segments of a window"):
        halves(small_packed, document_mask=True)
