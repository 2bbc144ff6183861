"""Hosts are asked no sooner than they should be."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from textpipe.crawl.politeness import Politeness, retry_after_s


class Clock:
    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


def wait_of(politeness, clock, host="a.kr"):
    return politeness.ready_at(host) - clock.now


def request(politeness, clock, *, latency_s=0.0, host="a.kr"):
    politeness.started(host)
    clock.now += latency_s
    politeness.answered(host, latency_s)


def test_a_new_host_is_asked_at_once(clock):
    assert Politeness(1.0, clock=clock).ready_at("a.kr") <= clock.now


def test_the_floor_holds_from_the_end_of_a_request(clock):
    politeness = Politeness(1.0, clock=clock)
    request(politeness, clock, latency_s=0.5)
    assert wait_of(politeness, clock) == 1.0


def test_one_host_does_not_delay_another(clock):
    politeness = Politeness(1.0, clock=clock)
    request(politeness, clock)
    assert politeness.ready_at("b.kr") <= clock.now


def test_a_busy_host_has_no_next_time(clock):
    politeness = Politeness(0.0, clock=clock)
    politeness.started("a.kr")
    assert politeness.ready_at("a.kr") is None


def test_only_ones_own_host_may_have_more_requests_under_way(clock):
    politeness = Politeness(0.0, clock=clock, per_host=2, is_private=lambda host: host == "localhost")
    for host in ("localhost", "a.kr"):
        politeness.started(host)
    assert politeness.ready_at("localhost") is not None
    assert politeness.ready_at("a.kr") is None


@pytest.mark.parametrize(("asked", "kept"), [(5.0, 5.0), (0.2, 1.0), (3600.0, 60.0)])
def test_a_crawl_delay_is_kept_up_to_its_cap(clock, asked, kept):
    politeness = Politeness(1.0, clock=clock)
    politeness.asked("a.kr", asked)
    request(politeness, clock)
    assert wait_of(politeness, clock) == kept


def test_a_floor_of_zero_overrides_crawl_delay_on_ones_own_host_only(clock):
    politeness = Politeness(0.0, clock=clock, is_private=lambda host: host == "localhost")
    for host in ("localhost", "a.kr"):
        politeness.asked(host, 7.0)
        request(politeness, clock, host=host)
    assert wait_of(politeness, clock, "localhost") <= 0
    assert wait_of(politeness, clock, "a.kr") == 7.0


def test_a_slow_server_is_asked_slowly_and_a_fast_one_faster_again(clock):
    politeness = Politeness(0.1, clock=clock)
    for _ in range(6):
        request(politeness, clock, latency_s=4.0)
    assert wait_of(politeness, clock) > 3.5
    for _ in range(12):
        clock.now = politeness.ready_at("a.kr")
        request(politeness, clock, latency_s=0.0)
    assert wait_of(politeness, clock) == pytest.approx(0.1, abs=0.01)


@settings(deadline=None)  # a busy machine is no failure
@given(st.lists(st.sampled_from(["fast", "slow", "error"]), max_size=30))
def test_an_error_never_makes_the_delay_shorter(events):
    clock = Clock()
    politeness = Politeness(0.5, clock=clock)
    for event in events:
        before = politeness.delay_of("a.kr")
        if event == "error":
            politeness.started("a.kr")
            waited = politeness.failed("a.kr", "u")
            assert politeness.delay_of("a.kr") >= before
            assert waited >= before
        else:
            request(politeness, clock, latency_s=0.01 if event == "fast" else 5.0)
        clock.now = max(clock.now, politeness.ready_at("a.kr"))


def test_failures_back_off_twice_as_long_each_with_jitter(clock):
    politeness = Politeness(0.0, clock=clock, seed=1)
    waits = []
    for _ in range(4):
        politeness.started("a.kr")
        waits.append(politeness.failed("a.kr", "u"))
    for number, wait in enumerate(waits, 1):
        assert 0.25 * 2**number <= wait <= 0.75 * 2**number


def test_the_jitter_comes_from_its_seed(clock):
    def waits(seed):
        politeness = Politeness(0.0, clock=clock, seed=seed)
        politeness.started("a.kr")
        return politeness.failed("a.kr", "u")

    assert waits(7) == waits(7) != waits(8)


def test_five_failing_urls_in_a_row_put_a_host_to_sleep_longer_each_time(clock):
    politeness = Politeness(0.0, clock=clock)
    waits = []
    for number in range(50):
        politeness.started("a.kr")
        waits.append(politeness.failed("a.kr", str(number)))
    sleeps = waits[4::5]
    assert sleeps[:3] == [600.0, 1200.0, 2400.0]
    assert max(waits) <= 6 * 3600.0


def test_a_few_broken_pages_tried_again_and_again_put_no_host_to_sleep(clock):
    politeness = Politeness(0.0, clock=clock)
    for number in range(40):
        politeness.started("a.kr")
        assert politeness.failed("a.kr", str(number % 4)) < 61


def test_an_answer_that_is_an_error_ends_the_row_but_speeds_nothing_up(clock):
    politeness = Politeness(0.0, clock=clock)
    request(politeness, clock, latency_s=8.0)
    before = politeness.delay_of("a.kr")
    politeness.started("a.kr")
    politeness.answered("a.kr", 0.0, is_error=True)
    assert politeness.delay_of("a.kr") == before


def test_an_answer_ends_the_row_of_failures(clock):
    politeness = Politeness(0.0, clock=clock)
    for number in range(20):
        politeness.started("a.kr")
        assert politeness.failed("a.kr", str(number)) < 600
        request(politeness, clock)


@pytest.mark.parametrize(("asked", "kept"), [(30.0, 30.0), (86400.0, 3600.0)])
def test_retry_after_is_kept_up_to_its_cap(clock, asked, kept):
    politeness = Politeness(0.0, clock=clock)
    politeness.started("a.kr")
    assert politeness.failed("a.kr", "u", retry_after=asked) == kept


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("120", 120.0),
        (" 7 ", 7.0),
        ("0", 0.0),
        ("Sun, 06 Nov 1994 08:49:37 GMT", 37.0),
        ("Sunday, 06-Nov-94 08:49:37 GMT", 37.0),
        ("Sun Nov  6 08:49:37 1994", 37.0),
        ("Sun, 06 Nov 1994 08:00:00 GMT", 0.0),
        ("soon", None),
        ("", None),
        ("-5", None),
        ("1.5", None),
        ("٣", None),
    ],
)
def test_both_forms_of_retry_after_are_read(value, seconds):
    assert retry_after_s(value, 784111740.0) == seconds
