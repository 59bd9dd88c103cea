"""One article as a page, and a story as a page and as feeds.
I/O: a few reads of the store, once a publication.
"""

from __future__ import annotations

import json
import re
from datetime import datetime
from html import escape, unescape
from urllib.parse import urlsplit

from flask import Blueprint, Response, request
from markupsafe import Markup
from werkzeug.exceptions import Gone, NotFound, Unauthorized

from feeds import frames
from feeds.configuration import Section
from feeds.dates import rfc3339
from feeds.errors import StoreError
from feeds.model import Article, Format
from feeds.parsed import Image
from feeds.players import informs_a_player
from feeds.serve.addresses import Addresses, story_path
from feeds.serve.joined import join
from feeds.serve.representations import Finished, is_for_people
from feeds.serve.site import draw_once, drawn, redirect_to, respond_with, slot, the_site
from feeds.serve.store_reader import Desk
from feeds.serve.view_models import (
    Player,
    Showing,
    changes,
    days,
    facts_of,
    files_of,
    headline,
    legend_of,
    map_of,
    picture_of,
    players_of,
    shortened,
    shows_a_film,
    transcripts_of,
)
from feeds.serve.wording import Wording, direction
from feeds.store.store import ReadTx
from feeds.store.values import StorySize
from feeds.text import plain

bp = Blueprint("articles", __name__)

MOST_ARTICLES = 100
FEED_ENTRIES = 50

MOST_OTHERS = 8
_TAG = re.compile(r"""<(/?[a-z][a-z0-9]*)\b(?:[^>"']|"[^"]*"|'[^']*')*>""", re.IGNORECASE)

_SOURCE = re.compile(r' src="([^"]*)"')
_PLACE = re.compile(r' href="[^"#]*#([^"]+)"')
_FILM = '<span class="film">▶</span>'
# The still of a film above the link to it, as `normalise` writes them.
_CARD = re.compile(
    r'<figure><a href="[^"]*"[^<>]*><img(?= )[^<>]*? src="([^"]*)"[^<>]*></a>'
    r'(?=<figcaption><a href="[^"]*"[^<>]*>[^<]*</a></figcaption>)'
)

_SCORE = re.compile(r" \([+-]?[0-9.]+\)")
_NO_MARKUP = str.maketrans({sign: f"\\u{ord(sign):04x}" for sign in "<>&"})
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


@bp.get("/article/<article_id>")
def article_page(article_id: str) -> Response:
    """Give an article's page; 410 once it was retracted or retention took it."""
    reader, uid = the_site().reader, _uid(article_id)
    article = reader.article(uid)
    if article is None:
        raise Gone if reader.was_taken_out(uid) else NotFound
    shown: Article = article
    if _is_shut(shown):
        raise Unauthorized
    others, series = _others(shown)

    sections = _sections(shown, the_site().snapshot.addresses)

    def draw(showing: Showing) -> tuple[str, datetime]:
        settings = showing.settings
        picture = picture_of(shown, showing.desk)
        text = fitted(shown.content or shown.summary, images=settings.publish.images)
        language = shown.language or settings.language
        return drawn(
            "article.html",
            showing,
            [shown],
            article=shown,
            # Sanitised by `normalise` before it was stored, cut down to what the rights allow.
            body=Markup(text),  # noqa: S704
            picture=picture,
            legend=legend_of(picture),
            film=shown.link if shows_a_film(picture) else "",
            lead_picture="<img" not in text and "<video" not in text,
            **_media(shown, text, showing),
            **_edit(shown),
            others=[headline(one, showing) for one in others],
            sections=sections,
            json_ld=json_ld(shown, showing.desk, showing.addresses),
            series=series,
            standfirst=_standfirst(shown),
            language=language,
            text_direction=direction(language),
            host=urlsplit(shown.link or "").hostname or "",
            description=shortened(plain(shown.summary or shown.content), 200),
            canonical=shown.link or showing.addresses.public(f"/article/{shown.id}"),
        )

    return draw_once(("article", shown, others, series), draw, sections[0].language if sections else None)


def _is_shut(article: Article) -> bool:
    """Whether *article* stands in no section that whoever asks may read."""
    private = {section.path for section in the_site().answers.snapshot.desk.sections if section.private}
    shut = private.difference(the_site().readable)
    return bool(article.sections) and shut.issuperset(article.sections)


def _sections(article: Article, addresses: Addresses) -> list[Section]:
    """The sections that *article* is in, but for the whole desk."""
    return [section for path in article.sections if path and (section := addresses.section_at(path)) is not None]


def _edit(article: Article) -> dict[str, object]:
    """What its last significant change changed: of the text as much as its rights allow, which is all or nothing."""
    try:
        edit = the_site().reader.edit(article.uid)
    except StoreError:
        edit = None  # a page without it is better than none
    if edit is None:
        return {}
    whole = article.content and article.full_text == "full"
    return {
        "edit": edit,
        "changed_title": changes(edit.old_title, edit.title),
        "changed_text": changes(edit.old_text, edit.text) if whole else (),
    }


@bp.app_template_filter()
def without_score(why: str) -> str:
    """Return why something is a copy, for readers: figures are for `explain`."""
    return _SCORE.sub("", why)


def _media(article: Article, text: str, showing: Showing) -> dict[str, object]:
    """What there is to play and to fetch: what the text has itself is not shown again."""
    words = showing.words
    playing = showing.settings.publish.images  # pages of other desks take nothing from others
    episode = article.episode
    players = _players(article, text, words) if playing else []
    picture = picture_of(article, showing.desk)
    # A film shows its still itself, unless there is something to say of it.
    still = picture is not None and not legend_of(picture) and bool(players) and players[0].tag == "video"
    return {
        "players": players,
        "poster": picture.url if picture is not None and still else "",
        "files": files_of(article, words, shown=playing),
        "facts": facts_of(episode, words),
        "transcripts": transcripts_of(episode, words),
        "whereabouts": map_of(article.place),
    }


def _players(article: Article, text: str, words: Wording) -> list[Player]:
    return [one for one in players_of(article, words) if not any(escape(url) in text for url, _ in one.renditions)]


def fitted(text: str, *, images: bool) -> str:
    """Return sanitised HTML as the page shows it: tables scroll by themselves, for the keyboard too; no pictures
    where none are wanted, and no still of a film in any case, since to show it would tell the film's host of every
    reader; a link to a place in the text stays on the page. Every tag is looked at in its turn, so that what stands in
    an attribute is left alone.

    >>> fitted('<table title="<table>"></table><img src="https://a.example/">', images=False)
    '<div class="wide" tabindex="0"><table title="<table>"></table></div>'
    """

    def fit(tag: re.Match[str]) -> str:
        match tag[1].lower():
            case "img" if not images:
                return ""
            case "img" if (source := _SOURCE.search(tag[0])) and informs_a_player(unescape(source[1]), None):
                return _FILM
            case "a" if (place := _PLACE.search(tag[0])) and f'id="text-{place[1]}"' in text:
                return f'<a href="#text-{place[1]}">'
            case "table":
                return f'<div class="wide" tabindex="0">{tag[0]}'
            case "/table":
                return f"{tag[0]}</div>"
        return tag[0]

    return _TAG.sub(fit, _CARD.sub(_without_still, text))


def _without_still(card: re.Match[str]) -> str:
    return '<figure class="player">' if informs_a_player(unescape(card[1]), None) else card[0]


def _standfirst(article: Article) -> str:
    """Its summary, where the text does not begin with the same words."""
    if not article.content or not article.summary:
        return ""
    summary = shortened(plain(article.summary), 400)
    begins = " ".join(plain(article.content).split())
    return "" if begins.startswith(summary[:80].removesuffix(" …")) else summary


def _others(article: Article) -> tuple[tuple[Article, ...], bool]:
    """The other articles of its story, newest first, and whether these are a series of one source."""
    if article.story_uid is None:
        return (), False
    try:
        with the_site().store.read() as tx:
            members = tx.stories.articles(article.story_uid, MOST_OTHERS + 1, the_site().readable)
            size = tx.stories.sizes([article.story_uid], the_site().readable).get(article.story_uid)
    except StoreError:
        return (), False  # a page without them is better than none
    return tuple(one for one in members if one.uid != article.uid)[:MOST_OTHERS], size is not None and size.series


def json_ld(article: Article, desk: Desk, addresses: Addresses) -> Markup:
    """Return the article as schema.org knows it, fit to stand in a script element: no ``<`` can end that.

    A data block is no script, so that a policy without `script-src` lets it stand (HTML, "prepare the script element").
    """
    address = addresses.public(f"/article/{article.id}")
    publisher = _publisher(article)
    schema: dict[str, object] = {
        "@context": "https://schema.org",
        "@type": "NewsArticle",
        "headline": article.title,
        "url": address,
        "mainEntityOfPage": article.link or address,
        "datePublished": rfc3339(article.published),
        "dateModified": rfc3339(article.updated),
        "isAccessibleForFree": True,
    }
    stated = {
        "isBasedOn": article.link,
        "inLanguage": article.language,
        "description": shortened(plain(article.summary or article.content), 300),
        "author": [{"@type": "Person", "name": person.name} for person in article.authors if person.name],
        "publisher": {"@type": "Organization", "name": publisher} if publisher else None,
        "image": _image_schema(picture_of(article, desk)),
        "associatedMedia": [_media_schema(article, player) for player in players_of(article)],
        "articleSection": [section.title for section in _sections(article, addresses)],
    }
    schema |= {name: value for name, value in stated.items() if value}
    return Markup(json.dumps(schema, ensure_ascii=False, separators=(",", ":")).translate(_NO_MARKUP))  # noqa: S704


def _publisher(article: Article) -> str:
    return article.publisher or (article.origin.name if article.origin else "") or article.source_name


def _image_schema(picture: Image | None) -> list[object]:
    if picture is None:
        return []
    words = {"caption": picture.caption, "creditText": picture.credit}
    named = {name: text for name, text in words.items() if text}
    return [{"@type": "ImageObject", "url": picture.url} | named if named else picture.url]


def _media_schema(article: Article, player: Player) -> dict[str, str]:
    address, media_type = player.renditions[0]
    return {
        "@type": "AudioObject" if player.tag == "audio" else "VideoObject",
        "contentUrl": address,
        "encodingFormat": media_type,
        "name": player.file.title or article.title,
        "uploadDate": rfc3339(article.published),
    }


class _NoArticles(Exception):
    """The story has nothing to show: it was merged, retracted, or never there."""


@bp.get("/story/<story_id>")
def story_page(story_id: str) -> Response:
    """Give the page of a story."""
    uid = _uid(story_id)

    def draw(showing: Showing) -> tuple[str, datetime]:
        with the_site().store.read() as tx:
            articles = tx.stories.articles(uid, MOST_ARTICLES, the_site().readable)
            size = _size(tx, uid)
        if not articles:
            raise _NoArticles
        members = sorted(articles, key=lambda article: article.published, reverse=True)
        newest, first = members[0], members[-1].published
        return drawn(
            "story.html",
            showing,
            members,
            series=size.series,
            title=newest.title or showing.words.gettext("Untitled"),
            count=max(len(members), size.articles),
            shown=len(members),
            sources=list(dict.fromkeys(article.source_name for article in members if article.source_name)),
            began=first,
            days=days([headline(article, showing, dated=False) for article in members], showing),
            description=shortened(plain(newest.summary or newest.content), 200),
            noindex=any(article.noindex for article in members),
            uid=uid,
            canonical=showing.addresses.public(story_path(uid)),
        )

    try:
        return draw_once(("story", uid, the_site().snapshot.counter, slot()), draw)
    except _NoArticles:
        return _elsewhere(uid)


@bp.get("/story/<story_id>.<any(rss, atom, json):format>")
def story_feed(story_id: str, format: Format) -> Response:
    """Give a story as a feed of its articles, joined from their fragments; its id is the story's for good."""
    uid = _uid(story_id)
    if is_for_people(request.environ):
        return story_page(story_id)
    site = the_site()
    snapshot = site.snapshot

    def prepare() -> Finished:
        with site.store.read() as tx:
            base = tx.documents.frame("", format)
            selection = tx.stories.selection(uid, format, FEED_ENTRIES, site.readable)
            newest, size, desk_id = tx.stories.articles(uid, 1, site.readable), _size(tx, uid), tx.configs.desk_id()
        if not selection.fragments and not selection.missing:
            raise _NoArticles
        title = newest[0].title if newest else ""
        return join(
            base,
            selection,
            format,
            settings=snapshot.settings,
            self_url=snapshot.addresses.public(f"{story_path(uid)}.{format}"),
            page_url=snapshot.addresses.public(story_path(uid)),
            title=f"{title} · {snapshot.settings.title}",
            description=f"All articles of one {'series' if size.series else 'story'}",
            feed_id=frames.feed_urn(desk_id, "story", uid),
            updated=snapshot.desk.accepted_at,
            most_bytes=snapshot.settings.publish.max_bytes,
        )

    try:
        return respond_with(site.once(("story", format, uid, snapshot.counter), prepare, site.joins))
    except _NoArticles:
        return _elsewhere(uid, f".{format}")


def _size(tx: ReadTx, uid: str) -> StorySize:
    return tx.stories.sizes([uid], the_site().readable).get(uid, StorySize(0, 0))


def _uid(uuid: str) -> str:
    if not _UUID.fullmatch(uuid):
        raise NotFound
    return f"urn:uuid:{uuid}"


def _elsewhere(uid: str, suffix: str = "") -> Response:
    """Lead from a story that was merged to where it went on; 410 where all its articles were taken out, 401 where they
    are in private sections.
    """
    with the_site().store.read() as tx:
        merged_into, known = tx.stories.moved(uid), tx.stories.known(uid)
        shut = tx.stories.articles(uid, 1, None)
    if shut:
        raise Unauthorized
    if merged_into:
        return redirect_to(the_site().snapshot.addresses.public(story_path(merged_into) + suffix))
    raise Gone if known else NotFound
