"""Which coding a client gets (RFC 9110 section 12.5.3), and preconditions (section 13), case by case."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.http import parse_date

from feeds.dates import http_date
from feeds.serve.representations import codings_in_order, finish, judge, matched_etag, seen_sequence, wants_html

ALL = ("identity", "gzip", "br")


@pytest.mark.parametrize(
    ("header", "coding"),
    [
        (None, "identity"),
        ("", "identity"),
        ("gzip", "gzip"),
        ("GZip", "gzip"),
        ("x-gzip", "gzip"),
        ("br", "br"),
        ("gzip, deflate", "gzip"),
        ("gzip, deflate, br, zstd", "br"),
        ("gzip;q=1.0, br;q=0.9", "gzip"),
        ("gzip ; Q=0.2 , br;q=0.1", "gzip"),
        ("br;q=0, gzip", "gzip"),
        ("gzip;q=0", "identity"),
        ("gzip;q=0.000, br;q=0.0", "identity"),
        ("*", "br"),
        ("*;q=0.1, gzip", "gzip"),
        ("br;q=0, *", "gzip"),
        ("*;q=0", "identity"),
        ("identity;q=0", "identity"),
        ("identity;q=0, gzip", "gzip"),
        ("identity;q=0, *;q=0", "identity"),
        ("identity, gzip;q=0.5", "identity"),
        ("identity;q=0.5, gzip", "gzip"),
        ("identity;q=0.5, gzip;q=0.5", "gzip"),
        ("gzip;q=0.001", "gzip"),
        ("deflate", "identity"),
        ("gzipped, brotli, xbr", "identity"),
        ("gzip;q=oops", "identity"),
        ("gzip;q=2", "identity"),
        ("gzip;q=-1", "identity"),
        ("gzip;q=nan, br;q=inf", "identity"),
        ("gzip;foo=bar", "gzip"),
        ("gzip;foo=bar;q=0", "identity"),
        (";;,, ,gzip,,", "gzip"),
        ("gzip br", "identity"),
        ("gzip;q=0, gzip", "gzip"),
    ],
)
def test_the_coding_is_chosen_by_weight_and_whole_tokens(header, coding):
    assert codings_in_order(header)[0] == coding


@pytest.mark.parametrize("header", ["br", "gzip", "*", "br, gzip;q=0.5"])
def test_a_document_without_coded_forms_comes_as_it_is(header):
    finished = finish(
        bodies={"identity": b"x"}, etag="1", last_modified=NOW, media_type="text/plain", cache_control="no-cache"
    )
    assert finished.coding(codings_in_order(header)) == "identity"


@given(st.text(max_size=100))
def test_any_header_at_all_leads_to_a_coding(header):
    assert codings_in_order(header)[0] in ALL
    assert len(set(codings_in_order(header))) == len(codings_in_order(header))


@pytest.mark.parametrize(
    ("accept", "html"),
    [
        ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", True),
        ("application/rss+xml, */*;q=0.1", False),
        ("text/html;q=0", False),
        ("text/plain, text/html;q=0.5", False),
        ("TEXT/HTML", True),
        ("*/*", False),
        (None, False),
    ],
)
def test_only_who_names_html_gets_pages_for_errors(accept, html):
    assert wants_html(accept) is html


NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
CHANGED = datetime(2026, 11, 22, 9, 30, 15, 999_000, tzinfo=UTC)
TAGS = ("7-abc", "7-abc.gz", "7-abc.br")


def verdict(**headers: str) -> str:
    return judge({f"HTTP_{name.upper()}": value for name, value in headers.items()}, TAGS, CHANGED)


@pytest.mark.parametrize(
    ("value", "hit"),
    [
        ('"7-abc"', True),
        ('W/"7-abc"', True),
        ('"7-abc.gz"', True),
        ('W/"7-abc.br"', True),
        ('"x", "y" ,"7-abc.br"', True),
        ('"x","7-abc"', True),
        (', ,"7-abc",', True),
        ('junk, "7-abc"', True),
        ("*", True),
        ('"7-ABC"', False),
        ("7-abc", True),  # some clients forget the quotes
        ('"7-abc', False),
        ('7-abc"', False),
        ("'7-abc'", False),
        ('w/"7-abc"', True),
        ('W/ "7-abc"', False),
        ('"x,"7-abc"', True),  # what cannot be read ends at the next comma
        ('"7-abc "', False),
        ('"7-abc" "x"', False),
        ('"*"', False),
        ("", False),
        (",", False),
    ],
)
def test_if_none_match_is_a_list_compared_weakly_and_garbage_in_it_names_nothing(value, hit):
    assert verdict(if_none_match=value) == ("not modified" if hit else "send")


@given(st.text(max_size=200))
def test_no_header_value_breaks_or_stalls_the_reading(value):
    assert verdict(if_none_match=value * 50, if_modified_since=value) in ("send", "not modified")


def test_long_hostile_lists_are_read_in_time_that_grows_with_their_length():
    for piece in ('"', '"a', "W/", ' W/"', ", ", '"a" '):
        seen_sequence(piece * 20_000, "7-abc")  # quadratic reading would not come back in a test's time


FORMS = ["Sun, 22 Nov 2026 09:30:15 GMT", "Sunday, 22-Nov-26 09:30:15 GMT", "Sun Nov 22 09:30:15 2026"]


@pytest.mark.parametrize("value", FORMS)
def test_all_three_forms_of_a_date_are_read(value):
    assert parse_date(value) == CHANGED.replace(microsecond=0)
    assert verdict(if_modified_since=value) == "not modified"


@pytest.mark.parametrize(
    "value",
    ["", "yesterday", "2026-11-22T09:30:15Z", "Sun, 32 Nov 2026 09:30:15 GMT", "Sun, 22 Foo 2026 09:30:15 GMT",
     "Sun, 22 Nov 2026 25:30:15 GMT", "1", "-1"],
)  # fmt: skip
def test_a_date_that_cannot_be_read_counts_as_not_given(value):
    assert verdict(if_modified_since=value) == "send"
    assert verdict(if_unmodified_since=value) == "send"


def test_if_modified_since_counts_whole_seconds():
    assert verdict(if_modified_since=http_date(CHANGED)) == "not modified"
    assert verdict(if_modified_since=http_date(CHANGED - timedelta(seconds=1))) == "send"
    assert verdict(if_modified_since=http_date(NOW + timedelta(days=400))) == "not modified"


def test_if_none_match_goes_before_if_modified_since():
    past, future = http_date(CHANGED - timedelta(days=1)), http_date(NOW)
    assert verdict(if_none_match='"other"', if_modified_since=future) == "send"
    assert verdict(if_none_match='"7-abc"', if_modified_since=past) == "not modified"
    assert verdict(if_none_match="", if_modified_since=future) == "send"


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"if_match": '"7-abc"'}, "send"),
        ({"if_match": '"x", "7-abc.gz"'}, "send"),
        ({"if_match": "*"}, "send"),
        ({"if_match": 'W/"7-abc"'}, "failed"),  # compared strongly
        ({"if_match": '"x"'}, "failed"),
        ({"if_match": '"x"', "if_unmodified_since": http_date(NOW)}, "failed"),
        ({"if_match": '"7-abc"', "if_unmodified_since": http_date(CHANGED - timedelta(days=1))}, "send"),
        ({"if_unmodified_since": http_date(CHANGED)}, "send"),
        ({"if_unmodified_since": http_date(CHANGED - timedelta(seconds=1))}, "failed"),
        ({"if_match": '"7-abc"', "if_none_match": '"7-abc"'}, "not modified"),
    ],
)
def test_if_match_and_if_unmodified_since_come_first(headers, expected):
    assert verdict(**headers) == expected


def test_the_304_repeats_the_etag_that_a_200_would_have_had_or_else_the_one_that_matched():
    assert matched_etag('"7-abc", "7-abc.br"', TAGS, "7-abc.br") == "7-abc.br"
    assert matched_etag('"7-abc"', TAGS, "7-abc.br") == "7-abc"
    assert matched_etag("*", TAGS, "7-abc.gz") == "7-abc.gz"
    assert matched_etag('"x"', TAGS, "7-abc.gz") is None
