"""Posts that have nothing but a picture or a film: no title, no words, not even a link."""

from __future__ import annotations

import json

import pytest

from tests.cases.desk import CaseDesk

PICTURE = '<img src="https://img.example.org/harbour.jpg" alt="{alt}" width="900" height="600">'
FILM = (
    '<video src="https://m.example.org/tide.mp4" poster="https://img.example.org/harbour.jpg"></video>'
    "<p>How the tide came in.</p>"
)


@pytest.mark.parametrize("alt", ["", "The harbour at dawn"])
@pytest.mark.parametrize("kind", ["rss", "json"])
def test_a_post_that_is_a_picture_is_published_without_title_and_link(desk: CaseDesk, kind: str, alt: str) -> None:
    html = PICTURE.format(alt=alt)
    item = f"<item><guid isPermaLink='false'>p1</guid><description><![CDATA[{html}]]></description></item>"
    rss = f"<rss version='2.0'><channel><title>P</title><link>https://p.example/</link>{item}</channel></rss>"
    told = {"version": "https://jsonfeed.org/version/1.1", "title": "P", "items": [{"id": "p1", "content_html": html}]}
    body = rss if kind == "rss" else json.dumps(told)
    media_type = "application/xml" if kind == "rss" else "application/feed+json"
    desk.write({"name": "P", "url": desk.show("/f", body.encode(), Content_Type=media_type)}, full_text=None)
    desk.poll()
    seen = desk.see()
    (found,) = seen.items
    assert found["title"].startswith(alt or "Untitled")
    assert found["image"] == "https://img.example.org/harbour.jpg"
    assert "https://img.example.org/harbour.jpg" in seen.raw["rss"]
    assert "https://img.example.org/harbour.jpg" in seen.raw["atom"]
    assert "https://img.example.org/harbour.jpg" in seen.page


def test_the_still_of_a_film_in_the_text_is_the_picture_of_its_article(desk: CaseDesk) -> None:
    item = (
        f"<item><title>Tide</title><link>https://p.example/1</link><description><![CDATA[{FILM}]]></description></item>"
    )
    body = f"<rss version='2.0'><channel><title>P</title><link>https://p.example/</link>{item}</channel></rss>"
    desk.write({"name": "P", "url": desk.show("/f", body.encode())}, full_text=None)
    desk.poll()
    (found,) = desk.see().items
    assert found["image"] == "https://img.example.org/harbour.jpg"
