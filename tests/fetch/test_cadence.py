"""When to ask next: rhythm, what is declared, back-off, silence."""

from __future__ import annotations

import math
import random
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from feeds.configuration import PollSettings
from feeds.errors import FailureKind
from feeds.fetch import cadence
from feeds.fetch.cadence import BACKOFF_CAP_S, Plan
from feeds.fetch.rhythm import Poll, silence
from feeds.parsed import Hints

NOW = datetime(2026, 11, 2, 12, 0, tzinfo=UTC)  # a Monday
DAY_S = 86400.0
SETTINGS = PollSettings()
plan = partial(cadence.plan, settings=SETTINGS)


def wait_s(chosen: Plan, poll: Poll) -> float:
    return (chosen.next_poll_at - poll.at).total_seconds()


def first(every_s: float, count: int = 30, *, hints: Hints | None = None) -> Poll:
    """The first poll of a source that has posted every so often, at odd seconds."""
    dates = tuple(NOW - timedelta(seconds=7 + every_s * number) for number in range(count))
    return Poll(at=NOW, outcome="new", new=count, window=count, first=True, published=dates, hints=hints)


def posted(hours: list[int], *, days: int, window: int = 40, start: datetime = NOW) -> tuple[Plan, datetime]:
    """A source that posts at these hours every day, followed for some days; the last plan and its time."""
    chosen = plan(Poll(at=start, outcome="new", new=0, window=window, first=True))
    now, last = chosen.next_poll_at, start
    while now < start + timedelta(days=days):
        midnights = [start.replace(hour=0, minute=0) + timedelta(days=number) for number in range(days + 1)]
        dates = tuple(
            at for day in midnights for hour in hours if last < (at := day + timedelta(hours=hour, minutes=20)) <= now
        )
        poll = Poll(at=now, outcome="new" if dates else "same", new=len(dates), window=window, published=dates)
        chosen = plan(poll, memory=chosen.memory)
        last, now = now, chosen.next_poll_at
    return chosen, last


def test_a_source_of_which_nothing_is_known_is_asked_at_first_s():
    poll = Poll(at=NOW, outcome="new", new=1, window=1, first=True)
    assert wait_s(plan(poll), poll) == pytest.approx(SETTINGS.first_s)


def test_intervals_go_with_the_root_of_the_rate():
    often, seldom = first(DAY_S / 12, 200), first(DAY_S / 3, 200)
    ratio = wait_s(plan(seldom), seldom) / wait_s(plan(often), often)
    assert ratio == pytest.approx(2.0, rel=0.25)


def test_the_dates_of_the_first_document_tell_a_rhythm_at_once():
    daily, monthly = first(DAY_S), first(30 * DAY_S)
    assert SETTINGS.first_s < wait_s(plan(daily), daily) < DAY_S / 6
    assert wait_s(plan(monthly), monthly) > DAY_S / 4
    assert plan(daily).reason.startswith("its rhythm: about 1")
    assert plan(first(90 * DAY_S)).reason.startswith("its rhythm: one in ")


def test_a_source_whose_hub_pushes_is_asked_more_seldom_and_before_its_window_has_turned_over():
    for every_s, window in ((DAY_S / 12, 200), (DAY_S / 24, 12), (DAY_S / 48, 12)):
        seen = replace(first(every_s, 200), window=window)
        alone, pushed = (plan(seen, pushed=pushed) for pushed in (False, True))
        assert wait_s(alone, seen) < wait_s(pushed, seen) <= 4.5 * wait_s(alone, seen)
        assert wait_s(pushed, seen) <= window * every_s
        assert "hub" in pushed.reason
    assert plan(seen, pushed=True, configured_s=900).interval_s == 900


def test_polls_that_brought_nothing_are_learned_as_if_each_had_been():
    begun = plan(first(DAY_S / 4))
    fine, coarse, now = begun.memory, begun.memory, NOW
    for _ in range(40):
        now += timedelta(minutes=50)
        poll = Poll(at=now, outcome="not-modified")
        coarse = plan(poll, memory=coarse).memory
        # A document that was read, with nothing new in it, is always learned at once.
        fine = plan(replace(poll, outcome="same", window=30), memory=fine).memory
    news = Poll(at=now + timedelta(minutes=50), outcome="new", new=1, window=30)
    waits = [wait_s(plan(news, memory=memory), news) for memory in (fine, coarse)]
    assert waits[0] == pytest.approx(waits[1], rel=0.05)
    assert len(coarse) < 1024


def test_half_of_first_s_asks_twice_as_often():
    poll = first(DAY_S)
    half = replace(SETTINGS, first_s=SETTINGS.first_s / 2)
    assert wait_s(plan(poll), poll) == pytest.approx(2 * wait_s(plan(poll, settings=half), poll), rel=0.2)


def test_the_hours_at_which_a_source_posts_are_asked_more_densely():
    chosen, last = posted([8, 9], days=30)
    start = (last + timedelta(days=1)).replace(hour=7, minute=30)
    busy = Poll(at=start, outcome="not-modified")
    quiet = Poll(at=start.replace(hour=15), outcome="not-modified")
    at_dawn = wait_s(plan(busy, memory=chosen.memory), busy)
    by_day = wait_s(plan(quiet, memory=chosen.memory), quiet)
    assert by_day > 1.8 * at_dawn


def test_a_window_that_turns_over_brings_the_next_poll_forward():
    calm = plan(first(30 * DAY_S, 20))
    half = Poll(at=calm.next_poll_at, outcome="new", new=2, window=4)
    slow = replace(SETTINGS, first_s=36000)
    after = plan(half, memory=calm.memory, settings=slow)
    assert wait_s(after, half) <= (calm.next_poll_at - NOW).total_seconds() / 2
    assert "window" in after.reason


def test_a_small_window_is_asked_before_a_quarter_of_it_is_new():
    wide = first(DAY_S / 48, 200)
    narrow = replace(wide, window=4)
    slow = replace(SETTINGS, first_s=36000)
    waits = wait_s(plan(narrow, settings=slow), narrow), wait_s(plan(wide, settings=slow), wide)
    assert waits[0] < min(waits[1], 1.5 * DAY_S / 48)


@pytest.mark.parametrize(
    ("hints", "seconds"),
    [(Hints(ttl_s=7200), 7200), (Hints(update_period_s=10800), 10800), (Hints(ttl_s=10 * DAY_S), SETTINGS.ceiling_s)],
)
def test_what_a_feed_declares_is_honoured_within_the_ceiling(hints, seconds):
    # A window far from turning over: else it is asked sooner than it declares.
    poll = replace(first(DAY_S / 6, 100, hints=hints), window=1000)
    assert wait_s(plan(poll), poll) == pytest.approx(seconds)


def test_a_declared_ttl_is_remembered_through_a_304():
    poll = replace(first(DAY_S / 6, 100, hints=Hints(ttl_s=7200)), window=1000)
    chosen = plan(poll)
    again = Poll(at=chosen.next_poll_at, outcome="not-modified")
    assert wait_s(plan(again, memory=chosen.memory), again) >= 7200


def test_no_ttl_makes_an_article_slide_out_of_the_window_unseen():
    poll = replace(first(DAY_S / 48, 100, hints=Hints(ttl_s=DAY_S)), window=12)
    assert wait_s(plan(poll), poll) < DAY_S / 8


def test_freshness_is_waited_for_within_the_ceiling():
    for fresh_s, expected in ((9000.0, 9000.0), (400 * DAY_S, SETTINGS.ceiling_s)):
        poll = replace(first(DAY_S / 12, 100), fresh_s=fresh_s)
        assert wait_s(plan(poll), poll) == pytest.approx(expected)


def test_skipped_hours_and_days_are_left_out_in_gmt():
    hours = replace(first(DAY_S / 12, 100), hints=Hints(skip_hours=tuple(range(12, 20))))
    assert plan(hours).next_poll_at == NOW.replace(hour=20)
    days = replace(first(DAY_S / 12, 100), hints=Hints(skip_days=(0,)))
    assert plan(days).next_poll_at == NOW.replace(hour=0) + timedelta(days=1)
    all_of_them = replace(first(DAY_S / 12, 100), hints=Hints(skip_hours=tuple(range(24))))
    assert wait_s(plan(all_of_them), all_of_them) <= SETTINGS.first_s


def test_an_interval_in_config_rules_but_for_the_floor_and_retry_after():
    poll = first(DAY_S)
    assert wait_s(plan(poll, configured_s=900), poll) == 900
    assert wait_s(plan(poll, configured_s=10), poll) == SETTINGS.floor_s
    asked = replace(poll, retry_after_s=5000.0)
    assert wait_s(plan(asked, configured_s=900), asked) == 5000


@pytest.mark.parametrize("kind", ["temporary", "soft", "hard"])
def test_failures_double_up_to_a_cap_and_never_end(kind: FailureKind):
    poll = Poll(at=NOW, outcome="failed", failure=kind)
    waits = [wait_s(plan(poll, failures=failures), poll) for failures in range(60)]
    assert waits == sorted(waits)
    assert waits[-1] == BACKOFF_CAP_S[kind] <= 30 * DAY_S
    assert plan(poll, failures=59).failures == 60


def test_an_hour_without_network_is_over_within_the_next():
    for kind in ("temporary", "hard"):
        now, failures = NOW, 0
        while now < NOW + timedelta(hours=1):
            poll = Poll(at=now, outcome="failed", failure=kind)  # type: ignore[arg-type]
            chosen = plan(poll, failures=failures)
            now, failures = chosen.next_poll_at, chosen.failures
        assert now <= NOW + timedelta(hours=2)


def test_an_outage_of_our_own_counts_as_no_failure():
    poll = Poll(at=NOW, outcome="failed", failure="hard", ours="network")
    chosen = plan(poll, failures=2)
    assert chosen.failures == 2
    assert wait_s(chosen, poll) <= 600


def test_a_refusal_is_asked_less_often_than_a_source_that_answers():
    poll = Poll(at=NOW, outcome="failed", failure="soft")
    assert wait_s(plan(poll, interval_s=7200), poll) >= 2 * 7200


def test_retry_after_is_kept_to_the_second_and_capped_at_a_day():
    for asked, expected in ((1200.0, 1200.0), (1e9, DAY_S), (1.0, SETTINGS.floor_s)):
        poll = Poll(at=NOW, outcome="failed", failure="temporary", retry_after_s=asked)
        assert wait_s(plan(poll), poll) == expected


def test_who_refuses_again_and_again_with_a_short_retry_after_is_asked_ever_more_rarely():
    poll = Poll(at=NOW, outcome="failed", failure="soft", retry_after_s=1.0)
    assert wait_s(plan(poll, failures=6), poll) > DAY_S / 4


def test_gone_is_looked_at_once_a_month():
    poll = Poll(at=NOW, outcome="gone")
    assert wait_s(plan(poll), poll) == 30 * DAY_S


def test_success_after_failures_is_back_at_its_rhythm():
    before = plan(first(DAY_S))
    failed = plan(
        Poll(at=before.next_poll_at, outcome="failed", failure="hard"),
        failures=20,
        memory=before.memory,
        interval_s=before.interval_s,
        settings=SETTINGS,
    )
    again = Poll(at=failed.next_poll_at, outcome="not-modified")
    back = plan(again, failures=21, memory=failed.memory, interval_s=failed.interval_s)
    assert back.failures == 0
    assert wait_s(back, again) < DAY_S


def test_jitter_spreads_up_to_a_tenth_and_never_comes_early():
    poll = first(DAY_S)
    waits = [wait_s(plan(poll, jitter=number / 100), poll) for number in range(100)]
    assert len(set(waits)) == 100
    assert max(waits) <= 1.1 * min(waits)


def test_a_daily_source_that_falls_silent_is_noticed_and_a_lively_one_is_not():
    chosen, last = posted([8], days=60)
    assert silence(chosen.memory, last + timedelta(days=2)) is None
    found = silence(chosen.memory, last + timedelta(days=40))
    assert found is not None
    assert found.expected > 12
    assert found.probability == pytest.approx(math.exp(-found.expected))


def test_little_knowledge_is_no_silence():
    chosen = plan(first(DAY_S, 3))
    assert silence(chosen.memory, NOW + timedelta(days=90)) is None


def test_memory_is_small_whatever_a_source_does():
    dice = random.Random(1)
    now, memory, interval = NOW, "", None
    for number in range(500):
        new = dice.choice([0, 0, 1, 30])
        poll = Poll(
            at=now,
            outcome="new" if new else "same",
            new=new,
            window=100,
            first=not number,
            published=tuple(now - timedelta(seconds=dice.randrange(10**6)) for _ in range(new)),
            hints=Hints(ttl_s=3600, skip_hours=tuple(range(20)), skip_days=(0, 1, 2), update_period_s=3600),
        )
        chosen = plan(poll, memory=memory, interval_s=interval)
        now, memory, interval = chosen.next_poll_at, chosen.memory, chosen.interval_s
        assert len(memory) < 2048


@pytest.mark.parametrize("memory", ["", "{}", "null", "[]", "not json", '{"v":1}', '{"v":1,"t":"x"}', '{"v":9}'])
def test_a_memory_that_cant_be_read_is_begun_anew(memory):
    poll = first(DAY_S)
    chosen = plan(poll, memory=memory)
    assert chosen.memory == plan(poll).memory


def test_a_clock_that_goes_back_does_no_harm():
    chosen = plan(first(DAY_S))
    poll = Poll(at=NOW - timedelta(days=400), outcome="not-modified")
    assert SETTINGS.floor_s <= wait_s(plan(poll, memory=chosen.memory), poll) <= SETTINGS.ceiling_s


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.integers(1, 10**7),
            st.integers(0, 3000),
            st.integers(0, 3000),
            st.one_of(st.none(), st.floats(0, 1e12)),
            st.integers(-(10**9), 10**9),
        ),
        max_size=8,
    )
)
def test_whatever_comes_the_next_time_is_between_floor_and_ceiling(polls):
    now, memory = NOW, ""
    for number, (gap, new, window, fresh_s, shift) in enumerate(polls):
        now += timedelta(seconds=gap)
        dates = tuple(now + timedelta(seconds=shift + at) for at in range(min(new, 50)))
        poll = Poll(at=now, outcome="new", new=new, window=window, first=not number, published=dates, fresh_s=fresh_s)
        chosen = plan(poll, memory=memory, jitter=0.5)
        memory = chosen.memory
        assert SETTINGS.floor_s <= wait_s(chosen, poll) <= SETTINGS.ceiling_s * 1.05
