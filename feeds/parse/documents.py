"""Documents out of a folder: which kind a file is, and the article in it. Part of `parse`. Pure.

A plain text, a Markdown file with front matter, a saved article page, a letter (`.eml`), a saved feed or an agency's
NITF or NewsML-G2: the kind is found from the bytes, and the name only decides where they leave it open. Other XML is
refused, never shown as text.
"""

from __future__ import annotations

import codecs
import re
from dataclasses import replace
from pathlib import PurePosixPath

from feeds.errors import ParseError
from feeds.model import ParsedEntry, ParsedFeed
from feeds.parse.feeds import parse_xml
from feeds.parse.jsonfeed import parse_json
from feeds.parse.kinds import Seen, recognise
from feeds.parse.letters import is_letter, read_letter
from feeds.parse.markdown import has_front_matter, is_draft, read_markdown
from feeds.parse.newsxml import ROOTS, read_news_xml
from feeds.parse.pages import parse_page
from feeds.parse.plain import read_plain
from feeds.parse.xmlfeed import is_well_formed, mended, root_of

MAX_DOCUMENT_BYTES = 10_485_760

_BOMS = (
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_BINARY = (
    b"%PDF",
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
_LINE_END = re.compile(r"\r\n|[\r\x0b\x0c\x85\u2028\u2029]")
_NO_TEXT = re.compile(r"[\x00-\x08\x0e-\x1f\x7f\u200b\u2060\ufeff\ufffe\uffff\ud800-\udfff]")
_BLANK = re.compile(r"[\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000\t]")


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
    suffix = PurePosixPath(name).suffix.lower()
    seen = recognise(body)
    markup = seen.body.lstrip().startswith(b"<")  # further on it is talked about, not meant
    if (seen.kind == "xml" and markup) or (seen.kind == "json" and suffix != ".txt"):
        return _saved_feed(seen)
    if markup and suffix not in _PAGES and _is_other_xml(seen, suffix):
        return _other_xml(seen, name)
    if suffix == ".eml" or is_letter(body):
        return _document(read_letter(body, decode=decode, name=name), name=name)
    if suffix in _PAGES or (seen.kind == "html" and markup and suffix not in _MARKDOWNS):
        page = parse_page(body, url="", content_type=None)
        return _document(page.entries[0], name=name, warnings=page.warnings)
    text = decode(body, name=name)
    if suffix in _MARKDOWNS or has_front_matter(text):
        if is_draft(text):
            return ParsedFeed(kind="document", warnings=(f"{name} is a draft and left out",))
        return _document(read_markdown(text), name=name)
    return _document(read_plain(text), name=name)


def _is_other_xml(seen: Seen, suffix: str) -> bool:
    """Whether *seen* is XML that is neither feed nor page; a text may begin with something in angle brackets, too."""
    if seen.kind in ("sitemap", "opml"):
        return True
    if seen.kind != "junk" or seen.prolog is None:
        return False
    if seen.body.lstrip().startswith(b"<?xml") or seen.prolog.local in ROOTS or suffix in _XML:
        return True
    return suffix not in _MARKDOWNS and is_well_formed(root_of(seen.body, seen.prolog))


def _other_xml(seen: Seen, name: str) -> ParsedFeed:
    prolog = seen.prolog
    assert prolog is not None
    if prolog.local not in ROOTS:
        raise ParseError(
            f"{name} is XML with the root element {prolog.name[:60]!r}, which holds no article that is known here",
            remedy="save the article as plain text, Markdown or HTML; NITF and NewsML-G2 are read as well",
        )
    entries = read_news_xml(mended(root_of(seen.body, prolog), prolog.entities), name=name)
    first = _document(entries[0], name=name)
    return replace(first, entries=(*first.entries, *(entry for entry in entries[1:] if entry.entry_id)))


def _saved_feed(seen: Seen) -> ParsedFeed:
    return parse_json(seen.body, url="") if seen.kind == "json" else parse_xml(seen, url="")


def _document(entry: ParsedEntry, *, name: str, warnings: tuple[str, ...] = ()) -> ParsedFeed:
    if entry.title is None and entry.content is None and entry.summary is None:
        raise ParseError(f"{name} holds no article", remedy="give it a headline and a text")
    entry = replace(entry, entry_id=entry.entry_id or f"file:{PurePosixPath(name)}")
    return ParsedFeed(
        kind="document", title=entry.publisher or "", language=entry.language, entries=(entry,), warnings=warnings
    )


def decode(body: bytes, *, name: str = "the document") -> str:
    """Return the text of *body* with ``\\n`` line ends and plain blanks, whatever program wrote it.

    A byte order mark decides; without one, zeros in every second place mean UTF-16, then UTF-8 where it fits, else
    windows-1252, which fits everything.
    """
    encoding = next((encoding for mark, encoding in _BOMS if body.startswith(mark)), None) or _without_mark(body)
    text = body.decode(encoding, errors="replace")
    text = _NO_TEXT.sub("", _LINE_END.sub("\n", text))
    if not text.strip():
        raise ParseError(f"{name} is empty", remedy="write the article into it, or delete the file")
    return _BLANK.sub(" ", text)


def _without_mark(body: bytes) -> str:
    start = body[:4096]
    zeros = start.count(0)
    if zeros > len(start) // 4:
        even, odd = start[::2].count(0), start[1::2].count(0)
        return "utf-16-be" if even > odd else "utf-16-le"
    try:
        body.decode("utf-8")
    except UnicodeDecodeError as error:
        # A file cut in the middle of its last character is still UTF-8.
        return "utf-8" if error.start >= len(body) - 3 and error.start > 0 else "cp1252"
    return "utf-8"
