"""Dates as lists have them: relative ones in many languages, those without a year, forms of one's own."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feeds.page_dates import listed_date

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
