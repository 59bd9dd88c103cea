"""Whatever an origin sends, a fetch ends with the right error, in bounded time and memory."""

from __future__ import annotations

import tracemalloc

import pytest

from feeds.errors import FetchBroken, FetchError, FetchStatus, FetchTimeout, FetchTooLarge
from feeds.fetch.client import Fetcher
from feeds.parsed import Request

from .conftest import MakeFetcher
from .origin import FEED, Exchange, Gone, Origin, bomb

CASES: list[tuple[str, type[FetchError], str]] = [
    ("/short-length", FetchBroken, "temporary"),
    ("/short-chunked", FetchBroken, "temporary"),
    ("/short-chunk", FetchBroken, "temporary"),
    ("/short-gzip", FetchBroken, "temporary"),
    ("/short-gzip-check", FetchBroken, "temporary"),
    ("/short-br", FetchBroken, "temporary"),
    ("/short-deflate", FetchBroken, "temporary"),
    ("/empty-gzip", FetchBroken, "soft"),
    ("/wrong-gzip-check", FetchBroken, "soft"),
    ("/not-gzip", FetchBroken, "soft"),
    ("/not-br", FetchBroken, "soft"),
    ("/unknown-coding", FetchBroken, "soft"),
    ("/many-codings", FetchBroken, "soft"),
    ("/bad-chunk", FetchBroken, "temporary"),
    ("/bad-chunk-end", FetchBroken, "temporary"),
    ("/negative-length", FetchBroken, "soft"),
    ("/two-lengths", FetchBroken, "soft"),
    ("/garbage", FetchBroken, "soft"),
    ("/http09", FetchBroken, "soft"),
    ("/no-answer", FetchBroken, "temporary"),
    ("/half-head", FetchBroken, "temporary"),
    ("/reset", FetchBroken, "temporary"),
    ("/reset-body", FetchBroken, "temporary"),
    ("/empty", FetchBroken, "soft"),
    ("/always-304", FetchBroken, "soft"),
    ("/switching", FetchBroken, "temporary"),
    ("/status-999", FetchStatus, "soft"),
    ("/status-0", FetchBroken, "soft"),
    ("/unasked-delta", FetchStatus, "soft"),
    ("/endless-headers", FetchTooLarge, "soft"),
    ("/endless-header-line", FetchTooLarge, "soft"),
    ("/endless-interim", FetchTooLarge, "soft"),
    ("/endless-trailers", FetchTooLarge, "soft"),
    ("/endless-body", FetchTooLarge, "soft"),
    ("/endless-chunks", FetchTooLarge, "soft"),
    ("/endless-empty-deflate", FetchTooLarge, "soft"),
    ("/announced-too-large", FetchTooLarge, "soft"),
    ("/endless-error-body", FetchStatus, "soft"),
]


@pytest.mark.parametrize(("path", "error", "kind"), CASES, ids=[path[1:] for path, _, _ in CASES])
def test_a_damaged_answer_is_an_error_of_its_kind(
    origin: Origin, fetcher: Fetcher, path: str, error: type[FetchError], kind: str
) -> None:
    request = Request(source_id=7, url=origin.url(path))
    with pytest.raises(error) as caught:
        fetcher.fetch(request)
    assert type(caught.value) is error
    assert caught.value.kind == kind
    assert caught.value.request is request
    assert caught.value.request.source_id == 7
    assert caught.value.url == origin.url(path)
    assert fetcher.fetch(Request(source_id=8, url=origin.url("/plain"))).body == FEED, "the next one is not harmed"


@pytest.mark.parametrize(
    "path",
    ["/gzip", "/x-gzip", "/br", "/deflate", "/raw-deflate", "/two-members", "/identity", "/chunked", "/until-close"],
)
def test_an_answer_in_any_coding_or_framing_arrives_whole(origin: Origin, fetcher: Fetcher, path: str) -> None:
    assert fetcher.fetch(Request(source_id=1, url=origin.url(path))).body == FEED


@pytest.mark.parametrize("path", ["/gzip-bomb", "/deflate-bomb", "/br-bomb", "/double-gzip-bomb"])
def test_a_bomb_is_stopped_at_the_cap_and_not_after_it(origin: Origin, make_fetcher: MakeFetcher, path: str) -> None:
    bomb(path[1:].removesuffix("-bomb").replace("double-gzip", "gzip, gzip"))  # made before memory is measured
    fetcher = make_fetcher(allow=[origin.place], max_body_bytes=2_000_000)
    tracemalloc.start()
    try:
        with pytest.raises(FetchTooLarge, match="2000000 bytes"):
            fetcher.fetch(Request(source_id=1, url=origin.url(path)))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 20_000_000


def test_a_body_in_crumbs_takes_no_more_memory_than_any_other(origin: Origin, make_fetcher: MakeFetcher) -> None:
    fetcher = make_fetcher(allow=[origin.place], max_body_bytes=500_000, timeout_s=60)
    tracemalloc.start()
    try:
        with pytest.raises(FetchTooLarge, match="500000 bytes"):
            fetcher.fetch(Request(source_id=1, url=origin.url("/endless-crumbs")))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 2_000_000


def test_a_body_of_exactly_the_cap_is_taken(origin: Origin, make_fetcher: MakeFetcher) -> None:
    fetcher = make_fetcher(allow=[origin.place], max_body_bytes=len(FEED))
    for path in ("/plain", "/gzip", "/br", "/chunked"):
        assert fetcher.fetch(Request(source_id=1, url=origin.url(path))).body == FEED
    smaller = make_fetcher(allow=[origin.place], max_body_bytes=len(FEED) - 1)
    for path in ("/plain", "/gzip", "/br", "/chunked"):
        with pytest.raises(FetchTooLarge):
            smaller.fetch(Request(source_id=1, url=origin.url(path)))


@pytest.mark.parametrize("path", ["/slow-headers", "/slow-body", "/drip-headers", "/stall-headers", "/stall-body"])
def test_the_deadline_counts_for_the_whole_and_not_between_bytes(
    origin: Origin, make_fetcher: MakeFetcher, path: str
) -> None:
    fetcher = make_fetcher(allow=[origin.place], timeout_s=0.4)
    with pytest.raises(FetchTimeout, match="not done within 0.4 s") as caught:
        fetcher.fetch(Request(source_id=1, url=origin.url(path)))
    assert caught.value.kind == "temporary"


@pytest.mark.parametrize("path", ["/stall-headers", "/stall-body"])
def test_silence_has_a_limit_of_its_own(origin: Origin, make_fetcher: MakeFetcher, path: str) -> None:
    fetcher = make_fetcher(allow=[origin.place], timeout_s=60, idle_s=0.3)
    with pytest.raises(FetchTimeout, match="no sign of life for 0.3 s"):
        fetcher.fetch(Request(source_id=1, url=origin.url(path)))


def test_a_slow_body_that_keeps_coming_is_not_silence(origin: Origin, make_fetcher: MakeFetcher) -> None:
    fetcher = make_fetcher(allow=[origin.place], timeout_s=0.9, idle_s=0.3)
    with pytest.raises(FetchTimeout, match="not done within 0.9 s"):
        fetcher.fetch(Request(source_id=1, url=origin.url("/slow-body")))


@pytest.mark.parametrize("hosts", [1, 12])
def test_the_deadline_spans_all_hops(origin: Origin, make_fetcher: MakeFetcher, hosts: int) -> None:
    def creep(exchange: Exchange) -> None:
        exchange.origin.closing.wait(0.15)
        number = len(origin.requests)
        exchange.answer(302, Location=origin.url("/creep" + "x" * number, host=f"h{number % hosts}.test"))

    for more in range(12):
        origin.add("/creep" + "x" * more, creep)
    fetcher = make_fetcher(allow=[origin.place], resolver=lambda host: ["127.0.0.1"], timeout_s=0.6, max_redirects=20)
    with pytest.raises(FetchTimeout, match="0.6 s"):
        fetcher.fetch(Request(source_id=1, url=origin.url("/creep")))
    assert 2 <= len(origin.requests) <= 6


def test_a_request_may_have_a_deadline_of_its_own(origin: Origin, fetcher: Fetcher) -> None:
    with pytest.raises(FetchTimeout, match="0.3 s"):
        fetcher.fetch(Request(source_id=1, url=origin.url("/stall-headers"), timeout_s=0.3))


def test_an_error_is_told_by_its_status_even_when_its_body_never_ends(
    origin: Origin, make_fetcher: MakeFetcher
) -> None:
    fetcher = make_fetcher(allow=[origin.place], idle_s=0.3)
    with pytest.raises(FetchStatus) as caught:
        fetcher.fetch(Request(source_id=1, url=origin.url("/stall-error-body")))
    assert caught.value.status == 404


@pytest.mark.parametrize(
    ("status", "kind"),
    [(400, "soft"), (401, "soft"), (403, "soft"), (404, "soft"), (451, "soft"), (206, "soft"), (204, "soft")]
    + [(408, "temporary"), (425, "temporary"), (429, "temporary"), (500, "temporary"), (502, "temporary")]
    + [(503, "temporary"), (504, "temporary"), (520, "temporary"), (300, "soft"), (305, "soft"), (299, "soft")],
)
def test_a_status_without_a_document_is_an_error_of_its_kind(
    origin: Origin, fetcher: Fetcher, status: int, kind: str
) -> None:
    with pytest.raises(FetchStatus, match=str(status)) as caught:
        fetcher.fetch(Request(source_id=1, url=origin.url(f"/status/{status}")))
    assert (caught.value.status, caught.value.kind, caught.value.retry_after_s) == (status, kind, None)


@pytest.mark.parametrize(
    ("status", "remedy"),
    [(401, "`headers:`"), (403, "`contact:`"), (404, "`wiredesk discover`"), (429, "`interval_s`")],
)
def test_a_status_that_an_admin_can_do_something_about_says_what(
    origin: Origin, fetcher: Fetcher, status: int, remedy: str
) -> None:
    with pytest.raises(FetchStatus) as caught:
        fetcher.fetch(Request(source_id=1, url=origin.url(f"/status/{status}")))
    assert remedy in caught.value.remedy


@pytest.mark.parametrize("status", [403, 404, 429, 500, 503])
def test_retry_after_is_told_with_any_status(origin: Origin, fetcher: Fetcher, status: int) -> None:
    with pytest.raises(FetchStatus) as caught:
        fetcher.fetch(Request(source_id=1, url=origin.url(f"/status/{status}?retry-after=120")))
    assert caught.value.retry_after_s == 120


def test_a_retry_after_date_counts_from_the_origins_own_clock(origin: Origin, fetcher: Fetcher) -> None:
    query = "?retry-after=Tue,%2001%20Jan%202030%2000:10:00%20GMT&date=Tue,%2001%20Jan%202030%2000:00:00%20GMT"
    with pytest.raises(FetchStatus) as caught:
        fetcher.fetch(Request(source_id=1, url=origin.url("/status/503" + query)))
    assert caught.value.retry_after_s == 600


def test_410_is_an_answer_without_a_body(origin: Origin, fetcher: Fetcher) -> None:
    answer = fetcher.fetch(Request(source_id=1, url=origin.url("/status/410")))
    assert (answer.status, answer.body) == (410, b"")


def test_hundreds_of_hostile_answers_at_once_leave_the_good_ones_alone(origin: Origin, fetcher: Fetcher) -> None:
    for round_ in range(3):
        for number, (path, _, _) in enumerate(CASES):
            fetcher.submit(Request(source_id=1, url=origin.url(path, host=f"h{number}.test"), tag=round_))
            fetcher.submit(Request(source_id=2, url=origin.url("/plain", host=f"g{number}.test"), tag=round_))
    outcomes = []
    while fetcher.in_flight:
        outcomes += fetcher.outcomes(10)
    good = [outcome for outcome in outcomes if outcome.request.source_id == 2]
    assert [outcome.body for outcome in good] == [FEED] * (3 * len(CASES))
    assert len(outcomes) == 6 * len(CASES)


def test_headers_have_a_cap_of_their_own(origin: Origin, make_fetcher: MakeFetcher) -> None:
    origin.add("/wordy", lambda exchange: exchange.answer(200, FEED, X_Words="w" * 3000))
    assert make_fetcher(allow=[origin.place]).fetch(Request(source_id=1, url=origin.url("/wordy"))).body == FEED
    fetcher = make_fetcher(allow=[origin.place], max_header_bytes=2000)
    with pytest.raises(FetchTooLarge, match="headers of more than 2000 bytes"):
        fetcher.fetch(Request(source_id=1, url=origin.url("/wordy")))


def test_a_body_that_nobody_reads_is_not_fetched_to_its_end(origin: Origin, fetcher: Fetcher) -> None:
    sent = 0

    def talk(exchange: Exchange) -> None:
        nonlocal sent
        exchange.send(b"HTTP/1.1 404 Not Found\r\nContent-Length: 10000000\r\n\r\n")
        try:
            for _ in range(1000):
                exchange.send(bytes(10_000))
                sent += 10_000
        except Gone:
            pass

    origin.add("/talk", talk)
    with pytest.raises(FetchStatus):
        fetcher.fetch(Request(source_id=1, url=origin.url("/talk")))
    assert sent < 9_000_000
