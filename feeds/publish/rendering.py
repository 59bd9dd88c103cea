"""One section's documents in every format, joined of fragments that are kept and those that have to be made.
`FragmentMemory` holds those made or read lately: what documents list is listed again with the next change.
I/O: `unfold` reads the store.
"""

from __future__ import annotations

import logging
from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

import xxhash
from msgspec import Struct, field

from feeds import frames, render
from feeds.configuration import Copies, Section, Settings
from feeds.errors import RenderError
from feeds.model import FORMATS, MEDIA_TYPES, Article, Document, Format, Fragment, Frame
from feeds.render import DeskContext, SectionContext
from feeds.store import Store
from feeds.store.values import Standing

log = logging.getLogger(__name__)

Kept = dict[str, dict[Format, Fragment]]
"""Fragments by article."""


class Rendered(Struct):
    """A section's documents and their frames, a pair for each format."""

    documents: list[Document] = field(default_factory=list)
    frames: list[Frame] = field(default_factory=list)


class Listing(Struct, kw_only=True):
    """What a section lists, in order, and what there is of it. An article that lacks a fragment is in *articles*."""

    uids: list[str]
    kept: Kept
    articles: dict[str, Article]

    def complete(self, desk: DeskContext, version: int) -> tuple[list[Fragment], dict[str, RenderError]]:
        """Make the fragments that are missing; them, and by uid why an article can't be published: it is let go."""
        made: list[Fragment] = []
        faults: dict[str, RenderError] = {}
        for format in FORMATS:
            missing = [self.articles[uid] for uid in dict.fromkeys(self.uids) if format not in self.kept.get(uid, ())]
            some, errors = fragments_of(missing, format, desk, version)
            made += some
            faults |= errors
        made = [fragment for fragment in made if fragment.article_uid not in faults]
        for fragment in made:
            self.kept.setdefault(fragment.article_uid, {})[fragment.format] = fragment
        for uid in faults:
            self.kept.pop(uid, None)
        self.uids = [uid for uid in self.uids if uid not in faults]
        return made, faults


def fragments_of(
    articles: Sequence[Article], format: Format, desk: DeskContext, version: int
) -> tuple[list[Fragment], dict[str, RenderError]]:
    """Return *articles* in *format*, checked, and why others can't be published, by uid, whatever libraries raise."""
    try:
        bodies = list(zip(articles, render.render_fragments(articles, format, desk=desk), strict=True))
    except Exception as error:
        # Whatever makes feedgen raise is one entry's trouble and nobody else's; halves tell whose.
        if len(articles) == 1:
            cause = f"article {articles[0].id} can't be rendered as {format}: {error!r}"
            return [], {articles[0].uid: RenderError(cause, article_uid=articles[0].uid)}
        middle = len(articles) // 2
        made, faults = fragments_of(articles[:middle], format, desk, version)
        more, others = fragments_of(articles[middle:], format, desk, version)
        return made + more, faults | others
    made, faults = [], {}
    for article, whole in bodies:
        body = whole
        try:
            if len(whole) > desk.max_entry_bytes:
                body = render.within(whole, article, format, desk)
                log.warning(
                    "article=%s has %d bytes as %s, shortened to %d", article.uid, len(whole), format, len(body)
                )
            render.check_fragment(body, format, article.uid)
        except RenderError as fault:
            faults[article.uid] = fault
            continue
        made.append(
            Fragment(
                article_uid=article.uid,
                format=format,
                version=version,
                body=body,
                updated=article.updated,
                revision=article.revision,
            )
        )
    return made, faults


def unfold(store: Store, listing: Listing, copies: Copies, limit: int) -> None:
    """List what a section's `copies:` asks for: copies linked from their article, or shown as entries of their own.

    Fragments are kept as folded: what differs is made anew with the document and kept nowhere, and archive pages and
    deltas, which are joined from kept fragments, give articles folded.
    """
    if copies == "fold" or not listing.uids:
        return
    with store.read() as tx:
        whole = tx.articles.several(listing.uids)
    listed: list[str] = []
    for uid in listing.uids:
        listed.append(uid)
        article = whole.get(uid)
        if article is None or not article.copies:
            continue
        if copies == "show":
            extra = {each.uid: each for each in render.shown(article)}
            listing.articles |= extra
            listed += extra
        else:
            listing.articles[uid] = render.linked(article)
            listing.kept.pop(uid, None)
    listing.uids = listed[:limit]


def bounded(listing: Listing, most_bytes: int) -> bool:
    """Let the oldest entries of *listing* go that have no room in a document of *most_bytes*, in whatever format: all
    formats hold the same. Returns whether any went.
    """
    room = min(frames.fitting([listing.kept[uid][format] for uid in listing.uids], most_bytes) for format in FORMATS)
    gone = room < len(listing.uids)
    listing.uids = listing.uids[:room]
    return gone


def render_section(
    uids: Sequence[str],
    kept: Kept,
    *,
    context: SectionContext,
    sequence: int,
    feed_id: str,
    created_at: datetime,
    archive_page: int | None,
    retracted: Sequence[tuple[str, datetime]],
    now: datetime,
) -> Rendered:
    """Return the documents of *uids*, in their order, of the fragments that are *kept*.

    Raises RenderError where the section's frame does not check, or an article stands twice.
    """
    if len(set(uids)) < len(uids):
        twice = next(uid for uid in uids if uids.count(uid) > 1)
        raise RenderError(f"{context.path or 'index'} lists {twice} twice")
    done = Rendered()
    for format in FORMATS:
        fragments = [kept[uid][format] for uid in uids]
        frame = render.render_frame(context, format)
        older = context.base_url + frames.archive_path(context.path, archive_page, format) if archive_page else None
        body = frames.assemble(
            frame,
            fragments,
            self_url=context.url(format),
            alternate_url=context.url(),
            title=frames.feed_title(context.path, context.title, context.desk_title),
            description=context.description,
            # When the content last changed: by an article or by a retraction, never the present.
            updated=max([*(each.updated for each in fragments), *(at for _, at in retracted)], default=created_at),
            feed_id=feed_id,
            extra=[
                frames.hub_links(format, context.hubs),
                frames.archive_links(format, prev_url=older),
                frames.deleted_entries(format, retracted),
            ],
        )
        gzip, coded = render.compress(body)
        done.documents.append(
            Document(
                path=context.path,
                format=format,
                media_type=MEDIA_TYPES[format],
                sequence=sequence,
                etag=etag_of(sequence, body),
                last_modified=now.replace(microsecond=0),
                body=body,
                gzip=gzip,
                brotli=coded,
                article_uids=tuple(uids),
            )
        )
        done.frames.append(frame)
    return done


def etag_of(sequence: int, body: bytes) -> str:
    """Return the identity of a document, which ETags carry: a delta goes on from its sequence number."""
    return f"{sequence}-{xxhash.xxh3_64_hexdigest(body)}"


def is_same_body(etag: str, other: str) -> bool:
    """Tell whether two ETags are of the same bytes, whatever sequence numbers they stand for."""
    return etag.partition("-")[2] == other.partition("-")[2]


def desk_context(settings: Settings) -> DeskContext:
    """Return what fragments need of the desk."""
    return DeskContext(
        base_url=settings.base_url,
        title=settings.title,
        language=settings.language,
        images=settings.publish.images,
        # One entry alone has to fit.
        max_entry_bytes=min(settings.publish.max_entry_bytes, settings.publish.max_bytes - frames.HEAD_BYTES - 1),
        dated_by_edits=settings.publish.rss_date == "updated",
    )


def section_context(section: Section, settings: Settings) -> SectionContext:
    """Return what frames need of a section."""
    return SectionContext(
        path=section.path,
        title=section.title,
        description=section.description or (settings.description if not section.path else ""),
        language=section.language or settings.language,
        base_url=settings.base_url,
        max_age_s=settings.publish.max_age_s,
        hubs=() if section.private else settings.hubs,
        desk_title=settings.title,
        image_url=settings.image or None,
        icon_url=section.icon or None,
        colour=section.colour,
        rights=settings.copyright,
        licence_url=settings.licence_url,
    )


MOST_BYTES = 32 << 20
"""Of fragments; at 15 kB an article in three formats it is what forty full sections list."""


class FragmentMemory:
    """The last MOST_BYTES of fragments, by article. Each is of one version and revision, as who asks must be."""

    def __init__(self) -> None:
        self._bytes = 0
        self._kept: OrderedDict[str, dict[Format, Fragment]] = OrderedDict()

    def known(self, articles: Iterable[Standing], version: int) -> Kept:
        """Those of *articles* whose fragments are here in every format, with them."""
        found: Kept = {}
        for one in articles:
            mine, wanted = self._kept.get(one.uid, {}), (version, one.revision)
            if mine and all((each.version, each.revision) == wanted for each in mine.values()):
                self._kept.move_to_end(one.uid)
                found[one.uid] = mine
        return found

    def keep(self, made: Iterable[Fragment]) -> None:
        """Remember fragments of articles of which there is one in every format; the oldest go."""
        by_article: Kept = {}
        for fragment in made:
            by_article.setdefault(fragment.article_uid, {})[fragment.format] = fragment
        for uid, fragments in by_article.items():
            self._bytes -= _size(self._kept.pop(uid, {}))
            if len(fragments) == len(FORMATS):
                self._kept[uid] = fragments
                self._bytes += _size(fragments)
        while self._bytes > MOST_BYTES:
            _, oldest = self._kept.popitem(last=False)
            self._bytes -= _size(oldest)


def _size(fragments: Mapping[Format, Fragment]) -> int:
    return sum(len(each.body) for each in fragments.values())
