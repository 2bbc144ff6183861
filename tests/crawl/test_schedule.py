"""Hosts take turns."""

from textpipe.crawl.politeness import Politeness
from textpipe.crawl.schedule import Schedule


class Clock:
    now = 100.0

    def __call__(self):
        return self.now


def make(floor_s=1.0):
    clock = Clock()
    politeness = Politeness(floor_s, clock=clock)
    return clock, politeness, Schedule(politeness)


def test_hosts_take_turns_in_the_order_they_joined():
    clock, _, schedule = make()
    for host in ("b", "a", "c", "a"):
        schedule.join(host)
    assert [schedule.take(clock.now) for _ in range(4)] == ["b", "a", "c", None]


def test_a_host_waits_for_its_delay():
    clock, politeness, schedule = make()
    politeness.started("a")
    politeness.answered("a", 0.0)
    schedule.join("a")
    assert schedule.take(clock.now) is None
    assert schedule.soonest() == 101.0
    assert schedule.take(101.0) == "a"


def test_a_busy_host_stands_aside():
    _, politeness, schedule = make()
    politeness.started("a")
    schedule.join("a")
    assert schedule.soonest() is None


def test_a_host_that_is_told_to_wait_while_it_stands_there_waits():
    clock, politeness, schedule = make()
    schedule.join("a")
    politeness.host("a").next_at = 500.0
    assert schedule.take(clock.now) is None
    assert schedule.waiting() == {"a": 500.0}


def test_a_host_that_waits_for_one_url_comes_at_once_when_another_is_found():
    clock, _, schedule = make()
    schedule.join("a", not_before=500.0)
    schedule.join("a")
    assert schedule.take(clock.now) == "a"
    assert schedule.take(1000.0) is None
