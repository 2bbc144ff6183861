"""What is watched over the steps of a run tells what is wrong, and leaves alone what is small."""

from __future__ import annotations

from textpipe.training.watching import LossWatch


def watched(losses=50, targets=4000, state=None):
    watch = LossWatch(3.0, state)
    for _ in range(losses):
        assert not watch.has_jumped(1.5, targets)
    return watch


def test_a_loss_of_as_many_targets_as_usual_has_jumped_when_it_rose_by_more_than_is_allowed():
    assert not watched().has_jumped(4.4, 4000)
    assert watched().has_jumped(4.6, 4000)
    assert watched().has_jumped(4.6, 16_000)  # more targets allow no less


def test_the_loss_of_a_few_pairs_left_over_may_stray_further():
    assert not watched().has_jumped(5.1, 30)
    assert not watched().has_jumped(7.4, 1000)
    assert watched().has_jumped(7.6, 1000)
    assert watched().has_jumped(1e6, 1)


def test_a_resumed_watch_judges_as_one_that_never_stopped():
    resumed = LossWatch(3.0, watched().state())
    assert resumed.state() == watched().state()
    assert not resumed.has_jumped(5.1, 30)
    assert resumed.has_jumped(5.1, 4000)


def test_a_state_that_knows_no_targets_takes_the_next_for_usual():
    old = LossWatch(3.0, {"loss_mean": 1.5})
    assert old.has_jumped(4.6, 30)
    assert not old.has_jumped(4.4, 4000)
