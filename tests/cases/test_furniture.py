"""Furniture in teasers: at the first poll by its form, at later ones by what was learnt of the source."""

from __future__ import annotations

from collections.abc import Callable
from html import escape

import pytest

from tests.cases.desk import CaseDesk, Seen


@pytest.mark.parametrize("full_text", [None, "full"])
def test_34_teaser_furniture(seen: Callable[..., Seen], full_text: str | None) -> None:
    shown = seen("34-teaser-furniture", full_text=full_text)
    assert len(shown.items) == len(shown.rss) == len(shown.atom) == 4
    for said in (*shown.raw.values(), shown.page):
        assert "appeared first" not in said
        assert "Read more" not in said
    kept = ("from Monday.", "at the river bridge.", "Children read more in winter, a study", "until the evening.")
    for said in shown.raw.values():
        assert all(sentence in said for sentence in kept)


def feed(*texts: str) -> bytes:
    items = "".join(
        f"<item><title>Entry {len(text)}</title><link>https://coast.example/{len(text)}</link>"
        f"<guid isPermaLink='false'>g{len(text)}</guid><description>{escape(text)}</description></item>"
        for text in texts
    )
    return (
        f"<rss version='2.0'><channel><title>Coast</title><description>d</description>{items}</channel></rss>".encode()
    )


SIGN_OFF = '<p>Harbour Post lives from its readers: <a href="https://coast.example/help">help us</a> to go on.</p>'


def test_what_is_learnt_holds_for_what_comes_and_leaves_alone_what_is_published(desk: CaseDesk) -> None:
    first = [f"<p>Boats leave {'much ' * number}earlier.</p>{SIGN_OFF}" for number in (1, 2)]
    later = f"<p>Trains end at {'the end of ' * 9}the bridge.</p>{SIGN_OFF}"
    address = desk.show("/feed.xml", feed(*first))
    desk.write({"name": "Coast", "url": address})
    desk.poll()
    before = {item["id"]: item for item in desk.see().items}
    assert all("help us" in item["content_html"] for item in before.values())

    desk.show("/feed.xml", feed(*first, later))
    desk.poll()
    after = {item["id"]: item for item in desk.see().items}
    (new,) = after.keys() - before.keys()
    assert "Trains end" in after[new]["content_html"]
    assert "help us" not in after[new]["content_html"]
    assert {id_: item for id_, item in after.items() if id_ in before} == before

    # Read as a whole again, as after a change of the feed's head, they are what they were.
    desk.show("/feed.xml", feed(*first, later).replace(b"<title>Coast</title>", b"<title>The Coast</title>"))
    desk.poll()
    assert {item["id"]: item for item in desk.see().items} == after
    (poll,) = desk.ended
    assert (poll.new, poll.updated) == (0, 0)


BOX = "<p>Do you know more about it? Our reporters keep every secret that they are told.</p>"


def page(number: int) -> bytes:
    noun = ("wall", "gate", "boat", "lamp", "road")[number]
    text = "".join(
        f"<p>On day {number} the {noun} was mended in part {part}, and the people of the town held their breath.</p>"
        for part in range(4)
    )
    article = f"<article><h1>The {noun}</h1>{text}{BOX}</article>"
    return f"<html><head><title>The {noun}</title></head><body>{article}</body></html>".encode()


def test_what_pages_of_a_site_share_is_furniture_on_its_next_page(desk: CaseDesk) -> None:
    def sitemap(*numbers: int) -> bytes:
        urls = "".join(f"<url><loc>{desk.show(f'/{number}.html', page(number))}</loc></url>" for number in numbers)
        return f"<urlset xmlns='http://www.sitemaps.org/schemas/sitemap/0.9'>{urls}</urlset>".encode()

    desk.show("/robots.txt", b"", Content_Type="text/plain")
    address = desk.show("/sitemap.xml", sitemap(0, 1, 2))
    desk.write({"name": "Coast", "sitemap": address})
    desk.poll()
    assert len(desk.see().items) == 3
    desk.show("/sitemap.xml", sitemap(0, 1, 2, 3))
    desk.poll()
    (new,) = [item for item in desk.see().items if item["title"] == "The lamp"]
    assert "in part 3" in new["content_html"]
    assert "Do you know more" not in new["content_html"]
