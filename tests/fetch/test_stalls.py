"""One bad source never delays the others: names, connections, heads and bodies that stall, among hundreds."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from feeds.configuration import PollSettings
from feeds.errors import FetchBlocked, FetchBroken, FetchError, FetchTimeout
from feeds.fetch.client import Fetcher
from feeds.parsed import Answer, Request

from .conftest import MakeFetcher
from .origin import FEED, BlackHole, Origin


@pytest.fixture
def release() -> Iterator[threading.Event]:
    """Lets hanging look-ups go at the end."""
    event = threading.Event()
    yield event
    event.set()


def _gather(fetcher: Fetcher, enough: int, silence_s: float = 10.0) -> list[Answer | FetchError]:
    outcomes: list[Answer | FetchError] = []
    while len(outcomes) < enough:
        batch = fetcher.outcomes(silence_s)
        if not batch:
            break
        outcomes += batch
    return outcomes


def test_the_good_are_done_while_the_stalled_still_stall(
    origin: Origin, make_fetcher: MakeFetcher, release: threading.Event
) -> None:
    def look_up(host: str) -> list[str]:
        if host.startswith("unnamed"):
            release.wait(60)
        return ["127.0.0.1"]

    with BlackHole() as hole:
        fetcher = make_fetcher(
            allow=[origin.place, f"127.0.0.1:{hole.port}"],
            resolver=look_up,
            timeout_s=120,
            idle_s=120,
            max_transfers=16,  # fewer than stall: without a way out they would hold every place
        )
        stalled = 0
        for number in range(300):
            if number % 10 == 0:
                stalled += 1
                url = [
                    origin.url("/plain", host=f"unnamed{number}.test"),
                    f"http://h{number}.test:{hole.port}/",
                    origin.url("/stall-headers", host=f"h{number}.test"),
                    origin.url("/stall-body", host=f"h{number}.test"),
                ][number // 10 % 4]
            else:
                url = origin.url("/plain", host=f"h{number}.test")
            fetcher.submit(Request(source_id=number, url=url))
        outcomes = _gather(fetcher, 300 - stalled)
        assert [outcome.request.source_id for outcome in outcomes if outcome.request.source_id % 10 == 0] == []
        assert [getattr(outcome, "body", outcome) for outcome in outcomes] == [FEED] * (300 - stalled)
        assert fetcher.in_flight == stalled


def test_a_stalled_host_holds_up_its_own_line_alone(origin: Origin, make_fetcher: MakeFetcher) -> None:
    fetcher = make_fetcher(
        allow=[origin.place],
        resolver=lambda host: ["127.0.0.1"],
        timeout_s=120,
        idle_s=120,
        poll=PollSettings(per_host=2, gap_s=0),
    )
    for number in range(100):
        fetcher.submit(Request(source_id=0, url=origin.url("/stall-headers", host="bad.test")))
        fetcher.submit(Request(source_id=1, url=origin.url("/plain", host=f"good{number % 5}.test")))
    outcomes = _gather(fetcher, 100)
    assert [outcome.request.source_id for outcome in outcomes] == [1] * 100
    assert len(origin.seen("/stall-headers")) <= 2


def test_a_name_that_hangs_is_a_timeout_and_next_time_takes_the_slow_lane(
    origin: Origin, make_fetcher: MakeFetcher, release: threading.Event
) -> None:
    def look_up(host: str) -> list[str]:
        release.wait(60)
        return ["127.0.0.1"]

    fetcher = make_fetcher(allow=[origin.place], resolver=look_up, idle_s=0.3)
    with pytest.raises(FetchTimeout, match="no answer for the name"):
        fetcher.fetch(Request(source_id=1, url=origin.url("/plain", host="hang.test")))
    with pytest.raises(FetchTimeout):  # joins the look-up that still runs
        fetcher.fetch(Request(source_id=1, url=origin.url("/plain", host="hang.test")))
    release.set()
    assert fetcher.fetch(Request(source_id=1, url=origin.url("/plain", host="hang.test"))).body == FEED


def test_a_connection_that_is_never_taken_is_a_timeout(make_fetcher: MakeFetcher) -> None:
    with BlackHole() as hole:
        fetcher = make_fetcher(allow=[f"127.0.0.1:{hole.port}"], idle_s=0.3)
        with pytest.raises(FetchTimeout, match="no sign of life"):
            fetcher.fetch(Request(source_id=1, url=f"http://127.0.0.1:{hole.port}/"))


def test_a_refused_connection_is_told(make_fetcher: MakeFetcher) -> None:
    with Origin() as gone:
        place = gone.place
    fetcher = make_fetcher(allow=[place])
    with pytest.raises(FetchBroken, match="could not connect") as caught:
        fetcher.fetch(Request(source_id=1, url=f"http://{place}/"))
    assert caught.value.kind == "temporary"


def test_a_name_that_does_not_exist_is_hard_and_a_failing_resolver_is_not(make_fetcher: MakeFetcher) -> None:
    import socket

    def look_up(host: str) -> list[str]:
        code = socket.EAI_NONAME if host == "gone.test" else socket.EAI_AGAIN
        raise socket.gaierror(code, "as it happens")

    fetcher = make_fetcher(resolver=look_up)
    with pytest.raises(FetchBroken, match="no such host as gone.test") as caught:
        fetcher.fetch(Request(source_id=1, url="http://gone.test/"))
    assert caught.value.kind == "hard"
    with pytest.raises(FetchBroken, match="could not be looked up") as caught:
        fetcher.fetch(Request(source_id=1, url="http://again.test/"))
    assert caught.value.kind == "temporary"


def test_the_next_address_is_tried_when_the_first_does_not_answer(origin: Origin, make_fetcher: MakeFetcher) -> None:
    fetcher = make_fetcher(allow=["127.0.0.0/8", "[::1]:1"], resolver=lambda host: ["127.0.0.9", "127.0.0.1"])
    assert fetcher.fetch(Request(source_id=1, url=origin.url("/plain", host="two.test"))).address == "127.0.0.1"


def test_only_the_allowed_among_several_addresses_are_used(origin: Origin, make_fetcher: MakeFetcher) -> None:
    fetcher = make_fetcher(allow=[origin.place], resolver=lambda host: ["10.0.0.1", "::1", "127.0.0.1"])
    assert fetcher.fetch(Request(source_id=1, url=origin.url("/plain", host="mixed.test"))).address == "127.0.0.1"


def test_an_address_that_changes_after_the_check_is_not_connected_to(origin: Origin, make_fetcher: MakeFetcher) -> None:
    answers = iter([["127.0.0.1"], ["10.0.0.1"], ["10.0.0.1"]])
    fetcher = make_fetcher(allow=[origin.place], resolver=lambda host: next(answers))
    for _ in range(3):
        answer = fetcher.fetch(Request(source_id=1, url=origin.url("/plain", host="rebind.test")))
        assert answer.address == "127.0.0.1", "what was checked is what is connected to"
    assert len(origin.seen("/plain")) == 3


def test_memory_keeps_nothing_of_what_is_done(origin: Origin, make_fetcher: MakeFetcher) -> None:
    fetcher = make_fetcher(allow=[origin.place], resolver=lambda host: ["127.0.0.1"])
    for number in range(200):
        fetcher.submit(Request(source_id=number, url=origin.url("/plain", host=f"h{number}.test")))
    assert len(_gather(fetcher, 200)) == 200
    fetcher.fetch(Request(source_id=1, url=origin.url("/plain")))
    loop = fetcher._started()
    assert (len(loop._active), len(loop._running), len(loop._resolving)) == (0, 0, 0)
    assert len(loop._hosts) <= 1 and loop._brisk == 0


def test_the_last_guard_sits_at_the_socket_itself(
    origin: Origin, make_fetcher: MakeFetcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Were libcurl led to another address than the one that was checked, the socket would still not be opened."""
    led_astray = [f"+public.test:{origin.port}:127.0.0.1"]
    monkeypatch.setattr("feeds.fetch.wire.Wire._resolve", lambda wire, target, addresses: led_astray)
    fetcher = make_fetcher(ports=(origin.port,), resolver=lambda host: ["192.0.1.1"])
    with pytest.raises(FetchBlocked, match="127.0.0.1 is loopback"):
        fetcher.fetch(Request(source_id=1, url=origin.url("/plain", host="public.test")))
    assert origin.connections == 0
