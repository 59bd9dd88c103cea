"""Private sections: what stands in them alone reaches nobody without a token, at no address of the desk."""

from __future__ import annotations

import base64
import json
import logging
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import insert, select

from feeds.cli.export import write_site
from feeds.configuration import Section
from feeds.hub.messages import judge
from feeds.model import FORMATS
from feeds.serve.admission import digest_of
from feeds.store.schema import articles, containments
from tests.publish.desk import NOW, TREE, WORLD, Desk, uid_of
from tests.serve.wsgi import Got

PAID, DEEP, OTHER = "paid", "paid/deep", "other"
SECTIONS = (
    *TREE,
    *(Section(path=path, title=path, access="tokens") for path in (PAID, DEEP, OTHER)),
)
PLANTED = "kelpie"  # in titles of private articles alone
STORY = "/story/00000000-0000-4000-9000-000000000007"
ALONE = "/story/00000000-0000-4000-9000-000000000008"
PRIVATE_ARTICLE, PUBLIC_ARTICLE = (f"/article/{uid_of(number)[9:]}" for number in (250, 2))
AS: tuple[dict[str, str], ...] = ({}, {"accept": "application/atom+xml"}, {"a_im": "feed"})
HTML = {"accept": "text/html", "sec_fetch_dest": "document"}
AS = (*AS, HTML)
OF_RULE = {
    "section": (PAID, DEEP, "index", "news", WORLD),
    "format": FORMATS,
    "page": ("100", "101"),
    "article_id": (PRIVATE_ARTICLE[9:], PUBLIC_ARTICLE[9:]),
    "story_id": (STORY[7:], ALONE[7:]),
    "name": ("desk.css", "2026-11", "2026-12"),
    "key": ("sea",),
    "token": ("x",),
}
"""Every value that is tried for a variable of the application's addresses. Who adds an address with another says here
where a private article could show in it.
"""
SOUGHT = "q=zanzibar", f"q=zanzibar&section={PAID}", f"q=zanzibar&section={WORLD}&sort=date", "q=zanzibar&source=sea"
QUERIES = {"/search": SOUGHT, "/search.atom": SOUGHT}
NARROWED = ("", "limit=3", "lang=en", "by=story", "source=sea", "format=atom")


@pytest.fixture
def filled(desk: Desk) -> Desk:
    """Public articles, and private ones enough for archive pages, in a story with a public one, in a digest, alone."""
    desk.accept(SECTIONS)
    desk.bring([2], story=7, title="Zanzibar's gate holds")
    desk.bring(range(101, 250), paths=(DEEP, PAID), title="Zanzibar kelpie")
    desk.bring([250], paths=(DEEP, PAID), source=2, story=7, title="Zanzibar kelpie of the gate")
    desk.bring([251, 252], paths=(DEEP, PAID), source=2, story=8, title="Zanzibar kelpie alone")
    with desk.store.write() as tx:
        ids = select(articles.c.id).where(articles.c.uid.in_([uid_of(2), uid_of(250)])).order_by(articles.c.id)
        whole, part = tx._connection.scalars(ids)
        tx._connection.execute(insert(containments).values(whole_id=whole, part_id=part))
        tx.sitemaps.note()
    desk.render(most_archived=None)
    return desk


def give(desk: Desk, path: str, name: str, **more: object) -> str:
    with desk.store.write() as tx:
        section = tx.sections.get(path)
        assert section is not None
        number = tx.tokens.add(section.id, name, digest_of(name * 5), NOW, **more)  # type: ignore[arg-type]
    return f"{number}-{name * 5}"


def addresses(desk: Desk) -> list[tuple[str, str]]:
    """Every address of the application, as path and query."""
    found = set()
    for rule in desk.web.url_map.iter_rules():
        if "GET" not in (rule.methods or ()):
            continue
        paths = [rule.rule]
        for name in rule.arguments:
            converters = [f"<path:{name}>", f"<{name}>", f"<any(rss, atom, json):{name}>"]
            paths = [
                path.replace(converter, value)
                for path in paths
                for converter in converters
                if converter in path
                for value in OF_RULE[name]
            ]
        assert not any("<" in path for path in paths), f"{rule}: say in OF_RULE what stands for its variables"
        for path in paths:
            narrowed = NARROWED if path.endswith(FORMATS) else ("", "format=atom")
            found |= {(path.replace("/index/", "/"), query) for query in QUERIES.get(rule.rule, narrowed)}
    return sorted(found)


def whole(got: Got) -> str:
    return got.body.decode("utf-8", "replace") + str(got.headers)


def is_private(path: str) -> bool:
    return path.startswith((f"/{PAID}", PRIVATE_ARTICLE, ALONE))


def test_no_address_gives_anything_private_away_without_its_token(
    filled: Desk, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    every = addresses(filled)
    assert len(every) > 150 and {f"/{DEEP}.atom", PRIVATE_ARTICLE, "/sections.opml"} <= {path for path, _ in every}
    token = give(filled, PAID, "ann")
    useless = [
        give(filled, OTHER, "eve"),
        give(filled, PAID, "old", expires_at=filled.now - timedelta(days=900)),
        token[:-1],
        f"999{token}",
        "1-",
    ]

    def nobody_sees_it(turn: int) -> None:
        for number, (path, query) in enumerate(every):
            wrong = f"token={useless[number % len(useless)]}"
            for asked in (query, "&".join(filter(None, (query, wrong)))):
                got = filled.get(path, query=asked, **AS[(number + turn) % len(AS)])
                assert PLANTED not in whole(got) and token not in whole(got), (path, asked)
                if is_private(path):
                    assert (got.status, got.headers["cache-control"]) == (401, "no-store"), (path, asked)
                    assert got.headers["www-authenticate"].startswith("Basic ") and "etag" not in got.headers

    nobody_sees_it(0)
    shown = {}
    for path, query in every:
        got = filled.get(path, query="&".join(filter(None, (query, f"token={token}"))), a_im="feed")
        shown[path, query] = got
        if got.status == 200 and PLANTED in whole(got):
            assert got.headers["cache-control"].startswith("private"), path
            assert "access-control-allow-origin" not in got.headers, path
    seen = {path for (path, _), got in shown.items() if PLANTED in whole(got)}
    assert {f"/{path}{suffix}" for path in (PAID, DEEP) for suffix in ("", ".rss", ".atom", ".json")} <= seen
    assert {f"/{DEEP}/archive/100.atom", f"/{DEEP}/archive/100", PRIVATE_ARTICLE, STORY, f"{STORY}.json", ALONE} <= seen
    assert {"/search", "/search.atom"} <= seen
    assert not {path for path in seen if path.startswith(("/news", "/index", "/sitemap", "/sections"))}
    # What was drawn for a subscriber is kept for nobody else.
    nobody_sees_it(1)
    for path, query in every:  # no validator tells that a document is there, or has changed
        held = shown[path, query].headers.get("etag", "*")
        asked = {"if_none_match": held} if query else {"if_modified_since": "Mon, 01 Jan 2035 00:00:00 GMT"}
        for method in ("GET", "HEAD", "OPTIONS"):
            got = filled.get(path, query=query, method=method, a_im="feed", **asked)
            assert not is_private(path) or method == "OPTIONS" or got.status == 401, (path, method, asked)
            assert PLANTED not in whole(got) and not (is_private(path) and "etag" in got.headers)
    written = write_site(f"sqlite:///{filled.store.file}", tmp_path / "site")
    assert written.addresses > 20
    for file in (tmp_path / "site").rglob("*"):
        assert file.is_dir() or PLANTED.encode() not in file.read_bytes(), file
    assert token not in caplog.text and token.partition("-")[2] not in caplog.text


def test_a_token_opens_its_section_and_those_below_by_address_and_by_password(filled: Desk) -> None:
    deep = give(filled, DEEP, "bob")
    assert filled.get(f"/{DEEP}.rss", query=f"token={deep}").status == 200
    assert filled.get(f"/{PAID}.rss", query=f"token={deep}").status == 401
    basic = "Basic " + base64.b64encode(f"bob:{deep}".encode()).decode()
    for path in (f"/{DEEP}.atom", f"/{DEEP}", PRIVATE_ARTICLE):
        got = filled.get(path, authorization=basic)
        assert got.status == 200 and deep not in whole(got), path
    etag = filled.get(f"/{DEEP}.atom", authorization=basic).headers["etag"]
    again = filled.get(f"/{DEEP}.atom", authorization=basic, if_none_match=etag)
    assert (again.status, again.headers["cache-control"].partition(",")[0]) == (304, "private")
    # Addresses on a page that was opened by one go on with the token, where it is needed.
    page = filled.get(f"/{DEEP}", query=f"token={deep}", **HTML).text
    assert f"/{DEEP}.atom?token={deep}" in page and f"{PRIVATE_ARTICLE}?token={deep}" in page
    assert f"/{WORLD}?token" not in page and f'"{PAID}"' not in page
    listed = filled.get("/sections.opml", query=f"token={deep}").text
    assert f"/{DEEP}.rss?token={deep}" in listed and f"/{PAID}.rss" not in listed
    narrow = filled.get(f"/{DEEP}.json", query=f"limit=02&token={deep}")
    assert (narrow.status, narrow.headers["location"].partition("?")[2]) == (301, f"limit=2&token={deep}")
    # Its section moves, and it goes along; it is revoked, and opens nothing.
    filled.accept((*SECTIONS[:3], Section(path="paid/new", title="New", access="tokens", moved_from=(DEEP,))))
    moved = filled.get(f"/{DEEP}.atom", query=f"token={deep}")
    assert (moved.status, moved.headers["location"]) == (301, f"https://wire.example.org/paid/new.atom?token={deep}")
    filled.render()
    assert filled.get("/paid/new.atom", query=f"token={deep}").status == 200
    with filled.store.write() as tx:
        tx.tokens.revoke(int(deep.partition("-")[0]))
    assert filled.get("/paid/new.atom", query=f"token={deep}").status == 401


def test_private_documents_name_no_hub_and_the_hub_takes_no_topic_of_theirs(filled: Desk) -> None:
    token = give(filled, PAID, "ann")
    got = filled.get(f"/{PAID}.atom", query=f"token={token}")
    assert 'rel="hub"' not in whole(got) and 'rel="hub"' in whole(filled.get("/news/world.atom"))
    with filled.store.read() as tx:
        topics = tx.documents.topics()
    form = [("hub.mode", "subscribe"), ("hub.callback", "https://reader.example/cb")]
    for path, status in ((PAID, 404), (WORLD, None)):
        judged = judge(filled.settings, topics, [*form, ("hub.topic", f"https://wire.example.org/{path}.atom")])
        assert getattr(judged, "status", None) == status


def test_an_article_that_stands_in_a_public_section_too_is_public_there_and_everywhere(desk: Desk) -> None:
    desk.accept(SECTIONS)
    desk.bring([5], paths=(DEEP, PAID), title="Zanzibar kelpie")
    desk.bring([5], kind="seen", source=2, paths=(WORLD, ""), title="Zanzibar kelpie")
    desk.render(most_archived=None)
    assert desk.listed(WORLD) == desk.listed("") == [5]
    page = desk.get(f"/article/{uid_of(5)[9:]}", **HTML)
    assert page.status == 200 and "/paid" not in page.text
    assert json.loads(desk.get("/index.json").body)["items"]


def test_no_source_is_named_where_one_may_be_private(filled: Desk) -> None:
    assert "Sea &amp; Shore" not in filled.get("/search", **HTML).text
    asked = filled.get(f"/{WORLD}.atom", query="source=nonsense")
    assert asked.status == 400 and "Sea & Shore" not in asked.text and "articles name theirs" in asked.text


@pytest.mark.parametrize("path", ["/", "/search", "/sections.opml", "/sections"])
def test_a_shared_cache_tells_those_with_a_token_apart(filled: Desk, path: str) -> None:
    assert "Authorization" in filled.get(path, **HTML).headers["vary"]
    filled.accept(TREE)
    filled.render(most_archived=None)
    assert "Authorization" not in filled.get(path, **HTML).headers["vary"]
