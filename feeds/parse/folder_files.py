"""Files of a folder: which kind each is, and the article in it. Part of `parse`. Pure.

A plain text, a Markdown file with front matter, a saved article page, a letter (`.eml`), a saved feed or an agency's
NITF or NewsML-G2: the kind is found from the bytes, and the name only decides where they leave it open. Other XML is
refused, never shown as text. A letter (RFC 5322) gives subject, sender, date and text; NITF is one
article, NewsML-G2 wraps one or more items around text in XHTML, NITF or plain.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from email import message_from_bytes, policy
from email.errors import MessageError
from email.message import EmailMessage
from itertools import chain, islice
from pathlib import PurePosixPath
from typing import Any

from lxml import etree

from feeds.errors import ParseError
from feeds.model import Category, ParsedEntry, ParsedFeed, Person, RawText
from feeds.parse.charset import BOMS
from feeds.parse.expat import is_well_formed, local_name, mended, root_of, xml_tree
from feeds.parse.fields import MAX_ENTRIES, MAX_FIELD_CHARACTERS, MAX_LIST_ITEMS, raw_text
from feeds.parse.json_feeds import parse_json
from feeds.parse.kinds import Seen, recognise
from feeds.parse.markdown import has_front_matter, is_draft, read_markdown
from feeds.parse.pages import parse_page
from feeds.parse.plain import read_plain
from feeds.parse.xml_feeds import parse_xml

MAX_DOCUMENT_BYTES = 10_485_760

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
    entries = read_news_xml(mended(root_of(file.seen.body, prolog), prolog.entities), name=file.name)
    first = _document(entries[0], file)
    return replace(first, entries=(*first.entries, *(entry for entry in entries[1:] if entry.entry_id)))


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
    "json": lambda file: parse_json(file.seen.body, url=""),
    "news": _news,
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


def decode(body: bytes, *, name: str = "the document") -> str:
    """Return the text of *body* with ``\\n`` line ends and plain blanks, whatever program wrote it.

    A byte order mark decides; without one, zeros in every second place mean UTF-16, then UTF-8 where it fits, else
    windows-1252, which fits everything.
    """
    encoding = next((encoding for mark, encoding in BOMS if body.startswith(mark)), None) or _without_mark(body)
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


# ------------------------------------------------------------------------------------------- letters


_HEADER = re.compile(
    rb"(?:From|To|Cc|Subject|Date|Received|Return-Path|Delivered-To|Message-ID|MIME-Version|Content-Type|Reply-To|Sender|"
    rb"DKIM-Signature|X-[\w-]+|List-[\w-]+):",
    re.IGNORECASE,
)
_NEEDED = (
    re.compile(rb"^From:", re.I | re.M),
    re.compile(rb"^(?:Subject|Date|Message-ID|Received|MIME-Version):", re.I | re.M),
)
_PREFIX = re.compile(r"^(?:(?:fwd?|wg|re|aw|tr|rv)\s*:\s*)+", re.IGNORECASE)
_SIGNATURE = re.compile(r"\n-- ?\n[\s\S]{0,2000}\Z")
_TRAILER = re.compile(r"\n_{10,}\n[\s\S]{0,2000}\Z")


def is_letter(body: bytes) -> bool:
    """Tell whether *body* begins with the headers of a letter."""
    head = re.split(rb"\r?\n\r?\n", body[:65_536].lstrip(), maxsplit=1)[0]
    return bool(_HEADER.match(head)) and all(needed.search(head) for needed in _NEEDED)


def read_letter(body: bytes, *, name: str) -> ParsedEntry:
    """Return the article that the letter *body* holds; its HTML part counts before its plain one.

    Attached files are left alone. Raises ParseError where there is no text.
    """
    try:
        letter = message_from_bytes(body, _class=EmailMessage, policy=policy.default)
        html, plain = _part(letter, "html"), _part(letter, "plain")
    except (MessageError, LookupError, ValueError, TypeError, AttributeError, RecursionError) as error:
        raise ParseError(f"{name} is a damaged letter: {error}", remedy="save the letter again") from error
    if not html and not plain:
        raise ParseError(f"{name} is a letter without text", remedy="save its text as a file of its own")
    title = _PREFIX.sub("", _header(letter, "subject")) or None
    plain = _TRAILER.sub("", _SIGNATURE.sub("", plain.replace("\r\n", "\n")))
    facts: dict[str, Any] = {
        "entry_id": _header(letter, "message-id").strip("<> "),
        "title": raw_text(title, "text"),
        "content": RawText(value=html, type="html") if html else None,
        "authors": _senders(letter),
        "published": _header(letter, "date"),
        "language": _header(letter, "content-language").partition(",")[0],
    }
    entry = read_plain(plain, title=title) if plain else ParsedEntry()
    return replace(entry, **{field: fact for field, fact in facts.items() if fact})


def _part(letter: EmailMessage, kind: str) -> str:
    part = letter.get_body(preferencelist=(kind,))
    raw = part.get_payload(decode=True) if part is not None else None
    if part is None or not isinstance(raw, bytes):
        return ""
    charset = part.get_content_charset()
    try:
        return raw.decode(charset) if charset else decode(raw)
    except (LookupError, UnicodeDecodeError):
        return decode(raw)


def _header(letter: EmailMessage, name: str) -> str:
    try:
        return " ".join(str(letter.get(name) or "").split())
    except (ValueError, TypeError, AttributeError, IndexError):
        return ""  # a header that the parser cannot make sense of says nothing


def _senders(letter: EmailMessage) -> tuple[Person, ...]:
    try:
        addresses = letter["from"].addresses if letter["from"] is not None else ()
    except (ValueError, TypeError, AttributeError, IndexError):
        return ()
    # A letter's address is its sender's own and is not republished.
    return tuple(Person(name=address.display_name or address.username) for address in addresses if address.addr_spec)


# ------------------------------------------------------------------ news agencies: NITF 3, NewsML-G2


ROOTS = frozenset({"nitf", "newsitem", "newsmessage"})

_TEXT_TAGS = {"hl1": "h2", "hl2": "h2", "block": "div", "lang": "span", "person": "span", "location": "span"}
_LEFT_OUT = ("media", "body.head", "body.end", "head", "script", "style")
_LANGUAGE = "{http://www.w3.org/XML/1998/namespace}lang"
_BY = re.compile(r"^(?:by|von|par|por|di|av|door)\s+", re.IGNORECASE)


def read_news_xml(document: bytes, *, name: str) -> tuple[ParsedEntry, ...]:
    """Return the articles that *document*, XML with a root of `ROOTS` and without DOCTYPE, holds.

    Raises ParseError where there is none, and for what is cancelled or under an embargo: the desk does not decide
    when that may be shown.
    """
    root = xml_tree(document)
    if root is None:
        raise ParseError(f"{name} is no XML", remedy="save the article as plain text, Markdown or HTML")
    for node in root.iter(tag=etree.Element):
        _leave_out_prefix(node)
    items = [root] if root.tag in ("nitf", "newsitem") else islice(root.iter("newsitem"), MAX_ENTRIES)
    read = [_nitf(item) if item.tag == "nitf" else _news_item(item, name) for item in items]
    entries = tuple(entry for entry in read if entry.title or entry.content)
    if not entries:
        raise ParseError(f"{name} holds no article", remedy="it may be a list or a picture; save its text as a file")
    return entries


def _leave_out_prefix(node: Any) -> None:
    try:
        node.tag = local_name(node)
    except ValueError:  # a mended document may have names that end in a colon, or go on with a digit
        node.tag = "unnamed"


def _nitf(root: Any) -> ParsedEntry:
    subjects = [
        node.get("tobject.subject.type") or node.get("tobject.subject.matter") for node in root.iter("tobject.subject")
    ]
    authors = [
        next((_words(person) for person in line.iter("person")), "") or _words(line) for line in root.iter("byline")
    ]
    return ParsedEntry(
        entry_id=next(_attributes(root, "doc-id", "id-string"), None),
        title=_plain(_first(root, "hl1", "hedline", "title")),
        summary=_plain(_first(root, "abstract")),
        content=_body(next(root.iter("body.content"), None)),
        language=root.get(_LANGUAGE),
        authors=_people(authors),
        published=_stated(root, "date.issue", "story.date", "date.release"),
        categories=_categories([*_attributes(root, "keyword", "key"), *subjects]),
        publisher=_first(root, "distributor") or None,
        rights=next(_attributes(root, "doc.copyright", "holder"), None),
    )


def _news_item(root: Any, name: str) -> ParsedEntry:
    _check_status(root, name)
    meta = next(root.iter("contentmeta"), root)
    text = next(chain(root.iter("body.content"), root.iter("body")), None)
    terms = [*map(_words, meta.iter("keyword")), *(_first(node, "name") for node in meta.iter("subject"))]
    creators = [*map(_words, meta.iter("by"))] or [_first(node, "name") for node in meta.iter("creator")]
    return ParsedEntry(
        entry_id=root.get("guid"),
        title=_plain(_first(meta, "headline") or _first(root, "hl1", "title")),
        summary=_plain(next(map(_words, meta.iter("description")), "")),
        content=_plain(_first(root, "inlinedata")) if text is None else _body(text),
        language=next(_attributes(meta, "language", "tag"), None) or root.get(_LANGUAGE),
        authors=_people(creators),
        published=_one_of(_first(meta, "contentcreated"), _first(root, "firstcreated", "versioncreated")),
        updated=_one_of(_first(meta, "contentmodified"), _first(root, "versioncreated")),
        categories=_categories(terms),
        rights=_one_of(_first(root, "copyrightnotice")),
    )


def _one_of(*texts: str) -> str | None:
    """The first of *texts* that says something."""
    return next(filter(None, texts), None)


def _check_status(root: Any, name: str) -> None:
    """Raise ParseError where the agency has the item cancelled, or not to be shown yet."""
    status = "".join(_attributes(root, "pubstatus", "qcode")).rpartition(":")[2]
    if status in ("canceled", "cancelled", "withheld"):
        raise ParseError(f"{name} is {status} by its agency", remedy="nothing to do; delete the file")
    if embargo := _first(root, "embargoed"):
        raise ParseError(f"{name} is under an embargo until {embargo}", remedy="put it here when it may be published")


def _attributes(root: Any, tag: str, name: str) -> Iterator[str]:
    """What the elements *tag* have for the attribute *name*."""
    yield from filter(None, (node.get(name) for node in root.iter(tag)))


def _words(node: Any) -> str:
    return " ".join("".join(node.itertext()).split())


def _first(root: Any, *tags: str) -> str:
    """The words of the first element that has any, of the first of *tags*."""
    return next((text for tag in tags for node in root.iter(tag) if (text := _words(node))), "")


def _plain(text: str) -> RawText | None:
    return RawText(value=text) if text else None


def _stated(root: Any, *tags: str) -> str | None:
    return next((text for tag in tags for node in root.iter(tag) if (text := node.get("norm") or _words(node))), None)


def _people(names: list[str]) -> tuple[Person, ...]:
    bare = [_BY.sub("", name) for name in names[:MAX_LIST_ITEMS] if name]
    return tuple(Person(name=name) for name in dict.fromkeys(bare) if name)


def _categories(terms: Iterable[str | None]) -> tuple[Category, ...]:
    return tuple(Category(term=term) for term in dict.fromkeys(terms) if term)[:MAX_LIST_ITEMS]


def _body(node: Any) -> RawText | None:
    """The text of *node* as HTML; what is no text of the article is left out of the tree."""
    if node is None:
        return None
    etree.strip_elements(node, *_LEFT_OUT, with_tail=False)
    for inner in node.iter(tag=etree.Element):
        inner.tag = _TEXT_TAGS.get(inner.tag, inner.tag)
    node.tag = "div"
    etree.cleanup_namespaces(node)
    if not _words(node):
        return None
    html = etree.tostring(node, encoding="unicode", method="html", with_tail=False)
    return RawText(value=html[:MAX_FIELD_CHARACTERS], type="html")
