"""The schedule: who gets a source, for how long, and whose result counts."""

import threading
import uuid
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec import structs

from feeds.condition import SourceState
from feeds.parsed import Validators
from feeds.store import open_store
from feeds.store.schema import POLLS_KEPT
from feeds.store.values import PollResult, Replacement

from .conftest import NOW, later, new, save, source, uid_of

LEASE = 60.0


def result(claim, at=NOW, **more):
    state = more.pop("state", SourceState())
    after = more.pop("next_poll_at", at + timedelta(hours=1))
    return PollResult(
        source_id=claim.source.id,
        claim_id=claim.claim_id,
        at=at,
        outcome="unchanged",
        state=state,
        next_poll_at=after,
        **more,
    )


def claim(store, now=NOW, limit=10, **more):
    with store.write() as tx:
        return tx.sources.claim_due(now, LEASE, limit, **more)


def keys(claims):
    return [each.source.key for each in claims]


def test_what_is_due_is_handed_out_once(desk):
    assert sorted(keys(claim(desk))) == ["a", "b", "c"]
    assert claim(desk) == []


def test_the_longest_waiting_come_first(desk):
    first = claim(desk, limit=3)
    with desk.write() as tx:
        for number, each in enumerate(sorted(first, key=lambda each: each.source.key)):
            tx.sources.finish([result(each, next_poll_at=later(minutes=10 - number))])
    assert keys(claim(desk, later(minutes=20), limit=2)) == ["c", "b"]


def test_a_dead_worker_delays_its_sources_by_a_lease(desk):
    assert len(claim(desk)) == 3
    assert claim(desk, later(seconds=LEASE - 1)) == []
    assert len(claim(desk, later(seconds=LEASE))) == 3


def test_a_result_counts_only_while_its_claim_stands(desk):
    late, *_ = claim(desk)
    present = next(each for each in claim(desk, later(seconds=LEASE)) if each.source.key == late.source.key)
    with desk.write() as tx:
        assert tx.sources.finish([result(late, state=SourceState(title="late"))]) == set()
        assert tx.sources.finish([result(present, state=SourceState(title="present"))]) == {present.source.id}
        assert tx.sources.finish([result(present, state=SourceState(title="twice"))]) == set()
        assert tx.sources.by_key(late.source.key)[1].title == "present"
        assert len(tx.sources.polls(late.source.id, 10)) == 1


def test_the_whole_state_comes_back(desk):
    [mine] = claim(desk, limit=1)
    state = SourceState(
        validators=Validators(etag='W/"a b"', last_modified="Sun, 01 Nov 2026 12:00:00 GMT"),
        validators_url="https://a.example/feed",
        body_hash="ffff",
        item_hashes=(0, 1, 2**64 - 1),
        item_marks=b"\x00\xff",
        interval_s=1234.5,
        failures=3,
        first_poll_done=True,
        last_poll_at=NOW,
        last_ok_at=NOW,
        last_new_at=NOW,
        last_full_at=NOW,
        last_status=200,
        last_outcome="new",
        last_error="e",
        last_remedy="r",
        reason="because",
        retry_after_until=NOW,
        gone_at=NOW,
        adopted_url="https://b.example/",
        redirect_target="https://c.example/",
        redirect_first_seen=NOW,
        redirect_count=2,
        distrusted_at=NOW,
        rhythm="{}",
        title="T",
        site_url="https://a.example/",
    )
    default = SourceState()
    same = [each.name for each in structs.fields(state) if getattr(state, each.name) == getattr(default, each.name)]
    assert same == ["next_poll_at"]  # which comes from the result; a new field belongs into this test
    with desk.write() as tx:
        tx.sources.finish([result(mine, state=state, next_poll_at=later(days=1))])
    with desk.read() as tx:
        assert tx.sources.by_key(mine.source.key)[1] == structs.replace(state, next_poll_at=later(days=1))


def test_released_sources_are_due_when_they_were(desk):
    claims = claim(desk)
    with desk.write() as tx:
        tx.sources.release(claims[:1])
    assert keys(claim(desk)) == keys(claims[:1])
    with desk.write() as tx:
        tx.sources.release(claims[:1])  # that claim ended; the new one stands
    assert claim(desk) == []


def test_an_extended_lease_holds_longer(desk):
    claims = claim(desk)
    with desk.write() as tx:
        tx.sources.extend(claims[:1], later(seconds=3 * LEASE))
    assert set(keys(claim(desk, later(seconds=2 * LEASE)))) == set(keys(claims[1:]))
    with desk.write() as tx:
        assert tx.sources.finish([result(each) for each in claims]) == {claims[0].source.id}


def test_named_sources_are_taken_though_not_due_but_not_from_others(desk):
    mine = claim(desk, limit=1)
    with desk.write() as tx:
        tx.sources.finish([result(mine[0])])
    out = claim(desk, limit=1)
    with desk.write() as tx:
        got = tx.sources.claim_named([mine[0].source.key, out[0].source.key, "nobody"], NOW, LEASE)
        rest = tx.sources.claim_named(None, NOW, LEASE)
    assert keys(got) == keys(mine)
    assert set(keys(mine + out + rest)) == {"a", "b", "c"}
    assert len(rest) == 1


def test_only_the_wanted_kinds_are_handed_out(desk):
    with desk.write() as tx:
        tx.sources.sync([source("a"), source("docs", kind="files", target="x/*.txt")], "full", NOW)
    with desk.read() as tx:
        assert [one.key for one in tx.sources.all(["files"])] == ["docs"]
    assert keys(claim(desk, kinds=["files"])) == ["docs"]


def test_the_databases_clock_can_decide(desk):
    with desk.write() as tx:
        assert len(tx.sources.claim_due(None, LEASE, 10)) == 3  # due since NOW, which has passed
        assert tx.sources.claim_due(None, LEASE, 10) == []


def test_next_due_at_tells_when_to_look_again(desk):
    with desk.read() as tx:
        assert tx.sources.next_due_at() == NOW
        assert tx.sources.claimed(NOW) == 0
    claim(desk)
    with desk.read() as tx:
        assert tx.sources.next_due_at() == later(seconds=LEASE)
        assert tx.sources.claimed(NOW) == 3


def test_the_history_is_a_ring(desk):
    [mine] = claim(desk, limit=1)
    for number in range(POLLS_KEPT + 5):
        at = later(minutes=number)
        with desk.write() as tx:
            [mine] = tx.sources.claim_named([mine.source.key], at, LEASE) if number else [mine]
            tx.sources.finish([result(mine, at, new=number, error="e", reason="r")])
    with desk.read() as tx:
        polls = tx.sources.polls(mine.source.id, 1000)
        assert len(tx.sources.polls(mine.source.id, 3)) == 3
    assert [poll.new for poll in polls] == list(range(POLLS_KEPT + 4, 4, -1))
    assert polls[0].error == "e"


# --------------------------------------------------------------------------- claims, whatever happens


moves = st.lists(
    st.one_of(
        st.tuples(st.just("claim"), st.integers(1, 4)),
        st.tuples(st.just("finish"), st.integers(0, 30)),
        st.tuples(st.just("release"), st.integers(0, 30)),
        st.tuples(st.just("wait"), st.sampled_from([1, 59, 60, 61, 3600])),
    ),
    max_size=25,
)


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(moves=moves)
def test_no_source_is_out_twice_and_only_the_standing_claim_writes(store, moves):
    names = [uuid.uuid4().hex for _ in range(4)]
    with store.write() as tx:
        tx.sources.sync([source(name) for name in names], "full", NOW)
    now, standing, given_out = NOW, {}, []
    for move, number in moves:
        if move == "wait":
            now += timedelta(seconds=number)
        elif move == "claim":
            for each in claim(store, now, number):
                old = standing.get(each.source.key)
                assert old is None or old[1] <= now, "handed out while a lease stood"
                standing[each.source.key] = (each.claim_id, now + timedelta(seconds=LEASE))
                given_out.append(each)
        elif given_out:
            each = given_out[number % len(given_out)]
            stands = standing.get(each.source.key, (None,))[0] == each.claim_id
            with store.write() as tx:
                if move == "finish":
                    assert tx.sources.finish([result(each, now)]) == ({each.source.id} if stands else set())
                else:
                    tx.sources.release([each])
            if stands:
                del standing[each.source.key]


def test_many_workers_at_once_never_get_the_same_source(url):
    with open_store(url) as store, store.write() as tx:
        tx.sources.sync([source(f"s{number}") for number in range(120)], "full", NOW)
    taken, failures, start = [], [], threading.Barrier(4)

    def work():
        try:
            with open_store(url) as own:
                start.wait()
                while got := claim(own, limit=7):
                    taken.extend(keys(got))
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert sorted(taken) == sorted(f"s{number}" for number in range(120))


# --------------------------------------------------------------------------- config taken over


def sync(store, *sources, desk="full", now=NOW, **more):
    with store.write() as tx:
        return tx.sources.sync(sources, desk, now, **more)


def test_taking_over_the_same_config_again_changes_nothing(desk):
    report = sync(desk, source("a"), source("b"), source("c"), now=later(days=1))
    assert (report.added, report.changed, report.returned, report.removed) == ((), (), (), ())


def test_headers_are_not_stored(store):
    secret = source("a", headers=(("Authorization", "Bearer hunter2"),))
    sync(store, secret)
    [mine] = claim(store)
    assert mine.source.headers == ()
    if store.file is not None:
        assert b"hunter2" not in store.file.read_bytes() + store.file.with_name("desk.db-wal").read_bytes()


def test_a_changed_url_keeps_history_and_is_asked_at_once(desk):
    [mine] = claim(desk, limit=1)
    state = SourceState(
        validators=Validators(etag="x"),
        validators_url=mine.source.target,
        gone_at=NOW,
        failures=4,
        first_poll_done=True,
    )
    with desk.write() as tx:
        tx.sources.finish([result(mine, state=state)])
    key = mine.source.key
    report = sync(
        desk, *(source(each, **({"target": "https://new.example/"} if each == key else {})) for each in "abc")
    )
    assert report.changed == (key,)
    with desk.read() as tx:
        moved, kept = tx.sources.by_key(key)
        assert len(tx.sources.polls(moved.id, 5)) == 1
    assert moved.id == mine.source.id
    assert (kept.validators_url, kept.first_poll_done) == (mine.source.target, True)
    assert (kept.gone_at, kept.failures, kept.next_poll_at) == (None, 0, NOW)


def test_a_poll_of_the_old_url_may_not_write_the_new_urls_state(desk):
    claims = claim(desk)
    sync(desk, source("a", target="https://new.example/"), source("b"), source("c"))
    with desk.write() as tx:
        done = tx.sources.finish([result(each) for each in claims])
    assert done == {each.source.id for each in claims if each.source.key != "a"}


def test_a_missing_source_rests_and_comes_back_as_itself(desk):
    assert sync(desk, source("a")).removed == ("b", "c")
    with desk.read() as tx:
        assert tx.sources.by_key("b") is None
        assert [each.key for each, _ in tx.sources.all_states()] == ["a"]
    assert keys(claim(desk)) == ["a"]
    assert sync(desk, source("a"), source("b")).returned == ("b",)
    assert keys(claim(desk)) == ["b"]


def test_the_same_address_under_another_name_is_a_rename(desk):
    [mine] = claim(desk, limit=1)
    with desk.write() as tx:
        tx.sources.finish([result(mine, state=SourceState(validators=Validators(etag="x"), first_poll_done=True))])
        tx.events.add("silent", mine.source.key, text="quiet", now=NOW)
        tx.events.add("document", f"{mine.source.key}:file:x.txt", text="unreadable", now=NOW)
    save(desk, [new("n", mine.source.id)], "news")
    others = [source(each) for each in "abc" if each != mine.source.key]
    renamed = source("r", name="Renamed", target=mine.source.target)
    report = sync(desk, renamed, *others, now=later(hours=1))
    assert (report.added, report.changed, report.removed) == ((), ("r",), ())
    with desk.read() as tx:
        kept, state = tx.sources.by_key("r")
        assert (kept.id, state.validators.etag) == (mine.source.id, "x")
        assert len(tx.sources.polls(kept.id, 5)) == 1
        assert tx.articles.get(uid_of("n")).source_name == "Renamed"
        assert tx.events.open() == []
    # Taken out and brought back under a third name, it is the same still.
    sync(desk, *others)
    assert sync(desk, source("t", target=mine.source.target), *others).returned == ("t",)
    with desk.read() as tx:
        assert tx.sources.by_key("t")[0].id == mine.source.id


def test_a_name_that_goes_on_elsewhere_is_no_rename(desk):
    # a is at a new address, and another source at a's old one: that one is new.
    report = sync(desk, source("a", target="https://new.example/"), source("d", target="https://a.example/feed"))
    assert (report.added, report.changed, report.removed) == (("d",), ("a",), ("b", "c"))


def test_a_source_that_is_not_enabled_rests(desk):
    sync(desk, source("a", enabled=False), source("b"), source("c"))
    assert set(keys(claim(desk))) == {"b", "c"}
    with desk.write() as tx:
        assert tx.sources.claim_named(["a"], NOW, LEASE) == []


def test_a_shorter_interval_counts_from_the_last_poll(desk):
    [mine] = claim(desk, limit=1)
    with desk.write() as tx:
        done = result(mine, state=SourceState(last_poll_at=NOW), next_poll_at=later(days=1))
        tx.sources.finish([done])
    key = mine.source.key
    sync(desk, *(source(each, interval_s=600 if each == key else None) for each in "abc"))
    with desk.read() as tx:
        assert tx.sources.by_key(key)[1].next_poll_at == later(seconds=600)


def test_first_polls_can_be_spread(store):
    sync(store, *(source(f"s{number}") for number in range(50)), first_poll_spread_s=100)
    with store.read() as tx:
        dues = {state.next_poll_at for _, state in tx.sources.all_states()}
    assert len(dues) > 40
    assert min(dues) >= NOW
    assert max(dues) < later(seconds=100)


@pytest.mark.parametrize("change", [{"name": "Other"}, {"full_text": "link"}])
def test_a_change_that_readers_see_renders_again(desk, change):
    save(desk, [new("x")], "news")
    with desk.write() as tx:
        before = tx.articles.get(new("x").article_uid)
        states = [stale.state for stale in tx.sections.changed()]
        tx.documents.replace([Replacement(path=each.path, sequence=each.sequence) for each in states])
        assert tx.sections.changed() == []
    sync(desk, source("a", **change), source("b"), source("c"))
    with desk.read() as tx:
        after = tx.articles.get(new("x").article_uid)
        assert "news" in {stale.state.path for stale in tx.sections.changed()}
    assert after.revision > before.revision
    assert (after.source_name, after.content) != (before.source_name, before.content)


def test_the_desks_full_text_holds_where_a_source_has_none(desk):
    save(desk, [new("x")], "news")
    sync(desk, source("a"), source("b"), source("c"), desk="link")
    with desk.read() as tx:
        assert tx.articles.get(new("x").article_uid).content == ""


def test_another_url_ends_what_was_told_of_the_old_one(desk):
    sync(desk, source("a"))
    with desk.write() as tx:
        for kind in ("moved", "gone", "config"):
            tx.events.add(kind, "a", text="t", now=NOW)
    sync(desk, source("a", target="https://elsewhere.example/feed"))
    with desk.read() as tx:
        assert [event.kind for event in tx.events.open()] == ["config"]


def test_sources_of_a_host_are_held_and_never_brought_forward(desk):
    sync(desk, source("a", target="https://h.example/a"), source("b", target="https://h.example/b"))
    with desk.write() as tx:
        found = tx.sources.addresses("h.example")
        assert sorted(found.values()) == ["https://h.example/a", "https://h.example/b"]
        first, second = sorted(found)
        tx.sources.hold({first: later(hours=2), second: later(hours=3)})
        tx.sources.hold({second: later(hours=1)})
    with desk.read() as tx:
        due = [tx.sources.by_id(id_)[1].next_poll_at for id_ in (first, second)]
    assert due == [later(hours=2), later(hours=3)]
