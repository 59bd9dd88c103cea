"""A real server on loopback over a real store: what only shows on the wire."""

from __future__ import annotations

import gzip
import http.client
import os
import select
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from feeds.configuration import Settings
from feeds.serve.admission import BODIES_AT_ONCE
from feeds.settings import Config, config_to_json
from feeds.store import open_store
from feeds.store.values import Replacement
from tests.serve.conftest import NOW, SECTIONS, make_article, make_body, make_document

ROOT = Path(__file__).resolve().parents[2]
START = """
import os, sys
from feeds.engine.startup import logging_config
from feeds.engine.web import Server, read_ahead
server = Server("127.0.0.1", int(sys.argv[1]), logging_config(os.environ))
read_ahead()
server.run()
"""


class Web:
    """The web process: raw requests in, raw answers out."""

    def __init__(self, port: int, url: str) -> None:
        self.port = port
        self.url = url

    def raw(self, request: bytes, *, timeout_s: float = 5) -> bytes:
        """Send bytes, give what comes back until the server closes or falls silent for a moment."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=timeout_s) as connection:
            connection.sendall(request)
            got = b""
            with suppress(TimeoutError, ConnectionError):
                while chunk := connection.recv(65536):
                    got += chunk
                    connection.settimeout(0.3)
            return got

    def ask(self, path: str, method: str = "GET", **headers: str) -> tuple[int, dict[str, str], bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request(method, path, headers={name.replace("_", "-"): v for name, v in headers.items()})
            answer = connection.getresponse()
            return answer.status, {name.lower(): value for name, value in answer.headers.items()}, answer.read()
        finally:
            connection.close()

    @contextmanager
    def write(self):
        with open_store(self.url) as store, store.write() as tx:
            yield tx

    def publish(self, path: str, sequence: int) -> None:
        articles = [make_article(number) for number in range(1, 6)]
        documents = [
            make_document(path, format, make_body(f"{path} {sequence}", format, articles), sequence)
            for format in ("rss", "atom", "json")
        ]
        with self.write() as tx:
            tx.documents.replace([Replacement(path=path, documents=documents, sequence=sequence)])


@pytest.fixture(scope="module")
def web(tmp_path_factory) -> Iterator[Web]:
    folder = tmp_path_factory.mktemp("web")
    url = f"sqlite:///{folder}/desk.sqlite3"
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    started = Web(port, url)
    with started.write() as tx:
        config = Config(settings=Settings(title="The Wire"), sections=SECTIONS, digest="1")
        tx.configs.accept(config_to_json(config), config.digest, NOW)
        tx.sections.sync(SECTIONS, NOW)
    started.publish("news/world", 1)
    environ = {**os.environ, "WIREDESK_DATABASE": url, "PYTHONPATH": str(ROOT)}
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(
            [sys.executable, "-c", START, str(port)], cwd=ROOT, env=environ, stdout=log, stderr=subprocess.STDOUT
        )
    try:
        for _ in range(600):  # half a minute: machines that run other tests beside it are slow
            with suppress(OSError, http.client.HTTPException):
                if started.ask("/healthz")[0] == 200:
                    break
            assert process.poll() is None, (folder / "log").read_text()
            time.sleep(0.05)
        yield started
    finally:
        process.terminate()
        process.wait(60)


def test_a_document_comes_whole_in_each_coding_and_as_304(web):
    plain = web.ask("/news/world.rss")
    coded = web.ask("/news/world.rss", Accept_Encoding="gzip")
    again = web.ask("/news/world.rss", Accept_Encoding="gzip", If_None_Match=coded[1]["etag"])

    assert plain[0] == coded[0] == 200
    assert gzip.decompress(coded[2]) == plain[2]
    assert plain[1]["content-type"] == "application/rss+xml; charset=utf-8"
    assert (again[0], again[2]) == (304, b"")
    for name in ("etag", "cache-control", "vary", "date"):
        assert name in again[1]
    assert "content-length" not in again[1] and "content-type" not in again[1]


def test_head_has_the_headers_of_get_and_no_body_on_the_wire(web):
    got = web.ask("/news/world.atom")[1]
    answer = web.raw(b"HEAD /news/world.atom HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    head, _, body = answer.partition(b"\r\n\r\n")
    names = {line.partition(b":")[0].decode().lower() for line in head.splitlines()[1:]}
    assert body == b"" and {*got} - {"connection"} <= names
    assert f"content-length: {got['content-length']}".encode() in head.lower()


def test_if_none_match_over_several_lines_counts_as_one_list(web):
    tag = web.ask("/news/world.rss")[1]["etag"].encode()
    answer = web.raw(
        b'GET /news/world.rss HTTP/1.1\r\nHost: x\r\nIf-None-Match: "a"\r\nIf-None-Match: ' + tag + b"\r\n\r\n"
    )
    assert answer.startswith(b"HTTP/1.1 304 ")


def test_what_ingest_publishes_is_served_at_the_next_look(web):
    before = web.ask("/news/world.json")[1]["etag"]
    web.publish("news/world", 2)
    deadline = time.monotonic() + 5
    while web.ask("/news/world.json", If_None_Match=before)[0] == 304:
        assert time.monotonic() < deadline
    assert b"news/world 2" in web.ask("/news/world.json")[2]


def test_pages_come_from_the_real_store(web):
    status, headers, body = web.ask("/news/world")
    assert status == 200 and b"Nothing has been filed here yet" in body
    assert "content-security-policy" in headers
    assert [web.ask(path)[0] for path in ("/", "/sections.opml", "/sitemap-news.xml", "/readyz")] == [200] * 4
    assert web.ask("/article/00000000-0000-4000-8000-000000000001")[0] == 404
    assert web.ask("/Sport/")[1]["location"] == "http://127.0.0.1:8080/sport"


BAD = {
    "transfer-encoding with content-length": b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n"
    b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "the same on a poll": b"GET /news/world.rss HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n"
    b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "no host": b"GET /news/world.rss HTTP/1.1\r\n\r\n",
    "an empty host": b"GET /news/world.rss HTTP/1.1\r\nHost:\r\n\r\n",
    "two hosts": b"GET /news/world.rss HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
    "two equal hosts": b"GET /news/world.rss HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n",
    "a host that is none": b"GET /news/world.rss HTTP/1.1\r\nHost: a b\r\n\r\n",
    "a body on GET": b"GET /news/world.rss HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc",
    "two lengths": b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd",
    "a length behind thousands of zeros": b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: "
    + b"0" * 5000
    + b"3\r\n\r\nabc",
    "a list of lengths": b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3, 3\r\n\r\nabc",
    "a coding behind a vertical tab": b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding:\x0bchunked\r\n\r\n0\r\n\r\n",
    "two codings in two lines": b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: identity\r\n"
    b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "a coding with an underscore": b"POST / HTTP/1.1\r\nHost: x\r\nTransfer_Encoding: chunked\r\n"
    b"Content-Length: 5\r\n\r\n0\r\n\r\n",
    "a header of two lines": b"GET / HTTP/1.1\r\nHost: x\r\nX: a\r\n b\r\n\r\n",
    "a bare carriage return": b"GET / HTTP/1.1\r\nHost: x\r\nX: a\rY: b\r\n\r\n",
    "bad chunks": b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\nabc\r\n0\r\n\r\n",
    "a coding nobody knows": b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: cat\r\n\r\n",
    "a bare line feed in a header": b"GET / HTTP/1.1\r\nHost: x\r\nA\x00B: 1\r\n\r\n",
    "a space before the colon": b"GET / HTTP/1.1\r\nHost : x\r\n\r\n",
    "an over-long request line": b"GET /" + b"a" * 20_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
    "over-long headers": b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"a" * 200_000 + b"\r\n\r\n",
    "headers too long for a view": b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"a" * 40_000 + b"\r\n\r\n",
    "no version": b"GET /\r\n\r\n",
    "not HTTP at all": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
}


@pytest.mark.parametrize("request_bytes", BAD.values(), ids=BAD.keys())
def test_bad_framing_is_refused_and_the_connection_ends(web, request_bytes):
    # A second request behind the bad one must never be answered: that is how requests are smuggled.
    answer = web.raw(request_bytes + b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
    if answer:  # closing without a word is an answer too
        assert answer.split(b" ")[1][:3] in (b"400", b"405", b"413", b"414", b"431", b"501"), answer[:200]
    assert b"alive" not in answer
    assert web.ask("/healthz")[0] == 200


def test_http_1_0_needs_no_host(web):
    assert b" 200 " in web.raw(b"GET /news/world.rss HTTP/1.0\r\n\r\n").partition(b"\r\n")[0]


def test_slow_clients_do_not_keep_others_waiting(web):
    slow = [socket.create_connection(("127.0.0.1", web.port)) for _ in range(150)]
    try:
        for connection in slow:
            connection.sendall(b"GET /news/world.rss HTTP/1.1\r\nHos")
        assert web.ask("/news/world.rss")[0] == 200
        assert web.ask("/news/world")[0] == 200
    finally:
        for connection in slow:
            connection.close()


def test_bodies_that_never_come_keep_no_document_and_no_page_waiting(web):
    slow = [socket.create_connection(("127.0.0.1", web.port)) for _ in range(40)]
    try:
        for connection in slow:
            connection.sendall(b"POST /websub HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\na")
        assert [web.ask(path)[0] for path in ("/news/world.rss", "/news/world.atom")] == [200, 200]
        waiting = set(slow)
        while len(waiting) > BODIES_AT_ONCE:
            answered, _, _ = select.select(waiting, [], [], 10)
            assert answered and all(one.recv(4096).startswith(b"HTTP/1.1 503 ") for one in answered)
            waiting.difference_update(answered)
        assert web.ask("/news/world")[0] == 200
    finally:
        for connection in slow:
            connection.close()


def test_many_threads_are_answered_while_documents_change(web):
    wrong: list[object] = []

    def poll() -> None:
        tag = ""
        for _ in range(40):
            status, headers, body = web.ask("/news/world.atom", If_None_Match=tag)
            if status not in (200, 304) or (status == 200 and headers["content-length"] != str(len(body))):
                wrong.append((status, headers))
            tag = headers.get("etag", tag)

    threads = [threading.Thread(target=poll) for _ in range(6)]
    for thread in threads:
        thread.start()
    for sequence in range(10, 30):
        web.publish("news/world", sequence)
    for thread in threads:
        thread.join()
    assert not wrong
