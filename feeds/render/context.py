"""What `render` must know beside the article: the desk and the section. Values only. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from zlib import crc32


@dataclass(frozen=True, slots=True, kw_only=True)
class DeskContext:
    """What a fragment needs of the desk. *base_url* has no slash at its end; *title* signs what has no author."""

    base_url: str
    title: str = "Wiredesk"
    language: str = "en"
    images: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class SectionContext:
    """What a frame needs of a section. *image_url* is absolute; *max_age_s* becomes ttl and the update period."""

    path: str
    title: str
    description: str = ""
    language: str = "en"
    base_url: str = ""
    max_age_s: int = 300
    hubs: tuple[str, ...] = ()
    image_url: str | None = None
    rights: str = ""
    desk_title: str = "Wiredesk"

    def url(self, suffix: str = "") -> str:
        """The address of the section's page, or with *suffix* of its document in that format."""
        if suffix:
            return f"{self.base_url}/{self.path or 'index'}.{suffix}"
        return f"{self.base_url}/{self.path}"


FRAGMENT_VERSION = 5
"""Counts changes of what fragments look like; one made under another number is made anew."""


def fragment_version(desk: DeskContext) -> int:
    """Return the version that a fragment made for *desk* has: it changes with ours and with what it holds of the desk.

    Fits a signed 32 bit column.
    """
    told = f"{FRAGMENT_VERSION}\n{desk.base_url}\n{desk.title}\n{desk.language}\n{desk.images}"
    return crc32(told.encode()) & 0x7FFFFFFF
