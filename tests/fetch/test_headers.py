"""What heads say: dates, waiting times, freshness; foreign text never breaks the reading."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from feeds.fetch.headers import (
    MAX_DELTA_S,
    cache_control,
    final_head,
    freshness_s,
    http_date,
    list_members,
    parse_fields,
    retry_after_s,
    validators,
)
from feeds.parsed import Validators

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
DATE = ("date", "Mon, 23 Nov 2026 11:00:00 GMT")


def test_fields_keep_their_order_and_their_bytes() -> None:
    lines = [
        b'ETag: "a\xff"\r\n',
        b"X-A:\t1 \r\n",
        b"x-a: 2\n",
        b" more\r\n",
        b"no field\r\n",
        b": empty\r\n",
        b"Bad Name: 1\r\n",
    ]
    assert parse_fields(b"".join(lines)) == (("etag", '"a\xff"'), ("x-a", "1"), ("x-a", "2 more"))


@given(st.binary(max_size=200))
@example(b"a:\rX\r\n")
def test_any_lines_are_read(lines: bytes) -> None:
    for name, value in parse_fields(lines):
        assert name == name.lower() and value == value.strip(" \t\r\n")


@pytest.mark.parametrize(
    ("received", "head"),
    [
        (b"HTTP/1.1 304 Not Modified\r\nA: 1\r\nB: 2\r\n\r\n", (304, b"A: 1\r\nB: 2")),
        (b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\nA: 1\r\n\r\nTrailer: 3\r\n", (200, b"A: 1")),
        (b"HTTP/1.1 200 Connection established\r\n\r\nHTTP/1.1 404 No\r\nA: 1\r\n\r\n", (404, b"A: 1")),
        (b"HTTP/1.1 200 Connection established\r\n\r\nHTTP/1.1 404 No\r\nA: 1\r\n", None),
        (b"HTTP/2 410\n\n", (410, b"")),
        (b"HTTP/1.1 100 Continue\r\n\r\n", None),
        (b"HTTP/1.1 200 OK\r\nA: 1\r\n", None),
        (b"", None),
        (b"HTTP/1.1 20000 OK\r\n\r\n", None),
    ],
)
def test_the_head_that_counts_is_the_last_and_only_when_whole(received: bytes, head: object) -> None:
    assert final_head(received) == head


@pytest.mark.parametrize(
    "text", ["Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994"]
)
def test_all_three_forms_of_a_date_are_read(text: str) -> None:
    assert http_date(text) == datetime(1994, 11, 6, 8, 49, 37, tzinfo=UTC)


@given(st.text(max_size=70))
def test_any_text_is_a_date_or_none(text: str) -> None:
    found = http_date(text)
    assert found is None or found.utcoffset() is not None


@pytest.mark.parametrize(
    ("fields", "seconds"),
    [
        ([], None),
        ([("retry-after", "120")], 120),
        ([("retry-after", " 0 ")], 0),
        ([("retry-after", "1.5")], 1.5),
        ([("retry-after", "-5")], None),
        ([("retry-after", "soon")], None),
        ([("retry-after", "")], None),
        ([("retry-after", "9" * 400)], MAX_DELTA_S),
        ([("retry-after", "Mon, 23 Nov 2026 12:05:00 GMT")], 300),
        ([("retry-after", "Mon, 23 Nov 2026 12:05:00 GMT"), DATE], 3900),
        ([("retry-after", "Mon, 23 Nov 2026 12:05:00 GMT"), ("date", "nonsense")], 300),
        ([("retry-after", "Mon, 23 Nov 2020 12:05:00 GMT")], 0),
        ([("retry-after", "Mon, 23 Nov 9999 12:05:00 GMT")], MAX_DELTA_S),
        ([("retry-after", "60"), ("retry-after", "90")], 60),
    ],
)
def test_retry_after_is_read_in_both_forms(fields: list[tuple[str, str]], seconds: float | None) -> None:
    assert retry_after_s(fields, NOW) == seconds


@pytest.mark.parametrize(
    ("fields", "seconds"),
    [
        ([], None),
        ([("cache-control", "max-age=600")], 600),
        ([("cache-control", "public, Max-Age=600, must-revalidate")], 600),
        ([("cache-control", 'max-age="600"')], 600),
        ([("cache-control", "public"), ("cache-control", "max-age=600")], 600),
        ([("cache-control", "max-age=600, max-age=5")], 600),
        ([("cache-control", "max-age=600"), ("age", "100")], 500),
        ([("cache-control", "max-age=600"), ("age", "1000")], 0),
        ([("cache-control", "max-age=600"), ("age", "old")], 600),
        ([("cache-control", "max-age=-1")], 0),
        ([("cache-control", "max-age=a lot")], 0),
        ([("cache-control", "max-age=" + "9" * 400)], MAX_DELTA_S),
        ([("cache-control", "no-cache, max-age=600")], 0),
        ([("cache-control", "no-store")], 0),
        ([("cache-control", "s-maxage=600")], None),
        ([("cache-control", "public")], None),
        ([("cache-control", "max-age=60"), ("expires", "Mon, 23 Nov 2026 12:05:00 GMT"), DATE], 60),
        ([("expires", "Mon, 23 Nov 2026 12:05:00 GMT")], 300),
        ([("expires", "Mon, 23 Nov 2026 12:05:00 GMT"), DATE], 3900),
        ([("expires", "Mon, 23 Nov 2026 12:05:00 GMT"), DATE, ("age", "900")], 3000),
        ([("expires", "0")], 0),
        ([("expires", "-1")], 0),
        ([("expires", "Mon, 23 Nov 2020 12:05:00 GMT")], 0),
    ],
)
def test_freshness_is_read_as_rfc_9111_says(fields: list[tuple[str, str]], seconds: float | None) -> None:
    assert freshness_s(fields, NOW) == seconds


@given(st.sampled_from(["retry-after", "cache-control", "expires", "age", "date"]), st.text(max_size=40))
def test_foreign_values_never_break_the_reading(name: str, value: str) -> None:
    for fields in ([(name, value)], [("cache-control", "max-age=" + value), (name, value)]):
        for seconds in (retry_after_s(fields, NOW), freshness_s(fields, NOW)):
            assert seconds is None or 0 <= seconds <= MAX_DELTA_S


def test_directives_and_members_are_told_apart() -> None:
    assert cache_control([("cache-control", 'private="a, b", max-age=1, x')]) == {
        "private": "a, b",
        "max-age": "1",
        "x": "",
    }
    assert list_members([("content-encoding", "GZIP;q=1, "), ("content-encoding", "br")], "content-encoding") == [
        "gzip",
        "br",
    ]


def test_an_empty_validator_is_none() -> None:
    assert validators([("etag", ""), ("last-modified", "x")]) == Validators(last_modified="x")
