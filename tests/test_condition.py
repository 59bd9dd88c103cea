"""A source's condition in words: what is true, the worst first, with what to do."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace

from feeds.condition import SourceState, ago, condition, day
from feeds.configuration import Source

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
SOURCE = Source(key="a", name="A", kind="feed", target="https://a.example/feed")
POLLED = SourceState(
    first_poll_done=True,
    last_poll_at=NOW - timedelta(minutes=5),
    last_ok_at=NOW - timedelta(minutes=5),
    last_new_at=NOW - timedelta(hours=2),
    next_poll_at=NOW + timedelta(minutes=40),
)
FAILED = replace(POLLED, failures=3, last_ok_at=NOW - timedelta(days=2), last_error="HTTP 503", last_remedy="wait")


@pytest.mark.parametrize(
    ("state", "text", "trouble"),
    [
        (POLLED, "fine: next poll in 40 min", False),
        (replace(POLLED, next_poll_at=NOW), "fine: next poll now", False),
        (
            replace(POLLED, last_outcome="failed", last_error="no such host"),
            "waiting: no source could be reached, next try in 40 min: no such host",
            False,
        ),
        (replace(FAILED, gone_at=NOW), "gone: answered 410 at 12:00 UTC; looked at again in 40 min", True),
        (SourceState(next_poll_at=NOW + timedelta(seconds=20)), "new: first poll in 20 s", False),
        (FAILED, "failing: 3 times in a row since 21 Nov, next try in 40 min: HTTP 503", True),
        (replace(FAILED, failures=1), "failing: once, next try in 40 min: HTTP 503", False),
        (replace(FAILED, failures=1, first_poll_done=False), "failing: once, next try in 40 min: HTTP 503", True),
        (
            replace(FAILED, gone_at=datetime(2025, 11, 12, tzinfo=UTC)),
            "gone: answered 410 on 12 Nov 2025; looked at again in 40 min",
            True,
        ),
        (
            replace(POLLED, retry_after_until=NOW + timedelta(minutes=40)),
            "waiting: it asked for patience, next poll in 40 min",
            False,
        ),
        (
            replace(POLLED, last_new_at=NOW - timedelta(days=90)),
            "silent: it answers, with nothing new since 25 Aug",
            False,
        ),
    ],
)
def test_a_state_is_told_in_a_sentence(state: SourceState, text: str, trouble: bool) -> None:
    told = condition(SOURCE, state, now=NOW)
    assert (told.text, told.trouble) == (text, trouble)
    assert told.text.startswith(told.word)


def test_every_trouble_comes_with_a_remedy_where_one_is_known() -> None:
    assert condition(SOURCE, FAILED, now=NOW).remedy == "wait"
    assert "sources.yaml" in condition(SOURCE, replace(POLLED, gone_at=NOW), now=NOW).remedy


def test_a_moved_source_names_its_new_address() -> None:
    told = condition(SOURCE, replace(POLLED, adopted_url="https://b.example/feed"), now=NOW)
    assert told.word == "moved"
    assert "https://b.example/feed" in told.text


def test_a_folder_is_never_silent() -> None:
    files = replace(SOURCE, kind="files", target="*.txt")
    assert condition(files, replace(POLLED, last_new_at=NOW - timedelta(days=900)), now=NOW).word == "fine"


def test_times_are_told_as_people_do() -> None:
    assert ago(None, NOW) == "never"
    assert ago(NOW, NOW) == "just now"
    assert ago(NOW - timedelta(minutes=5), NOW) == "5 min ago"
    assert day(NOW - timedelta(hours=1), NOW) == "11:00 UTC"


def test_a_source_with_an_open_alarm_of_silence_is_silent_in_its_words():
    quiet = "A answers, yet has brought nothing new since 2026-11-12; by its own rhythm it would have about 14 times"
    told = condition(SOURCE, POLLED, now=NOW, quiet=quiet)
    assert (told.word, told.trouble) == ("silent", True)
    assert told.text.startswith("silent: answers, yet has brought nothing new since 2026-11-12")
    assert condition(SOURCE, FAILED, now=NOW, quiet=quiet).word == "failing"  # the worst that is true
