"""Files of a folder: which kind each is, and the article in it. Part of `parse`. Pure.

A plain text, a Markdown file with front matter, a saved article page, a letter (`.eml`), a saved feed, a PDF, or what
an agency sends (NITF, NewsML-G2, wire text): the kind is found from the bytes, and the name only decides where they
leave it open. Other XML and JSON is refused, never shown as text. A letter (RFC 5322) gives subject, sender and text.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

from feeds.errors import ParseError
from feeds.parse.agencies import ROOTS, News, is_wire, read_news_xml, read_wire
from feeds.parse.charset import decode
from feeds.parse.expat import is_well_formed, mended, root_of
from feeds.parse.json_feeds import parse_json
from feeds.parse.kinds import Seen, recognise
from feeds.parse.letters import is_letter, read_letter
from feeds.parse.markdown import has_front_matter, is_draft, read_markdown
from feeds.parse.pages import parse_page
from feeds.parse.pdf import read_pdf
from feeds.parse.plain import read_plain
from feeds.parse.xml_feeds import parse_xml
from feeds.parsed import ParsedEntry, ParsedFeed

MAX_DOCUMENT_BYTES = 10_485_760

_BINARY = (
    b"PK\x03\x04",
    b"\x89PNG",
    b"\xff\xd8\xff",
    b"GIF8",
    b"\x1f\x8b",
    b"\xd0\xcf\x11\xe0",
    b"{\\rtf",
)
_PAGES = {".html", ".htm", ".xhtml", ".mhtml"}
_XML = {".xml", ".nitf", ".newsml", ".svg", ".rdf", ".xsl", ".xsd"}
_MARKDOWNS = {".md", ".markdown", ".mdown", ".mkd"}


def parse_document(body: bytes, *, name: str) -> ParsedFeed:
    """Return what the file *name* with the content *body* says: kind ``document`` and one entry, or a saved feed's.

    An entry that states no id of its own gets ``file:`` and *name*: a changed file is the same entry. No date is
    made up. Raises ParseError where the file is empty, no text, or holds no article.
    """
    if len(body) > MAX_DOCUMENT_BYTES:
        raise ParseError(
            f"{name} is larger than {MAX_DOCUMENT_BYTES} bytes", remedy="split it, one article a file, or leave it out"
        )
    if not body.strip(b" \t\r\n\x00\xef\xbb\xbf\xff\xfe"):
        raise ParseError(f"{name} is empty", remedy="write the article into it, or delete the file")
    if body.startswith(_BINARY):
        raise ParseError(f"{name} is no text", remedy="save the article as plain text, Markdown or HTML")
    if body.startswith(b"%PDF"):
        return _document(read_pdf(body, name=name), _File(name, body, Seen("junk", b"")))
    file = _File(name, body, recognise(body))
    return _READERS[_kind_of(file)](file)


@dataclass(frozen=True, slots=True)
class _File:
    """A file of a folder: its *name*, its *body*, and as what that was recognised."""

    name: str
    body: bytes
    seen: Seen

    @property
    def suffix(self) -> str:
        """The end of its name, in lower case."""
        return PurePosixPath(self.name).suffix.lower()


def _kind_of(file: _File) -> str:
    """The key of `_READERS` for *file*."""
    suffix = file.suffix
    markup = file.seen.body.lstrip().startswith(b"<")  # further on it is talked about, not meant
    kind = file.seen.kind if markup or file.seen.kind == "json" else ""
    if kind == "xml" or (kind == "json" and suffix != ".txt"):
        return kind
    if is_wire(file.body):
        return "wire"
    if markup and suffix not in _PAGES and _is_other_xml(file.seen, suffix):
        return "news"
    if suffix == ".eml" or is_letter(file.body):
        return "letter"
    if suffix in _PAGES:
        return "page"
    return "page" if kind == "html" and suffix not in _MARKDOWNS else "text"


def _is_other_xml(seen: Seen, suffix: str) -> bool:
    """Whether *seen* is XML that is neither feed nor page; a text may begin with something in angle brackets, too."""
    if seen.kind in ("sitemap", "opml"):
        return True
    if seen.kind != "junk" or seen.prolog is None:
        return False
    if seen.body.lstrip().startswith(b"<?xml") or seen.prolog.local in ROOTS or suffix in _XML:
        return True
    return suffix not in _MARKDOWNS and is_well_formed(root_of(seen.body, seen.prolog))


def _news(file: _File) -> ParsedFeed:
    prolog = file.seen.prolog
    if prolog is None or prolog.local not in ROOTS:
        root = prolog.name[:60] if prolog is not None else ""
        raise ParseError(
            f"{file.name} is XML with the root element {root!r}, which holds no article that is known here",
            remedy="save the article as plain text, Markdown or HTML; NITF and NewsML-G2 are read as well",
        )
    return _of_agency(read_news_xml(mended(root_of(file.seen.body, prolog), prolog.entities), name=file.name), file)


def _wire(file: _File) -> ParsedFeed:
    return _of_agency(read_wire(file.body, decode(file.body, name=file.name), name=file.name), file)


def _of_agency(news: News, file: _File) -> ParsedFeed:
    first = _document(news.entries[0], file) if news.entries else ParsedFeed(kind="document")
    entries = (*first.entries, *(entry for entry in news.entries[1:] if entry.entry_id))
    return replace(first, entries=entries, killed=news.killed, embargoes=news.embargoes)


def _json(file: _File) -> ParsedFeed:
    try:
        return parse_json(file.seen.body, url="")
    except ParseError as error:
        remedy = "save the article as plain text, Markdown or HTML; of JSON, JSON Feed is read in a folder"
        raise ParseError(f"{file.name}: {error.cause}", remedy=remedy) from error


def _letter(file: _File) -> ParsedFeed:
    return _document(read_letter(file.body, name=file.name), file)


def _page(file: _File) -> ParsedFeed:
    page = parse_page(file.body, url="", content_type=None)
    return _document(page.entries[0], file, warnings=page.warnings)


def _text(file: _File) -> ParsedFeed:
    text = decode(file.body, name=file.name)
    if file.suffix not in _MARKDOWNS and not has_front_matter(text):
        return _document(read_plain(text), file)
    if is_draft(text):
        return ParsedFeed(kind="document", warnings=(f"{file.name} is a draft and left out",))
    return _document(read_markdown(text), file)


_READERS: dict[str, Callable[[_File], ParsedFeed]] = {
    "xml": lambda file: parse_xml(file.seen, url=""),
    "json": _json,
    "news": _news,
    "wire": _wire,
    "letter": _letter,
    "page": _page,
    "text": _text,
}


def _document(entry: ParsedEntry, file: _File, *, warnings: tuple[str, ...] = ()) -> ParsedFeed:
    if entry.title is None and entry.content is None and entry.summary is None:
        raise ParseError(f"{file.name} holds no article", remedy="give it a headline and a text")
    entry = replace(entry, entry_id=entry.entry_id or f"file:{PurePosixPath(file.name)}")
    return ParsedFeed(
        kind="document", title=entry.publisher or "", language=entry.language, entries=(entry,), warnings=warnings
    )
