"""The publish gate: what is wrong stays out, the last good document stays, and no desk stands still for good."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import timedelta
from xml.etree import ElementTree

import pytest

from feeds import render
from feeds.errors import RenderError
from feeds.model import FORMATS, Format, Frame
from feeds.publish import flow
from feeds.publish.choosing import HOLD_S, objections
from feeds.render import SectionContext
from feeds.store.values import Standing
from tests.publish.desk import NOW, WORLD, Desk, uid_of
from tests.validator import check

TOMBSTONE = "{http://purl.org/atompub/tombstones/1.0}deleted-entry"


def fill(desk: Desk) -> None:
    """Fifty articles of the day before, published an hour ago."""
    desk.bring(range(50), at=NOW - timedelta(days=1))
    desk.render()
    desk.pass_time(hours=1)


def open_events(desk: Desk) -> list[tuple[str, str]]:
    with desk.store.read() as tx:
        return [(event.kind, event.subject) for event in tx.events.open()]


# ------------------------------------------------------------------ floods


def test_a_source_that_suddenly_renews_everything_is_held_and_told_then_let_go(desk: Desk) -> None:
    fill(desk)
    before = desk.get(f"/{WORLD}.atom")
    desk.bring(range(100, 148), published=None)
    done = desk.render()
    assert WORLD in done.held and WORLD not in done.sections
    assert desk.get(f"/{WORLD}.atom").body == before.body
    assert ("gate", WORLD) in open_events(desk)
    desk.pass_time(seconds=HOLD_S - 1)
    assert WORLD in desk.render().held
    assert desk.get(f"/{WORLD}.atom", if_none_match=before.headers["etag"]).status == 304
    desk.pass_time(seconds=1)
    assert WORLD in desk.render().sections
    assert set(range(100, 148)) <= set(desk.listed())
    assert open_events(desk) == []
    assert desk.render().held == []


def test_what_is_held_is_in_no_narrowed_feed_and_on_no_page_either(desk: Desk) -> None:
    desk.bring(range(300, 490), at=NOW - timedelta(days=1), story=1)
    desk.render(most_archived=None)
    desk.pass_time(hours=1)
    asked = ("limit=60", "lang=en", "source=harbour%20post", "by=story")
    before = [desk.get(f"/{WORLD}.json", query=query).body for query in asked]
    page = desk.get(f"/{WORLD}/archive/100.json").body
    desk.bring(range(100, 148), published=None)
    assert WORLD in desk.render(most_archived=None).held
    assert [desk.get(f"/{WORLD}.json", query=query).body for query in asked] == before
    assert desk.get(f"/{WORLD}/archive/100.json").body == page
    for number in (200, 238):
        assert desk.get(f"/{WORLD}/archive/{number}.json").status in (307, 404)
    desk.pass_time(seconds=HOLD_S)
    desk.render()
    assert set(range(100, 148)) <= set(desk.listed(query="limit=60"))


def test_a_flood_that_goes_away_by_itself_was_never_published(desk: Desk) -> None:
    fill(desk)
    desk.bring(range(100, 148), published=None)
    desk.render()
    for number in range(100, 148):
        desk.retract(number)
    desk.pass_time(minutes=1)
    assert desk.render().held == []
    assert set(desk.listed()) == set(range(50))
    assert open_events(desk) == []


def test_what_is_retracted_leaves_a_held_section_at_once(desk: Desk) -> None:
    fill(desk)
    before = desk.get(f"/{WORLD}.atom").headers["etag"]
    desk.bring(range(100, 148), published=None)
    desk.render()
    desk.retract(7)
    desk.pass_time(seconds=1)
    desk.render()
    assert set(desk.listed()) == set(range(50)) - {7}
    assert uid_of(7) in [
        each.get("ref") for each in ElementTree.fromstring(desk.get(f"/{WORLD}.atom").body).iter(TOMBSTONE)
    ]
    desk.pass_time(seconds=HOLD_S)
    desk.render()
    # Whoever saw the held document is told all that came meanwhile.
    told = desk.get(f"/{WORLD}.atom", a_im="feed", if_none_match=before)
    assert all(uid_of(number).encode() in told.body for number in range(100, 148))


@pytest.mark.parametrize(
    "arrival",
    [
        pytest.param({"at": NOW + timedelta(hours=1)}, id="what states when it was published"),
        pytest.param({"paths": (WORLD,), "numbers": range(100, 135)}, id="a smaller share"),
    ],
)
def test_news_is_no_flood(desk: Desk, arrival: dict[str, object]) -> None:
    fill(desk)
    numbers = arrival.pop("numbers", range(100, 160))
    if "at" not in arrival:
        arrival["published"] = None
    desk.bring(numbers, **arrival)  # type: ignore[arg-type]
    assert desk.render().held == []
    assert set(desk.listed()) >= set(list(numbers)[-35:])  # type: ignore[call-overload]


def test_many_sources_at_once_are_a_busy_hour_and_no_flood(desk: Desk) -> None:
    fill(desk)
    desk.bring(range(100, 125), published=None)
    desk.bring(range(125, 150), published=None, source=2)
    assert desk.render().held == []


def test_a_section_that_was_not_full_takes_a_first_import(desk: Desk) -> None:
    desk.bring(range(5))
    desk.render()
    desk.bring(range(100, 150), published=None)
    assert desk.render().held == []


# ------------------------------------------------------------------ ids and losses


def standing(number: int, **more: object) -> Standing:
    given = {"article_id": number, "uid": uid_of(number), "rank_at": NOW, "filed_at": NOW, "source_id": 1}
    given |= {"link": f"a.example/{number}", "revision": 0, "rendered": True}
    return Standing(**(given | more))  # type: ignore[arg-type]


def test_an_id_that_changed_and_an_article_lost_without_reason_are_objected_to() -> None:
    here = {uid_of(number): standing(number) for number in (1, 2, 3)}
    here[uid_of(9)] = standing(9, link="a.example/1")
    told = objections([uid_of(1), uid_of(2)], [uid_of(9), uid_of(2)], here, limit=50)
    changed, lost = told
    assert "an article keeps its id" in changed and "no longer listed" in lost
    told = objections([uid_of(1), uid_of(2)], [uid_of(2), uid_of(3)], here, limit=50)
    assert [text.partition(" and")[0] for text in told] == [f"{uid_of(1)}: is no longer listed"]
    del here[uid_of(1)]
    assert objections([uid_of(1), uid_of(2)], [uid_of(2), uid_of(3)], here, limit=50) == ()


def ranked(numbers: Iterable[int], **more: object) -> dict[str, Standing]:
    """Standings by uid: article 9 ranks above article 1."""
    return {uid_of(n): standing(n, rank_at=NOW + timedelta(minutes=n), **more) for n in numbers}


@pytest.mark.parametrize(
    ("old", "new", "gone", "lost"),
    [
        pytest.param([3, 2, 1], [4, 3, 2], [], [], id="newer ones push older ones out"),
        pytest.param([3, 2, 1], [3, 1], [], [2], id="there was room"),
        pytest.param([3, 2, 1], [4, 3, 1], [], [2], id="an older one stays"),
        pytest.param([3, 2, 1], [3, 1], [2], [], id="gone for a reason"),
    ],
)
def test_an_article_vanishes_for_a_reason_or_for_newer_ones(
    old: list[int], new: list[int], gone: list[int], lost: list[int]
) -> None:
    here = ranked({*old, *new} - {*gone})
    found = objections([*map(uid_of, old)], [*map(uid_of, new)], here, limit=3)
    assert found == tuple(
        f"{uid_of(number)}: is no longer listed and was not pushed out; name the reason (retraction, re-filing,"
        " retention) or file it again"
        for number in lost
    )


def test_a_flood_is_a_full_document_that_is_suddenly_of_one_source() -> None:
    old, new = [*map(uid_of, range(30))], [*map(uid_of, range(100, 130))]
    sudden = ranked(range(30)) | ranked(range(100, 130), filed_at=NOW + timedelta(minutes=131))
    assert objections(old, new, sudden, limit=30) == ()
    sudden = ranked(range(30)) | {uid_of(n): standing(n, rank_at=NOW + timedelta(hours=1)) for n in range(100, 130)}
    assert ["suddenly new" in one for one in objections(old, new, sudden, limit=30)] == [True]
    assert objections([], new, sudden, limit=30) == ()
    assert objections(old[:2], new[:2], sudden, limit=2) == ()


def test_a_lower_limit_and_an_earlier_end_lose_nothing(desk: Desk) -> None:
    fill(desk)
    desk.accept(desk.tree, publish=type(desk.settings.publish)(entries=10))
    assert desk.render().held == []
    assert len(desk.listed()) == 10


# ------------------------------------------------------------------ what does not check


def broken_for(monkeypatch: pytest.MonkeyPatch, number: int, body: bytes | None) -> None:
    """Have the fragments of one article come out wrong; None: not at all."""
    real = render.render_fragments

    def render_fragments(articles, format, *, desk):  # type: ignore[no-untyped-def]
        if body is None and any(article.uid == uid_of(number) for article in articles):
            raise ValueError("feedgen does not like this")
        made = real(articles, format, desk=desk)
        return [body or one if of.uid == uid_of(number) else one for of, one in zip(articles, made, strict=True)]

    monkeypatch.setattr(render, "render_fragments", render_fragments)


def test_an_article_that_breaks_its_document_is_set_aside_and_told_until_it_changes(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.bring(range(5))
    with monkeypatch.context() as patched:
        broken_for(patched, 3, None)
        assert desk.render().set_aside == [uid_of(3)]
        assert desk.listed() == [4, 2, 1, 0]
        assert ("set-aside", uid_of(3)) in open_events(desk)
        with desk.store.read() as tx:
            assert "feedgen does not like this" in tx.documents.why_aside(uid_of(3))
        desk.pass_time(seconds=1)
        assert desk.render().set_aside == []
        assert desk.render().sections == []
    desk.bring([3], kind="updated", title="Ebb")
    desk.render()
    assert 3 in desk.listed()
    with desk.store.read() as tx:
        assert tx.documents.why_aside(uid_of(3)) == ""
    assert ("set-aside", uid_of(3)) not in open_events(desk)


def test_an_article_in_no_document_is_checked_before_archives_show_it(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.bring(range(130))
    with monkeypatch.context() as patched:
        broken_for(patched, 10, b"<item><guid isPermaLink='false'>broken")
        done = desk.render(most_archived=None)
    assert done.set_aside == [uid_of(10)]
    page = desk.get(f"/{WORLD}/archive/100.atom")
    assert page.status == 200 and uid_of(10).encode() not in page.body and uid_of(11).encode() in page.body


@pytest.mark.parametrize("body", [b"<item><guid>", b'{"id": 7}', b"\xff\xfe", b"</channel>", b"<entry/>", b","])
def test_one_article_that_breaks_the_whole_document_is_found_and_the_others_are_published(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, body: bytes
) -> None:
    desk.bring(range(5))
    desk.render()
    desk.bring([7, 8, 9])
    with monkeypatch.context() as patched:
        broken_for(patched, 8, body)
        desk.render()
        desk.render()
    assert desk.listed() == [9, 7, 4, 3, 2, 1, 0]


def test_a_document_that_fails_as_a_whole_keeps_the_last_good_one(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(desk)
    before = desk.get(f"/{WORLD}.rss")
    desk.bring([80])
    with monkeypatch.context() as patched:

        def refuse(context: SectionContext, format: Format) -> Frame:
            raise RenderError("something is wrong; nobody knows whose")

        patched.setattr(render, "render_frame", refuse)
        assert set(desk.render().held) == {WORLD, ""}
        assert desk.get(f"/{WORLD}.rss").body == before.body
        assert ("held", WORLD) in open_events(desk)
        # But for what was retracted: that is cut out of it.
        desk.retract(7)
        assert set(desk.render().held) == {WORLD, ""}
    for format in FORMATS:
        body = desk.get(f"/{WORLD}.{format}").body
        assert check(body, format) == () and b"wind 7." not in body and b"wind 8." in body
    assert len(desk.listed()) == 49
    desk.bring([81])
    assert desk.render().held == []
    assert ("held", WORLD) not in open_events(desk)
    assert 81 in desk.listed()


# ------------------------------------------------------------------ tombstones, what edits move


def test_tombstones_stay_for_fifty_newer_ones_and_change_with_nothing_but_the_section(desk: Desk) -> None:
    desk.bring(range(70))
    desk.render()
    for number in range(60):
        desk.pass_time(seconds=1)
        desk.retract(number)
    desk.render()
    first = desk.get(f"/{WORLD}.atom").body
    told = [each.get("ref") for each in ElementTree.fromstring(first).iter(TOMBSTONE)]
    assert told == [uid_of(number) for number in range(59, 9, -1)]
    desk.pass_time(days=400)
    with desk.store.write() as tx:
        tx.sections.mark_dirty()
    desk.render()
    assert desk.get(f"/{WORLD}.atom").body == first
    with desk.store.write() as tx:
        tx.articles.unretract(uid_of(59), desk.now)
    desk.render()
    body = desk.get(f"/{WORLD}.atom").body
    assert uid_of(59) not in [each.get("ref") for each in ElementTree.fromstring(body).iter(TOMBSTONE)]
    assert 59 in desk.listed()


def test_hubs_are_named_in_every_document(desk: Desk) -> None:
    desk.accept(desk.tree, publish=type(desk.settings.publish)(hubs=("https://hub.example/",)))
    desk.bring([1])
    desk.render()
    for format in ("rss", "atom", "json"):
        got = desk.get(f"/{WORLD}.{format}")
        assert b"https://hub.example/" in got.body and 'rel="hub"' in got.headers["link"]


def test_the_desk_s_picture_and_rights_are_told_in_every_document(desk: Desk) -> None:
    desk.bring([1])
    desk.accept(desk.tree, copyright="© The Wire & friends", image="https://wire.example.org/logo.png")
    desk.render()
    rss = ElementTree.fromstring(desk.get(f"/{WORLD}.rss").body)
    assert rss.findtext("channel/copyright") == "© The Wire & friends"
    assert rss.findtext("channel/image/url") == "https://wire.example.org/logo.png"
    assert rss.findtext("channel/image/link") == rss.findtext("channel/link")
    atom = ElementTree.fromstring(desk.get(f"/{WORLD}.atom").body)
    assert atom.findtext("{http://www.w3.org/2005/Atom}rights") == "© The Wire & friends"
    assert atom.findtext("{http://www.w3.org/2005/Atom}logo") == "https://wire.example.org/logo.png"
    told = json.loads(desk.get(f"/{WORLD}.json").body)
    assert told["icon"] == "https://wire.example.org/logo.png"
    assert told["_wiredesk"]["rights"] == "© The Wire & friends"
    for format in ("rss", "atom", "json"):
        assert check(desk.get(f"/{WORLD}.{format}").body, format) == ()  # type: ignore[arg-type]


def test_an_idle_sweep_writes_nothing(desk: Desk) -> None:
    desk.bring(range(60))
    desk.bring([70], paths=())
    desk.render()
    desk.render()
    before = desk.store.publication()
    with desk.store.read() as tx:
        assert not tx.documents.waiting()
    assert desk.render() == flow.Published()
    assert desk.store.publication() == before
