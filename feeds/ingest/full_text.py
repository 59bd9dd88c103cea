"""The text of an article's page for the entry of a feed that says little (`full_text: fetch`). Pure but for the store.

Such an entry is published at once as its feed has it. Its page goes into the queue that listings use, and what the page
says is put into the stored entry when it comes, which is then an entry that changed. The feed goes on to show the
short one: `with_full_texts` gives the long one in its place. So it is with the entries of a news sitemap, which say no
more than a headline, and whose pages are asked for anyhow.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator, Sequence

from msgspec.structs import replace

from feeds.ingest.bodies import Read, Waiting
from feeds.ingest.host_queues import link_hash
from feeds.ingest.placing import Places
from feeds.ingest.reading import Reading
from feeds.model import Decision, Entry, Evidence, dropped
from feeds.store import ReadTx, WriteTx
from feeds.urls import masked

log = logging.getLogger(__name__)

SHORT_CHARS = 2_000
"""An entry with as much text is taken for whole."""
LONGER = 1.2
"""A page's text must be so many times as long as the entry's."""
SHARED = 0.5
"""The part of the telling words of an entry's title and text that its page must have."""
MOST_QUEUED = 200
"""Pages of one feed that wait; older ones are left as their feed has them."""

_TELLING = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]|[^\W\d_]{4,}")


def wants(waiting: Waiting) -> bool:
    """Whether *waiting* is the document of a feed or list whose short entries get the text of their pages."""
    source = waiting.source
    return source.has_entries and source.full_text == "fetch" and waiting.item.asked_url is None


def is_article(waiting: Waiting) -> bool:
    """Whether *waiting* is the page of an entry of a feed or list."""
    return waiting.source.has_entries and waiting.item.asked_url is not None


def concerns(waiting: Waiting) -> bool:
    """Whether stored entries have to do with what *waiting* brings."""
    return wants(waiting) or is_article(waiting) or waiting.source.kind == "sitemap"


def queue(tx: WriteTx, read: Sequence[Read], placed: Sequence[Places], decided: Sequence[tuple[Decision, ...]]) -> None:
    """Queue the pages of new entries that say little and are to be shown."""
    for (waiting, _), places, decisions in zip(read, placed, decided, strict=True):
        if wants(waiting):
            pages = {link_hash(link): link for link in _links(places, decisions)}
            tx.page_queue.put(waiting.source.id, pages, MOST_QUEUED)


def _links(places: Places, decisions: Sequence[Decision]) -> Iterator[str]:
    for entry in (one.entry for one in decisions if one.kind in ("new", "copy")):
        at = places.get(entry.position)
        if entry.link and is_short(entry) and at is not None and dropped(at) is None:
            yield entry.link


def with_full_texts(tx: ReadTx, read: list[Read]) -> list[Read]:
    """*read*, with the stored entry completed in the place of each page, and the long entries in the place of short."""
    return [(waiting, _completed(tx, waiting, reading)) for waiting, reading in read]


def _completed(tx: ReadTx, waiting: Waiting, reading: Reading) -> Reading:
    is_followed = waiting.source.kind == "sitemap" and waiting.item.asked_url is not None and reading.kind == "page"
    if is_article(waiting) or is_followed:
        stored = tx.articles.entry_at(waiting.source.id, waiting.item.asked_url or "")
        return replace(reading, entries=_with_pages(stored, reading.entries, waiting))
    if concerns(waiting) and reading.entries:
        known = tx.articles.entries_of_keys(waiting.source.id, [entry.key for entry in reading.entries])
        return replace(reading, entries=tuple(kept(one, known.get(one.key, (None,))[0]) for one in reading.entries))
    return reading


def _with_pages(stored: Entry | None, pages: Sequence[Entry], waiting: Waiting) -> tuple[Entry, ...]:
    """What *pages* make of what is *stored* of their article."""
    if is_article(waiting):
        return tuple(found for page in pages if stored and (found := _taken(stored, page, waiting)))
    # Of an article that a sitemap names more than the page says is known where that is a news sitemap.
    if stored is None or (stored.content and not stored.feed_hash):
        return tuple(pages)
    return tuple(completed(stored, page) for page in pages)


def _taken(stored: Entry, page: Entry, waiting: Waiting) -> Entry | None:
    if why := refusal(stored, page):
        log.info("source=%s page=%s: not taken, %s", waiting.source.name, masked(waiting.item.final_url), why)
        return None
    return completed(stored, page)


def quiet(read: Sequence[Read], decided: Sequence[tuple[Decision, ...]]) -> list[tuple[Decision, ...]]:
    """*decided*, but what a page completed is no news of its article."""
    page = Evidence(kind="full-text", detail="read from its page")
    return [
        tuple(
            replace(one, significant=False, evidence=(page,)) if one.entry.feed_hash or is_article(waiting) else one
            for one in decisions
        )
        if waiting.item.asked_url is not None
        else decisions
        for (waiting, _), decisions in zip(read, decided, strict=True)
    ]


def is_short(entry: Entry) -> bool:
    """Whether *entry* may be no more than the beginning of its article."""
    return len(entry.text) < SHORT_CHARS


def refusal(entry: Entry, page: Entry) -> str:
    """Why the text of *page* is not that of *entry*, ``""`` where it is."""
    if not page.content or len(page.text) < LONGER * len(entry.text):
        return "its text is no longer than the feed's"
    telling = _telling(f"{entry.title} {entry.text}")
    shared = len(telling & _telling(f"{page.title} {page.text}")) / max(1, len(telling))
    return f"it shares {shared:.0%} of the words of the entry" if shared < SHARED else ""


def completed(entry: Entry, page: Entry) -> Entry:
    """*entry* with the text of its *page*, and what else only the page says."""
    return replace(
        entry,
        content=page.content,
        text=page.text,
        summary=entry.summary or page.summary,
        image=entry.image or page.image,
        authors=entry.authors or page.authors,
        categories=entry.categories or page.categories,
        breadcrumb=entry.breadcrumb or page.breadcrumb,
        origin=entry.origin or page.origin,
        credits=entry.credits or page.credits,
        rights=entry.rights or page.rights,
        noindex=entry.noindex or page.noindex,
        text_hash=page.text_hash,
        content_hash=entry.content_hash ^ page.content_hash,
        feed_hash=entry.content_hash,
    )


def kept(entry: Entry, stored: Entry | None) -> Entry:
    """*entry* as the feed shows it again, with the text that *stored* has from its page."""
    if stored is None or not stored.feed_hash or not is_short(entry):
        return entry
    if stored.feed_hash == entry.content_hash:
        return replace(stored, position=entry.position)
    return completed(entry, replace(stored, content_hash=stored.content_hash ^ stored.feed_hash))


def _telling(text: str) -> set[str]:
    return {word[:6] for word in _TELLING.findall(text.casefold())}
