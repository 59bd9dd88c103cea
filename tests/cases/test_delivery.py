"""73: ways in which origins deliver a feed that browsers put up with."""

from __future__ import annotations

import gzip
from collections.abc import Callable

import pytest

from tests.cases.desk import CaseDesk
from tests.fetch.origin import Exchange, raw_deflate

FEED = (
    b"<?xml version='1.0'?><rss version='2.0'><channel><title>Post</title><link>https://p.example/</link><item>"
    b"<title>Harbour to be dredged</title><guid>1</guid><description>Of mud.</description></item></channel></rss>"
)


def coded(coding: str, body: bytes) -> Callable[[Exchange], None]:
    return lambda exchange: exchange.answer(200, body, Content_Type="application/xml", Content_Encoding=coding)


def sent(raw: bytes) -> Callable[[Exchange], None]:
    return lambda exchange: exchange.send(raw)


HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/xml\r\n"
WAYS: dict[str, Callable[[Exchange], None]] = {
    "gzip with garbage behind it": coded("gzip", gzip.compress(FEED) + b"\x00garbage\n"),
    "raw deflate": coded("deflate", raw_deflate(FEED)),
    "x-gzip": coded("x-gzip", gzip.compress(FEED)),
    "identity": coded("identity", FEED),
    "empty coding": coded("", FEED),
    "shorter length": sent(HEAD + b"Content-Length: %d\r\n\r\n" % len(FEED) + FEED + b"<!-- more -->"),
    "HTTP/1.0 without length": sent(b"HTTP/1.0 200 OK\r\nContent-Type: text/xml\r\n\r\n" + FEED),
}
LOCATIONS = {
    "blank": b"/the feed.xml",
    "UTF-8": "/der-füd.xml".encode(),
    "307": b"/plain.xml",
}


@pytest.mark.parametrize("way", WAYS)
def test_a_feed_is_read_however_it_is_delivered(desk: CaseDesk, way: str) -> None:
    desk.origin.add("/feed", WAYS[way])
    desk.write({"name": "N", "url": desk.origin.url("/feed")})
    desk.poll()
    assert [item["title"] for item in desk.see().items] == ["Harbour to be dredged"], desk.ended


@pytest.mark.parametrize("kind", LOCATIONS)
def test_a_redirect_leads_on_however_its_target_is_spelled(desk: CaseDesk, kind: str) -> None:
    status = b"307" if kind == "307" else b"302"
    desk.origin.add("/feed", b"HTTP/1.1 %b Go\r\nLocation: %b\r\nContent-Length: 0\r\n\r\n" % (status, LOCATIONS[kind]))
    for path in ("/the%20feed.xml", "/der-f%C3%BCd.xml", "/plain.xml"):
        desk.show(path, FEED)
    desk.write({"name": "N", "url": desk.origin.url("/feed")})
    desk.poll()
    assert [item["title"] for item in desk.see().items] == ["Harbour to be dredged"], desk.ended
