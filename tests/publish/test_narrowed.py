"""Narrowed feeds: one address each, joined from fragments, with validators like documents."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from urllib.parse import urlsplit
from xml.etree import ElementTree

import pytest

from feeds.model import FORMATS
from feeds.parsed import Image
from feeds.serve.joined import MOST_ENTRIES
from tests.publish.desk import NOW, WORLD, Desk, numbers_in, published, uid_of
from tests.validator import errors

PATH = f"/{WORLD}.json"
ATOM = "{http://www.w3.org/2005/Atom}"


def mix(desk: Desk) -> Desk:
    """Sixty articles: even ones of the harbour in English, odd ones of the sea in Brazilian Portuguese."""
    desk.bring(range(0, 60, 2))
    desk.bring(range(1, 60, 2), source=2, language="pt-BR")
    desk.render(most_archived=None)
    return desk


@pytest.fixture
def mixed(desk: Desk) -> Desk:
    """A desk of these articles to change."""
    return mix(desk)


@pytest.fixture(scope="module")
def asked_only(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """A desk of these articles for all questions that change nothing."""
    with published(tmp_path_factory.mktemp("narrowed")) as desk:
        yield mix(desk)


def test_by_source_by_language_and_by_number(asked_only: Desk) -> None:
    assert asked_only.listed(query="source=harbour%20post") == list(range(58, -1, -2))
    assert asked_only.listed(query="lang=pt") == asked_only.listed(query="lang=pt-br") == list(range(59, 0, -2))
    assert asked_only.listed(query="limit=3") == [59, 58, 57]
    assert asked_only.listed(query="lang=en&limit=2&source=harbour%20post") == [58, 56]
    assert asked_only.listed(query="lang=en&source=sea") == []
    assert asked_only.listed(query="lang=po") == asked_only.listed(query="lang=pt-p") == []
    assert len(asked_only.listed(query="limit=55")) == 55  # more than the document holds


@pytest.mark.parametrize("format", FORMATS)
def test_of_those_with_a_picture_alone(desk: Desk, format: str) -> None:
    desk.bring(range(0, 40))
    picture = Image(url="https://a.example/p.jpg", caption="Tide", credit="Ada Brook")
    desk.bring(range(40, 46), image=picture, language="fr")
    desk.bring([46], image=picture, source=2)
    desk.bring([47], content='<p>"image":"x" &lt;media:thumbnail </p>')
    desk.render(most_archived=None)
    got = desk.get(f"/{WORLD}.{format}", query="with=picture")
    assert errors(got.body, format) == []  # type: ignore[arg-type]
    assert got.body.count(b"000000000046") >= 1 and b"000000000047" not in got.body
    assert b"Ada Brook" in got.body and b"with pictures" in got.body
    if format == "json":
        assert numbers_in(got.body) == list(range(46, 39, -1))
        assert desk.listed(query="limit=2&with=picture") == [46, 45]
        assert desk.listed(query="lang=fr&limit=2&with=picture") == [45, 44]
        assert desk.get(f"/{WORLD}.json", query="with=sound").status == 400


def test_a_source_that_brought_a_copy_counts_too(mixed: Desk) -> None:
    mixed.bring([4], kind="copy", source=2, key="copy-4")
    mixed.render()
    assert 4 in mixed.listed(query="source=sea")


@pytest.mark.parametrize(
    ("asked", "right"),
    [
        ("limit=3&lang=en", "lang=en&limit=3"),
        ("lang=PT_br", "lang=pt-br"),
        ("source=HARBOUR+Post", "source=harbour%20post"),
        ("source=Sea+%26+Shore", "source=sea"),
        ("limit=007", "limit=7"),
        ("limit=7&utm_source=x", "limit=7"),
        ("limit=7&limit=7", "limit=7"),
        ("lang=en&limit=50", "lang=en"),
        ("limit=50", ""),
        ("%6cimit=5", "limit=5"),
        ("limit=5&", "limit=5"),
    ],
)
def test_every_choice_has_one_address(asked_only: Desk, asked: str, right: str) -> None:
    got = asked_only.get(PATH, query=asked)
    assert got.status == 301
    where = urlsplit(got.headers["location"])
    assert (f"{where.scheme}://{where.netloc}{where.path}", where.query) == (f"https://wire.example.org{PATH}", right)
    assert asked_only.get(PATH, query=right).status == 200


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ("limit=0", f"from 1 to {MOST_ENTRIES}"),
        (f"limit={MOST_ENTRIES + 1}", f"from 1 to {MOST_ENTRIES}"),
        ("limit=-1", "whole number"),
        ("limit=5.0", "whole number"),
        ("limit=%D9%A3", "whole number"),
        ("limit=" + "9" * 400, "whole number"),
        ("limit=1&limit=2", "once"),
        ("lang=english!", "en or pt-br"),
        ("lang=%00", "en or pt-br"),
        ("by=magic", "article or story"),
        ("by=story&lang=en", "limit alone"),
        ("source=nobody", "Harbour Post, Sea & Shore"),
        ("source=%ff", "Harbour Post"),
        ("limit=5&source=<script>", "Harbour Post"),
    ],
)
def test_a_bad_value_is_told_what_is_allowed_and_not_repeated(asked_only: Desk, asked: str, told: str) -> None:
    got = asked_only.get(PATH, query=asked)
    assert got.status == 400
    assert told in got.text and "<script>" not in got.text
    assert got.headers["content-type"].startswith("text/plain")


@pytest.mark.parametrize("query", ["", "utm_source=x", "limit=", "source=&lang=%20", "Limit=5", "&".join("ab=1" * 200)])
def test_what_says_nothing_gets_the_document(asked_only: Desk, query: str) -> None:
    assert asked_only.get(PATH, query=query).body == asked_only.get(PATH).body


@pytest.mark.parametrize("format", FORMATS)
def test_it_validates_and_has_validators_like_a_document(mixed: Desk, format: str) -> None:
    path, query = f"/{WORLD}.{format}", "lang=en&limit=20"
    got = mixed.get(path, query=query)
    assert errors(got.body, format) == []  # type: ignore[arg-type]
    coded = mixed.get(path, query=query, accept_encoding="gzip")
    assert coded.headers["content-encoding"] == "gzip"
    for etag in (got.headers["etag"], coded.headers["etag"]):
        assert mixed.get(path, query=query, if_none_match=etag).status == 304
    assert mixed.get(path, query=query, if_modified_since=got.headers["last-modified"]).status == 304
    assert got.headers["etag"].strip('"').split("-")[0] == mixed.get(path).headers["etag"].strip('"').split("-")[0]
    assert b"limit=20" in got.body
    mixed.bring([90])
    mixed.render()
    assert mixed.get(path, query=query, if_none_match=got.headers["etag"]).status == 200


def test_it_is_a_feed_of_its_own_and_its_entries_are_those_of_the_document(asked_only: Desk) -> None:
    whole, part = (ElementTree.fromstring(asked_only.get(f"/{WORLD}.atom", query=q).body) for q in ("", "lang=pt-br"))
    assert whole.findtext(f"{ATOM}id") != part.findtext(f"{ATOM}id")
    assert part.findtext(f"{ATOM}title") == "World · The Wire (pt-br)"
    entries = {entry.findtext(f"{ATOM}id"): ElementTree.tostring(entry) for entry in whole.findall(f"{ATOM}entry")}
    for entry in part.findall(f"{ATOM}entry"):
        if (uid := entry.findtext(f"{ATOM}id")) in entries:
            assert ElementTree.tostring(entry) == entries[uid]


def test_a_retracted_article_leaves_it_at_once(mixed: Desk) -> None:
    assert mixed.listed(query="limit=3") == [59, 58, 57]
    mixed.retract(58)
    assert mixed.listed(query="limit=3") == [59, 57, 56]


def test_it_holds_what_has_no_address_and_no_old_article_first(mixed: Desk) -> None:
    mixed.bring([99], link=None, comparable=None, at=NOW - timedelta(days=300))
    mixed.render(most_archived=None)
    assert mixed.listed(query="limit=60")[-1] != 99 and 99 in mixed.listed(query="limit=61")


def test_sections_that_are_not_there_stay_what_they_are(asked_only: Desk) -> None:
    assert asked_only.get("/nothing.json", query="limit=3").status == 404
    assert asked_only.get("/index.json", query="limit=3").status == 200
    assert asked_only.get("/News/World.json", query="limit=3").headers["location"].endswith("/news/world.json?limit=3")


def test_many_different_questions_cost_bounded_memory(asked_only: Desk) -> None:
    site = asked_only.web.extensions["feeds.site"]
    for limit in range(1, 60):
        for language in ("", "lang=en&", "lang=pt&", "lang=de&"):
            asked_only.get(PATH, query=f"{language}limit={limit}")
    assert len(site.cached._kept) == 0 and len(site.joins._kept) <= 512
    assert site.joins._bytes <= 32_000_000


def test_older_articles_wait_for_their_fragments(desk: Desk) -> None:
    desk.bring(range(80))
    desk.render(most_archived=0)
    assert desk.get(PATH, query="limit=80").status == 503
    assert desk.listed(query="limit=5") == [79, 78, 77, 76, 75]
    desk.render()
    assert len(desk.listed(query="limit=80")) == 80


# ------------------------------------------------------------------ stories


def stories(desk: Desk, query: str = "by=story") -> list[dict[str, object]]:
    got = desk.get(PATH, query=query)
    assert got.status == 200, got
    items: list[dict[str, object]] = json.loads(got.body)["items"]
    return items


def story_uid(number: int) -> str:
    return f"urn:uuid:00000000-0000-4000-9000-{number:012d}"


def test_by_story_gives_one_entry_a_story_with_its_articles_inside(desk: Desk) -> None:
    for number in range(9):
        desk.bring([number], story=number % 3, title=f"News of {number % 3}")
    desk.bring([20])
    desk.render()
    found = stories(desk)
    assert [item["id"] for item in found] == [uid_of(20), story_uid(2), story_uid(1), story_uid(0)]
    assert all(f"News of 2 {number}" in str(found[1]["content_html"]) for number in (2, 5, 8))
    assert [item["id"] for item in stories(desk, "by=story&limit=2")] == [uid_of(20), story_uid(2)]
    assert desk.get(PATH, query="limit=2&by=STORY").headers["location"].endswith("?by=story&limit=2")
    assert desk.get(PATH, query="by=article").headers["location"].endswith(PATH)


@pytest.mark.parametrize("format", FORMATS)
def test_a_story_keeps_its_id_is_updated_as_it_grows_and_validates(desk: Desk, format: str) -> None:
    desk.bring([1, 2], story=7)
    desk.render()
    path = f"/{WORLD}.{format}"
    before, first = desk.get(path, query="by=story"), stories(desk)[0]
    assert desk.get(path, query="by=story", if_none_match=before.headers["etag"]).status == 304
    desk.bring([3], story=7, title="Flood")
    desk.render()
    after, second = desk.get(path, query="by=story", if_none_match=before.headers["etag"]), stories(desk)[0]
    assert after.status == 200 and b"Flood 3" in after.body
    assert errors(after.body, format) == []  # type: ignore[arg-type]
    assert second["id"] == first["id"] == story_uid(7)
    assert second["date_published"] == first["date_published"]
    assert str(second["date_modified"]) > str(first["date_modified"])


def test_a_retracted_article_leaves_its_story_at_once(desk: Desk) -> None:
    desk.bring([1, 2], story=7, title="Flood")
    desk.bring([3], story=8)
    desk.render()
    desk.retract(2)
    assert b"Flood 2" not in desk.get(PATH, query="by=story").body
    desk.render()
    assert "Flood 1" in str(stories(desk)[1]["content_html"]) and "Flood 2" not in str(stories(desk))


def test_what_is_not_published_yet_disturbs_nobody(desk: Desk) -> None:
    desk.bring([1, 2], story=7)
    desk.render()
    before = [desk.listed(query="limit=5"), [item["id"] for item in stories(desk)]]
    desk.bring([3], story=8)
    with desk.store.write() as tx:
        tx.documents.announce()
    assert [desk.listed(query="limit=5"), [item["id"] for item in stories(desk)]] == before
    desk.render()
    assert desk.listed(query="limit=5") == [3, 2, 1]
