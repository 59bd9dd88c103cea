"""Clients that take their time, or ask for what costs most: documents go on being served beside them."""

from __future__ import annotations

import select
import socket
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from urllib.parse import quote

import pytest

from tests.e2e.desk import Desk, until
from tests.e2e.publisher import Publisher
from tests.fetch.origin import Origin

MANY = 60
FORM = b"Content-Type: application/x-www-form-urlencoded\r\n"
POST = b"POST /websub HTTP/1.1\r\nHost: x\r\n" + FORM + b"Content-Length: 4000\r\n\r\n"
CHUNKED = b"POST /websub HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nFFF\r\n"
PUSH = b"POST /websub/callback/none HTTP/1.1\r\nHost: x\r\nContent-Length: 9000000\r\n\r\n"
HALF_HEAD = b"GET /index.rss HTTP/1.1\r\nHost: x\r\nX-Slow: "
PIPELINE = b"GET /index.rss HTTP/1.1\r\nHost: x\r\n\r\n" * 50


@contextmanager
def clients(desk: Desk, count: int, opening: bytes) -> Iterator[list[socket.socket]]:
    """Connections on which *opening* was sent and of which nothing is read."""
    held = [socket.create_connection(("127.0.0.1", desk.port), 10) for _ in range(count)]
    try:
        for client in held:
            client.sendall(opening)
        yield held
    finally:
        for client in held:
            client.close()


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """A desk with an article published: one for all of them, so that each also proves that the last left it whole."""
    with Origin() as origin, Desk(tmp_path_factory.mktemp("clients")) as desk:
        publisher = Publisher(origin)
        publisher.publish("Only one")
        desk.write(sources=[{"name": "Tidings", "url": publisher.url, "section": "news/world", "interval_s": 3600}])
        desk.start()
        until(lambda: desk.items("/news/world.json"), what="the article")
        yield desk


@pytest.mark.parametrize(
    "opening",
    [POST, CHUNKED, PUSH, HALF_HEAD, PIPELINE, b""],
    ids=["form", "chunked", "push", "head", "pipeline", "idle"],
)
def test_documents_are_served_beside_clients_that_take_their_time(running: Desk, opening: bytes) -> None:
    with clients(running, MANY, opening) as held:
        for _ in range(20):
            assert running.get("/news/world.rss").status == 200
            if opening in (POST, CHUNKED, PUSH, HALF_HEAD):
                _trickle(held)


def test_a_body_that_trickles_is_given_up_and_its_place_is_free_again(running: Desk) -> None:
    with clients(running, MANY, POST) as held:
        told: set[bytes] = set()
        waiting = set(held)

        def answered() -> bool:
            _trickle(waiting)
            for client in select.select(list(waiting), (), (), 0.2)[0]:
                told.add(client.recv(4096).partition(b"\r\n")[0].split()[1])
                waiting.discard(client)
            return not waiting

        until(answered, 60, "an answer to every one")
    assert told == {b"408", b"503"}
    form = b"hub.mode=subscribe"
    with clients(running, 1, POST.replace(b"4000", str(len(form)).encode()) + form) as held:
        assert _answer(held[0]).split()[1] not in (b"408", b"503")


def _trickle(held: Iterable[socket.socket]) -> None:
    for client in held:
        with suppress(OSError):  # it was told to go already
            client.sendall(b"x")


def _answer(client: socket.socket) -> bytes:
    client.settimeout(30)
    return client.recv(4096).partition(b"\r\n")[0]


QUERIES: list[tuple[str, Callable[[int], str]]] = [
    ("nothing there", lambda number: f"/nothing/there/{number}"),
    ("narrowed", lambda number: f"/news/world.rss?lang=en&limit={number % 40 + 1}"),
    ("search", lambda number: f"/search?q=w{number}"),
]


@pytest.mark.parametrize("path_of", [row[1] for row in QUERIES], ids=[row[0] for row in QUERIES])
def test_documents_are_served_beside_floods_of_distinct_questions(running: Desk, path_of: Callable[[int], str]) -> None:
    asked = [
        f"GET {path_of(number)} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode() for number in range(MANY)
    ]
    held = []
    for request in asked:
        client = socket.create_connection(("127.0.0.1", running.port), 10)
        client.sendall(request)
        held.append(client)
    assert running.get("/news/world.rss").status == 200
    statuses = {_answer(client).split()[1] for client in held}
    for client in held:
        client.close()
    assert statuses <= {b"200", b"404", b"503"}


ODD = ["0", "-1", "1e9", "99999999999999999999999999", "-99999999999999999999999999", "٣", "1.5", "0x10", "\u00b2", "x"]


@pytest.mark.parametrize("number", ODD)
def test_a_number_in_a_query_is_bounded_and_the_answer_says_how(running: Desk, number: str) -> None:
    for address in ("/search?q=a&page={}", "/status?page={}", "/status?sections={}", "/news/world.rss?limit={}"):
        answered = running.get(address.format(quote(number)))
        assert answered.status == 400, address
        assert b"whole number from 1 to" in answered.body
    for address in ("/news/world/archive/{}.atom", "/archive/{}.atom", "/archive/{}", "/article/{}", "/story/{}.rss"):
        assert running.get(address.format(quote(number))).status in (301, 404), address
    etag = f'"{number}-0123456789abcdef"'.encode().decode("latin-1")
    assert running.get("/news/world.rss", {"A-IM": "feed", "If-None-Match": etag}).status in (200, 226)
