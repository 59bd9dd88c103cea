"""What news agencies send: NITF 3, NewsML-G2, and the text of a wire (ANPA 1312, IPTC 7901). Part of `parse`. Pure.

Subjects are categories twice: by their name, and by their code (`medtop:15000000`, `subj:15054000`), so that a rule
may ask for either. What an agency has killed comes as the id of what is to go; an embargo comes with its end.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import chain, islice
from typing import Any

from lxml import etree

from feeds.errors import ParseError
from feeds.parse.expat import local_name, xml_tree
from feeds.parse.fields import MAX_ENTRIES, MAX_FIELD_CHARACTERS, MAX_LIST_ITEMS, raw_text
from feeds.parse.plain import read_plain
from feeds.parsed import Category, ParsedEntry, Person, RawText

ROOTS = frozenset({"nitf", "newsitem", "newsmessage"})

_TEXT_TAGS = {"hl1": "h2", "hl2": "h2", "block": "div", "lang": "span", "person": "span", "location": "span"}
_LEFT_OUT = ("media", "body.head", "body.end", "head", "script", "style")
_LANGUAGE = "{http://www.w3.org/XML/1998/namespace}lang"
_BY = re.compile(r"^(?:by|von|par|por|di|av|door)\s+", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class News:
    """What an agency's document says: *entries*, the ids of articles that are *killed*, and in the agency's words until
    when what it holds is under *embargoes*.
    """

    entries: tuple[ParsedEntry, ...] = ()
    killed: tuple[str, ...] = ()
    embargoes: tuple[str, ...] = ()


def read_news_xml(document: bytes, *, name: str) -> News:
    """Return what *document*, XML with a root of `ROOTS` and without DOCTYPE, holds.

    Raises ParseError where that is nothing, and for an embargo without end.
    """
    root = xml_tree(document)
    if root is None:
        raise ParseError(f"{name} is no XML", remedy="save the article as plain text, Markdown or HTML")
    for node in root.iter(tag=etree.Element):
        _leave_out_prefix(node)
    items = [root] if root.tag in ("nitf", "newsitem") else islice(root.iter("newsitem"), MAX_ENTRIES)
    read = [(_status(item), _nitf(item) if item.tag == "nitf" else _news_item(item)) for item in items]
    killed = tuple(entry.entry_id for status, entry in read if status in _KILLED and entry.entry_id)
    entries = tuple(entry for status, entry in read if status not in _KILLED and (entry.title or entry.content))
    if not entries and not killed:
        raise ParseError(f"{name} holds no article", remedy="it may be a list or a picture; save its text as a file")
    return News(entries, killed, tuple(_embargoes(root, name)))


def _leave_out_prefix(node: Any) -> None:
    try:
        node.tag = local_name(node)
    except ValueError:  # a mended document may have names that end in a colon, or go on with a digit
        node.tag = "unnamed"


def _nitf(root: Any) -> ParsedEntry:
    parts = ("detail", "matter", "type")
    subjects = [
        (next(filter(None, (node.get(f"tobject.subject.{part}") for part in parts)), ""), "subj:" + number)
        for node in root.iter("tobject.subject")
        if (number := node.get("tobject.subject.refnum") or "") is not None
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
        categories=_categories(_attributes(root, "keyword", "key"), subjects),
        publisher=_first(root, "distributor") or None,
        rights=next(_attributes(root, "doc.copyright", "holder"), None),
    )


def _news_item(root: Any) -> ParsedEntry:
    meta = next(root.iter("contentmeta"), root)
    text = next(chain(root.iter("body.content"), root.iter("body")), None)
    nodes = chain.from_iterable((node, *node.iter("broader")) for node in meta.iter("subject"))
    subjects = [(_own_name(node), node.get("qcode") or "") for node in nodes]
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
        categories=_categories(map(_words, meta.iter("keyword")), subjects),
        rights=_one_of(_first(root, "copyrightnotice")),
    )


def _one_of(*texts: str) -> str | None:
    """The first of *texts* that says something."""
    return next(filter(None, texts), None)


_KILLED = ("canceled", "cancelled", "withheld", "killed", "withdrawn")


def _status(item: Any) -> str:
    """What an agency has done with *item* (NewsML-G2 itemMeta/pubStatus, NITF docdata)."""
    qcode = next(_attributes(item, "pubstatus", "qcode"), "") or next(_attributes(item, "pubstatus", "uri"), "")
    return re.split("[:/]", qcode)[-1].lower() or next(_attributes(item, "docdata", "management-status"), "").lower()


def _embargoes(root: Any, name: str) -> Iterator[str]:
    """Until when what *root* holds may not be shown. Raises ParseError where that is not said."""
    for node in root.iter("embargoed"):
        if not (text := _words(node)):
            raise ParseError(f"{name} is under an embargo without end", remedy="put it here when it may be published")
        yield text
    yield from filter(None, (node.get("norm") for node in root.iter("date.release")))


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


_TOPICS = (
    "arts, culture, entertainment and media", "crime, law and justice", "disaster, accident and emergency incident",
    "economy, business and finance", "education", "environment", "health", "human interest", "labour",
    "lifestyle and leisure", "politics", "religion", "science and technology", "society", "sport",
    "conflict, war and peace", "weather",
)  # fmt: skip
"""The first level of IPTC's Media Topics, by number from 1; its subject codes have the same."""
_CODE = re.compile(r"(?P<scheme>medtop|subj|iptccat|iptc)\w*:(?P<number>\d{8})\Z", re.IGNORECASE)
_SCHEMES = {"medtop": "mediatopic", "subj": "subjectcode", "iptc": "subjectcode"}


def _own_name(subject: Any) -> str:
    """The name of a *subject* itself, in English where it has that, and not of what is broader."""
    names = [node for node in subject if node.tag == "name"]
    english = [node for node in names if (node.get(_LANGUAGE) or "").startswith("en")]
    return next(filter(None, map(_words, (*english, *names))), "")


def _categories(keywords: Iterable[str], subjects: Iterable[tuple[str, str]]) -> tuple[Category, ...]:
    """*keywords*, and *subjects* (name, code) by name, by code, and by their topic of the first level."""
    found: dict[str, Category] = {term: Category(term=term) for term in keywords if term}
    for name, code in subjects:
        match = _CODE.match(code)
        scheme = match and f"http://cv.iptc.org/newscodes/{_SCHEMES.get(match['scheme'].lower(), 'subjectcode')}/"
        topic = int(match["number"][:2]) if match else 0
        terms = [name, _TOPICS[topic - 1] if 0 < topic <= len(_TOPICS) else "", code if match else ""]
        for term in filter(None, terms):
            found.setdefault(term, Category(term=term, scheme=scheme))
    return tuple(found.values())[:MAX_LIST_ITEMS]


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


# ------------------------------------------------------------------------------------ the text of a wire


_FRAME = re.compile(rb"\x01(?P<head>[^\x02]{0,300})\x02(?P<text>[^\x03]*)", re.DOTALL)
_LINE = re.compile(r"^\^(?P<words>.*?)\s*(?P<end>[<=])?\s*$")
_SERVICE = re.compile(r"[a-z]\d{3,5}[\s-]*(?P<priority>[a-z])[\s-]*(?P<category>[a-z])(?![a-z])", re.IGNORECASE)
_CATEGORIES = {
    "a": "Domestic", "b": "Special events", "d": "Food", "e": "Entertainment", "f": "Business", "i": "International",
    "k": "Commentary", "l": "Lifestyle", "n": "Regional", "p": "Politics", "q": "Sports scores", "r": "Racing",
    "s": "Sports", "t": "Travel", "v": "Advisories", "w": "Washington",
}  # fmt: skip
"""What the letter of a category stands for (ANPA 1312, as agencies use it)."""
_VERSION = re.compile(
    r"(?:\d\w* )?(?:Ld|Lead|Add|Sub|Writethru|Insert|Take|Pickup|Correction)\b.*|[a-z]\d{3,5}"
    r"|(?:BULLETIN |MANDATORY )?KILL.*",
    re.IGNORECASE,
)
_STAMP = re.compile(r"\b[A-Z]{2,4}-[A-Z]{2,3}-(\d\d)-(\d\d)-(\d\d) (\d\d)(\d\d)([A-Z]{3,4})\b")
_KILL = re.compile(r"\b(?:(?:BULLETIN|MANDATORY) )?KILL\b|\bELIMINATION\b")
_HELD = re.compile(r"\b(?:EMBARGOED|HOLD) FOR RELEASE\b|\bEMBARGO(?:ED)? UNTIL\b", re.IGNORECASE)
_FOR_EDITORS = re.compile(r"^(?:Eds?|Editors?|Note)\b.{0,12}:|^With\b.*(?:Photo|Graphic)", re.IGNORECASE)


def is_wire(body: bytes) -> bool:
    """Tell whether *body* is framed as a wire frames its texts, or has the heads of one: lines from ``^`` to ``<``."""
    if _FRAME.search(body[:1000]):
        return True
    rows = body[:2000].decode("latin-1").splitlines()[:12]
    return sum(row.startswith("^") and row.rstrip().endswith(("<", "=")) for row in rows) >= 2


def read_wire(body: bytes, text: str, *, name: str) -> News:
    """Return what the wire text *body* says, *text* is its characters. Raises ParseError for an embargo.

    Texts of one slug and one day are one article: a new lead takes the place of the one before, and a kill takes it
    back.
    """
    head, rows = _split(body, text)
    heads = [(at, match) for at, row in enumerate(rows[:20]) if (match := _LINE.match(row.strip()))]
    slug, title, authors = _heads([(match["words"], match["end"] or "") for _, match in heads])
    stamp = _STAMP.search(text[-400:])
    entry_id = _wire_id(slug, stamp)
    if _KILL.search(f"{slug}\n{title}"):
        if entry_id is None:
            raise ParseError(f"{name} kills an article that it does not name", remedy="`wiredesk retract` takes it out")
        return News(killed=(entry_id,))
    if _HELD.search(text[:1000]):
        raise ParseError(f"{name} is under an embargo", remedy="put it here when it may be published")
    entry = read_plain(_wire_body(rows[heads[-1][0] + 1 if heads else 0 :]), title=title or None)
    entry = replace(
        entry,
        entry_id=entry_id,
        title=raw_text(title, "text") if title else entry.title,
        authors=entry.authors or _people(authors),
        published=_stamped(stamp) or entry.published,
        categories=entry.categories or _of_service(head or rows[0]),
    )
    return News((entry,))


def _split(body: bytes, text: str) -> tuple[str, list[str]]:
    """The head of a wire's frame, ``""`` without one, and the lines of *text* behind it."""
    framed = _FRAME.search(body)
    head = framed["head"].decode("latin-1") if framed else ""
    return head, (text.partition(head)[2] if head and head in text else text).split("\n")


def _wire_id(slug: str, stamp: re.Match[str] | None) -> str | None:
    """What texts of one slug and one day have in common; None where either is missing."""
    parts = [part.strip() for part in slug.split(",") if not _VERSION.fullmatch(part.strip())]
    return f"wire:{'-'.join(parts).lower()}:{''.join(stamp.groups()[:3])}" if parts and stamp else None


def _stamped(stamp: re.Match[str] | None) -> str | None:
    """The date of a text by the line at its end."""
    return "20{2}-{0}-{1} {3}:{4} {5}".format(*stamp.groups()) if stamp else None


def _of_service(head: str) -> tuple[Category, ...]:
    """What the letter of a category in *head* stands for."""
    service = _SERVICE.search(head)
    category = _CATEGORIES.get(service["category"].lower()) if service else None
    return (Category(term=category),) if category else ()


def _heads(lines: list[tuple[str, str]]) -> tuple[str, str, list[str]]:
    """Slug, headline and bylines among the head *lines* of a wire text, each with its end."""
    slug = next((words for words, _ in lines[:2] if re.match(r"[A-Z]{2,4}-{1,2}\S", words)), "")
    titles = [words for words, end in lines if end == "<" and words != slug and not _FOR_EDITORS.match(words)]
    return slug, next((words for words in titles if " " in words), ""), list(_bylines(lines))


def _bylines(lines: Iterable[tuple[str, str]]) -> Iterator[str]:
    return (words for words, end in lines if end == "=" and _BY.match(words))


def _wire_body(rows: list[str]) -> str:
    """The paragraphs of a wire text: each begins with blanks."""
    paragraphs: list[list[str]] = [[]]
    for row in rows:
        line = row.strip().rstrip("<").strip()
        if _STAMP.search(line) or line.startswith("^") or _FOR_EDITORS.match(line):
            continue
        if not line or row[:2].isspace():
            paragraphs.append([])
        paragraphs[-1].append(line)
    text = "\n\n".join(" ".join(filter(None, paragraph)) for paragraph in paragraphs if any(paragraph))
    return text.replace("``", "“").replace("''", "”").replace(" _ ", " — ")
