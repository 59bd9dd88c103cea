"""A running desk and origins that record what it asks: every request is one that the rules allow."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable

from tests.e2e.desk import Desk, until
from tests.e2e.publisher import Publisher
from tests.fetch.origin import Exchange, Origin, Seen

RETRY_AFTER_S = 8
FEED = """<?xml version="1.0"?><rss version="2.0"><channel><title>{name}</title><link>https://{name}.example/</link>
<description>-</description>{ttl}<item><title>{title}</title><guid>urn:{name}:{number}</guid>
<description>{text}</description></item></channel></rss>"""
WORDS = "harbour council tide ferry lantern chart crew rope anchor gull pier storm chapel market bell lamp".split()


def feed(name: str, number: int = 1, ttl: str = "") -> bytes:
    text = " ".join(f"{word}{name}{number}" for word in WORDS)
    return FEED.format(name=name, number=number, ttl=ttl, text=text, title=f"Of {name} {number}").encode()


def events(desk: Desk) -> set[tuple[str, str]]:
    """Kind and subject of every event so far."""
    (path,) = desk.data.glob("*.sqlite3")
    with sqlite3.connect(path) as connection:
        return set(connection.execute("select kind, subject from events"))


def conditional(seen: Seen) -> bool:
    return seen.header("if-none-match") is not None or seen.header("if-modified-since") is not None


def redirect(status: int, target: str) -> Callable[[Exchange], None]:
    return lambda exchange: exchange.answer(status, Location=target)


def test_every_request_is_one_that_the_rules_allow(desk: Desk, origin: Origin) -> None:
    with Origin("127.0.0.2") as limiting:
        refused: list[float] = []

        def limited(exchange: Exchange) -> None:
            if not refused:
                refused.append(exchange.seen.at)
                exchange.answer(429, Retry_After=str(RETRY_AFTER_S))
            else:
                exchange.answer(200, feed("limited"))

        def liar(exchange: Exchange) -> None:
            exchange.answer(200, feed("liar", len(origin.seen("/liar"))), ETag='"for ever"')

        honest = Publisher(origin, "/honest", name="Honest")
        honest.publish("One")
        limiting.add("/limited", limited)
        limiting.add("/neighbour", lambda exchange: exchange.answer(200, feed("neighbour"), ETag='"n"'))
        origin.add("/gone", lambda exchange: exchange.answer(410))
        origin.add("/liar", liar)
        origin.add("/plain", lambda exchange: exchange.answer(200, feed("plain")))
        origin.add("/ttl", lambda exchange: exchange.answer(200, feed("ttl", ttl="<ttl>60</ttl>"), ETag='"t"'))
        origin.add(
            "/fresh", lambda exchange: exchange.answer(200, feed("fresh"), ETag='"f"', Cache_Control="max-age=3600")
        )
        origin.add("/forbidden", lambda exchange: exchange.answer(403))
        origin.add("/moved", redirect(301, "/target"))
        origin.add("/found", redirect(302, "/elsewhere"))
        for target in ("/target", "/elsewhere"):
            origin.add(target, lambda exchange: exchange.answer(200, feed(exchange.seen.path.strip("/"))))
        names = ["honest", "gone", "liar", "plain", "ttl", "fresh", "forbidden", "moved", "found"]
        sources: list[dict[str, object]] = [
            {"name": name, "url": origin.url(f"/{name}"), "section": "news"} for name in names
        ]
        sources += [
            {"name": name, "url": limiting.url(f"/{name}"), "section": "news"} for name in ("limited", "neighbour")
        ]
        desk.write(sources=sources)
        config = (desk.config / "sources.yaml").read_bytes()

        desk.start()
        until(lambda: refused and len(origin.seen("/honest")) >= 3 and len(origin.seen("/liar")) >= 4, 30, "polls")
        desk.stop()
        asked_before = {path: len(origin.seen(path)) for path in ("/gone", "/ttl", "/fresh", "/forbidden", "/honest")}
        desk.start()
        until(lambda: len(limiting.seen("/limited")) >= 2 and len(limiting.seen("/neighbour")) >= 2, 40, "the return")
        until(lambda: len(origin.seen("/honest")) >= asked_before["/honest"] + 2, 20, "polls after the restart")
        desk.stop()

        # Retry-After holds for the whole host, through a restart, and both do not come back at one moment.
        first, again = refused[0], limiting.seen("/limited")[1].at
        assert again - first >= RETRY_AFTER_S
        later = [seen.at for seen in limiting.seen("/neighbour") if seen.at > first + 1.0]
        assert min(later) - first >= RETRY_AFTER_S
        # What rests is asked once, restart or not.
        for path in ("/gone", "/ttl", "/fresh", "/forbidden"):
            assert len(origin.seen(path)) == 1, path
        # Validators: none at first, then always the very same bytes; also after a restart.
        for path, etag in (("/honest", honest.etag),):
            first_seen, *others = origin.seen(path)
            assert not conditional(first_seen)
            assert {seen.header("if-none-match") for seen in others} == {etag}
        assert not any(conditional(seen) for seen in origin.seen("/plain"))
        # Once the same ETag came with another article it is sent no more.
        assert [conditional(seen) for seen in origin.seen("/liar")][:2] == [False, True]
        assert not any(conditional(seen) for seen in origin.seen("/liar")[3:])
        # No redirect is adopted within seconds, and the admin's file is as it was.
        assert len(origin.seen("/moved")) >= 2 and len(origin.seen("/found")) >= 2
        assert (desk.config / "sources.yaml").read_bytes() == config
        for seen in [*origin.requests, *limiting.requests]:
            assert seen.header("cookie") is None and seen.header("referer") is None
            assert "Wiredesk/" in (seen.header("user-agent") or "")
        assert {("gone", "gone"), ("validators", "liar")} <= events(desk)


def test_a_scraped_page_asks_robots_txt_and_a_page_that_failed_is_asked_again(desk: Desk, origin: Origin) -> None:
    links = "".join(
        f"<li><a href='/2026/11/{name}-of-the-harbour-council.html'>The {name} half of the council met today</a></li>"
        for name in ("good", "late", "hidden")
    )
    changes = [0]

    def listing(exchange: Exchange) -> None:
        changes[0] += 1
        exchange.answer(200, f"<html><body><ul>{links}</ul><p>{changes[0]}</p></body></html>".encode())

    def page(exchange: Exchange) -> None:
        title = exchange.seen.path.rpartition("/")[2].partition("-")[0]
        text = "".join(
            f"<p>{' '.join(f'{word}{title}{number}' for word in WORDS)} was said.</p>" for number in range(6)
        )
        exchange.answer(
            200, f"<html><head><title>{title}</title></head><body><article><h1>{title}</h1>{text}</article>".encode()
        )

    def late(exchange: Exchange) -> None:
        if len(origin.seen(exchange.seen.path)) == 1:
            exchange.answer(503)
        else:
            page(exchange)

    origin.add("/front", listing)
    origin.add("/robots.txt", lambda exchange: exchange.answer(200, b"User-agent: *\nDisallow: /2026/11/hidden"))
    origin.add("/2026/11/good-of-the-harbour-council.html", page)
    origin.add("/2026/11/late-of-the-harbour-council.html", late)
    origin.add("/2026/11/hidden-of-the-harbour-council.html", page)
    desk.write(sources=[{"name": "front", "page": origin.url("/front"), "section": "news"}])
    desk.start()
    until(lambda: len(origin.seen("/2026/11/late-of-the-harbour-council.html")) >= 2, 40, "the second try")
    until(lambda: len(desk.items("/news.json")) == 2, 30, "both articles")
    assert len(origin.seen("/robots.txt")) == 1
    assert len(origin.seen("/2026/11/good-of-the-harbour-council.html")) == 1
    assert origin.seen("/2026/11/hidden-of-the-harbour-council.html") == []
