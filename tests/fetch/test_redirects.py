"""Redirects, hop by hop (RFC 9110 §15.4): followed, limited, and never a way around the guard or to a secret."""

from __future__ import annotations

import pytest

from feeds.errors import FetchBlocked, FetchBroken, FetchError
from feeds.fetch.client import Fetcher
from feeds.parsed import Redirect, Request, Validators

from .conftest import MakeFetcher
from .origin import FEED, Exchange, Origin


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_every_kind_of_redirect_is_followed_and_told(origin: Origin, fetcher: Fetcher, status: int) -> None:
    start = origin.url(f"/redirect/{status}?to=/plain")
    answer = fetcher.fetch(Request(source_id=1, url=start))
    assert answer.body == FEED
    assert answer.final_url == origin.url("/plain")
    assert answer.redirects == (Redirect(status=status, url=start, target=origin.url("/plain")),)
    assert [seen.method for seen in origin.requests] == ["GET", "GET"]


@pytest.mark.parametrize(
    ("location", "asked"),
    [
        ("/plain", "/plain"),
        ("../plain", "/plain"),
        ("//{place}/plain", "/plain"),
        ("http://{place}/plain#part", "/plain"),
        ("HTTP://{place}/plain", "/plain"),
        ("?to=/plain&again", "/redirect/302?to=/plain&again"),
        ("http://{place}", "/"),
        ("/x%2fy/../z", "/z"),
        ("http://{place}/x%2fy/../z", "/x%2fy/../z"),
        ("/gr\xc3\xbcn", "/gr%C3%BCn"),
        ("/a b", "/a%20b"),
    ],
)
def test_a_location_in_any_form_is_resolved(origin: Origin, fetcher: Fetcher, location: str, asked: str) -> None:
    location = location.format(place=origin.place)
    origin.add(
        "/redirect/302", f"HTTP/1.1 302 F\r\nContent-Length: 0\r\nLocation: {location}\r\n\r\n".encode("latin-1")
    )
    try:
        fetcher.fetch(Request(source_id=1, url=origin.url("/redirect/302")))
    except FetchError:
        pass  # what is found there does not matter
    assert origin.requests[1].target == asked


def test_ten_hops_are_followed_and_not_eleven(origin: Origin, fetcher: Fetcher) -> None:
    answer = fetcher.fetch(Request(source_id=1, url=origin.url("/hops/10")))
    assert len(answer.redirects) == 10
    with pytest.raises(FetchBroken, match="more than 10 times"):
        fetcher.fetch(Request(source_id=1, url=origin.url("/hops/11")))


@pytest.mark.parametrize("path", ["/self", "/circle-a"])
def test_a_circle_is_seen_at_once(origin: Origin, fetcher: Fetcher, path: str) -> None:
    with pytest.raises(FetchBroken, match="circle") as caught:
        fetcher.fetch(Request(source_id=1, url=origin.url(path)))
    assert caught.value.kind == "soft"
    assert len(origin.requests) <= 2


@pytest.mark.parametrize(
    ("path", "words"),
    [("/no-location", "without a Location"), ("/empty-location", "Location"), ("/two-locations", "Multiple Location")],
)
def test_a_missing_or_doubtful_location_ends_the_fetch(origin: Origin, fetcher: Fetcher, path: str, words: str) -> None:
    with pytest.raises(FetchBroken, match=words) as caught:
        fetcher.fetch(Request(source_id=1, url=origin.url(path)))
    assert caught.value.kind == "soft"
    assert len(origin.requests) == 1


@pytest.mark.parametrize(
    ("location", "error"),
    [
        ("ftp://example.org/feed", FetchBlocked),
        ("file:///etc/passwd", FetchBlocked),
        ("javascript:alert(1)", FetchBroken),
        ("data:text/xml,<rss/>", FetchBroken),
        ("http://", FetchBroken),
        ("http:///x", FetchBroken),
        ("http://[::1", FetchBroken),
        ("http://a.test:0/", FetchBroken),
        ("http://%31%32%37.0.0.1/", FetchBroken),
        ("http://a.test:25/", FetchBlocked),
        ("http://127.0.0.1/", FetchBlocked),
        ("http://127.1/", FetchBlocked),
        ("http://2130706433/", FetchBlocked),
        ("http://0x7f000001/", FetchBlocked),
        ("http://0177.0.0.1/", FetchBlocked),
        ("http://[::1]/", FetchBlocked),
        ("http://[::ffff:127.0.0.1]/", FetchBlocked),
        ("http://169.254.169.254/latest/meta-data/", FetchBlocked),
        ("http://10.0.0.1/", FetchBlocked),
        ("http://internal.test/", FetchBlocked),
    ],
)
def test_a_redirect_to_where_nobody_may_go_is_not_followed(
    origin: Origin, make_fetcher: MakeFetcher, location: str, error: type[FetchError]
) -> None:
    names = {"internal.test": ["192.168.1.1", "fd00::1"], "a.test": ["127.0.0.1"]}
    fetcher = make_fetcher(allow=[origin.place], resolver=lambda host: names[host])
    origin.add("/away", lambda exchange: exchange.answer(302, Location=location))
    with pytest.raises(error):
        fetcher.fetch(Request(source_id=1, url=origin.url("/away", host="a.test")))
    assert len(origin.requests) == 1


def test_a_redirect_is_followed_although_its_own_body_is_cut(origin: Origin, fetcher: Fetcher) -> None:
    assert fetcher.fetch(Request(source_id=1, url=origin.url("/redirect-cut"))).body == FEED


def test_validators_stay_with_the_url_that_gave_them(origin: Origin, fetcher: Fetcher) -> None:
    known = Validators(etag='"a"', last_modified="Mon, 02 Nov 2026 10:00:00 GMT")
    start = origin.url("/redirect/302?to=/plain")
    fetcher.fetch(Request(source_id=1, url=start, validators=known))
    fetcher.fetch(Request(source_id=1, url=start, validators=known, validators_url=origin.url("/plain")))
    fetcher.fetch(Request(source_id=1, url=start, validators=known, validators_url=origin.url("/elsewhere")))
    assert [seen.header("if-none-match") for seen in origin.requests] == ['"a"', None, None, '"a"', None, None]
    assert [bool(seen.header("if-modified-since")) for seen in origin.requests] == [
        True,
        False,
        False,
        True,
        False,
        False,
    ]


def test_a_304_behind_a_redirect_ends_well_only_where_it_was_asked_for(origin: Origin, fetcher: Fetcher) -> None:
    known = Validators(etag='"x"')
    start = origin.url("/redirect/302?to=/always-304")
    answer = fetcher.fetch(Request(source_id=1, url=start, validators=known, validators_url=origin.url("/always-304")))
    assert (answer.status, answer.final_url) == (304, origin.url("/always-304"))
    with pytest.raises(FetchBroken, match="304"):
        fetcher.fetch(Request(source_id=1, url=start, validators=known))


def test_secrets_never_leave_their_origin(origin: Origin, fetcher: Fetcher) -> None:
    headers = (("Authorization", "Bearer secret"), ("X-Api-Key", "secret"))
    away = origin.url("/plain", host="other.test")
    back = origin.url("/plain", host="home.test")
    origin.add("/back", lambda exchange: exchange.answer(302, Location=back))
    for location in (away, origin.url("/back", host="other.test")):
        start = origin.url(f"/redirect/302?to={location}", host="home.test", user="me:secret")
        fetcher.fetch(Request(source_id=1, url=start, headers=headers))
        fetcher.fetch(Request(source_id=1, url=start))
    told = [
        (seen.header("host"), bool(seen.header("authorization") or seen.header("x-api-key")))
        for seen in origin.requests
    ]
    # Not even on the way back: whoever sent us there does not choose what is asked with our secrets.
    at_home = f"home.test:{origin.port}"
    elsewhere = f"other.test:{origin.port}"
    assert told == 2 * [(at_home, True), (elsewhere, False)] + 2 * [
        (at_home, True),
        (elsewhere, False),
        (at_home, False),
    ]


def test_secrets_go_along_within_their_origin(origin: Origin, fetcher: Fetcher) -> None:
    start = origin.url("/redirect/302?to=/plain", user="me:secret")
    answer = fetcher.fetch(Request(source_id=1, url=start))
    assert [bool(seen.header("authorization")) for seen in origin.requests] == [True, True]
    assert "secret" not in f"{answer.redirects}{answer.final_url}"


def test_another_port_is_another_origin(origin: Origin, make_fetcher: MakeFetcher) -> None:
    with Origin() as other:
        fetcher = make_fetcher(allow=[origin.place, other.place])
        start = origin.url(f"/redirect/302?to={other.url('/plain')}", user="me:secret")
        fetcher.fetch(Request(source_id=1, url=start))
        assert other.requests[0].header("authorization") is None


def test_credentials_in_a_location_are_not_used(origin: Origin, fetcher: Fetcher) -> None:
    target = origin.url("/plain", user="their:choice")
    answer = fetcher.fetch(Request(source_id=1, url=origin.url(f"/redirect/302?to={target}")))
    assert origin.requests[1].header("authorization") is None
    assert answer.final_url == origin.url("/plain")


def _asks(exchange: Exchange) -> str:
    return exchange.seen.header("cookie") or ""


def test_a_cookie_goes_with_the_next_hop_and_is_forgotten(origin: Origin, fetcher: Fetcher) -> None:
    def feed(exchange: Exchange) -> None:
        if "seen=1" in _asks(exchange):
            exchange.answer(200, b"read")
        else:
            exchange.answer(302, Location="/check")

    origin.add("/feed", feed)
    origin.add("/check", lambda exchange: exchange.answer(302, Location="/feed", Set_Cookie="seen=1; Path=/; HttpOnly"))
    request = Request(source_id=1, url=origin.url("/feed"))
    assert fetcher.fetch(request).body == b"read"
    assert fetcher.fetch(request).body == b"read"
    assert [seen.header("cookie") for seen in origin.requests] == [None, None, "seen=1"] * 2


def test_a_page_that_sets_a_cookie_and_leads_to_itself_is_asked_once_more(origin: Origin, fetcher: Fetcher) -> None:
    def feed(exchange: Exchange) -> None:
        if _asks(exchange):
            exchange.answer(200, b"read")
        else:
            exchange.answer(307, Location="/feed", Set_Cookie="seen=1")

    origin.add("/feed", feed)
    request = Request(source_id=1, url=origin.url("/feed"), headers=(("Cookie", "own=2"),))
    assert fetcher.fetch(Request(source_id=1, url=origin.url("/feed"))).body == b"read"
    origin.add("/feed", lambda exchange: exchange.answer(307, Location="/feed", Set_Cookie="seen=1"))
    with pytest.raises(FetchError, match="circle"):
        fetcher.fetch(request)
    assert origin.requests[-1].header("cookie") == "own=2; seen=1"


def test_a_cookie_is_never_shown_to_another_site(origin: Origin, fetcher: Fetcher) -> None:
    elsewhere = origin.url("/plain").replace("127.0.0.1", "localhost")
    origin.add(
        "/feed", lambda exchange: exchange.answer(302, Location=elsewhere, Set_Cookie="seen=1; Domain=localhost")
    )
    try:
        fetcher.fetch(Request(source_id=1, url=origin.url("/feed")))
    except FetchError:
        pass  # whether the name can be asked does not matter
    assert all(seen.header("cookie") is None for seen in origin.requests)


@pytest.mark.parametrize(
    ("status", "fields"), [(201, {}), (202, {}), (203, {}), (206, {"Content_Range": "bytes 0-3/4"})]
)
def test_a_document_comes_with_other_statuses_too(
    origin: Origin, fetcher: Fetcher, status: int, fields: dict[str, str]
) -> None:
    origin.add("/feed", lambda exchange: exchange.answer(status, b"read", **fields))
    assert fetcher.fetch(Request(source_id=1, url=origin.url("/feed"))).body == b"read"


@pytest.mark.parametrize(
    ("status", "body", "fields"), [(206, b"read", {"Content_Range": "bytes 0-3/9"}), (206, b"read", {}), (202, b"", {})]
)
def test_a_part_or_a_promise_is_no_document(
    origin: Origin, fetcher: Fetcher, status: int, body: bytes, fields: dict[str, str]
) -> None:
    origin.add("/feed", lambda exchange: exchange.answer(status, body, **fields))
    with pytest.raises(FetchError, match=str(status)):
        fetcher.fetch(Request(source_id=1, url=origin.url("/feed")))
