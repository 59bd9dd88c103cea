"""The reader over the real store. I/O: read transactions, each a moment of its own."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from feeds import frames
from feeds.errors import SectionNotFound
from feeds.model import Article, Document, Format
from feeds.serve.reader import RETRACTED, Changes, Desk, Part, Retracted, Since
from feeds.settings import config_from_json
from feeds.store import Store, open_store
from feeds.store.store import ReadTx
from feeds.store.values import Selection

_PAGE = 200  # articles read at once where only the newest of unknown number are wanted


class StoreReader:
    """Opens the store at *url* with the first question, in the process that asks: connections do not cross a fork."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._opening = threading.Lock()
        self._opened: Store | None = None
        self._config: Desk | None = None

    @property
    def _store(self) -> Store:
        if self._opened is None:
            with self._opening:
                if self._opened is None:
                    self._opened = open_store(self._url, create=False)
        return self._opened

    @property
    def store(self) -> Store:
        """The store itself, for the pages that look deeper than a `Reader` does."""
        return self._store

    def close(self) -> None:
        """Close the store; a later question would open it again."""
        with self._opening:
            if self._opened is not None:
                self._opened.close()
                self._opened = None

    def moved(self) -> bool:
        """See `Reader.moved`."""
        return self._store.moved()

    def changes(self, after: int) -> Changes:
        """See `Reader.changes`."""
        with self._store.read() as tx:
            documents, counter = tx.documents.all_since(after)
            only = after > 0 and counter - after == len({document.path for document in documents})
            present = frozenset() if only else frozenset(tx.documents.keys())
        return Changes(counter=counter, documents=documents, only_documents=only, present=present)

    def desk(self) -> Desk | None:
        """See `Reader.desk`; the stored text is read once a version."""
        with self._store.read() as tx:
            stored = tx.configs.current()
        if stored is None:
            return None
        if self._config is None or self._config.version != stored.version:
            config = config_from_json(stored.text)
            self._config = Desk(
                settings=config.settings,
                sections=config.sections,
                # Headers may name secrets, and no page has a use for them.
                sources=tuple(replace(one, headers=()) if one.headers else one for one in config.sources),
                version=stored.version,
                accepted_at=stored.accepted_at,
            )
        return self._config

    def document(self, path: str, format: Format) -> Document | None:
        """See `Reader.document`."""
        with self._store.read() as tx:
            return tx.documents.get(path, format)

    def latest(self, path: str, limit: int) -> Sequence[Article]:
        """See `Reader.latest`; nothing for a section that the store does not have yet."""
        with self._store.read() as tx:
            try:
                return tx.sections.top(path, limit)
            except SectionNotFound:
                return ()

    def article(self, uid: str) -> Article | Retracted | None:
        """See `Reader.article`."""
        with self._store.read() as tx:
            article = tx.articles.get(uid)
            if article is not None and article.sections:
                return article  # what is in no section is published nowhere
            state = tx.articles.state(uid)
        return None if state is None or state.kind == "live" else RETRACTED

    def published_after(self, moment: datetime, limit: int) -> Sequence[Article]:
        """See `Reader.published_after`. Looked for by `rank_at`, which is never later than the publication."""
        found: list[Article] = []
        before, seen = None, 0
        with self._store.read() as tx:
            while seen < limit:
                try:
                    page = tx.sections.page("", before, min(_PAGE, limit - seen))
                except SectionNotFound:
                    break
                found += [article for article in page.articles if article.published > moment]
                seen += len(page.articles)
                before = page.next
                if before is None or before[0] <= moment:
                    break
        return sorted(found, key=lambda article: (article.published, article.uid), reverse=True)

    def former_sections(self) -> Mapping[str, str | None]:
        """See `Reader.former_sections`."""
        with self._store.read() as tx:
            return {path: None if target == "gone" else target for path, target in tx.sections.former().items()}

    def since(self, path: str, sequence: int, limit: int) -> Since:
        """See `Reader.since`."""
        with self._store.read() as tx:
            section = tx.sections.get(path)
            if section is None or sequence > section.sequence:
                return Since(known=False)
            changes = tx.sections.since(path, sequence, limit)
        return Since(
            known=changes.complete,
            article_uids=tuple(article.uid for article in changes.articles),
            retracted=tuple((gone.uid, gone.at) for gone in changes.withdrawn),
        )

    def archive_page(self, path: str, page: int, format: Format) -> Part | None:
        """See `Reader.archive_page`."""
        with self._store.read() as tx:
            try:
                selection = tx.sections.archive_page(path, frames.archive_first(page), page, format)
            except SectionNotFound:
                return None
            return _part(tx, path, format, selection)

    def narrowed(
        self,
        path: str,
        format: Format,
        *,
        source_keys: Sequence[str],
        language: str,
        fallback: str,
        limit: int,
        scan: int,
    ) -> Part | None:
        """See `Reader.narrowed`."""
        with self._store.read() as tx:
            found = [tx.sources.by_key(key) for key in source_keys]
            try:
                selection = tx.sections.narrowed(
                    path,
                    format,
                    sources=[source.id for source, _ in filter(None, found)] or [0] * bool(source_keys),
                    language=language,
                    fallback=fallback,
                    limit=limit,
                    scan=scan,
                )
            except SectionNotFound:
                return None
            return _part(tx, path, format, selection)

    def by_story(self, path: str, format: Format, *, limit: int, among: int) -> Part | None:
        """See `Reader.by_story`."""
        with self._store.read() as tx:
            try:
                selection = tx.sections.by_story(path, format, limit=limit, among=among)
            except SectionNotFound:
                return None
            return _part(tx, path, format, selection)


def _part(tx: ReadTx, path: str, format: Format, selection: Selection) -> Part | None:
    section, frame, listing = tx.sections.get(path), tx.documents.frame(path, format), tx.documents.listing(path)
    if section is None or frame is None or listing is None:
        return None
    return Part(
        selection=selection,
        frame=frame,
        section_id=section.id,
        desk_id=tx.configs.desk_id(),
        sequence=section.rendered_sequence,
        filed=section.rendered_filed,
        created_at=section.created_at,
        last_modified=listing.last_modified,
    )
