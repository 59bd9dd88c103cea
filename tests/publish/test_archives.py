"""Archive pages (RFC 5005): walking back yields everything, and a page stays what it is."""

from __future__ import annotations

import json
import random
from datetime import timedelta
from urllib.parse import urlsplit
from xml.etree import ElementTree

import pytest
from msgspec.structs import replace

from feeds.configuration import UNFILED, Section
from feeds.model import FORMATS
from tests.publish.desk import NOW, TREE, WORLD, Desk, uid_of
from tests.serve.wsgi import Got
from tests.validator import errors

ATOM = "{http://www.w3.org/2005/Atom}"
HISTORY = "{http://purl.org/syndication/history/1.0}"
TOMBSTONE = "{http://purl.org/atompub/tombstones/1.0}"


def links(body: bytes) -> dict[str, str]:
    """The links of an Atom feed, as paths."""
    root = ElementTree.fromstring(body)
    return {link.get("rel", ""): urlsplit(link.get("href", "")).path for link in root.findall(f"{ATOM}link")}


def ids(body: bytes) -> list[str]:
    return [str(id.text) for id in ElementTree.fromstring(body).findall(f"{ATOM}entry/{ATOM}id")]


def walk(desk: Desk, path: str = f"/{WORLD}.atom") -> dict[str, Got]:
    """Every document from the section's back to its first page, by path."""
    seen: dict[str, Got] = {}
    while path:
        assert path not in seen, "the pages go in a circle"
        seen[path] = desk.get(path)
        assert seen[path].status == 200, seen[path]
        path = links(seen[path].body).get("prev-archive", "")
    return seen


def everything(pages: dict[str, Got]) -> set[str]:
    return {uid for got in pages.values() for uid in ids(got.body)}


@pytest.mark.parametrize("many", [1, 50, 51, 99, 100, 101, 150, 199, 200, 201, 251, 350])
def test_walking_back_yields_every_article_whatever_their_number(desk: Desk, many: int) -> None:
    desk.bring(range(many))
    desk.render(most_archived=None)
    pages = walk(desk)
    assert everything(pages) == {uid_of(number) for number in range(many)}
    assert ("prev-archive" in links(next(iter(pages.values())).body)) == (many > 50)


def test_documents_keep_to_their_bytes_and_the_archive_begins_with_what_has_no_room(desk: Desk) -> None:
    most = 100_000
    desk.accept(TREE, publish=replace(desk.settings.publish, full_text="full", max_bytes=most, max_entry_bytes=30_000))
    desk.bring(range(40), content="<p>" + "The tide came in. " * 200 + "</p>")
    desk.bring([40], content="<p>" + "It went out again, and then it stayed away. " * 2000 + "</p>")
    desk.render(most_archived=None)
    got = {format: desk.get(f"/{WORLD}.{format}").body for format in FORMATS}
    assert all(most / 2 < len(body) <= most for body in got.values())
    listed = ids(got["atom"])
    assert listed == [each["id"] for each in json.loads(got["json"])["items"]] and listed[0] == uid_of(40)
    assert 2 < len(listed) == got["rss"].count(b"<item>") < 41
    long = json.loads(got["json"])["items"][0]["content_html"]
    assert long.endswith("stayed away. …</p>") and 10_000 < len(long) < 30_000
    assert everything(walk(desk)) == {uid_of(number) for number in range(41)}
    assert len(desk.get(f"/{WORLD}.json", query="limit=41").body) <= most

    etag = desk.get(f"/{WORLD}.atom").headers["etag"]
    desk.bring([41])
    desk.render(most_archived=None)
    delta = desk.get(f"/{WORLD}.atom", a_im="feed", if_none_match=etag)
    assert delta.status == 226 and ids(delta.body) == [uid_of(41)]
    assert len(desk.get(f"/{WORLD}.atom").body) <= most


def test_articles_that_come_late_with_an_old_date_are_found_too(desk: Desk) -> None:
    numbers = list(range(330))
    random.Random(4).shuffle(numbers)
    for start in range(0, 330, 33):
        desk.bring(numbers[start : start + 33])
        desk.render(most_archived=None)
        assert everything(walk(desk)) == {uid_of(number) for number in numbers[: start + 33]}


def test_a_thousand_articles_are_all_there_and_pages_are_few(desk: Desk) -> None:
    for start in range(0, 1000, 250):
        desk.bring(range(start, start + 250))
    desk.render(most_archived=None)
    pages = walk(desk)
    assert everything(pages) == {uid_of(number) for number in range(1000)}
    assert len(pages) <= 12


@pytest.mark.parametrize("format", FORMATS)
def test_pages_validate_in_every_format(desk: Desk, format: str) -> None:
    desk.bring(range(230))
    desk.retract(7)
    desk.render(most_archived=None)
    for page in (100, 179, 200):
        got = desk.get(f"/{WORLD}/archive/{page}.{format}")
        assert got.status == 200
        assert errors(got.body, format) == []  # type: ignore[arg-type]
    if format == "json":
        assert json.loads(got.body)["next_url"] == f"https://wire.example.org/{WORLD}/archive/100.json"


def test_pages_do_not_change_when_others_are_filed(desk: Desk) -> None:
    seen: dict[str, bytes] = {}
    for start in range(0, 420, 35):
        desk.bring(range(start, start + 35))
        desk.render(most_archived=None)
        for path, got in list(walk(desk).items())[1:]:
            assert seen.setdefault(path, got.body) == got.body
    for path, body in seen.items():
        assert desk.get(path).body == body
    assert len(seen) == 8


def test_a_page_says_what_it_is_and_where_the_others_are(desk: Desk) -> None:
    desk.bring(range(260))
    desk.render(most_archived=None)
    current = desk.get(f"/{WORLD}.atom")
    assert links(current.body)["prev-archive"] == f"/{WORLD}/archive/210.atom"
    open_page = desk.get(f"/{WORLD}/archive/210.atom")
    assert links(open_page.body)["prev-archive"] == f"/{WORLD}/archive/200.atom"
    page = desk.get(f"/{WORLD}/archive/200.atom")
    root = ElementTree.fromstring(page.body)
    assert root.find(f"{HISTORY}archive") is not None
    assert ElementTree.fromstring(current.body).find(f"{HISTORY}archive") is None
    assert root.findtext(f"{ATOM}id") == ElementTree.fromstring(current.body).findtext(f"{ATOM}id")
    found = links(page.body)
    assert (found["self"], found["current"]) == (f"/{WORLD}/archive/200.atom", f"/{WORLD}.atom")
    assert (found["prev-archive"], found["next-archive"]) == (
        f"/{WORLD}/archive/100.atom",
        f"/{WORLD}/archive/300.atom",
    )
    assert ids(page.body) == [uid_of(number) for number in range(199, 99, -1)]
    assert "prev-archive" not in links(desk.get(f"/{WORLD}/archive/100.atom").body)
    assert "max-age=86400" in page.headers["cache-control"] and "immutable" not in page.headers["cache-control"]
    assert desk.get(f"/{WORLD}/archive/200.atom", if_none_match=page.headers["etag"]).status == 304
    coded = desk.get(f"/{WORLD}/archive/200.atom", accept_encoding="gzip")
    assert coded.headers["content-encoding"] == "gzip" and coded.headers["etag"] != page.headers["etag"]


def test_the_page_after_the_newest_leads_to_the_document_until_it_is_there(desk: Desk) -> None:
    desk.bring(range(250))
    desk.render(most_archived=None)
    ahead = desk.get(f"/{WORLD}/archive/300.atom")
    assert (ahead.status, ahead.headers["location"]) == (307, f"https://wire.example.org/{WORLD}.atom")
    assert desk.get(f"/{WORLD}/archive/400.atom").status == 404
    assert desk.get(f"/{WORLD}/archive/251.atom").status == 404
    desk.bring(range(250, 300))
    desk.render(most_archived=None)
    assert desk.get(f"/{WORLD}/archive/300.atom").status == 200


def test_a_retracted_article_leaves_its_page_at_once_and_a_tombstone_in_it(desk: Desk) -> None:
    desk.bring(range(300))
    desk.render(most_archived=None)
    path = f"/{WORLD}/archive/100.atom"
    before, other = desk.get(path), desk.get(f"/{WORLD}/archive/200.atom")
    desk.retract(42)
    after = desk.get(path)
    assert uid_of(42) in ids(before.body) and uid_of(42) not in ids(after.body)
    assert after.headers["etag"] != before.headers["etag"]
    gone = ElementTree.fromstring(after.body).findall(f"{TOMBSTONE}deleted-entry")
    assert [one.get("ref") for one in gone] == [uid_of(42)]
    assert desk.get(f"/{WORLD}/archive/200.atom").body == other.body
    with desk.store.write() as tx:
        tx.articles.unretract(uid_of(42), desk.now)
    assert desk.get(path).status == 503  # its fragment has to be made again
    desk.render()
    assert desk.get(path).body == before.body


def test_a_correction_reaches_the_page_and_no_other(desk: Desk) -> None:
    desk.bring(range(300))
    desk.render(most_archived=None)
    path = f"/{WORLD}/archive/100.atom"
    before, other = desk.get(path), desk.get(f"/{WORLD}/archive/200.atom")
    desk.bring([42], kind="updated", significant=False, title="Ebb")
    desk.render()
    after = desk.get(path, if_none_match=before.headers["etag"])
    assert after.status == 200
    assert b"Ebb 42" in after.body and ids(after.body) == ids(before.body)
    assert desk.get(f"/{WORLD}/archive/200.atom", if_none_match=other.headers["etag"]).status == 304


def test_retention_takes_pages_from_the_far_end(desk: Desk) -> None:
    desk.bring(range(250))
    desk.pass_time(days=10)
    desk.bring(range(250, 350))
    desk.render(most_archived=None)
    while True:
        with desk.store.write() as tx:
            if not tx.retention.sweep(desk.now, keep_days=5, keep_articles=0):
                break
    desk.render(most_archived=None)
    assert everything(walk(desk)) == {uid_of(number) for number in range(250, 350)}


def test_the_whole_desk_and_what_is_unfiled_have_pages_too(desk: Desk) -> None:
    desk.bring(range(120), paths=[])
    desk.bring(range(200, 320))
    desk.render(most_archived=None)
    assert everything(walk(desk, f"/{UNFILED}.atom")) == {uid_of(number) for number in range(120)}
    assert everything(walk(desk, "/index.atom")) == {uid_of(number) for number in [*range(120), *range(200, 320)]}
    assert desk.get("/archive/100.json").status == 200


def test_addresses_of_pages_are_mended_and_move_with_their_section(desk: Desk) -> None:
    desk.bring(range(120))
    desk.render(most_archived=None)
    right = f"https://wire.example.org/{WORLD}/archive/100.atom"
    for wrong in ("/News/World/archive/100.atom", f"/{WORLD}/archive/100.atom/", f"/{WORLD}/archive/0100.atom"):
        assert desk.get(wrong).headers["location"] == right
    for nothing in ("0", "-1", "x", "9" * 30, "1e3", "\xd9\xa3"):
        assert desk.get(f"/{WORLD}/archive/{nothing}.atom").status == 404
    page = desk.get(f"/{WORLD}/archive/100.atom")
    desk.accept((TREE[0], Section(path="abroad", title="World", moved_from=(WORLD,))))
    desk.render(most_archived=None)
    for format in FORMATS:
        moved = desk.get(f"/{WORLD}/archive/100.{format}")
        assert moved.status == 301
        assert moved.headers["location"] == f"https://wire.example.org/abroad/archive/100.{format}"
    assert ids(desk.get("/abroad/archive/100.atom").body) == ids(page.body)
    desk.accept(TREE[:1])
    assert desk.get("/abroad/archive/100.atom").status == 410


def test_pages_wait_for_fragments_that_are_not_made_yet_and_never_leave_articles_out(desk: Desk) -> None:
    desk.bring(range(300), at=NOW - timedelta(days=2))
    desk.render(most_archived=20)
    waiting = desk.get(f"/{WORLD}/archive/100.atom")
    assert (waiting.status, waiting.headers["retry-after"]) == (503, "5")
    while desk.render(most_archived=100).archived:
        pass
    assert len(ids(desk.get(f"/{WORLD}/archive/100.atom").body)) == 100


def test_another_base_url_reaches_old_pages_and_no_id_changes(desk: Desk) -> None:
    desk.bring(range(160), link=None, comparable=None)
    desk.render(most_archived=None)
    before = desk.get(f"/{WORLD}/archive/100.atom")
    desk.accept(TREE, base_url="https://other.example.org")
    desk.render(most_archived=None)
    after = desk.get(f"/{WORLD}/archive/100.atom")
    assert b"wire.example.org" in before.body and b"wire.example.org" not in after.body
    assert ids(after.body) == ids(before.body)


def test_a_sections_own_limit_bounds_its_document_alone(desk: Desk) -> None:
    desk.bring(range(6))
    desk.accept((TREE[0], Section(path=WORLD, title="World", limit=2)))
    desk.render()
    assert desk.listed() == [5, 4]
    assert len(desk.listed("")) == 6
    assert [id for got in walk(desk).values() for id in ids(got.body)][:6] == [
        uid_of(each) for each in (5, 4, 3, 2, 1, 0)
    ]
    desk.accept(TREE)
    desk.render()
    assert desk.listed() == [5, 4, 3, 2, 1, 0]
