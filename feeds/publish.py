"""The flow from changed sections to checked documents that replace the last good ones. Knows the order of the steps.

A document is made outside any transaction, from fragments that feedgen made once; it is checked, and only then written
together with the sequence number that it stands for. What does not check is not published: the article at fault is set
aside and told, and where none can be named the last good document stays.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

import xxhash

from feeds import frames
from feeds.errors import DeskError, RenderError
from feeds.model import FORMATS, MEDIA_TYPES, UNFILED, Article, Document, Format, Fragment, Frame, Section, Settings
from feeds.render import (
    DeskContext,
    SectionContext,
    check,
    compress,
    fragment_version,
    render_fragment,
    render_frame,
)
from feeds.store import Store
from feeds.store.values import SectionState

log = logging.getLogger(__name__)

MOST_SET_ASIDE = 10
"""Articles set aside from one section in one go; past that the fault is hardly theirs, and the last good stays."""


@dataclass(slots=True)
class Published:
    """What one sweep did: sections replaced, sections held back, articles set aside."""

    sections: list[str] = field(default_factory=list)
    held: list[str] = field(default_factory=list)
    set_aside: list[str] = field(default_factory=list)


def publish(store: Store, settings: Settings, sections: Sequence[Section], *, now: datetime) -> Published:
    """Render every section that changed since its documents were made, and replace what checks.

    One section's fault keeps none of the others back. Raises StoreError alone.
    """
    done = Published()
    by_path = {section.path: section for section in sections}
    with store.read() as tx:
        changed = tx.sections.changed()
        desk_id = tx.configs.desk_id()
    for state in changed:
        section = by_path.get(state.path) or _built_in(state, settings)
        try:
            _publish_section(store, settings, section, state, desk_id, now, done)
        except RenderError as error:
            done.held.append(state.path)
            log.error("section=%s kept its last good documents: %s", state.path or "(all)", error)
            with store.write() as tx:
                tx.sections.hold(state)
                tx.events.add("held", state.path, text=error.cause, remedy=error.remedy, now=now)
    return done


def _publish_section(
    store: Store,
    settings: Settings,
    section: Section,
    state: SectionState,
    desk_id: str,
    now: datetime,
    done: Published,
) -> None:
    desk = DeskContext(
        base_url=settings.base_url,
        title=settings.title,
        language=settings.language,
        images=settings.publish.images,
    )
    version = fragment_version(desk)
    limit = section.limit or settings.publish.entries
    with store.read() as tx:
        articles = list(tx.sections.top(section.path, limit))
        kept = {
            format: tx.documents.fragments([article.uid for article in articles], format, version) for format in FORMATS
        }
    context = _context(section, settings)
    made: list[Fragment] = []
    documents: list[Document] = []
    rendered: list[Frame] = []
    for _ in range(MOST_SET_ASIDE + 1):
        try:
            made, documents, rendered = _render(articles, kept, desk, version, context, state, desk_id, now)
            break
        except RenderError as error:
            if error.article_uid is None:
                raise
            articles = [article for article in articles if article.uid != error.article_uid]
            done.set_aside.append(error.article_uid)
            log.error("section=%s set aside article=%s: %s", section.path, error.article_uid, error.cause)
            with store.write() as tx:
                tx.events.add("set-aside", error.article_uid, text=error.cause, remedy=error.remedy, now=now)
    else:
        raise RenderError(f"more than {MOST_SET_ASIDE} articles of {section.path!r} do not check", path=section.path)
    with store.write() as tx:
        tx.documents.put_fragments(made)
        tx.documents.replace(
            documents,
            rendered,
            section_path=section.path,
            rendered_sequence=state.sequence,
            rendered_touched=state.touched,
        )
    done.sections.append(section.path)


def _render(
    articles: list[Article],
    kept: dict[Format, dict[str, Fragment]],
    desk: DeskContext,
    version: int,
    context: SectionContext,
    state: SectionState,
    desk_id: str,
    now: datetime,
) -> tuple[list[Fragment], list[Document], list[Frame]]:
    """Documents of one section in every format, and what had to be made for them. Raises RenderError."""
    made: list[Fragment] = []
    documents: list[Document] = []
    rendered: list[Frame] = []
    updated = max((article.updated for article in articles), default=state.created_at)
    for format in FORMATS:
        for article in articles:
            if article.uid not in kept[format]:
                fragment = Fragment(
                    article_uid=article.uid,
                    format=format,
                    version=version,
                    body=_fragment(article, format, desk),
                    updated=article.updated,
                )
                kept[format][article.uid] = fragment
                made.append(fragment)
        frame = render_frame(context, format)
        body = frames.assemble(
            frame,
            [kept[format][article.uid] for article in articles],
            self_url=context.url(format),
            alternate_url=context.url(),
            title=_title(context),
            description=context.description,
            updated=updated,
            feed_id=frames.feed_urn(desk_id, f"section/{state.id}"),
            extra=[frames.hub_links(format, context.hubs)],
        )
        for problem in check(body, format):
            if problem.severity == "error":
                raise RenderError(
                    f"{context.path or 'index'}.{format}: {problem.message}",
                    path=context.path,
                    article_uid=problem.article_uid,
                )
        gzip, brotli = compress(body)
        documents.append(
            Document(
                path=context.path,
                format=format,
                media_type=MEDIA_TYPES[format],
                sequence=state.sequence,
                etag=f"{state.sequence}-{xxhash.xxh3_64_hexdigest(body)}",
                last_modified=now.replace(microsecond=0),
                body=body,
                gzip=gzip,
                brotli=brotli,
                article_uids=tuple(article.uid for article in articles),
            )
        )
        rendered.append(frame)
    return made, documents, rendered


def _fragment(article: Article, format: Format, desk: DeskContext) -> bytes:
    try:
        return render_fragment(article, format, desk=desk)
    except DeskError:
        raise
    except Exception as error:
        # Whatever a hostile entry makes feedgen raise is that entry's trouble and nobody else's.
        raise RenderError(
            f"article {article.id} can't be rendered as {format}: {error!r}", article_uid=article.uid
        ) from error


def _title(context: SectionContext) -> str:
    return context.desk_title if not context.path else f"{context.title} · {context.desk_title}"


def _context(section: Section, settings: Settings) -> SectionContext:
    return SectionContext(
        path=section.path,
        title=section.title,
        description=section.description or (settings.description if not section.path else ""),
        language=section.language or settings.language,
        base_url=settings.base_url,
        max_age_s=settings.publish.max_age_s,
        hubs=settings.publish.hubs,
        desk_title=settings.title,
    )


def _built_in(state: SectionState, settings: Settings) -> Section:
    """The two sections that no admin writes: the whole desk and what no rule files."""
    if state.path == UNFILED:
        return Section(path=UNFILED, title="Unfiled", description="Articles that no rule files.")
    return Section(path=state.path, title=settings.title if not state.path else state.title)
