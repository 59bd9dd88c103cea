"""Preconditions of RFC 9110 section 13, case by case."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feeds.dates import http_date
from feeds.serve.conditional import etags_in, judge, matched_etag, parse_http_date

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
CHANGED = datetime(2026, 11, 22, 9, 30, 15, 999_000, tzinfo=UTC)
TAGS = ("7-abc", "7-abc.gz", "7-abc.br")


def verdict(**headers: str) -> str:
    return judge(etags=TAGS, last_modified=CHANGED, now=NOW, **headers)


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
        (" * ", True),
        ('"7-ABC"', False),
        ("7-abc", False),
        ('"7-abc', False),
        ('7-abc"', False),
        ("'7-abc'", False),
        ('w/"7-abc"', False),
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


def test_a_comma_inside_a_tag_belongs_to_it():
    assert etags_in('"a,b", "c"') == (("a,b", False), ("c", False))


@given(st.text(max_size=200))
def test_no_header_value_breaks_or_stalls_the_reading(value):
    started = time.perf_counter()
    etags_in(value * 50), parse_http_date(value, now=NOW)
    assert time.perf_counter() - started < 5


def test_long_hostile_lists_are_read_in_time_that_grows_with_their_length():
    for piece in ('"', '"a', "W/", ' W/"', ", ", '"a" '):
        etags_in(piece * 20_000)  # quadratic reading would not come back in a test's time


FORMS = ["Sun, 22 Nov 2026 09:30:15 GMT", "Sunday, 22-Nov-26 09:30:15 GMT", "Sun Nov 22 09:30:15 2026"]


@pytest.mark.parametrize("value", FORMS)
def test_all_three_forms_of_a_date_are_read(value):
    assert parse_http_date(value, now=NOW) == CHANGED.replace(microsecond=0)
    assert verdict(if_modified_since=value) == "not modified"


@pytest.mark.parametrize(
    "value",
    ["", "yesterday", "2026-11-22T09:30:15Z", "Sun, 22 Nov 2026 09:30:15 +0000", "Sun, 32 Nov 2026 09:30:15 GMT",
     "Sun, 22 Foo 2026 09:30:15 GMT", "Sun, 22 Nov 2026 25:30:15 GMT", "1", "-1", "Sun, 22 Nov 0000 09:30:15 GMT",
     "Sun, 22 Nov 2026 09:30:15 GMT, Sun, 22 Nov 2026 09:30:15 GMT"],
)  # fmt: skip
def test_a_date_that_cannot_be_read_counts_as_not_given(value):
    assert verdict(if_modified_since=value) == "send"
    assert verdict(if_unmodified_since=value) == "send"


def test_if_modified_since_counts_whole_seconds():
    assert verdict(if_modified_since=http_date(CHANGED)) == "not modified"
    assert verdict(if_modified_since=http_date(CHANGED - timedelta(seconds=1))) == "send"
    assert verdict(if_modified_since=http_date(NOW + timedelta(days=400))) == "not modified"


@pytest.mark.parametrize(("year", "meant"), [("26", 2026), ("76", 2076), ("77", 1977), ("99", 1999), ("00", 2000)])
def test_two_digit_years_lie_at_most_fifty_years_ahead(year, meant):
    moment = parse_http_date(f"Sunday, 22-Nov-{year} 09:30:15 GMT", now=NOW)
    assert moment is not None and moment.year == meant


def test_a_leap_second_is_a_date():
    assert parse_http_date("Sat, 31 Dec 2016 23:59:60 GMT", now=NOW) == datetime(2017, 1, 1, tzinfo=UTC)


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
