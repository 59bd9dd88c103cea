"""Feeds put together for a request from stored fragments: archive pages and narrowed feeds. Pure.

Fragments and frames were made and checked by publishing; joining them is `frames.assemble`, as for documents.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime

from isal import igzip

from feeds import frames
from feeds.errors import StoreError
from feeds.model import MEDIA_TYPES, Format, Settings
from feeds.serve.addresses import Addresses
from feeds.serve.reader import Part
from feeds.serve.representations import MIN_CODED_BYTES, Finished, Headers, finish

GZIP_LEVEL = 2


def join(
    part: Part,
    format: Format,
    addresses: Addresses,
    *,
    path: str,
    self_url: str,
    title: str,
    description: str,
    variant: str = "",
    extra: Sequence[bytes] = (),
) -> bytes:
    """Return the feed of *part*, a selection of the section at *path*. Raises StoreError while fragments are missing.

    A *variant* is a feed of its own with its own id; without one it is a page of the section's.
    """
    if part.selection.missing:
        raise StoreError(
            f"{part.selection.missing} articles of {path or 'the desk'!r} wait for being rendered",
            remedy="nothing to do: publishing is on its way through them",
        )
    return frames.assemble(
        part.frame,
        part.selection.fragments,
        self_url=self_url,
        alternate_url=addresses.public("/" + path),
        title=title,
        description=description,
        updated=part.selection.updated or part.created_at,
        feed_id=frames.feed_urn(part.desk_id, f"section/{part.section_id}", variant),
        extra=extra,
    )


def finish_joined(
    body: bytes, format: Format, *, sequence: int | None, last_modified: datetime, cache_control: str, links: Headers
) -> Finished:
    """Prepare the answers of a joined feed; its ETag carries *sequence* where it has one, as documents' do."""
    bodies = {"identity": body}
    if len(body) > MIN_CODED_BYTES:
        # A tenth of zlib's time and some more bytes: this is done for one asker, not once for all.
        bodies["gzip"] = igzip.compress(body, GZIP_LEVEL, mtime=0)
    digest = hashlib.sha256(body).hexdigest()[:16]
    return finish(
        bodies=bodies,
        etag=digest if sequence is None else f"{sequence}-{digest}",
        last_modified=last_modified,
        media_type=MEDIA_TYPES[format],
        cache_control=cache_control,
        more=[*links, ("Access-Control-Allow-Origin", "*")],
    )


def feed_title(path: str, title: str, settings: Settings) -> str:
    """Return the title of a section's feed, as its documents have it."""
    return settings.title if not path else f"{title} · {settings.title}"
