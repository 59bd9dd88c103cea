"""One article as a page: its text where the source allows it, whom it credits, its copies, its sections.
I/O: one read of the store, once a publication.
"""

from __future__ import annotations

import re
from datetime import datetime
from urllib.parse import urlsplit

from flask import Blueprint, Response, render_template
from markupsafe import Markup
from werkzeug.exceptions import Gone, NotFound

from feeds.dates import rfc3339, zone_of
from feeds.model import Article
from feeds.serve.faces import direction, in_words, node, shortened
from feeds.serve.fronts import frame, latest_change
from feeds.serve.reader import Retracted
from feeds.serve.site import page, the_site
from feeds.serve.snapshot import Snapshot
from feeds.text import plain

bp = Blueprint("articles", __name__)

_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


@bp.get("/article/<article_id>")
def article_page(article_id: str) -> Response:
    """Give an article's page; 410 once it was retracted or retention took it."""
    if not _UUID.fullmatch(article_id):
        raise NotFound
    article = the_site().reader.article(f"urn:uuid:{article_id}")
    if article is None:
        raise NotFound
    if isinstance(article, Retracted):
        raise Gone
    shown: Article = article

    def draw(snapshot: Snapshot) -> tuple[str, datetime]:
        desk, addresses = snapshot.desk, snapshot.addresses
        zone = zone_of(desk.settings.timezone)
        sections = [addresses.section_at(path) for path in shown.sections]
        html = render_template(
            "article.html",
            **frame(snapshot),
            article=shown,
            # Sanitised by `normalise` before it was stored, cut down to what the rights allow.
            body=Markup(shown.content or shown.summary),  # noqa: S704
            standfirst=shortened(plain(shown.summary), 400) if shown.content and shown.summary else "",
            language=shown.language or desk.settings.language,
            text_direction=direction(shown.language or desk.settings.language),
            published=in_words(shown.published, zone),
            published_stamp=rfc3339(shown.published),
            updated=in_words(shown.updated, zone) if shown.updated > shown.published else "",
            updated_stamp=rfc3339(shown.updated),
            host=urlsplit(shown.link or "").hostname or "",
            sections=[node(section, addresses) for section in sections if section is not None and section.path],
            copies=[(copy, in_words(copy.first_seen, zone)) for copy in shown.copies],
            description=shortened(plain(shown.summary or shown.content), 200),
            canonical=shown.link or addresses.public(f"/article/{shown.id}"),
        )
        return html, latest_change([shown], desk.accepted_at)

    return page(("article", shown), draw)
