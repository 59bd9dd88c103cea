"""What fragments and frames are made for: what they hold of the desk and of a section. Pure.

A module that loads nothing: whether a fragment is of the present version is asked far more often than one is made.
"""

from __future__ import annotations

from functools import lru_cache
from zlib import crc32

from msgspec import Struct
from msgspec.structs import astuple

from feeds.frames import document_path
from feeds.model import Format

FRAGMENT_VERSION = 6
"""Counts changes of what fragments look like; one made under another number is made anew."""


class DeskContext(Struct, frozen=True, kw_only=True):
    """What a fragment needs of the desk. *base_url* has no slash at its end; *title* signs what has no author.

    With *dated_by_edits* RSS dates an article by its last significant change.
    """

    base_url: str
    title: str = "Wiredesk"
    language: str = "en"
    images: bool = True
    max_entry_bytes: int = 1_000_000
    dated_by_edits: bool = False


class SectionContext(Struct, frozen=True, kw_only=True):
    """What a frame needs of a section. *image_url* and the smaller *icon_url* are absolute; *colour* is
    ``#rrggbb`` or empty; *max_age_s* becomes ttl and the update period."""

    path: str
    title: str
    description: str = ""
    language: str = "en"
    base_url: str = ""
    max_age_s: int = 300
    hubs: tuple[str, ...] = ()
    image_url: str | None = None
    icon_url: str | None = None
    colour: str = ""
    rights: str = ""
    licence_url: str | None = None
    desk_title: str = "Wiredesk"

    def url(self, format: Format | None = None) -> str:
        """The address of the section's page, or of its document in *format*."""
        return self.base_url + (document_path(self.path, format) if format else f"/{self.path}")


@lru_cache(maxsize=8)
def fragment_version(desk: DeskContext) -> int:
    """Return the version that a fragment made for *desk* has: it changes with ours and with what it holds of the desk.

    Fits a signed 32 bit column.
    """
    held = "\n".join(map(str, (FRAGMENT_VERSION, *astuple(desk))))
    return crc32(held.encode()) & 0x7FFFFFFF
