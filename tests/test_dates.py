"""feeds.dates: what sources write for dates, and what is written back."""

from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feeds.dates import (
    http_date,
    is_ambiguous,
    listed_date,
    month_named,
    order_of,
    parse_date,
    rfc822,
    rfc3339,
    settle,
    zone_of,
)

NOW = datetime(2024, 6, 20, 12, tzinfo=UTC)


def at(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[misc,arg-type]


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        # RFC 822 and 2822, as they should be and as they are
        ("Wed, 19 Jun 2024 09:30:00 +0200", at(2024, 6, 19, 7, 30)),
        ("Wed, 19 Jun 2024 09:30:00 GMT", at(2024, 6, 19, 9, 30)),
        ("19 Jun 2024 09:30 EST", at(2024, 6, 19, 14, 30)),
        ("Wed, 19 Jun 24 09:30:00 PDT", at(2024, 6, 19, 16, 30)),
        ("Fri, 31 Dec 99 23:59:59 UT", at(1999, 12, 31, 23, 59, 59)),
        ("Wednesday, 19 June 2024 09:30:00 Z", at(2024, 6, 19, 9, 30)),
        ("Tue, 19 Jun 2024 09:30:00 +0000", at(2024, 6, 19, 9, 30)),  # it was a Wednesday
        ("Wed,19 Jun 2024 9:30:00 -0000", at(2024, 6, 19, 9, 30)),
        ("  Wed,  19  Jun  2024\t09:30:00  +0100 (BST) ", at(2024, 6, 19, 8, 30)),
        ("Wed, 19 Jun 2024 09:30:00 K", at(2024, 6, 19, 9, 30)),
        ("Wed, 19 Jun 2024 24:00:00 GMT", at(2024, 6, 20)),
        ("Sat, 31 Dec 2016 23:59:60 GMT", at(2017, 1, 1)),
        ("Wed, 19 Sept 2024 09:30:00 GMT", at(2024, 9, 19, 9, 30)),
        ("Wed, 19 Jun 2024 09:30:00 IST", at(2024, 6, 19, 4, 0)),
        ("Wed, 19 Jun 2024 09:30:00 ET", at(2024, 6, 19, 13, 30)),
        ("Fri, 19 Jan 2024 09:30:00 ET", at(2024, 1, 19, 14, 30)),
        ("Wed, 19 Jun 2024 09:30:00 Europe/Paris", at(2024, 6, 19, 7, 30)),
        # RFC 3339 and ISO 8601
        ("2024-06-19T09:30:00Z", at(2024, 6, 19, 9, 30)),
        ("2024-06-19t09:30:00.123456789+05:30", at(2024, 6, 19, 4, 0, 0, 123456)),
        ("2024-06-19 09:30", at(2024, 6, 19, 9, 30)),
        ("2024-06-19T09:30:00 +0200", at(2024, 6, 19, 7, 30)),
        ("2024-06-19 09:30:00 CEST", at(2024, 6, 19, 7, 30)),
        ("2024-06-19T09:30:00-07", at(2024, 6, 19, 16, 30)),
        ("20240619T093000Z", at(2024, 6, 19, 9, 30)),
        ("20240619", at(2024, 6, 19)),
        ("2024-06", at(2024, 6, 1)),
        ("2024", at(2024, 1, 1)),
        ("2024-171", at(2024, 6, 19)),
        ("2024-W25-3", at(2024, 6, 19)),
        ("1718789400", at(2024, 6, 19, 9, 30)),
        ("1718789400000", at(2024, 6, 19, 9, 30)),
        # HTTP's other two forms, C, Unix, JavaScript
        ("Sunday, 06-Nov-94 08:49:37 GMT", at(1994, 11, 6, 8, 49, 37)),
        ("Sun Nov  6 08:49:37 1994", at(1994, 11, 6, 8, 49, 37)),
        ("Wed Jun 19 09:30:00 UTC 2024", at(2024, 6, 19, 9, 30)),
        ("Wed Jun 19 2024 09:30:00 GMT+0200 (CEST)", at(2024, 6, 19, 7, 30)),
        # In words
        ("June 19, 2024 9:30 p.m.", at(2024, 6, 19, 21, 30)),
        ("Published on June 19th, 2024 at 5pm ET", at(2024, 6, 19, 21)),
        ("19 juin 2024 à 9h30", at(2024, 6, 19, 9, 30)),
        ("mar. 18 juin 2024", at(2024, 6, 18)),
        ("19. März 2024, 9:30 Uhr", at(2024, 3, 19, 9, 30)),
        ("19 de junio de 2024", at(2024, 6, 19)),
        ("19 июня 2024, 09:30", at(2024, 6, 19, 9, 30)),
        ("19 जून 2024", at(2024, 6, 19)),
        ("2024年6月19日 09:30", at(2024, 6, 19, 9, 30)),
        ("2024년 6월 19일 오후 3:30", at(2024, 6, 19, 15, 30)),
        ("19.06.2024 09.30", at(2024, 6, 19, 9, 30)),
        ("6/19/2024 12:05 AM", at(2024, 6, 19, 0, 5)),
        ("19/06/2024", at(2024, 6, 19)),
        ("03/04/2024 5:00 PM", at(2024, 3, 4, 17)),
    ],
)
def test_a_date_is_read_in_every_form_that_sources_write(text: str, moment: datetime) -> None:
    assert parse_date(text) == moment


@pytest.mark.parametrize(
    "text",
    ["", "   ", "soon", "no date 7", "31 February 2024", "2024-13-01", "Wed, 32 Jun 2024 10:00:00 GMT", "3/4/2024",
     "2024-06-19T25:00:00Z", "2024-06-19T09:61:00Z", "12:30", "99999999999999999999", "0000-00-00", "+++", "2024-367"],
)  # fmt: skip
def test_what_names_no_moment_gives_none(text: str) -> None:
    assert parse_date(text) is None


def test_a_date_without_a_zone_is_read_in_the_zone_of_its_source() -> None:
    paris = zone_of("Europe/Paris")
    assert parse_date("2024-06-19 09:30", paris) == at(2024, 6, 19, 7, 30)
    assert parse_date("19 Jan 2024 09:30", paris) == at(2024, 1, 19, 8, 30)
    assert parse_date("2024-06-19", paris) == at(2024, 6, 18, 22)
    assert parse_date("2024-06-19 09:30 GMT", paris) == at(2024, 6, 19, 9, 30)
    assert parse_date("Wed, 19 Jun 2024 09:30:00 XQT", paris) == at(2024, 6, 19, 7, 30)


def test_an_unknown_zone_is_utc() -> None:
    for name in (None, "", "Nowhere/Town", "../../etc/passwd", "\0"):
        assert zone_of(name) is UTC


def test_months_are_known_by_their_beginnings() -> None:
    assert [month_named(word) for word in ("Sept", "MÄRZ", "août", "Juillet", "mayıs", "ja")] == [9, 3, 8, 7, 5, None]


def test_dates_that_cannot_be_believed_are_settled() -> None:
    assert settle(None, received_at=NOW) is None
    assert settle(at(1, 1, 1), received_at=NOW) is None
    assert settle(at(1970, 1, 1), received_at=NOW) is None
    assert settle(at(2024, 6, 19), received_at=NOW) == at(2024, 6, 19)
    assert settle(NOW + timedelta(seconds=5), received_at=NOW) == NOW
    assert settle(at(2099, 1, 1), received_at=NOW) == NOW


def test_dates_are_written_in_utc_and_english() -> None:
    moment = datetime(2024, 1, 2, 3, 4, 5, 6, tzinfo=timezone(timedelta(hours=-5)))
    assert rfc822(moment) == "Tue, 02 Jan 2024 08:04:05 +0000"
    assert http_date(moment) == "Tue, 02 Jan 2024 08:04:05 GMT"
    assert rfc3339(moment) == "2024-01-02T08:04:05Z"


@pytest.mark.parametrize("write", [rfc822, http_date, rfc3339])
def test_a_naive_date_is_refused(write) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(ValueError, match="without a zone"):
        write(datetime(2024, 1, 2))  # noqa: DTZ001


@given(st.datetimes(min_value=datetime(1000, 1, 1), max_value=datetime(9998, 1, 1)))  # noqa: DTZ001
def test_what_is_written_is_read_back(naive: datetime) -> None:
    moment = naive.replace(microsecond=0, tzinfo=UTC)
    for write in (rfc822, http_date, rfc3339):
        assert parse_date(write(moment)) == moment


@given(st.one_of(st.text(max_size=80), st.text(alphabet="0123456789-/:.TZ+ apmJunWed,年月日", max_size=40)))
def test_no_text_makes_it_raise(text: str) -> None:
    found = parse_date(text, zone_of("America/New_York"))
    assert found is None or found.utcoffset() == timedelta(0)


@pytest.mark.parametrize(
    ("text", "stated"),
    [
        ("Sun, 15 Nov 2026 03:15 PM", "2026-11-15T15:15:00Z"),
        ("15 Nov 2026 9:30 PM", "2026-11-15T21:30:00Z"),
        ("Sun, 15 Nov 2026 12:15 AM", "2026-11-15T00:15:00Z"),
        ("Sun, 15 Nov 2026 12:15 PM", "2026-11-15T12:15:00Z"),
        ("15-Nov-2026 09:30 PM", "2026-11-15T21:30:00Z"),
        ("15-Nov-26 09:30 PM EST", "2026-11-16T02:30:00Z"),
        ("Nov 15, 2026, 3:15 p.m. PST", "2026-11-15T23:15:00Z"),
        ("3:15 PM on 15 Nov 2026", "2026-11-15T15:15:00Z"),
        ("15 Nov 2026 03:15:20 PM +0100", "2026-11-15T14:15:20Z"),
        ("2026. 11. 15. 오후 3:15", "2026-11-15T15:15:00Z"),
        ("2026-11-15 上午12:15", "2026-11-15T00:15:00Z"),
        ("Tue, 03-11-2026 10:00", "2026-11-03T10:00:00Z"),
        ("Wednesday 03/11/2026 10:00", "2026-03-11T10:00:00Z"),
        ("13-11-2026T10:00:00Z", "2026-11-13T10:00:00Z"),
        ("15/11/26 08:00", "2026-11-15T08:00:00Z"),
        ("11/3/2026 5:00:00 PM", "2026-11-03T17:00:00Z"),
    ],
)
def test_halves_of_a_day_and_days_in_numbers_are_read(text: str, stated: str) -> None:
    moment = parse_date(text)
    assert moment is not None and rfc3339(moment) == stated


@pytest.mark.parametrize(
    "text", ["03-11-2026 10:00", "05-06-2026", "3/4/24", "01-11-2026T10:00:00", "03-11-2026 5:00 PM"]
)
def test_of_numbers_that_can_be_read_twice_nobody_guesses(text: str) -> None:
    assert is_ambiguous(text)
    assert parse_date(text) is None
    day_first, month_first = parse_date(text, order="dmy"), parse_date(text, order="mdy")
    assert day_first is not None and month_first is not None and day_first != month_first


@pytest.mark.parametrize(
    ("texts", "order"),
    [
        (["03-11-2026", "13-11-2026"], "dmy"),
        (["03/11/2026", "3/25/2026"], "mdy"),
        (["03-11-2026", "Tue, 03-11-2026"], "dmy"),
        (["03-11-2026", "04-11-2026"], None),
        (["13-11-2026", "11-13-2026"], None),
        (["03-11-2026", "2026-11-13", "soon", ""], None),
        (["26-11-15", "99-11-15"], "ymd"),
        ([], None),
    ],
)
def test_a_document_says_in_which_order_its_numbers_stand(texts: list[str], order: str | None) -> None:
    assert order_of(texts) == order


NOW = datetime(2026, 11, 29, 16, 30, tzinfo=UTC)
BERLIN = ZoneInfo("Europe/Berlin")  # an hour ahead

AGO = {
    "3 hours ago": "29 13:30", "an hour ago": "29 15:30", "3h": "29 13:30", "Posted 2 days ago by Ada": "27 16:30",
    "1 day, 2 hours ago": "28 14:30", "vor 2 Stunden": "29 14:30", "vor einer Minute": "29 16:29",
    "il y a 3 heures": "29 13:30", "hace 2 días": "27 16:30", "há 5 minutos": "29 16:25", "3 uur geleden": "29 13:30",
    "2 timmar sedan": "29 14:30", "2 godziny temu": "29 14:30", "2 часа назад": "29 14:30", "3小时前": "29 13:30",
    "3 分钟前": "29 16:27", "2日前": "27 16:30", "just now": "29 16:30", "gerade eben": "29 16:30",
    "today": "28 23:00", "heute, 14:05 Uhr": "29 13:05", "Yesterday at 2:05 pm": "28 13:05", "gestern": "27 23:00",
    "hier": "27 23:00", "i går kl. 9.30": "28 08:30", "вчера в 10:20": "28 09:20", "昨天 08:00": "28 07:00",
    "1 week ago": "22 16:30",
}  # fmt: skip


@pytest.mark.parametrize(("text", "said"), AGO.items())
def test_relative_dates_are_read_in_the_zone_of_their_source(text: str, said: str | None) -> None:
    found = listed_date(text, NOW, BERLIN)
    assert (f"{found:%d %H:%M}" if found else None) == said


@pytest.mark.parametrize(
    "text", ["5 min read", "12 March 2026", "2026-11-20", "4 comments", "3 days in 1999", "", "soon"]
)
def test_ordinary_dates_and_what_is_none_are_left_to_others(text: str) -> None:
    assert listed_date(text, NOW, UTC) is None


@pytest.mark.parametrize(
    ("text", "form", "said"),
    [
        ("29/11", "%d/%m", "2026-11-29T00:00:00+00:00"),
        ("03.12.", "%d.%m.", "2025-12-03T00:00:00+00:00"),  # this year's is still to come
        ("11-29-26 4pm", "%m-%d-%y %I%p", "2026-11-29T16:00:00+00:00"),
        ("2026|333", "%Y|%j", "2026-11-29T00:00:00+00:00"),
        ("2 hours ago", "%d.%m.%Y", "2026-11-29T14:30:00+00:00"),  # what does not fit is read as without
    ],
)
def test_a_form_of_ones_own_goes_first(text: str, form: str, said: str) -> None:
    found = listed_date(text, NOW, UTC, form)
    assert found is not None and found.isoformat() == said


@given(st.text(max_size=60) | st.from_regex(r"\d{1,6} ?(days|h|mois|年前|weeks) ?(ago)?", fullmatch=True))
def test_no_text_fails_and_no_date_is_naive(text: str) -> None:
    found = listed_date(text, NOW, BERLIN, "%d %b")
    assert found is None or found.tzinfo is UTC
