"""The entries of a section whose config says `copies: link` or `copies: show`. I/O: reads the store.

Fragments are kept as folded: what differs here is made anew with the document and kept nowhere, and archive pages and
deltas, which are joined from kept fragments, give articles folded.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import xxhash

from feeds import frames
from feeds.errors import RenderError
from feeds.model import FORMATS, MEDIA_TYPES, Article, Copies, Document, Format, Fragment, Frame, Section, Settings
from feeds.render import (
    DeskContext,
    SectionContext,
    check,
    compress,
    render_fragments,
    render_frame,
)
from feeds.render.story import linked, shown
from feeds.store import Store

Kept = dict[Format, dict[str, Fragment]]


@dataclass(slots=True)
class Rendered:
    """Documents that check, and what had to be made for them."""

    documents: list[Document] = field(default_factory=list)
    frames: list[Frame] = field(default_factory=list)
    fragments: list[Fragment] = field(default_factory=list)


def render_section(
    uids: Sequence[str],
    kept: Kept,
    articles: Mapping[str, Article],
    *,
    desk: DeskContext,
    version: int,
    context: SectionContext,
    sequence: int,
    feed_id: str,
    created_at: datetime,
    archive_page: int | None,
    retracted: Sequence[tuple[str, datetime]],
    now: datetime,
) -> Rendered:
    """Return the documents of *uids*, in their order. *kept* takes up the fragments that are made, of *articles*.

    Raises RenderError, which names the article at fault where it is one's.
    """
    done = Rendered()
    for format in FORMATS:
        missing = [articles[uid] for uid in dict.fromkeys(uids) if uid not in kept[format]]
        made, faults = fragments_of(missing, format, desk, version)
        for fault in faults:
            raise fault
        kept[format] |= {fragment.article_uid: fragment for fragment in made}
        done.fragments += made
        fragments = [kept[format][uid] for uid in uids]
        frame = render_frame(context, format)
        older = context.base_url + frames.archive_path(context.path, archive_page, format) if archive_page else None
        body = frames.assemble(
            frame,
            fragments,
            self_url=context.url(format),
            alternate_url=context.url(),
            title=title_of(context),
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
        for problem in check(body, format):
            if problem.severity == "error":
                raise RenderError(
                    f"{context.path or 'index'}.{format}: {problem.message}",
                    path=context.path,
                    article_uid=problem.article_uid,
                )
        gzip, brotli = compress(body)
        done.documents.append(
            Document(
                path=context.path,
                format=format,
                media_type=MEDIA_TYPES[format],
                sequence=sequence,
                etag=f"{sequence}-{xxhash.xxh3_64_hexdigest(body)}",
                last_modified=now.replace(microsecond=0),
                body=body,
                gzip=gzip,
                brotli=brotli,
                article_uids=tuple(uids),
            )
        )
        done.frames.append(frame)
    return done


def fragments_of(
    articles: Sequence[Article], format: Format, desk: DeskContext, version: int
) -> tuple[list[Fragment], list[RenderError]]:
    """Return *articles* in *format*, and for each that can't be rendered why, whatever makes the libraries raise."""
    try:
        bodies = render_fragments(articles, format, desk=desk)
    except Exception as error:
        # Whatever makes feedgen raise is one entry's trouble and nobody else's; halves tell whose.
        if len(articles) == 1:
            return [], [_fault(articles[0], format, error)]
        middle = len(articles) // 2
        made, faults = fragments_of(articles[:middle], format, desk, version)
        more, others = fragments_of(articles[middle:], format, desk, version)
        return made + more, faults + others
    return [
        Fragment(
            article_uid=article.uid,
            format=format,
            version=version,
            body=body,
            updated=article.updated,
            revision=article.revision,
        )
        for article, body in zip(articles, bodies, strict=True)
    ], []


def _fault(article: Article, format: Format, error: Exception) -> RenderError:
    return RenderError(f"article {article.id} can't be rendered as {format}: {error!r}", article_uid=article.uid)


def title_of(context: SectionContext) -> str:
    """Return a feed's title: readers show it without what is around it, so it names the desk too."""
    return context.desk_title if not context.path else f"{context.title} · {context.desk_title}"


def desk_context(settings: Settings) -> DeskContext:
    """Return what fragments need of the desk."""
    return DeskContext(
        base_url=settings.base_url,
        title=settings.title,
        language=settings.language,
        images=settings.publish.images,
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
        hubs=settings.hubs,
        desk_title=settings.title,
        image_url=settings.image or None,
        rights=settings.copyright,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Unfolded:
    """The entries to list, and which of them are not as the store keeps them."""

    uids: list[str]
    own: frozenset[str]


def unfold(
    store: Store, uids: list[str], kept: Kept, articles: dict[str, Article], copies: Copies, limit: int
) -> Unfolded:
    """Give what the section lists; *kept* and *articles* are changed to render it."""
    if copies == "fold" or not uids:
        return Unfolded(uids=uids, own=frozenset())
    with store.read() as tx:
        whole = tx.articles.several(uids)
    own: set[str] = set()
    listed: list[str] = []
    for uid in uids:
        listed.append(uid)
        article = whole.get(uid)
        if article is None or not article.copies:
            continue
        if copies == "show":
            extra = {each.uid: each for each in shown(article)}
            articles |= extra
            own |= extra.keys()
            listed += extra
        else:
            articles[uid] = linked(article)
            own.add(uid)
            for format in FORMATS:
                kept[format].pop(uid, None)
    return Unfolded(uids=listed[:limit], own=frozenset(own))
