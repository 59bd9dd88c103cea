"""What goes over the wire, and what comes back: the form of requests, conditions, secrets, the fetcher's interface."""

from __future__ import annotations

import pickle
import threading
import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from feeds.configuration import FetchSettings, PollSettings
from feeds.errors import FetchBlocked, FetchBroken, FetchError, FetchStatus, UrlError
from feeds.fetch.client import Fetcher
from feeds.parsed import Request, Validators

from .conftest import USER_AGENT, MakeFetcher
from .origin import FEED, Origin

ETAG = 'W/"a\xe9,b\\"'
MODIFIED = "Mon, 02 Nov 2026 10:00:00 GMT"


def test_a_first_request_has_no_conditions_and_says_who_asks(origin: Origin, fetcher: Fetcher) -> None:
    fetcher.fetch(Request(source_id=1, url=origin.url("/feed")))
    (seen,) = origin.requests
    assert seen.method == "GET"
    assert [name.lower() for name, _ in seen.fields] == ["host", "user-agent", "accept", "accept-encoding"]
    assert seen.header("user-agent") == USER_AGENT
    assert seen.header("accept-encoding") == "gzip, deflate, br"
    accept = seen.header("accept") or ""
    assert "application/atom+xml" in accept and "application/rss+xml" in accept and accept.endswith("*/*;q=0.1")


def test_a_page_is_asked_for_as_one(origin: Origin, fetcher: Fetcher) -> None:
    fetcher.fetch(Request(source_id=1, url=origin.url("/plain"), accept="page"))
    fetcher.fetch(Request(source_id=1, url=origin.url("/plain"), accept="any"))
    assert [(seen.header("accept") or "")[:9] for seen in origin.requests] == ["text/html", "*/*"]


def test_validators_go_back_byte_for_byte_and_end_in_304(origin: Origin, fetcher: Fetcher) -> None:
    url = origin.url("/feed")
    first = fetcher.fetch(Request(source_id=1, url=url))
    assert first.validators == Validators(etag=ETAG, last_modified=MODIFIED)
    again = fetcher.fetch(Request(source_id=1, url=url, validators=first.validators))
    assert (first.status, first.body, first.final_url) == (200, FEED, url)
    assert (again.status, again.body, again.validators) == (304, b"", first.validators)
    assert origin.requests[1].header("if-none-match") == ETAG
    assert origin.requests[1].header("if-modified-since") == MODIFIED
    assert f"If-None-Match: {ETAG}\r\n".encode("latin-1") in origin.requests[1].raw


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(etag=st.text(st.characters(min_codepoint=0x21, max_codepoint=0xFF, exclude_characters="\x7f"), min_size=1))
def test_any_etag_goes_back_as_it_came(origin: Origin, fetcher: Fetcher, etag: str) -> None:
    origin.add("/etag", lambda exchange: exchange.answer(200, FEED, ETag=etag))
    first = fetcher.fetch(Request(source_id=1, url=origin.url("/etag")))
    assert first.validators.etag == etag.strip(" \t")
    fetcher.fetch(Request(source_id=1, url=origin.url("/etag"), validators=first.validators))
    assert origin.requests[-1].header("if-none-match") == first.validators.etag


@pytest.mark.parametrize("date", ["yesterday", "0", "Thu, 01 Jan 1970 00:00:00 GMT", "2026-11-02T10:00:00+02:00"])
def test_a_malformed_date_is_not_improved(origin: Origin, fetcher: Fetcher, date: str) -> None:
    origin.add("/date", lambda exchange: exchange.answer(200, FEED, Last_Modified=date))
    first = fetcher.fetch(Request(source_id=1, url=origin.url("/date")))
    fetcher.fetch(Request(source_id=1, url=origin.url("/date"), validators=first.validators))
    assert origin.requests[-1].header("if-modified-since") == date
    assert origin.requests[-1].header("if-none-match") is None


def test_an_answer_without_validators_has_none(origin: Origin, fetcher: Fetcher) -> None:
    asked = Request(source_id=1, url=origin.url("/plain"), validators=Validators(etag='"old"', last_modified=MODIFIED))
    assert not fetcher.fetch(asked).validators


def test_a_304_renews_the_validators_that_it_repeats(origin: Origin, fetcher: Fetcher) -> None:
    origin.add("/renew", lambda exchange: exchange.answer(304, ETag='"new"', Cache_Control="max-age=60"))
    sent = Validators(etag='"old"', last_modified=MODIFIED)
    answer = fetcher.fetch(Request(source_id=1, url=origin.url("/renew"), validators=sent))
    assert answer.validators == Validators(etag='"new"', last_modified=MODIFIED)
    assert answer.header("cache-control") == "max-age=60"
    origin.add("/renew", lambda exchange: exchange.answer(304, Last_Modified="new"))
    answer = fetcher.fetch(Request(source_id=1, url=origin.url("/renew"), validators=sent))
    assert answer.validators == Validators(etag='"old"', last_modified="new")


def test_interim_answers_are_no_part_of_the_answer(origin: Origin, fetcher: Fetcher) -> None:
    assert fetcher.fetch(Request(source_id=1, url=origin.url("/interim"))).validators.etag == '"yes"'
    assert fetcher.fetch(Request(source_id=1, url=origin.url("/folded"))).validators.etag == '"a"'


def test_a_delta_is_taken_only_when_asked_for(origin: Origin, fetcher: Fetcher) -> None:
    known = Validators(etag='"1"')
    url = origin.url("/delta")
    assert fetcher.fetch(Request(source_id=1, url=url, deltas=True)).status == 200
    assert fetcher.fetch(Request(source_id=1, url=url, validators=known)).status == 200
    assert fetcher.fetch(Request(source_id=1, url=url, validators=known, deltas=True)).status == 226
    assert [seen.header("a-im") for seen in origin.requests] == [None, None, "feed"]
    with pytest.raises(FetchStatus, match="226"):
        fetcher.fetch(Request(source_id=1, url=origin.url("/odd-delta"), validators=known, deltas=True))


def test_no_cookie_ever_goes_back(origin: Origin, fetcher: Fetcher) -> None:
    for _ in range(2):
        fetcher.fetch(Request(source_id=1, url=origin.url("/cookie")))
    fetcher.fetch(Request(source_id=1, url=origin.url("/redirect/302?to=/cookie")))
    assert [seen.header("cookie") or seen.header("referer") for seen in origin.requests] == [None] * 4


@pytest.mark.parametrize(
    ("path", "sent"),
    [
        ("/a/../b/./c", "/a/../b/./c"),
        ("/x%2f%e2%82%ac?a=%7e&b=+&&c", "/x%2f%e2%82%ac?a=%7e&b=+&&c"),
        ("/x?", "/x?"),
        ("?a=1", "/?a=1"),
        ("", "/"),
        ("//two//", "//two//"),
        ("/x#part?no", "/x"),
        ("/grün?ß=ü", "/gr%C3%BCn?%C3%9F=%C3%BC"),
        ("/a b?c d", "/a%20b?c%20d"),
        ("/'\"<>{}|\\^`[]", "/'\"<>{}|\\^`[]"),
    ],
)
def test_the_url_is_asked_exactly_as_configured(origin: Origin, fetcher: Fetcher, path: str, sent: str) -> None:
    origin.add(sent.partition("?")[0], lambda exchange: exchange.answer(200, FEED))
    url = origin.url(path)
    assert fetcher.fetch(Request(source_id=1, url=url)).final_url == url
    assert origin.requests[0].target == sent


def test_a_proxy_of_the_environment_is_not_used(
    origin: Origin, fetcher: Fetcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert fetcher.fetch(Request(source_id=1, url=origin.url("/plain"))).status == 200


def test_a_configured_proxy_is_asked_and_told_the_whole_url(origin: Origin, make_fetcher: MakeFetcher) -> None:
    fetcher = make_fetcher(proxy=f"http://{origin.place}")
    origin.add("http://feeds.test/a%2f", lambda exchange: exchange.answer(200, FEED))
    answer = fetcher.fetch(Request(source_id=1, url="http://feeds.test/a%2f"))
    assert answer.body == FEED
    with pytest.raises(FetchBlocked):
        fetcher.fetch(Request(source_id=1, url="http://10.0.0.1/"))


def test_credentials_of_the_url_are_sent_as_a_header_and_shown_to_nobody(origin: Origin, fetcher: Fetcher) -> None:
    url = origin.url("/plain", user="me:p%40ss")
    assert fetcher.fetch(Request(source_id=1, url=url)).final_url == url
    assert origin.requests[0].header("authorization") == "Basic bWU6cEBzcw=="
    assert b"p%40ss" not in origin.requests[0].raw
    with pytest.raises(FetchError) as caught:
        fetcher.fetch(Request(source_id=1, url=origin.url("/status/500?token=abcdef", user="me:p%40ss")))
    shown = f"{caught.value} {caught.value.url}"
    assert "***@" in shown and "p%40ss" not in shown and "p@ss" not in shown and "abcdef" not in shown


def test_configured_headers_are_sent_and_may_replace_ours_but_not_the_framing(origin: Origin, fetcher: Fetcher) -> None:
    headers = (
        ("Authorization", "Bearer x\xe9"),
        ("user-agent", "Mine/1"),
        ("X-Empty", ""),
        ("Host", "elsewhere.test"),
        ("If-None-Match", '"forged"'),
        ("Content-Length", "5"),
    )
    fetcher.fetch(Request(source_id=1, url=origin.url("/plain"), headers=headers))
    (seen,) = origin.requests
    assert seen.header("authorization") == "Bearer x\xe9"
    assert [value for name, value in seen.fields if name.lower() == "user-agent"] == ["Mine/1"]
    assert seen.header("x-empty") == ""
    assert seen.header("host") == origin.place
    assert seen.header("if-none-match") is None and seen.header("content-length") is None


@pytest.mark.parametrize("header", [("X-A", "b\r\nX-Evil: 1"), ("X-A\r\nX-Evil", "1"), ("X A", "1"), ("X-A", "a\0b")])
def test_a_header_that_would_break_the_request_is_an_error(
    origin: Origin, fetcher: Fetcher, header: tuple[str, str]
) -> None:
    with pytest.raises(FetchBroken, match="can't be sent"):
        fetcher.fetch(Request(source_id=1, url=origin.url("/plain"), headers=(header,)))
    with pytest.raises(FetchBroken, match="can't be sent"):
        forged = Validators(etag='"a"\r\nX-Evil: 1')
        fetcher.fetch(Request(source_id=1, url=origin.url("/plain"), validators=forged))
    assert origin.requests == []


@pytest.mark.parametrize(
    ("url", "error"),
    [
        ("ftp://example.org/", FetchBlocked),
        ("file:///etc/passwd", FetchBlocked),
        ("gopher://127.0.0.1:6379/_x", FetchBlocked),
        ("data:text/xml,<rss/>", FetchBroken),
        ("", FetchBroken),
        ("/relative", FetchBroken),
        ("http://", FetchBroken),
        ("http://a b/", FetchBroken),
        ("http://[::1/", FetchBroken),
        ("http://a.test:99999/", FetchBroken),
        ("http://a.test:22/", FetchBlocked),
        ("http://127.0.0.1/", FetchBlocked),
        ("http://[::ffff:169.254.169.254]/", FetchBlocked),
    ],
)
def test_what_may_not_be_asked_is_refused_by_name(fetcher: Fetcher, url: str, error: type[FetchError]) -> None:
    with pytest.raises(error) as caught:
        fetcher.fetch(Request(source_id=1, url=url))
    assert caught.value.kind == "hard"


def test_a_bad_allow_list_is_refused_at_once(make_fetcher: MakeFetcher, fetcher: Fetcher) -> None:
    with pytest.raises(UrlError, match="allow_private"):
        make_fetcher(allow=["10.0.0.0/99"])
    with pytest.raises(UrlError, match="allow_private"):
        fetcher.configure(FetchSettings(allow_private=("what",)), PollSettings(), USER_AGENT)


def test_outcomes_come_in_batches_from_any_thread(origin: Origin, fetcher: Fetcher) -> None:
    def submit(start: int) -> None:
        for number in range(start, start + 50):
            path = "/plain" if number % 5 else "/status/503"
            fetcher.submit(Request(source_id=number, url=origin.url(path, host=f"h{number}.test"), tag=("t", number)))

    threads = [threading.Thread(target=submit, args=(start,)) for start in (0, 50, 100, 150)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    outcomes = []
    while fetcher.in_flight:
        batch = fetcher.outcomes(5, most=20)
        assert len(batch) <= 20
        outcomes += batch
    assert sorted(outcome.request.source_id for outcome in outcomes) == list(range(200))
    assert all(outcome.request.tag == ("t", outcome.request.source_id) for outcome in outcomes)
    assert sum(isinstance(outcome, FetchStatus) for outcome in outcomes) == 40
    assert fetcher.outcomes(0) == []


def test_no_call_for_the_thread_is_ever_lost(origin: Origin, make_fetcher: MakeFetcher) -> None:
    """Many threads that look names up and hand in requests meet the moment at which the thread goes to sleep."""
    fetcher = make_fetcher(allow=[origin.place], resolver=lambda host: ["127.0.0.1"])
    for turn in range(15):
        for number in range(100):
            fetcher.submit(Request(source_id=number, url=f"http://h{turn}-{number}.test:{origin.port}/plain"))
        for _ in range(100):
            assert fetcher.outcomes(5, most=1), "the thread sleeps over its work"


def test_a_single_fetch_and_the_batches_do_not_mix(origin: Origin, fetcher: Fetcher) -> None:
    fetcher.submit(Request(source_id=1, url=origin.url("/plain")))
    assert fetcher.fetch(Request(source_id=2, url=origin.url("/feed"))).request.source_id == 2
    assert [outcome.request.source_id for outcome in fetcher.outcomes(5)] == [1]


def test_an_error_survives_the_way_to_another_process(origin: Origin, fetcher: Fetcher) -> None:
    with pytest.raises(FetchStatus) as caught:
        fetcher.fetch(Request(source_id=3, url=origin.url("/status/503?retry-after=5")))
    copy = pickle.loads(pickle.dumps(caught.value))
    assert (copy.request, copy.retry_after_s, str(copy)) == (caught.value.request, 5, str(caught.value))


def test_connections_are_used_again(origin: Origin, fetcher: Fetcher) -> None:
    for _ in range(5):
        fetcher.fetch(Request(source_id=1, url=origin.url("/plain")))
    assert origin.connections == 1


def test_new_limits_hold_for_connections_that_are_already_open(origin: Origin, fetcher: Fetcher) -> None:
    request = Request(source_id=1, url=origin.url("/plain", host="a.test"))
    fetcher.fetch(request)
    fetcher.configure(FetchSettings(ports=(origin.port,)), PollSettings(), USER_AGENT + " new")
    with pytest.raises(FetchBlocked):
        fetcher.fetch(request)
    fetcher.configure(FetchSettings(allow_private=(origin.place,)), PollSettings(), USER_AGENT + " new")
    fetcher.fetch(request)
    assert origin.requests[-1].header("user-agent") == USER_AGENT + " new"


def test_an_open_connection_to_where_nobody_may_go_any_more_is_not_used(
    origin: Origin, make_fetcher: MakeFetcher
) -> None:
    fetcher = make_fetcher(allow=[origin.place], resolver=lambda host: ["127.0.0.1", "192.0.1.1"])
    request = Request(source_id=1, url=origin.url("/plain", host="a.test"))
    assert fetcher.fetch(request).address == "127.0.0.1"
    fetcher.configure(FetchSettings(ports=(origin.port,)), PollSettings(), USER_AGENT)
    with pytest.raises(FetchBlocked, match="127.0.0.1 is loopback"):
        fetcher.fetch(request)
    assert len(origin.requests) == 1


def test_a_port_that_is_closed_is_told_before_any_name_is_looked_up(make_fetcher: MakeFetcher) -> None:
    asked: list[str] = []
    fetcher = make_fetcher(resolver=lambda host: asked.append(host) or ["192.0.1.1"])  # type: ignore[func-returns-value]
    with pytest.raises(FetchBlocked, match="port 22"):
        fetcher.fetch(Request(source_id=1, url="http://example.test:22/"))
    assert asked == []


def test_a_host_is_asked_few_at_a_time_and_with_gaps(origin: Origin, make_fetcher: MakeFetcher) -> None:
    busy, most, lock = 0, 0, threading.Lock()

    def slow(exchange):  # type: ignore[no-untyped-def]
        nonlocal busy, most
        with lock:
            busy += 1
            most = max(most, busy)
        time.sleep(0.03)
        with lock:
            busy -= 1
        exchange.answer(200, FEED)

    origin.add("/slow", slow)
    fetcher = make_fetcher(
        allow=[origin.place], resolver=lambda host: ["127.0.0.1"], poll=PollSettings(per_host=2, gap_s=0.01)
    )
    for number in range(12):
        fetcher.submit(Request(source_id=number, url=origin.url("/slow", host="one.test")))
    for _ in range(12):
        fetcher.outcomes(5, most=1)
    assert most == 2
    starts = sorted(seen.at for seen in origin.requests)
    assert starts[-1] - starts[0] >= 11 * 0.01


def test_waiting_for_ones_turn_does_not_use_up_the_deadline(origin: Origin, make_fetcher: MakeFetcher) -> None:
    origin.add("/slow", lambda exchange: (time.sleep(0.15), exchange.answer(200, FEED)))  # type: ignore[arg-type,return-value]
    fetcher = make_fetcher(allow=[origin.place], timeout_s=0.6, poll=PollSettings(per_host=1, gap_s=0))
    for number in range(8):
        fetcher.submit(Request(source_id=number, url=origin.url("/slow")))
    outcomes = [outcome for _ in range(8) for outcome in fetcher.outcomes(5, most=1)]
    assert [getattr(outcome, "body", outcome) for outcome in outcomes] == [FEED] * 8


def test_closing_drops_what_is_under_way_and_may_be_done_twice(origin: Origin, make_fetcher: MakeFetcher) -> None:
    fetcher = make_fetcher(allow=[origin.place])
    for _ in range(4):
        fetcher.submit(Request(source_id=1, url=origin.url("/stall-headers")))
    fetcher.outcomes(0.1)
    fetcher.close()
    fetcher.close()
    with pytest.raises(RuntimeError, match="closed"):
        fetcher.fetch(Request(source_id=1, url=origin.url("/plain")))


def test_what_lies_untaken_holds_up_new_starts(
    origin: Origin, make_fetcher: MakeFetcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("feeds.fetch.loop.UNTAKEN_BYTES", 3 * len(FEED))
    fetcher = make_fetcher(allow=[origin.place], poll=PollSettings(per_host=1, gap_s=0))
    for number in range(10):
        fetcher.submit(Request(source_id=number, url=origin.url("/plain")))
    time.sleep(0.3)
    assert len(origin.requests) == 3
    outcomes = []
    while fetcher.in_flight:
        outcomes += fetcher.outcomes(5)
    assert len(outcomes) == 10


def test_settings_are_values(origin: Origin) -> None:
    with Fetcher(replace(FetchSettings(), allow_private=(origin.place,)), PollSettings(), USER_AGENT) as fetcher:
        assert fetcher.fetch(Request(source_id=1, url=origin.url("/plain"))).address == "127.0.0.1"
