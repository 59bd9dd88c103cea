"""What is in flight: whole hosts that wait, article pages after robots.txt, an outage of our own."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from feeds.errors import FetchBroken, FetchStatus
from feeds.ingest.host_queues import TRIES, Follows, HostQueues, Outage, link_hash, scope_of
from feeds.parsed import Answer, Request
from feeds.urls import registrable

NOW = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)


def asked(url: str, source_id: int = 1) -> Request:
    return Request(source_id=source_id, url=url)


def answered(request: Request, status: int = 200, body: bytes = b"") -> Answer:
    return Answer(request=request, status=status, final_url=request.url, body=body, received_at=NOW)


def failed(request: Request, status: int | None = None, kind: str = "temporary") -> FetchBroken | FetchStatus:
    error = FetchStatus if status else FetchBroken
    return error("broken", url=request.url, kind=kind, status=status, request=request)  # type: ignore[arg-type]


# --------------------------------------------------------------------------- a host that asked to wait


@pytest.mark.parametrize(
    ("host", "domain"),
    [
        ("feeds.news.example.co.uk", "example.co.uk"),
        ("a.example.org", "example.org"),
        ("127.0.0.1", "127.0.0.1"),
        ("localhost", "localhost"),
        ("co.uk", "co.uk"),
    ],
)
def test_the_registrable_domain_is_that_of_the_public_suffix_list(host, domain):
    assert registrable(host) == domain


def test_a_scope_is_an_address_a_host_or_a_domain():
    url = "https://Feeds.Example.co.uk:8443/a?b=c"
    assert scope_of(url, "url") == url
    assert scope_of(url, "host") == "feeds.example.co.uk"
    assert scope_of(url, "domain") == "example.co.uk"


def test_only_a_few_of_a_host_are_handed_over_and_a_hold_takes_the_rest_back():
    handed: list[Request] = []
    queues = HostQueues(handed.append)
    for number in range(20):
        queues.put(asked(f"http://a.example/{number}", number))
    queues.put(asked("http://b.example/", 99))
    assert len(handed) == 5
    queues.ended(handed[0].url)
    assert len(handed) == 6
    until = NOW + timedelta(hours=1)
    back = queues.hold("http://a.example/1", until)
    assert len(back) == 15 and len(queues) == 0
    assert queues.held_until("http://a.example/other", NOW) == until
    assert queues.held_until("http://b.example/", NOW) is None
    assert queues.held_until("http://a.example/other", until) is None


def test_with_the_domain_as_scope_neighbours_wait_too():
    queues = HostQueues(lambda request: None)
    queues.scope = "domain"
    queues.hold("http://a.example.org/", NOW + timedelta(hours=1))
    assert queues.held_until("http://b.example.org/x", NOW)
    assert not queues.held_until("http://b.example.com/x", NOW)


# --------------------------------------------------------------------------- article pages


def test_robots_txt_is_asked_once_before_the_pages_of_a_site():
    handed: list[Request] = []
    pages = Follows(handed.append)
    pages.want(1, ["http://a.example/x", "http://a.example/private/y"], NOW)
    assert [request.url for request in handed] == ["http://a.example/robots.txt"]
    body = b"User-agent: *\nDisallow: /private/"
    assert pages.ended(answered(handed.pop(), body=body), NOW) is None
    assert pages.followed == {1: {link_hash("http://a.example/private/y")}}
    assert [request.url for request in handed] == ["http://a.example/x"]
    pages.saved()
    pages.want(2, ["http://a.example/private/z"], NOW + timedelta(hours=23))
    assert pages.followed == {2: {link_hash("http://a.example/private/z")}}
    handed.clear()
    pages.want(1, ["http://a.example/later"], NOW + timedelta(hours=25))
    assert [request.url for request in handed] == ["http://a.example/robots.txt"]


def test_a_site_without_robots_txt_is_open_and_one_that_fails_is_not():
    for status, pages_asked in ((404, 1), (503, 0), (None, 0)):
        handed: list[Request] = []
        pages = Follows(handed.append)
        pages.want(1, ["http://a.example/x"], NOW)
        pages.ended(failed(handed.pop(), status), NOW)
        assert len(handed) == pages_asked


def test_a_page_that_fails_is_tried_a_few_times_and_no_more():
    handed: list[Request] = []
    pages = Follows(handed.append)
    pages.want(1, ["http://a.example/x"], NOW)
    pages.ended(failed(handed.pop(), 404), NOW)
    for number in range(1, TRIES + 1):
        assert pages.ended(failed(handed.pop()), NOW) is None
        assert bool(pages.followed) == (number == TRIES)
        assert len(pages) == 0
        pages.saved()
        pages.want(1, ["http://a.example/x"], NOW)


def test_a_page_under_way_is_not_asked_for_twice():
    handed: list[Request] = []
    pages = Follows(handed.append)
    for _ in range(3):
        pages.want(1, ["http://a.example/x"], NOW)
    pages.ended(failed(handed.pop(), 404), NOW)
    assert len(handed) == len(pages) == 1


def test_a_listing_that_was_claimed_before_a_page_was_done_with_does_not_ask_for_it_again():
    handed: list[Request] = []
    pages = Follows(handed.append)
    pages.want(1, ["http://a.example/x"], NOW)
    pages.ended(failed(handed.pop(), 404), NOW)
    pages.ended(answered(handed.pop()), NOW)
    pages.saved()
    pages.want(1, ["http://a.example/x"], NOW)
    assert not handed and pages.followed == {1: {link_hash("http://a.example/x")}}


def test_pages_of_a_host_that_asked_to_wait_come_after_the_next_poll():
    handed: list[Request] = []
    queues = HostQueues(handed.append)
    pages = Follows(queues.put, queues.held_until)
    pages.want(1, [f"http://a.example/{number}" for number in range(9)], NOW)
    pages.ended(failed(handed.pop(), 404), NOW)
    queues.ended("http://a.example/robots.txt")
    asked_before = len(handed)
    assert 0 < asked_before < 9
    for request in queues.hold(handed[0].url, NOW + timedelta(hours=1)):
        pages.put_off(request)
    for request in list(handed):
        queues.ended(request.url)
        pages.ended(failed(request, 429), NOW)
    assert len(handed) == asked_before and len(pages) == 0
    assert not pages.followed
    pages.want(1, ["http://a.example/8"], NOW + timedelta(minutes=59))
    assert len(handed) == asked_before
    pages.want(1, ["http://a.example/8"], NOW + timedelta(hours=1))
    assert handed[-1].url == "http://a.example/8"


def test_a_robots_txt_that_is_put_off_takes_the_pages_behind_it_along():
    handed: list[Request] = []
    pages = Follows(handed.append)
    pages.want(1, ["http://a.example/x"], NOW)
    pages.put_off(handed[0])
    assert len(pages) == 0
    pages.want(1, ["http://a.example/x"], NOW)
    assert len(handed) == 2


# --------------------------------------------------------------------------- our own network


def test_when_nothing_can_be_reached_it_is_our_own_network():
    outage = Outage()
    for number in range(3):
        assert not outage.now(NOW)
        outage.saw(failed(asked(f"http://{number}.example/")), NOW)
    assert outage.now(NOW)
    assert not outage.now(NOW + timedelta(minutes=2))


def test_one_answer_of_whatever_kind_says_that_the_network_is_there():
    outage = Outage()
    for number in range(9):
        outage.saw(failed(asked(f"http://{number}.example/")), NOW)
    outage.saw(failed(asked("http://a.example/"), 500), NOW)
    assert not outage.now(NOW)


def test_one_host_that_fails_often_is_no_outage():
    outage = Outage()
    for number in range(9):
        outage.saw(failed(asked(f"http://a.example/{number}")), NOW)
    assert not outage.now(NOW)
