"""One address for everything, and 301 from every other way of writing it."""

from __future__ import annotations

import pytest

from feeds.configuration import Section
from feeds.serve.addresses import Addresses
from feeds.serve.app import store_url_from
from tests.serve.conftest import SECTIONS

MAP = Addresses.of("https://wire.example.org", SECTIONS)


@pytest.mark.parametrize(
    ("asked", "right"),
    [
        ("/news/world/", "/news/world"),
        ("/news//world", "/news/world"),
        ("//news/world.rss", "/news/world.rss"),
        ("/News/WORLD.Atom", "/news/world.atom"),
        ("/news/world.json/", "/news/world.json"),
        ("/INDEX.RSS", "/index.rss"),
        ("/Sections.OPML", "/sections.opml"),
        ("/healthz/", "/healthz"),
        ("/Unfiled.rss", "/unfiled.rss"),
        ("/article/00000000-0000-4000-8000-00000000000A/", "/article/00000000-0000-4000-8000-00000000000a"),
        ("/intl", "/news/world"),
        ("/intl.rss", "/news/world.rss"),
        ("/Intl/Asia.json", "/news/world/asia.json"),  # what was below moved along
        ("/news/abroad.atom", "/news/world.atom"),
        ("//", "/"),
        ("/feed", "/index.rss"),
        ("/Feed/", "/index.rss"),
        ("/news/world/feed.xml", "/news/world.atom"),
        ("/news/world/feed.json", "/news/world.json"),
        ("/intl/rss.xml", "/news/world.rss"),
        ("/unfiled/atom.xml", "/unfiled.atom"),
        ("/nowhere/feed", None),
        ("/news/feed.txt", None),
        ("/news/world", None),
        ("/", None),
        ("/nowhere/", None),
        ("/intl/nowhere", None),
        ("/news/world.xml", None),
        ("//evil.example/", None),
        ("/\\evil.example", None),
        ("/index", None),
        ("", "/"),
    ],
)
def test_every_other_spelling_leads_to_the_one_address(asked, right):
    assert MAP.one_address(asked) == right
    if right is not None:
        assert MAP.one_address(right) is None


def test_a_section_of_today_is_never_taken_for_the_old_path_of_another():
    sections = (Section(path="a", title="A", moved_from=("b",)), Section(path="b", title="B"))
    assert Addresses.of("http://x", sections).one_address("/B/") == "/b"


def test_addresses_that_move_in_a_circle_end():
    sections = (Section(path="a/b", title="A", moved_from=("a/b/b",)),)
    assert Addresses.of("http://x", sections).one_address("/a/b/b/b/b") is None


def test_public_addresses_are_plain_ascii_whatever_they_are_made_of():
    address = MAP.public("/wörld/\r\nSet-Cookie: a", "q=\r\nX: y&z=é\x7f")
    assert address.isascii() and address.isprintable() and " " not in address
    assert address.startswith("https://wire.example.org/w%C3%B6rld/%0D%0ASet-Cookie")


@pytest.mark.parametrize(
    ("base_url", "path", "stripped"),
    [
        ("https://example.org/wire", "/wire/news", "/news"),
        ("https://example.org/wire", "/news", "/news"),
        ("https://example.org/wire/", "/wire", "/"),
        ("https://example.org/wire", "/wireless", "/wireless"),
        ("https://example.org/wire", "/wire/wire/x", "/wire/x"),
        ("https://example.org", "/wire", "/wire"),
    ],
)
def test_the_prefix_of_base_url_is_taken_off_once(base_url, path, stripped):
    assert Addresses.of(base_url, ()).strip_prefix(path) == stripped


def test_the_store_is_found_from_the_environment(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert store_url_from({}) == f"sqlite:///{tmp_path}/var/desk.sqlite3"
    assert store_url_from({"WIREDESK_DATA": "/srv"}) == "sqlite:////srv/desk.sqlite3"
    assert store_url_from({"WIREDESK_DATABASE": "postgresql://db/desk", "WIREDESK_DATA": "/srv"}).startswith("postgres")
