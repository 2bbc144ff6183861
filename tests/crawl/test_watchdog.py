"""A request has its time, and no more."""

import socket
import threading
import time

from textpipe.crawl.watchdog import Watchdog


def test_a_blocked_read_returns_when_the_time_is_over():
    dog = Watchdog()
    one, other = socket.socketpair()
    with one, other, dog.watch(0.05) as watch:
        dog.attach(one)
        start = time.monotonic()
        assert one.recv(1) == b""
        assert time.monotonic() - start < 5
        assert watch.expired
    dog.close()


def test_a_socket_attached_too_late_is_cut_at_once():
    dog = Watchdog()
    one, other = socket.socketpair()
    with one, other, dog.watch(60) as watch:
        dog.expire_all()
        dog.attach(one)
        assert one.recv(1) == b""
        assert watch.expired
    dog.close()


def test_a_request_that_ends_in_time_is_left_alone():
    dog = Watchdog()
    one, other = socket.socketpair()
    with one, other:
        with dog.watch(0.02) as watch:
            dog.attach(one)
        with dog.watch(30):
            other.sendall(b"x")
            assert one.recv(1) == b"x"
        assert not watch.expired
    dog.close()


def test_each_thread_has_its_own_request():
    dog = Watchdog()
    cut = []

    def work(seconds):
        one, other = socket.socketpair()
        with one, other, dog.watch(seconds) as watch:
            dog.attach(one)
            one.settimeout(1.0)
            try:
                one.recv(1)
            except TimeoutError:
                cut.append((seconds, False))
            else:
                cut.append((seconds, watch.expired))

    threads = [threading.Thread(target=work, args=(seconds,)) for seconds in (50.0, 0.05)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    dog.close()
    assert sorted(cut) == [(0.05, True), (50.0, False)]
