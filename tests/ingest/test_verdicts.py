"""What the end of a poll means for its source, and what the admin is told of it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace

from feeds.condition import SourceState
from feeds.configuration import PollSettings, Source
from feeds.errors import FetchBroken, FetchStatus
from feeds.ingest import notices, verdicts
from feeds.ingest.reading import Reading
from feeds.model import Beside
from feeds.parsed import Answer, Redirect, Request, Validators
from feeds.store.values import Claim, PollResult

NOW = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
URL = "http://a.example/feed"
SETTINGS = PollSettings()
STATE = SourceState(
    validators=Validators(etag='"1"'), validators_url=URL, body_hash="h", first_poll_done=True, last_ok_at=NOW
)


def claim(state: SourceState = STATE, **source: object) -> Claim:
    made = Source(key="a", name="A", kind="feed", target=URL, id=1, line=7, **source)  # type: ignore[arg-type]
    return Claim(source=made, claim_id="c", state=state, due_at=NOW)


def answer(
    status: int = 200,
    at: datetime = NOW,
    redirects: tuple[Redirect, ...] = (),
    etag: str | None = '"1"',
    headers: tuple[tuple[str, str], ...] = (),
) -> Answer:
    return Answer(
        request=Request(source_id=1, url=URL),
        status=status,
        final_url=redirects[-1].target if redirects else URL,
        redirects=redirects,
        validators=Validators(etag=etag),
        received_at=at,
        headers=headers,
    )


def ended(before: Claim, got: Answer) -> PollResult:
    return verdicts.unchanged(before, got, outcome="same", settings=SETTINGS, jitter=0.0)


def brought(before: Claim, got: Answer, new: int = 1, published: tuple[datetime, ...] = ()) -> PollResult:
    came = verdicts.Brought(new=new, published=published)
    return verdicts.brought(
        before, got, Reading(beside=Beside(window=10)), came, "other", settings=SETTINGS, jitter=0.0
    )


def kinds(before: Claim, result: PollResult) -> list[tuple[str, bool]]:
    return [(one.kind, one.over) for one in notices.notices(before, result)]


def hop(status: int, url: str, target: str) -> Redirect:
    return Redirect(status=status, url=url, target=target)


# --------------------------------------------------------------------------- redirects


def sighted(days: list[float], redirects: tuple[Redirect, ...]) -> SourceState:
    state = STATE
    for day in days:
        got = answer(at=NOW + timedelta(days=day), redirects=redirects)
        state = ended(claim(state), got).state
    return state


MOVED = (hop(301, URL, "http://b.example/feed"),)


def test_a_permanent_redirect_is_adopted_after_sightings_over_days():
    assert sighted([0, 1, 2], MOVED).adopted_url is None
    assert sighted([0, 0.1, 0.2, 0.3, 0.4], MOVED).adopted_url is None
    assert sighted([0, 3.5], MOVED).adopted_url is None
    assert sighted([0, 1, 2, 3.1], MOVED).adopted_url == "http://b.example/feed"


@pytest.mark.parametrize("status", [302, 303, 307])
def test_a_temporary_redirect_is_never_adopted(status):
    state = sighted([float(day) for day in range(60)], (hop(status, URL, "http://b.example/feed"),))
    assert state.adopted_url is None


def test_of_a_chain_only_the_permanent_beginning_is_adopted():
    chain = (*MOVED, hop(302, "http://b.example/feed", "http://c.example/feed"))
    assert sighted([0, 1, 2, 4], chain).adopted_url == "http://b.example/feed"
    turned = (hop(302, URL, "http://b.example/feed"), hop(301, "http://b.example/feed", "http://c.example/feed"))
    assert sighted([0, 1, 2, 4], turned).adopted_url is None


def test_another_target_or_no_redirect_begins_the_count_anew():
    state = sighted([0, 1, 2], MOVED)
    state = ended(claim(state), answer(at=NOW + timedelta(days=3))).state
    assert (state.redirect_count, state.redirect_first_seen) == (0, None)


def test_https_of_the_same_address_is_adopted_at_once():
    assert sighted([0], (hop(301, URL, "https://a.example/feed"),)).adopted_url == "https://a.example/feed"
    assert sighted([0], (hop(301, URL, "https://a.example/other"),)).adopted_url is None


def test_an_adoption_is_told_with_the_line_to_change():
    before = claim()
    result = ended(before, answer(redirects=(hop(308, URL, "https://a.example/feed"),)))
    (told,) = notices.notices(before, result)
    assert told.kind == "moved"
    assert "line 7" in told.remedy and "url: https://a.example/feed" in told.remedy


def test_a_target_that_fails_again_and_again_gives_way_to_the_address_of_config():
    state = replace(STATE, adopted_url="https://b.example/feed", failures=1)
    error = FetchStatus("answered 404", url="https://b.example/feed", kind="soft", status=404)
    for expected in ("https://b.example/feed", None):
        state = verdicts.failed(claim(state), error, at=NOW, settings=SETTINGS, jitter=0.0).state
        assert state.adopted_url == expected


# --------------------------------------------------------------------------- validators


def test_validators_are_left_out_once_in_a_while_and_at_each_source_another_time():
    times = set()
    for key in ("a", "b", "c"):
        state = replace(STATE, last_full_at=NOW)
        mine = Claim(source=replace(claim().source, key=key), claim_id="c", state=state, due_at=NOW)
        hours = next(hour for hour in range(1000) if not verdicts.validators_to_send(mine, NOW + timedelta(hours=hour)))
        assert 7 * 24 <= hours <= 9 * 24
        times.add(hours)
    assert len(times) > 1


def test_the_switch_leaves_validators_out():
    assert not verdicts.validators_to_send(claim(ignore_validators=True), NOW)
    assert verdicts.validators_to_send(claim(), NOW) == STATE.validators


def test_the_same_validators_with_other_articles_are_not_trusted_for_a_month():
    before = claim()
    result = brought(before, answer())
    assert result.state.distrusted_at == NOW
    assert kinds(before, result) == [("validators", False)]
    after = claim(result.state)
    assert not verdicts.validators_to_send(after, NOW + timedelta(days=29))
    trusted = ended(after, answer(at=NOW + timedelta(days=31)))
    assert trusted.state.distrusted_at is None
    assert ("validators", True) in kinds(after, trusted)
    assert verdicts.validators_to_send(claim(trusted.state), NOW + timedelta(days=31, hours=1))


def test_the_same_validators_with_nothing_new_are_no_lie():
    # A page stamped with the time, or a weak ETag.
    assert brought(claim(), answer(), new=0).state.distrusted_at is None


def test_new_validators_with_new_articles_are_no_lie():
    assert brought(claim(), answer(etag='"2"')).state.distrusted_at is None


def test_a_full_check_finds_what_a_304_has_hidden():
    at = NOW + timedelta(days=10)
    hidden = replace(STATE, last_full_at=NOW, last_outcome="not-modified", last_poll_at=at - timedelta(hours=3))
    late, fresh = (at - timedelta(days=4),), (at - timedelta(hours=1),)
    assert brought(claim(hidden), answer(at=at, etag='"2"'), published=late).state.distrusted_at == at
    assert brought(claim(hidden), answer(at=at, etag='"2"'), published=fresh).state.distrusted_at is None


# --------------------------------------------------------------------------- failures


def test_retry_after_on_a_good_answer_is_kept():
    result = ended(claim(), answer(headers=(("retry-after", "9000"),)))
    assert result.next_poll_at == NOW + timedelta(seconds=9000)
    assert result.state.retry_after_until == result.next_poll_at


def test_403_and_a_bare_429_slow_a_source_down():
    for status, kind in ((403, "soft"), (429, "temporary")):
        state = replace(STATE, interval_s=7200.0)
        error = FetchStatus("refused", url=URL, kind=kind, status=status)  # type: ignore[arg-type]
        result = verdicts.failed(claim(state), error, at=NOW, settings=SETTINGS, jitter=0.0)
        assert result.next_poll_at >= NOW + timedelta(hours=4)


def test_an_outage_of_our_own_is_held_against_no_source():
    error = FetchBroken("no such name", url=URL, kind="hard")
    state = replace(STATE, failures=2)
    result = verdicts.failed(claim(state), error, at=NOW, settings=SETTINGS, jitter=0.0, ours="network")
    assert result.state.failures == 2
    assert result.next_poll_at <= NOW + timedelta(minutes=10)


def test_an_answer_is_never_an_outage_of_our_own():
    error = FetchStatus("answered 500", url=URL, kind="temporary", status=500)
    result = verdicts.failed(claim(), error, at=NOW, settings=SETTINGS, jitter=0.0, ours="network")
    assert result.state.failures == 1


def test_gone_is_told_and_taken_back():
    before = claim()
    result = verdicts.gone(before, answer(410), settings=SETTINGS, jitter=0.0)
    assert kinds(before, result) == [("gone", False)]
    after = claim(result.state)
    assert result.next_poll_at == NOW + timedelta(days=30)
    assert ("gone", True) in kinds(after, ended(after, answer(at=NOW + timedelta(days=30))))


def test_a_source_that_fails_for_days_is_told_and_its_return_too():
    state, at, told = STATE, NOW, []
    error = FetchBroken("reset", url=URL)
    for _ in range(14):
        before = claim(state)
        result = verdicts.failed(before, error, at=at, settings=SETTINGS, jitter=0.0)
        told.append(bool(kinds(before, result)))
        state, at = result.state, result.next_poll_at
    assert told == sorted(told) and not told[2] and told[-1]
    before = claim(state)
    assert ("failing", True) in kinds(before, ended(before, answer(at=at)))


def test_an_ordinary_poll_says_nothing():
    before = claim()
    assert notices.notices(before, ended(before, answer())) == []
