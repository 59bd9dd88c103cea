"""The one address of everything the desk serves, and the redirects that lead there. Pure.

Addresses are built from `base_url` alone, never from what a request claims to be asking.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from urllib.parse import quote, urlsplit

from msgspec import Struct, field

from feeds.configuration import UNFILED, Section
from feeds.frames import document_path, split_format
from feeds.model import Format

PLACES = frozenset(
    (
        "/",
        "/sections",
        "/sections.opml",
        "/sitemap.xml",
        "/sitemap-sections.xml",
        "/sitemap-news.xml",
        "/licence.xml",
        "/robots.txt",
        "/favicon.ico",
        "/healthz",
        "/readyz",
        "/" + UNFILED,
    )
)
"""Addresses that exist on every desk."""

USUAL: dict[str, Format] = {
    "feed": "rss", "rss": "rss", "rss.xml": "rss", "feed.xml": "atom", "atom.xml": "atom", "feed.json": "json",
}  # fmt: skip
"""What people and services try for a feed, below a page, and the document that they mean by it."""

_ARCHIVE = re.compile(r"(?:(.+)/)?archive/([0-9]{1,12})")
_SLASHES = re.compile(r"/{2,}")
_QUERY_SAFE = "!$&'()*+,;=:@/?-._~%"


class Addresses(Struct, frozen=True):
    """The map of one desk: what its sections and documents are called, and what they were called before.

    *token* goes along with the addresses that may take one: private sections, articles, stories.
    """

    base_url: str
    prefix: str = ""
    sections: dict[str, Section] = field(default_factory=dict)
    token: str = ""
    _by_folded: dict[str, str] = field(default_factory=dict)
    _moved: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, base_url: str, sections: Iterable[Section]) -> Addresses:
        """Draw the map. A path that is both `moved_from` and a section of today is the section of today."""
        known = {section.path: section for section in sections if section.path}
        moved = {old.strip("/"): path for path, section in known.items() for old in section.moved_from}
        return cls(
            base_url=base_url.rstrip("/"),
            prefix=urlsplit(base_url).path.rstrip("/"),
            sections=known,
            _by_folded={path.casefold(): path for path in known},
            _moved={old.casefold(): path for old, path in moved.items() if old not in known},
        )

    def strip_prefix(self, path: str) -> str:
        """Return *path* without the path of `base_url`, whether a proxy in front has taken it off already or not.

        A desk at ``https://example.org/wire`` answers ``/wire/news`` and ``/news`` alike. Only the first prefix is
        taken off, so behind a proxy that strips, a section called ``wire`` is still reached by its documents.
        """
        if self.prefix and (path == self.prefix or path.startswith(self.prefix + "/")):
            return path[len(self.prefix) :] or "/"
        return path

    def local(self, path: str) -> str:
        """Return the link to *path* for pages of the desk: with prefix, without host, percent-encoded."""
        asked = self._asked(path)
        return self.prefix + quote(path) + (f"?{asked}" if asked else "")

    def public(self, path: str, query: str = "") -> str:
        """Return the absolute address of *path*; *query* comes as the client sent it and is made harmless."""
        address = self.base_url + quote(path)
        asked = "&".join(filter(None, (quote(query, safe=_QUERY_SAFE), self._asked(path))))
        return f"{address}?{asked}" if asked else address

    def _asked(self, path: str) -> str:
        if not self.token or not (path.startswith(("/article/", "/story/")) or self.private_at(path)):
            return ""
        return f"token={self.token}"

    def private_at(self, path: str) -> str | None:
        """Return the private section that the address *path* is of: its page, a document, anything below; else None.

        >>> Addresses.of("https://w.example", [Section(path="a", title="A", access="tokens")]).private_at("/A/feed.xml")
        'a'
        """
        section = path.strip("/").casefold().partition(".")[0]
        while section:
            if (found := self.sections.get(section)) is not None:
                return section if found.private else None
            section = section.rpartition("/")[0]
        return None

    def section_at(self, path: str) -> Section | None:
        """Return the section whose path is exactly *path*."""
        return self.sections.get(path)

    def one_address(self, path: str) -> str | None:
        """Return where *path* should have been asked, None where it is right already or leads nowhere.

        Mends a trailing slash, doubled slashes, other case, and the old paths of moved sections, in every format.
        """
        plain = "/" + _SLASHES.sub("/", path).strip("/")
        if plain.casefold() in PLACES:
            mended: str | None = plain.casefold()
        elif plain.casefold().startswith(("/article/", "/story/")):
            mended = plain.casefold()
        else:
            mended = self._section_address(plain[1:])
        return mended if mended is not None and mended != path else None

    def _section_address(self, asked: str) -> str | None:
        return self._document_address(asked) or self._usual_address(asked.casefold())

    def _usual_address(self, folded: str) -> str | None:
        section, _, name = folded.rpartition("/")
        path = self._path_of(section) if section else ""
        return document_path(path, USUAL[name]) if name in USUAL and path is not None else None

    def _document_address(self, asked: str) -> str | None:
        folded, format = split_format(asked.casefold())
        suffix = f".{format}" if format else ""
        if format and folded == "index":
            return f"/index{suffix}"
        folded, page = split_archive(folded)
        if page:
            suffix = f"/{page}{suffix}"
            if not folded:
                return suffix if format else None
        path = self._path_of(folded)
        return f"/{path}{suffix}" if path is not None else None

    def _path_of(self, folded: str) -> str | None:
        path = self._by_folded.get(folded) or self._moved_to(folded)
        return UNFILED if path is None and folded == UNFILED else path

    def _moved_to(self, folded: str) -> str | None:
        """A section takes its subsections along: the longest old path that *folded* lies in decides."""
        head, rest = folded, ""
        while head:
            if (new := self._moved.get(head)) is not None:
                return self._by_folded.get((new + rest).casefold())
            head, slash, tail = head.rpartition("/")
            rest = slash + tail + rest
        return None


def story_path(uid: str) -> str:
    """Return the path of a story's page; with the suffix of a format it is that of its feed.

    >>> story_path("urn:uuid:00000000-0000-4000-8000-000000000001")
    '/story/00000000-0000-4000-8000-000000000001'
    """
    return "/story/" + uid.removeprefix("urn:uuid:")


def split_archive(path: str) -> tuple[str, str]:
    """Return the section of an archive page's path without suffix, and the rest; "" for what is none.

    >>> split_archive("news/world/archive/300"), split_archive("archive/7"), split_archive("news/world")
    (('news/world', 'archive/300'), ('', 'archive/7'), ('news/world', ''))
    """
    match = _ARCHIVE.fullmatch(path)
    return (match[1] or "", f"archive/{int(match[2])}") if match else (path, "")
