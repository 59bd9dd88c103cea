"""Articles made from rows: how much of an entry may be shown, and how it read before its last change. I/O: database.

Of changes one an article is kept, and of a long text its beginning, so that what is often edited grows no further.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from html import escape

from msgspec import Struct
from msgspec.structs import replace
from sqlalchemy import Connection, case, select

from feeds.codec import deflate, entry_from_blob, inflate
from feeds.configuration import DOCUMENTS, FullText
from feeds.model import Article, CopyNote, Entry, Related
from feeds.parsed import Enclosure, Episode, Image, Origin
from feeds.players import is_dead, media_type
from feeds.store import relations
from feeds.store.dialect import AnyRow, rows_in, upsert, value_of
from feeds.store.relations import evidence_of, in_words, is_dropped
from feeds.store.schema import IN_SECTION, article_edits, articles, entries, filings, sections, sources
from feeds.text import plain
from feeds.urls import public_address, site_of

SUMMARY_CHARS = 300
KEPT_WHOLE_CHARS = 600
"""A summary up to here is a summary; longer ones are whole articles that a feed calls so."""

_ORDER: tuple[FullText, ...] = ("link", "summary", "full")
# As `normalise` leaves them; `<` and `>` stand for themselves in tags alone.
_PICTURE_OR_FILM = re.compile(
    r'<figure><a href="[^"]*"[^>]*><img [^>]*></a><figcaption>.*?</figcaption></figure>|<img [^>]*>'
    r'|<(video|audio)\b.*?</\1>|<p><a href="[^"]*"[^>]*>[^<]*</a></p>',
    re.DOTALL,
)
MOST_COPIES = 50
"""So many copies of one article are named: a flood of them must not make it grow without end."""
MOST_CHARS = 6000
"""How much of an edited text is kept and compared."""


def strictest(first: FullText, second: FullText) -> FullText:
    """The right of the two that shows less."""
    return min(first, second, key=_ORDER.index)


def allowed(entry: Entry, right: FullText) -> tuple[str, str]:
    """Summary and content of *entry*, both HTML, as far as *right* allows; ``""`` for what it does not.

    For ``summary`` without a summary of its own one is cut from the text, about 300 characters at a word's end. Of an
    entry without words the first picture, film or sound is its summary, or where it is to be seen.
    """
    if right == "full":
        return entry.summary, entry.content
    if right == "link":
        return "", ""
    text = plain(entry.summary)
    if text and len(text) <= KEPT_WHOLE_CHARS:
        return entry.summary, ""
    if words := text or entry.text:
        return cut(words), ""
    return _first_shown(entry.summary) or _first_shown(entry.content) or cut(plain(entry.content)), ""


def _first_shown(html: str) -> str:
    found = _PICTURE_OR_FILM.search(html)
    return found[0] if found else ""


def allowed_image(entry: Entry, right: FullText) -> Image | None:
    """The picture of *entry*; none where a headline and a link are all that may be shown."""
    return entry.image if right != "link" else None


def allowed_files(entry: Entry, right: FullText) -> tuple[Enclosure, ...]:
    """The files of *entry*: where they are to be had, and for ``link`` no pictures and nothing said of them.

    Those of players that are gone are left out; `normalise` does so too, but rows of release 0.1.0 have them.
    """
    files = [file for file in entry.enclosures if not is_dead(file.type, file.url)]
    if right != "link":
        return tuple(files)
    return tuple(
        replace(file, title="", description="", credit="")
        for file in files
        if not media_type(file.type, file.url).startswith("image/")
    )


def allowed_episode(entry: Entry, right: FullText) -> Episode | None:
    """What *entry* says of itself as an episode: its summary cut, for ``link`` no words and no pictures."""
    episode = entry.episode
    if episode is None or right == "full":
        return episode
    if right == "summary":
        return replace(episode, summary=cut_text(episode.summary))
    people = tuple(replace(person, image_url=None) for person in episode.people)
    return replace(episode, subtitle="", summary="", image_url=None, people=people)


def cut(text: str) -> str:
    """`cut_text` of plain *text*, as HTML."""
    return escape(cut_text(text), quote=False)


def cut_text(text: str) -> str:
    """The beginning of plain *text*, at the end of a word where there is one, with a mark where it was cut."""
    text = " ".join(text.split())
    if len(text) <= SUMMARY_CHARS:
        return text
    start = text[: SUMMARY_CHARS + 1]
    at = start.rfind(" ")
    kept = start[:at] if at >= SUMMARY_CHARS // 2 else start[:SUMMARY_CHARS]  # some languages have no blanks
    return kept.rstrip(" ,;:.–—-") + "…"


_ENTRIES = (
    select(
        *(articles.c[name] for name in ("id", "uid", "story_uid", "published_at", "updated_at", "rank_at", "revision")),
        *(entries.c[name] for name in ("shown", "copy", "changed_at", "link", "title", "first_seen", "evidence")),
        case((entries.c.shown == 1, entries.c.payload)).label("payload"),
        *(sources.c[name] for name in ("key", "name", "target", "kind", "rights", "full_text", "site_url")),
    )
    .join_from(articles, entries)
    .join(sources)
    .order_by(entries.c.id)
)
_PATHS = (
    select(filings.c.article_id, sections.c.path)
    .join_from(filings, sections)
    .where(IN_SECTION, sections.c.removed_at.is_(None), sections.c.path != "")
    .order_by(sections.c.position, sections.c.id)
)


def hydrate(
    connection: Connection, ids: Sequence[int], sequences: Mapping[int, int] | None = None
) -> dict[int, Article]:
    """The articles with these row ids, with copies and sections; *sequences* are those of the section asked about."""
    copies: dict[int, list[AnyRow]] = {}
    paths: dict[int, list[str]] = {}
    shown: dict[int, AnyRow] = {}
    for row in rows_in(connection, _ENTRIES, articles.c.id, ids):
        kept = copies.setdefault(row.id, [])
        if row.shown:
            shown[row.id] = row
        elif len(kept) < MOST_COPIES or not row.copy:
            kept.append(row)
    for article_id, path in rows_in(connection, _PATHS, filings.c.article_id, ids):
        paths.setdefault(article_id, []).append(path)
    contains, contained_in = relations.related(connection, ids)
    return {
        article_id: _article(
            shown[article_id],
            copies.get(article_id, ()),
            paths.get(article_id, ()),
            (sequences or {}).get(article_id, 0),
            (contains.get(article_id, ()), contained_in.get(article_id, ())),
        )
        for article_id in ids
        if article_id in shown
    }


def _article(
    row: AnyRow,
    copies: Sequence[AnyRow],
    paths: Iterable[str],
    sequence: int,
    related: tuple[Iterable[Related], Iterable[Related]],
) -> Article:
    entry = entry_from_blob(row.payload)
    right = _right(row, copies)
    named = [copy for copy in copies if not is_dropped(evidence_of(copy.evidence))]
    summary, content = allowed(entry, right)
    published: datetime = row.published_at
    address = public_address(row.target) if row.kind not in DOCUMENTS else None
    return value_of(
        Article,
        entry,  # for whatever is not named here
        uid=row.uid,
        summary=summary,
        content=content,
        published=published,
        updated=max(row.updated_at, published),
        rank_at=row.rank_at,
        source_name=row.name,
        source_url=address,
        source_site=site_of(row.target) if row.kind not in DOCUMENTS and address is None else None,
        source_key=row.key,
        source_updated=row.changed_at,
        full_text=right,
        origin=entry.origin or (_original(named) if row.copy else None),
        enclosures=allowed_files(entry, right),
        image=allowed_image(entry, right),
        episode=allowed_episode(entry, right),
        copies=tuple(map(_copy_note, named)),
        contains=tuple(related[0]),
        contained_in=tuple(related[1]),
        story_uid=row.story_uid,
        series=False,
        sections=tuple(paths),
        sequence=sequence,
        revision=row.revision,
    )


def _right(row: AnyRow, copies: Iterable[AnyRow]) -> FullText:
    """What may be shown of the shown entry."""
    right: FullText = row.rights
    if row.copy and row.full_text not in ("full", "fetch"):
        # The text of an original is not given away because a copy of it is shown instead.
        for original in (other for other in copies if not other.copy):
            right = strictest(right, original.rights)
    return right


def _copy_note(copy: AnyRow) -> CopyNote:
    original = not copy.copy
    return value_of(
        CopyNote, copy, source_name=copy.name, original=original, why=in_words(copy.evidence, original=original)
    )


def _original(copies: Sequence[AnyRow]) -> Origin | None:
    """Whom a copy credits that names nobody itself: the source of the original that is stored beside it."""
    for copy in copies:
        if not copy.copy:
            feed = public_address(copy.target) if copy.kind == "feed" else None
            return Origin(name=copy.name, url=copy.site_url or (None if feed else site_of(copy.target)), feed_url=feed)
    return None


# --------------------------------------------------------------------------- edits


class Edit(Struct, frozen=True, kw_only=True):
    """An article before and after its last significant change: plain title and text, the text cut at `MOST_CHARS`."""

    at: datetime
    old_title: str
    old_text: str
    title: str
    text: str


def keep_words(connection: Connection, entry_ids: Iterable[int], now: datetime) -> None:
    """Note how these entries, which are about to be changed, read now."""
    payloads = select(entries.c.id, entries.c.article_id, entries.c.payload)
    kept = [
        {
            "article_id": row.article_id,
            "at": now,
            "before": deflate(json.dumps([row.id, *_words(row.payload)]).encode()),
        }
        for row in rows_in(connection, payloads, entries.c.id, sorted(set(entry_ids)))
    ]
    upsert(connection, article_edits, kept, ("article_id",), replace=True)


def last_edit(connection: Connection, uid: str) -> Edit | None:
    """The last significant change of the words that an article is shown in; None where there was none."""
    statement = (
        select(article_edits.c.at, article_edits.c.before, entries.c.id, entries.c.payload)
        .join_from(articles, article_edits, article_edits.c.article_id == articles.c.id)
        .join(entries, (entries.c.article_id == articles.c.id) & (entries.c.shown == 1))
        .where(articles.c.uid == uid, articles.c.retracted_at.is_(None))
    )
    row = connection.execute(statement).first()
    if row is None:
        return None
    of_entry, old_title, old_text = json.loads(inflate(row.before))
    if of_entry != row.id:
        return None  # another source's words are shown since
    title, text = _words(row.payload)
    return Edit(at=row.at, old_title=old_title, old_text=old_text, title=title, text=text)


def _words(payload: bytes) -> tuple[str, str]:
    stored = json.loads(inflate(payload))
    text = str(stored.get("text") or "")
    if len(text) > MOST_CHARS:
        text = text[:MOST_CHARS].rpartition(" ")[0] or text[:MOST_CHARS]
        text += "…"
    return str(stored.get("title") or ""), text
