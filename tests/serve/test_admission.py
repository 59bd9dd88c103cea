"""Requests refused for their form, before Flask, on the wire in test_wire; who sees the admins' pages."""

from __future__ import annotations

import base64

import pytest

from feeds.serve.admission import Access, client_address
from tests.serve.conftest import application
from tests.serve.wsgi import ask, call, environ_of

PATHS = ("/news/world.rss", "/", "/nowhere")


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"host": ""}, 400),
        ({"host": "a,b"}, 400),
        ({"host": "a b"}, 400),
        ({"host": "a/b"}, 400),
        ({"host": "a\r\nb"}, 400),
        ({"host": "user@a"}, 400),
        ({"host": "a:port"}, 400),
        ({"host": "a" * 300}, 400),
        ({"transfer_encoding": "chunked", "content_length": "5"}, 400),
        ({"transfer_encoding": "chunked"}, 400),  # a body on GET
        ({"transfer_encoding": "gzip, chunked"}, 501),
        ({"content_length": "5"}, 400),
        ({"content_length": "+5"}, 400),
        ({"content_length": "٥"}, 400),
        ({"content_length": "5, 5"}, 400),
        ({"content_length": "0" * 5000 + "5"}, 400),
        ({"x_long": "a" * 40_000}, 431),
    ],
    ids=str,
)
def test_doubtful_requests_are_refused_in_plain_text_and_the_connection_closed(desk, headers, status):
    for path in PATHS:
        got = ask(desk, path, **headers)
        if status == 431 and path == PATHS[0]:
            continue  # answered from memory, where long headers cost nothing
        assert (got.status, got.headers["content-type"]) == (status, "text/plain; charset=utf-8")
        assert got.headers["connection"] == "close"


@pytest.mark.parametrize("host", ["a", "A.example:8080", "[::1]", "[::1]:80", "127.0.0.1:1", "xn--d1a.example", "a_b"])
def test_every_real_host_is_welcome(desk, host):
    assert ask(desk, "/news/world.rss", host=host).status == 200


def test_old_and_new_versions_of_http_need_no_host(desk):
    for version in ("HTTP/1", "HTTP/1.0", "HTTP/2"):
        environ = environ_of("/news/world.rss", server_protocol=version)
        del environ["HTTP_HOST"]
        assert call(desk, environ).status == 200


def test_a_length_of_zero_is_no_body(desk):
    assert ask(desk, "/news/world.rss", content_length="0").status == 200


def test_long_addresses_are_refused_whatever_part_is_long(desk):
    for path, query in (("/" + "a" * 9000, ""), ("/news/world.rss", "a" * 9000), ("/", "a" * 9000)):
        assert ask(desk, path, query=query).status == 414


def test_large_bodies_are_refused_unread(desk):
    assert ask(desk, "/", method="POST", content_length="70000").status == 413
    assert ask(desk, "/", method="POST", content_length="9" * 4000).status == 413
    assert ask(desk, "/", method="POST", content_length="10").status == 405


def test_a_query_that_is_no_text_is_refused(desk):
    assert ask(desk, "/search", query="q=\xbf\xff").status == 400
    assert ask(desk, "/news/world.rss", query="limit=\xbf").status == 400
    assert ask(desk, "/news/world.rss", query="x=größe".encode().decode("latin-1")).status == 200


# ------------------------------------------------------------------ admins' pages

HOME, OUT = "http://127.0.0.1:8080", "https://wire.example.org"
PAGES = ("/status", "/status.atom", "/status/source/a", "/metrics")


def basic(token: str) -> str:
    return "Basic " + base64.b64encode(f"admin:{token}".encode()).decode()


@pytest.mark.parametrize(
    ("bind", "base_url", "host", "token", "given", "verdict"),
    [
        ("127.0.0.1", HOME, "127.0.0.1:8080", "", None, "open"),
        ("::1", "http://[::1]:8080", "[::1]:8080", "", None, "open"),
        ("127.0.0.1", HOME, "", "", None, "open"),  # HTTP/1.0
        ("127.0.0.1", HOME, "evil.example", "", None, "closed"),  # a name that was made to mean 127.0.0.1
        ("0.0.0.0", HOME, "127.0.0.1", "", None, "closed"),
        ("", HOME, "127.0.0.1", "", None, "closed"),  # started by a server that says nothing
        ("127.0.0.1", OUT, "127.0.0.1", "", None, "closed"),  # behind a proxy
        ("127.0.0.1", OUT, "wire.example.org", "s3cret", None, "ask"),
        ("127.0.0.1", OUT, "wire.example.org", "s3cret", "Bearer s3cret", "open"),
        ("127.0.0.1", OUT, "wire.example.org", "s3cret", basic("s3cret"), "open"),
        ("127.0.0.1", OUT, "wire.example.org", "s3cret", basic("s3cre"), "ask"),
        ("127.0.0.1", OUT, "wire.example.org", "s3cret", "Bearer ", "ask"),
        ("127.0.0.1", OUT, "wire.example.org", "", "Bearer ", "closed"),
        ("127.0.0.1", OUT, "wire.example.org", "s3cret", "Basic !!!", "ask"),
        ("0.0.0.0", OUT, "wire.example.org", "schlüssel", "Bearer schlüssel", "open"),
    ],
)
def test_the_door(bind, base_url, host, token, given, verdict):
    access = Access(bind=bind, token=token)
    assert access.judge(base_url, host=host, authorization=given) == verdict


@pytest.mark.parametrize("path", PAGES)
def test_without_a_token_to_give_the_pages_are_closed_and_say_how_to_open_them(desk, path):
    got = ask(desk, path)
    assert got.status == 403 and "WIREDESK_ADMIN_TOKEN" in got.text
    assert got.headers["cache-control"] == "private, no-store"


@pytest.mark.parametrize("path", PAGES)
def test_with_a_token_it_is_asked_for(make_reader, path):
    desk = application(make_reader())
    desk.extensions["feeds.site"].access = Access(bind="0.0.0.0", token="s3cret")
    assert ask(desk, path).status == 401 and ask(desk, path).headers["www-authenticate"].startswith("Basic ")
    assert ask(desk, path, authorization="Bearer wrong").status == 401
    # In, and this desk has no store: all but its own counts is unknown.
    assert ask(desk, path, authorization="Bearer s3cret").status == (200 if path == "/metrics" else 503)
    in_address = ask(desk, path, query="token=s3cret").status
    assert in_address == {"/status.atom": 503, "/metrics": 200}.get(path, 401)


TRUSTED = ["10.0.0.0/8", "192.0.2.1", "fd00::/8"]


@pytest.mark.parametrize(
    ("peer", "told", "client"),
    [
        ("203.0.113.5", "1.2.3.4", "203.0.113.5"),
        ("10.1.1.1", "1.2.3.4", "1.2.3.4"),
        ("10.1.1.1", "9.9.9.9, 1.2.3.4, 192.0.2.1", "1.2.3.4"),
        ("10.1.1.1", "10.2.2.2", "10.2.2.2"),
        ("10.1.1.1", "", "10.1.1.1"),
        ("10.1.1.1", "unknown", "10.1.1.1"),
        ("10.1.1.1", "1.2.3.4, <script>", "10.1.1.1"),
        ("::ffff:10.1.1.1", "1.2.3.4", "1.2.3.4"),
        ("fd00::1", "2001:db8::7", "2001:db8::7"),
        ("", "1.2.3.4", ""),
        ("10.1.1.1", ",".join(["10.0.0.1"] * 5000), "10.0.0.1"),
    ],
)
def test_the_client_is_the_last_hop_that_no_trusted_proxy_is(peer, told, client):
    assert client_address({"REMOTE_ADDR": peer, "HTTP_X_FORWARDED_FOR": told}, TRUSTED) == client


def test_without_trusted_proxies_the_peer_is_the_client():
    assert client_address({"REMOTE_ADDR": "127.0.0.1", "HTTP_X_FORWARDED_FOR": "1.2.3.4"}, []) == "127.0.0.1"


def test_only_a_desk_that_is_open_to_all_who_reach_it_leads_to_its_status(make_reader):
    for base_url, bind, led in (
        ("http://127.0.0.1:8080", "127.0.0.1", True),
        ("http://127.0.0.1:8080", "0.0.0.0", False),
        ("https://wire.example.org", "127.0.0.1", False),
    ):
        desk = application(make_reader(base_url=base_url))
        desk.extensions["feeds.site"].access = Access(bind=bind, token="s3cret")
        assert (">Status</a>" in ask(desk, "/").text) is led
