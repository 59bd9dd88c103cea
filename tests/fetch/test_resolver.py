"""Names on threads of our own: hanging ones hold up nobody, and nothing grows without bound."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from feeds.fetch.resolver import Resolved, Resolver, system_lookup


class Names:
    """A resolver for tests: names that begin with ``hang`` wait for `release`, ``gone`` ones do not exist."""

    def __init__(self) -> None:
        self.release = threading.Event()
        self.asked: list[str] = []
        self.threads: set[int] = set()

    def __call__(self, host: str) -> list[str]:
        self.asked.append(host)
        self.threads.add(threading.get_ident())
        if host.startswith("hang"):
            self.release.wait(30)
        if host.startswith("gone"):
            raise socket.gaierror(socket.EAI_NONAME, "no such name")
        return [] if host == "nothing" else ["192.0.2.1", "2001:db8::1"]


@pytest.fixture
def names() -> Iterator[Names]:
    names = Names()
    yield names
    names.release.set()


@pytest.fixture
def make_resolver(names: Names) -> Iterator[Callable[..., Resolver]]:
    made: list[Resolver] = []

    def make(**limits: float) -> Resolver:
        made.append(Resolver(names, lambda: None, **limits))  # type: ignore[arg-type]
        return made[-1]

    yield make
    names.release.set()
    for resolver in made:
        resolver.close()


def collect(resolver: Resolver, count: int, now: float = 0.0) -> list[Resolved]:
    """The next *count* answers; gives up after some seconds."""
    found: list[Resolved] = []
    until = time.monotonic() + 10
    while len(found) < count and time.monotonic() < until:
        found += resolver.answers(now)
        time.sleep(0.002)
    assert len(found) >= count, f"only {found} came"
    return found


def test_a_name_is_looked_up_once_and_remembered_for_its_time(
    make_resolver: Callable[..., Resolver], names: Names
) -> None:
    resolver = make_resolver(ttl_s=60)
    assert resolver.known("a.test", 0.0) is None
    resolver.ask("a.test", 0.0)
    resolver.ask("a.test", 0.0)
    (answer,) = collect(resolver, 1)
    assert answer.addresses == ("192.0.2.1", "2001:db8::1")
    assert resolver.known("a.test", 59.0) == answer
    assert resolver.known("a.test", 60.0) is None
    assert names.asked == ["a.test"]


def test_a_failure_is_an_answer_and_soon_forgotten(make_resolver: Callable[..., Resolver]) -> None:
    resolver = make_resolver(failure_ttl_s=5)
    resolver.ask("gone.test", 0.0)
    resolver.ask("nothing", 0.0)
    answers = {answer.host: answer for answer in collect(resolver, 2)}
    assert isinstance(answers["gone.test"].error, socket.gaierror)
    assert answers["nothing"].error is not None
    assert resolver.known("gone.test", 4.0) is not None
    assert resolver.known("gone.test", 5.0) is None


def test_a_resolver_that_raises_anything_is_a_failure_and_no_more() -> None:
    def odd(host: str) -> list[str]:
        raise UnicodeError("label too long")

    resolver = Resolver(odd, lambda: None)
    resolver.ask("a", 0.0)
    assert "UnicodeError" in str(collect(resolver, 1)[0].error)
    resolver.close()


def test_what_is_remembered_is_bounded(make_resolver: Callable[..., Resolver]) -> None:
    resolver = make_resolver(cache_size=5)
    for number in range(20):
        resolver.ask(f"h{number}", 0.0)
        resolver.ask(f"gone{number}", 0.0)
    collect(resolver, 40)
    remembered = [number for number in range(20) if resolver.known(f"h{number}", 1.0)]
    assert len(remembered) <= 5


def test_names_that_hang_give_up_their_place(make_resolver: Callable[..., Resolver], names: Names) -> None:
    resolver = make_resolver(brisk=4, brisk_s=0.25, most=40, slow_lane=2)
    for number in range(20):
        resolver.ask(f"hang{number}", 0.0)
    resolver.ask("good", 0.0)
    time.sleep(0.05)
    assert len(names.asked) == 4, "while they are young they count"
    for turn in range(1, 8):
        resolver.dispatch(turn * 0.3)
    assert [answer.host for answer in collect(resolver, 1, now=3.0)] == ["good"]
    assert resolver.runs("hang0") and not resolver.runs("good")


def test_threads_are_bounded_and_go_home_afterwards(make_resolver: Callable[..., Resolver], names: Names) -> None:
    resolver = make_resolver(brisk=2, brisk_s=0.1, most=10, slow_lane=2)
    for number in range(30):
        resolver.ask(f"hang{number}", 0.0)
    for turn in range(1, 30):
        resolver.dispatch(turn * 0.2)
    time.sleep(0.05)
    assert len(names.asked) == 8, "two of the ten are kept for the slow lane"
    names.release.set()
    now = 10.0
    found = 0
    while found < 30:
        found += len(collect(resolver, 1, now=now))
        now += 1.0
    assert len(names.threads) <= 10
    for _ in range(100):
        if sum(thread.ident in names.threads for thread in threading.enumerate()) <= 2:
            break
        time.sleep(0.02)
    assert sum(thread.ident in names.threads for thread in threading.enumerate()) <= 2


def test_a_host_that_failed_lately_waits_in_a_lane_of_its_own(
    make_resolver: Callable[..., Resolver], names: Names
) -> None:
    resolver = make_resolver(brisk=2, slow_lane=1, most=10, grudge_s=100)
    for number in range(6):
        resolver.resent(f"hang{number}", 0.0)
        resolver.ask(f"hang{number}", 1.0)
    assert resolver.parked == 5
    resolver.ask("good", 1.0)
    assert [answer.host for answer in collect(resolver, 1, now=1.0)] == ["good"]
    assert sum(host.startswith("hang") for host in names.asked) == 1
    names.release.set()
    collect(resolver, 6, now=1.0)
    resolver.resent("a", 2.0)
    resolver.ask("hang0", 3.0)
    assert resolver.parked == 0, "who has answered again is forgiven"


def test_a_grudge_passes(make_resolver: Callable[..., Resolver]) -> None:
    resolver = make_resolver(slow_lane=1, grudge_s=100)
    resolver.resent("hang0", 0.0)
    resolver.resent("hang1", 0.0)
    resolver.ask("hang0", 1.0)
    resolver.ask("hang1", 101.0)
    assert resolver.parked == 0 and resolver.runs("hang1")


def test_the_system_knows_this_machine() -> None:
    assert "127.0.0.1" in system_lookup("localhost") or "::1" in system_lookup("localhost")
