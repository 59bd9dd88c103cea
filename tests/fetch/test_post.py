"""POST, and answers taken as they are: what the hub needs of fetch, under the same guard and caps."""

from __future__ import annotations

import pytest

from feeds.configuration import FetchSettings, PollSettings
from feeds.errors import FetchBlocked, FetchTooLarge
from feeds.fetch.client import Fetcher
from feeds.parsed import Request
from tests.fetch.origin import Exchange, Origin, Seen

MANNERS = PollSettings(gap_s=0, per_host=8)


@pytest.fixture
def fetcher():
    with Fetcher(FetchSettings(allow_private=("127.0.0.0/8",)), MANNERS, "Wiredesk/test") as made:
        yield made


def take_body(origin: Origin, path: str, status: int = 200) -> list[tuple[Seen, bytes]]:
    """Have *path* read what is sent to it."""
    taken: list[tuple[Seen, bytes]] = []

    def behave(exchange: Exchange) -> None:
        length = int(exchange.seen.header("content-length") or 0)
        body = exchange.seen.raw.partition(b"\r\n\r\n")[2]
        while len(body) < length:
            body += exchange.connection.recv(65536)
        taken.append((exchange.seen, body))
        exchange.answer(status, b"x" * 100, Location="/elsewhere")

    origin.add(path, behave)
    return taken


@pytest.mark.parametrize("size", [0, 10, 3_000_000])
def test_a_body_is_posted_whole_with_its_headers(fetcher: Fetcher, size: int) -> None:
    body = bytes(range(256)) * (size // 256 + 1)
    body = body[:size]
    with Origin() as origin:
        taken = take_body(origin, "/take")
        headers = (("Content-Type", "text/x"), ("X-Hub-Signature", "sha256=00"))
        answer = fetcher.fetch(
            Request(source_id=0, url=origin.url("/take?a=b"), post=body, as_is=True, headers=headers)
        )
        ((seen, got),) = taken
    assert (answer.status, answer.body, got) == (200, b"", body)
    assert (seen.method, seen.target) == ("POST", "/take?a=b")
    assert (seen.header("content-type"), seen.header("x-hub-signature")) == ("text/x", "sha256=00")
    assert seen.header("expect") is None


@pytest.mark.parametrize("status", [202, 204, 302, 307, 404, 410, 500])
def test_every_status_is_an_answer_and_no_redirect_is_followed(fetcher: Fetcher, status: int) -> None:
    with Origin() as origin:
        take_body(origin, "/take", status)
        for request in (
            Request(source_id=0, url=origin.url("/take"), post=b"x", as_is=True),
            Request(source_id=0, url=origin.url("/take"), as_is=True),
        ):
            assert fetcher.fetch(request).status == status
        assert origin.seen("/elsewhere") == []


def test_a_handle_that_posted_gets_again(fetcher: Fetcher) -> None:
    with Origin() as origin:
        take_body(origin, "/take")
        for _ in range(3):
            fetcher.fetch(Request(source_id=0, url=origin.url("/take"), post=b"x", as_is=True))
            assert fetcher.fetch(Request(source_id=0, url=origin.url("/feed"))).body.startswith(b"<?xml")
        assert {seen.method for seen in origin.seen("/feed")} == {"GET"}


def test_only_a_short_body_is_taken_as_it_is(fetcher: Fetcher) -> None:
    with Origin() as origin:
        origin.add("/short", lambda exchange: exchange.answer(201, b"challenge"))
        origin.add("/long", lambda exchange: exchange.answer(200, b"x" * 70_000))
        assert fetcher.fetch(Request(source_id=0, url=origin.url("/short"), as_is=True)).body == b"challenge"
        with pytest.raises(FetchTooLarge):
            fetcher.fetch(Request(source_id=0, url=origin.url("/long"), as_is=True))
        with pytest.raises(FetchTooLarge):
            fetcher.fetch(Request(source_id=0, url=origin.url("/gzip-bomb"), as_is=True))


def test_what_answers_a_post_without_end_is_cut(fetcher: Fetcher) -> None:
    with Origin() as origin:
        assert fetcher.fetch(Request(source_id=0, url=origin.url("/endless-body"), post=b"x", as_is=True)).status == 200


def test_private_addresses_are_closed_to_posts_too() -> None:
    with Origin() as origin, Fetcher(FetchSettings(ports=(origin.port,)), MANNERS, "Wiredesk/test") as fetcher:
        with pytest.raises(FetchBlocked):
            fetcher.fetch(Request(source_id=0, url=origin.url("/take"), post=b"x", as_is=True))
        assert origin.connections == 0
