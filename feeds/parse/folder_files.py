"""Files of a folder: which kind each is, and the article in it. Part of `parse`. Pure.

A plain text, a Markdown file with front matter, a saved article page, a letter (`.eml`), a saved feed, a PDF, or what
an agency sends (NITF, NewsML-G2, wire text): the kind is found from the bytes, and the name only decides where they
leave it open. Other XML and JSON is refused, never shown as text. A letter (RFC 5322) gives subject, sender and text.

Markdown is CommonMark. Its front matter is read as far as articles use it: plain values, quoted ones, lists, blocks of
text; YAML between ``---`` or TOML between ``+++``. What is neither is left to the text.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Mapping
from datetime import date, datetime, time
from functools import cached_property, lru_cache
from itertools import chain
from pathlib import PurePosixPath
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from feeds.errors import ParseError
from feeds.parse import line_kinds
from feeds.parse.agencies import ROOTS, News, is_wire, read_news_xml, read_wire
from feeds.parse.charset import decode
from feeds.parse.expat import is_well_formed, mended, root_of
from feeds.parse.fields import raw_text
from feeds.parse.json_feeds import parse_json
from feeds.parse.kinds import Seen, recognise
from feeds.parse.letters import is_letter, read_letter
from feeds.parse.pages import parse_page
from feeds.parse.pdf import read_pdf
from feeds.parse.plain import read_plain
from feeds.parse.xml_feeds import parse_xml
from feeds.parsed import Category, Image, Origin, ParsedEntry, ParsedFeed

MAX_DOCUMENT_BYTES = 10_485_760

_BINARY = (b"PK\x03\x04", b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"\x1f\x8b", b"\xd0\xcf\x11\xe0", b"{\\rtf")
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
    file = _File(name, body)
    return next(read for is_one, read in _READERS if is_one(file))(file)


class _File(Struct, frozen=True, dict=True):
    """A file of a folder: its *name* and its *body*."""

    name: str
    body: bytes

    @cached_property
    def seen(self) -> Seen:
        """As what it was recognised."""
        return recognise(self.body)

    @property
    def kind(self) -> str:
        """As what it was recognised by its first character; markup further on is talked about, not meant."""
        return self.seen.kind if self.is_markup or self.seen.kind == "json" else ""

    @property
    def is_markup(self) -> bool:
        """Whether it begins with a tag."""
        return self.seen.body.lstrip().startswith(b"<")

    @property
    def suffix(self) -> str:
        """The end of its name, in lower case."""
        return PurePosixPath(self.name).suffix.lower()


def _is_other_xml(file: _File) -> bool:
    """Whether *file* is XML that is neither feed nor page; a text may begin with something in angle brackets, too."""
    seen, suffix = file.seen, file.suffix
    if not file.is_markup or suffix in _PAGES:
        return False
    if seen.kind != "junk" or seen.prolog is None:
        return seen.kind in ("sitemap", "opml")
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


def _page(file: _File) -> ParsedFeed:
    page = parse_page(file.body, url="")
    return _document(page.entries[0], file, warnings=page.warnings)


def _text(file: _File) -> ParsedFeed:
    text = decode(file.body, name=file.name)
    stated, body = front_matter(text)
    if stated is None and file.suffix not in _MARKDOWNS:
        return _document(read_plain(text), file)
    if _one(stated or {}, "draft") == "true":
        return ParsedFeed(kind="document", warnings=(f"{file.name} is a draft and left out",))
    return _document(_read_markdown(stated or {}, body), file)


_READERS: tuple[tuple[Callable[[_File], bool], Callable[[_File], ParsedFeed]], ...] = (
    (lambda file: file.body.startswith(b"%PDF"), lambda file: _document(read_pdf(file.body, name=file.name), file)),
    (lambda file: file.kind == "xml", lambda file: parse_xml(file.seen, url="")),
    (lambda file: file.kind == "json" and file.suffix != ".txt", _json),
    (lambda file: is_wire(file.body), _wire),
    (_is_other_xml, _news),
    (
        lambda file: file.suffix == ".eml" or is_letter(file.body),
        lambda file: _document(read_letter(file.body, name=file.name), file),
    ),
    (lambda file: file.suffix in _PAGES or (file.kind == "html" and file.suffix not in _MARKDOWNS), _page),
    (lambda file: True, _text),
)
"""What a file is, in the order in which that is asked, and how it is read."""


def _document(entry: ParsedEntry, file: _File, *, warnings: tuple[str, ...] = ()) -> ParsedFeed:
    if entry.title is None and entry.content is None and entry.summary is None:
        raise ParseError(f"{file.name} holds no article", remedy="give it a headline and a text")
    entry = replace(entry, entry_id=entry.entry_id or f"file:{PurePosixPath(file.name)}")
    return ParsedFeed(
        kind="document", title=entry.publisher or "", language=entry.language, entries=(entry,), warnings=warnings
    )


# --------------------------------------------------------------------------- Markdown


_FENCES = {"---": ("---", "..."), "+++": ("+++",)}
_PAIR = re.compile(r"([A-Za-z_][\w -]*?)\s*:(?:\s+(.*)|$)")
_BLOCK = re.compile(r"[|>][+-]?")
_JOINTS = {"|": "\n", ">": " "}
_FIRST_HEADING = re.compile(r"\A\s*#\s+(.+?)\s*#*\s*\n|\A\s*([^\n#>*\-\s][^\n]*)\n=+\s*\n")


def front_matter(text: str) -> tuple[dict[str, Any] | None, str]:
    """Return the front matter of *text*, keys in lower case, and the rest; None and all of it where there is none."""
    rows = text.lstrip("\n").split("\n")
    fence = rows[0].strip()
    ends = _FENCES.get(fence)
    if ends is None:
        return None, text
    for number, row in enumerate(rows[1:200], start=1):
        if row.strip() in ends and row[:1] not in (" ", "\t"):
            inner = rows[1:number]
            stated = _toml(inner) if fence == "+++" else _yaml(inner)
            return (None, text) if stated is None else (stated, "\n".join(rows[number + 1 :]))
    return None, text


def _toml(rows: list[str]) -> dict[str, Any] | None:
    try:
        return {key.lower(): value for key, value in tomllib.loads("\n".join(rows)).items()}
    except tomllib.TOMLDecodeError:
        return None


def _yaml(rows: list[str]) -> dict[str, Any] | None:
    """The keys of the first level with their values: a text, a list of texts, or a text of several lines.

    A map within a map says nothing that an article needs.
    """
    found: list[tuple[str, str, list[str]]] = []  # key, value, and the lines below it
    for row in filter(str.strip, rows):
        line, is_deeper = row.strip(), row.startswith((" ", "\t"))
        if found and (is_deeper or line.startswith("- ")):
            found[-1][2].append(line)
        elif pair := _PAIR.match(row):
            found.append((pair[1].strip().lower(), (pair[2] or "").strip(), []))
        elif not (is_deeper or line.startswith("#")):
            return None
    return {key: _below(value, lines) for key, value, lines in found} or None


def _below(value: str, lines: list[str]) -> Any:
    """What the *lines* below a key say, whose own *value* may begin a list or a block of text."""
    if _BLOCK.fullmatch(value):
        return _JOINTS[value[0]].join(lines)
    stated = _value(value)
    items = [_scalar(line[2:]) for line in lines if line.startswith("- ")]
    return [*(stated if isinstance(stated, list) else ()), *items] if items else stated


def _value(text: str) -> Any:
    if text.startswith("[") and text.rstrip().endswith("]"):
        inner = re.findall(r"\"[^\"]*\"|'[^']*'|[^,\[\]]+", text)
        return [value for part in inner if (value := _scalar(part))]
    return _scalar(text)


def _scalar(text: str) -> str:
    text = text.strip()
    if quoted := re.match(r"(\"(?:[^\"\\]|\\.)*\"|'(?:[^']|'')*')\s+#", text):
        text = quoted[1]
    if len(text) >= 2 and text[0] == text[-1] and text[0] in "\"'":
        inner = text[1:-1]
        return inner.replace("''", "'") if text[0] == "'" else inner.replace('\\"', '"').replace("\\\\", "\\")
    return re.sub(r"\s+#.*$", "", text)


_STATED: dict[str, tuple[str, ...]] = {
    "entry_id": ("id", "guid", "uuid"),
    "link": ("link", "url", "permalink", "canonical", "canonical_url", "canonicalurl"),
    "language": ("language", "lang", "locale"),
    "published": ("date", "published", "pubdate", "publishdate", "created"),
    "updated": ("updated", "lastmod", "modified", "last_modified_at"),
    "publisher": ("publisher",),
    "rights": ("rights", "license", "licence", "copyright"),
}
"""For each fact that is one text, the keys under which front matter has it."""


def _read_markdown(stated: Mapping[str, Any], body: str) -> ParsedEntry:
    """The article in a Markdown *body*; what its front matter *stated* counts before what lines say.

    Without a title there, the first heading is it.
    """
    title = _one(stated, "title", "headline")
    heading = _FIRST_HEADING.match(body)
    if heading and title in (None, (heading[1] or heading[2]).strip()):
        title, body = _plain_heading(heading[1] or heading[2]), body[heading.end() :]
    names = _many(stated, "author", "authors", "by")
    terms = dict.fromkeys(_many(stated, "categories", "category", "tags", "keywords", "topics"))
    facts: dict[str, Any] = {name: _one(stated, *keys) for name, keys in _STATED.items()}
    facts |= {
        "summary": raw_text(_one(stated, "summary", "description", "standfirst", "excerpt", "abstract"), "text"),
        "authors": tuple(chain.from_iterable(map(line_kinds.people, names))),
        "categories": tuple(Category(term=term) for term in terms),
        "breadcrumb": _breadcrumb(stated),
        "origin": _origin(stated),
        "image": _image(stated),
        "noindex": _one(stated, "noindex") == "true",
    }
    entry = read_plain(body, to_html=_to_html, title=title)
    return replace(entry, **{name: fact for name, fact in facts.items() if fact})


def _to_html(body: str) -> str:
    return str(_renderer().render(body)).strip()


@lru_cache(maxsize=1)
def _renderer() -> Any:
    from markdown_it import MarkdownIt  # an eighth of a second, for desks that read Markdown

    return MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])


def _plain_heading(text: str) -> str:
    return re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", re.sub(r"[*_`]{1,3}(?=\S)|(?<=\S)[*_`]{1,3}", "", text)).strip()


def _one(stated: Mapping[str, Any], *keys: str) -> str | None:
    return next((value for key in keys for value in _many(stated, key)), None)


def _many(stated: Mapping[str, Any], *keys: str) -> list[str]:
    values = chain.from_iterable(value if isinstance(value := stated.get(key), list) else [value] for key in keys)
    return list(filter(None, map(_as_text, values)))


def _as_text(value: Any) -> str:
    """A value of front matter as text; ``""`` for a map, or nothing."""
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, bool):
        return str(value).lower()
    return str(value).strip() if isinstance(value, str | int | float) else ""


def _breadcrumb(stated: Mapping[str, Any]) -> tuple[str, ...]:
    value = stated.get("breadcrumb") or stated.get("breadcrumbs")
    if isinstance(value, list):
        return tuple(_many({"crumbs": value}, "crumbs"))
    text = _one(stated, "breadcrumb", "breadcrumbs", "section")
    return (line_kinds.breadcrumb(text) or (text,)) if text else ()


def _origin(stated: Mapping[str, Any]) -> Origin | None:
    source, url = _one(stated, "source", "origin", "credit"), _one(stated, "source_url", "origin_url", "original_url")
    credit = line_kinds.credit(f"Source: {source or url}") if source or url else None
    if credit is None or credit.origin is None:
        return None
    return Origin(name=credit.origin.name, url=credit.origin.url or url)


def _image(stated: Mapping[str, Any]) -> Image | None:
    url = _one(stated, "image", "cover", "thumbnail", "featured_image", "og_image")
    return Image(url=url, alt=_one(stated, "image_alt", "alt") or "") if url else None
