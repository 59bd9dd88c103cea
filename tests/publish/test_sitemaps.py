"""Sitemaps: everything that is published is in one of them, they are valid by their schemas, and say what changed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from io import BytesIO
from typing import Any
from xml.etree import ElementTree

import pytest
from lxml import etree
from msgspec.structs import replace

from feeds.configuration import LicenceSettings
from feeds.serve import machines
from tests.publish.desk import NOW, TREE, Desk, uid_of

BASE = "https://wire.example.org"
SITEMAP = "{http://www.sitemaps.org/schemas/sitemap/0.9}"


def schema(root: str, element: str) -> etree.XMLSchema:
    """What sitemap.xsd and siteindex.xsd of sitemaps.org demand."""
    text = f"""<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" elementFormDefault="qualified"
        targetNamespace="{SITEMAP[1:-1]}">
      <xs:element name="{root}"><xs:complexType><xs:sequence><xs:element name="{element}" maxOccurs="50000">
        <xs:complexType><xs:sequence>
          <xs:element name="loc"><xs:simpleType><xs:restriction base="xs:anyURI">
            <xs:minLength value="12"/><xs:maxLength value="2048"/></xs:restriction></xs:simpleType></xs:element>
          <xs:element name="lastmod" type="xs:dateTime" minOccurs="0"/>
          <xs:any namespace="##other" processContents="lax" minOccurs="0" maxOccurs="unbounded"/>
        </xs:sequence></xs:complexType></xs:element></xs:sequence></xs:complexType></xs:element></xs:schema>"""
    return etree.XMLSchema(etree.fromstring(text))


INDEX, URLS = schema("sitemapindex", "sitemap"), schema("urlset", "url")


def places(desk: Desk, path: str, valid: etree.XMLSchema = URLS) -> dict[str, str | None]:
    """The addresses of a sitemap with their lastmod; it has to be valid."""
    got = desk.get(path)
    assert (got.status, got.headers["content-type"]) == (200, "application/xml; charset=utf-8"), path
    valid.assertValid(etree.parse(BytesIO(got.body)))
    root: Any = ElementTree.fromstring(got.body)
    return {str(one.findtext(f"{SITEMAP}loc")).removeprefix(BASE): one.findtext(f"{SITEMAP}lastmod") for one in root}


def article(number: int) -> str:
    return f"/article/{uid_of(number).removeprefix('urn:uuid:')}"


def test_every_article_is_in_the_sitemap_of_the_month_in_which_it_was_filed(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = desk.web.extensions["feeds.site"]
    site.now = lambda: desk.now
    empty = places(desk, "/sitemap.xml", INDEX)
    assert list(empty) == ["/sitemap-sections.xml", "/sitemap-news.xml"]
    assert list(places(desk, "/sitemap-news.xml")) == ["/"]  # valid, with no article in it

    desk.now = datetime(2026, 11, 30, 23, 0, tzinfo=UTC)
    desk.bring(range(3))
    desk.render()
    desk.now = datetime(2026, 12, 1, 1, 0, tzinfo=UTC)
    desk.bring([3], at=desk.now)
    desk.render()
    index = places(desk, "/sitemap.xml", INDEX)
    assert index["/sitemap-2026-11.xml"] == "2026-11-30T23:00:00Z" < str(index["/sitemap-2026-12.xml"])
    assert list(places(desk, "/sitemap-2026-11.xml")) == [article(number) for number in range(3)]
    assert list(places(desk, "/sitemap-2026-12.xml")) == [article(3)]
    assert set(places(desk, "/sitemap-sections.xml")) == {"/", "/news", "/news/world"}
    assert list(places(desk, "/sitemap-news.xml")) == [article(3)]

    # What changes has its month and its address say so; what is taken out is there no more.
    desk.pass_time(minutes=5)
    desk.bring([1], kind="updated", title="Another")
    desk.retract(2)
    desk.render()
    index = places(desk, "/sitemap.xml", INDEX)
    assert index["/sitemap-2026-11.xml"] == "2026-12-01T01:05:00Z"
    told = places(desk, "/sitemap-2026-11.xml")
    assert list(told) == [article(0), article(1)] and str(told[article(0)]) < str(told[article(1)])

    # More than a file holds is in several.
    monkeypatch.setattr(machines, "PART", 2)
    desk.pass_time(minutes=2)
    index = places(desk, "/sitemap.xml", INDEX)
    assert "/sitemap-2026-11-2.xml" in index and "/sitemap-2026-11-3.xml" not in index
    assert list(places(desk, "/sitemap-2026-11-2.xml")) == ["/"]  # all that was in it is gone
    assert [desk.get(f"/sitemap-{name}.xml").status for name in ("2026-11-3", "2026-11-1", "2026-13", "x")] == [404] * 4


def test_a_desk_says_to_machines_what_they_may_do_where_config_says_it(desk: Desk) -> None:
    desk.bring([1])
    desk.render()
    assert desk.get("/licence.xml").status == 404 and b"License:" not in desk.get("/robots.txt").body
    assert b"license" not in desk.get("/news/world.atom").body + desk.get("/news/world").body
    terms = LicenceSettings(
        permits=("search", "ai-index"), prohibits=("ai-train",), payment="attribution", terms=f"{BASE}/t"
    )
    desk.accept(TREE, licence=terms, copyright="The Wire & Sons")
    desk.render()

    rsl = etree.fromstring(desk.get("/licence.xml").body)
    name = "{https://rslstandard.org/rsl}"
    assert rsl.tag == f"{name}rsl" and rsl[0].get("url") == f"{BASE}/"
    said = [(one.tag.removeprefix(name), one.get("type"), one.text) for one in rsl.iterfind(f"*/{name}license/*")]
    assert said == [("permits", "usage", "search ai-index"), ("prohibits", "usage", "ai-train"),
                    ("payment", "attribution", None)]  # fmt: skip
    assert rsl.findtext(f"*/{name}copyright") == "The Wire & Sons"
    assert desk.get("/robots.txt").text.startswith(f"License: {BASE}/licence.xml\n\nUser-agent: *")
    link = f'href="{BASE}/licence.xml" rel="license" type="application/rsl+xml"/>'
    assert f"<link {link}" in desk.get("/news/world.atom").text
    assert f"<atom:link {link}" in desk.get("/news/world.rss").text
    assert f'"licence":"{BASE}/licence.xml"' in desk.get("/news/world.json").text
    assert '<link rel="license" type="application/rsl+xml" href="/licence.xml">' in desk.get("/news/world").text


def test_the_key_of_indexnow_is_served_where_that_is_on(desk: Desk) -> None:
    from feeds.hub.messages import key_of

    with desk.store.read() as tx:
        key = key_of(tx.configs.desk_id())
    assert desk.get(f"/{key}.txt").status == 404
    desk.accept(TREE, publish=replace(desk.settings.publish, indexnow=("https://search.example/indexnow",)))
    assert desk.get(f"/{key}.txt").body == f"{key}\n".encode()
    assert [desk.get(path).status for path in (f"/{'0' * 32}.txt", "/robots.txt")] == [404, 200]


def test_news_is_no_older_than_two_days(desk: Desk) -> None:
    desk.web.extensions["feeds.site"].now = lambda: NOW + timedelta(days=3)
    desk.bring([1])
    desk.render()
    assert list(places(desk, "/sitemap-news.xml")) == ["/"]
