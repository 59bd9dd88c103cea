"""What news agencies send: NITF 3, NewsML-G2, and the text of a wire (ANPA 1312, IPTC 7901). Part of `parse`. Pure.

Subjects are categories twice: by their name, and by their code (`medtop:15000000`, `subj:15054000`), so that a rule
may ask for either. What an agency has killed comes as the id of what is to go; an embargo comes with its end.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import chain, filterfalse, islice
from typing import Any

from lxml import etree
from msgspec import Struct
from msgspec.structs import replace

from feeds.errors import ParseError
from feeds.parse.fields import MAX_ENTRIES, MAX_FIELD_CHARACTERS, MAX_LIST_ITEMS, PHRASES, raw_text
from feeds.parse.pages import local_name, xml_tree
from feeds.parse.plain import read_plain
from feeds.parsed import Category, ParsedEntry, Person, RawText

ROOTS = frozenset({"nitf", "newsitem", "newsmessage"})

_TEXT_TAGS = {"hl1": "h2", "hl2": "h2", "block": "div", "lang": "span", "person": "span", "location": "span"}
_LEFT_OUT = ("media", "body.head", "body.end", "head", "script", "style")
_LANGUAGE = "{http://www.w3.org/XML/1998/namespace}lang"
_BY = re.compile(r"^(?:by|von|par|por|di|av|door)\s+", re.IGNORECASE)
_KILLED = ("canceled", "cancelled", "withheld", "killed", "withdrawn")
_TOPICS = PHRASES["topics"]
_CODE = re.compile(r"(?P<scheme>medtop|subj|iptccat|iptc)\w*:(?P<number>\d{8})\Z", re.IGNORECASE)
_SCHEMES = {"medtop": "mediatopic", "subj": "subjectcode", "iptc": "subjectcode"}


class News(Struct, frozen=True):
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
    items = islice(root.iter("nitf" if root.tag == "nitf" else "newsitem"), MAX_ENTRIES)
    killed: list[str] = []
    entries: list[ParsedEntry] = []
    for item in items:
        entry = _nitf(item) if item.tag == "nitf" else _news_item(item)
        if _status(item) in _KILLED:
            killed.append(entry.entry_id or "")
        elif entry.title or entry.content:
            entries.append(entry)
    if not entries and not any(killed):
        raise ParseError(f"{name} holds no article", remedy="it may be a list or a picture; save its text as a file")
    return News(tuple(entries), tuple(filter(None, killed)), tuple(_embargoes(root, name)))


def _leave_out_prefix(node: Any) -> None:
    try:
        node.tag = local_name(node)
    except ValueError:  # a mended document may have names that end in a colon, or go on with a digit
        node.tag = "unnamed"


def _texts(root: Any, *places: str) -> Iterator[str]:
    """What stands in the elements of each of *places* in turn: their words, or of ``element@name`` an attribute."""
    for place in places:
        tag, _, attribute = place.partition("@")
        texts = ((node.get(attribute) or "") if attribute else _words(node) for node in root.iter(tag))
        yield from filter(None, texts)


def _first(root: Any, *places: str) -> str | None:
    return next(_texts(root, *places), None)


def _words(node: Any) -> str:
    return " ".join("".join(node.itertext()).split())


def _nitf(root: Any) -> ParsedEntry:
    names = [f"tobject.subject@tobject.subject.{part}" for part in ("detail", "matter", "type")]
    number = "tobject.subject@tobject.subject.refnum"
    nodes = root.iter("tobject.subject")
    subjects = [(_first(node, *names) or "", f"subj:{_first(node, number) or ''}") for node in nodes]
    return ParsedEntry(
        entry_id=_first(root, "doc-id@id-string"),
        title=raw_text(_first(root, "hl1", "hedline", "title"), "text"),
        summary=raw_text(_first(root, "abstract"), "text"),
        content=_body(next(root.iter("body.content"), None)),
        language=root.get(_LANGUAGE),
        authors=_people(_first(line, "person") or _words(line) for line in root.iter("byline")),
        published=_first(
            root, "date.issue@norm", "date.issue", "story.date@norm", "story.date", "date.release@norm", "date.release"
        ),
        categories=_categories(_texts(root, "keyword@key"), subjects),
        publisher=_first(root, "distributor"),
        rights=_first(root, "doc.copyright@holder"),
    )


def _news_item(root: Any) -> ParsedEntry:
    meta = next(root.iter("contentmeta"), root)
    text = next(chain(root.iter("body.content"), root.iter("body")), None)
    nodes = chain.from_iterable((node, *node.iter("broader")) for node in meta.iter("subject"))
    creators = [*_texts(meta, "by")] or [_first(node, "name") or "" for node in meta.iter("creator")]
    return ParsedEntry(
        entry_id=root.get("guid"),
        title=raw_text(_first(meta, "headline") or _first(root, "hl1", "title"), "text"),
        summary=raw_text(_first(meta, "description"), "text"),
        content=raw_text(_first(root, "inlinedata"), "text") if text is None else _body(text),
        language=_first(meta, "language@tag") or root.get(_LANGUAGE),
        authors=_people(creators),
        published=_first(meta, "contentcreated") or _first(root, "firstcreated", "versioncreated"),
        updated=_first(meta, "contentmodified") or _first(root, "versioncreated"),
        categories=_categories(_texts(meta, "keyword"), [(_own_name(node), node.get("qcode") or "") for node in nodes]),
        rights=_first(root, "copyrightnotice"),
    )


def _status(item: Any) -> str:
    """What an agency has done with *item* (NewsML-G2 itemMeta/pubStatus, NITF docdata)."""
    stated = _first(item, "pubstatus@qcode", "pubstatus@uri", "docdata@management-status") or ""
    return re.split("[:/]", stated)[-1].lower()


def _embargoes(root: Any, name: str) -> Iterator[str]:
    """Until when what *root* holds may not be shown. Raises ParseError where that is not said."""
    for node in root.iter("embargoed"):
        if not (text := _words(node)):
            raise ParseError(f"{name} is under an embargo without end", remedy="put it here when it may be published")
        yield text
    yield from _texts(root, "date.release@norm")


def _people(names: Iterable[str]) -> tuple[Person, ...]:
    bare = dict.fromkeys(_BY.sub("", name) for name in islice(names, MAX_LIST_ITEMS))
    return tuple(Person(name=name) for name in bare if name)


def _own_name(subject: Any) -> str:
    """The name of a *subject* itself, in English where it has that, and not of what is broader."""
    names = sorted(subject.iterchildren("name"), key=lambda node: not (node.get(_LANGUAGE) or "").startswith("en"))
    return next(filter(None, map(_words, names)), "")


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
_SLUG = re.compile(r"[A-Z]{2,4}-{1,2}\S")
_SERVICE = re.compile(r"[a-z]\d{3,5}[\s-]*(?P<priority>[a-z])[\s-]*(?P<category>[a-z])(?![a-z])", re.IGNORECASE)
_CATEGORIES = dict(entry.split(" ", 1) for row in PHRASES["wire categories"] for entry in row.split(", "))
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
    framed = _FRAME.search(body)
    head = framed["head"].decode("latin-1") if framed else ""
    rows = (text.partition(head)[2] if head and head in text else text).split("\n")
    slug, title, authors, rows = _heads(rows)
    stamp = _STAMP.search(text[-400:])
    entry_id = _wire_id(slug, stamp)
    if _KILL.search(f"{slug}\n{title or ''}"):
        if entry_id is None:
            raise ParseError(f"{name} kills an article that it does not name", remedy="`wiredesk retract` takes it out")
        return News(killed=(entry_id,))
    if _HELD.search(text[:1000]):
        raise ParseError(f"{name} is under an embargo", remedy="put it here when it may be published")
    entry = replace(read_plain(_wire_body(rows), title=title), entry_id=entry_id)
    return News((_with_marks(entry, authors, stamp, head or text.split("\n")[0]),))


def _heads(rows: list[str]) -> tuple[str, str | None, list[str], list[str]]:
    """Slug, headline and bylines at the head of a wire text, and the *rows* behind them."""
    heads = {at: match for at, row in enumerate(rows[:20]) if (match := _LINE.match(row.strip()))}
    lines = [(match["words"], match["end"]) for match in heads.values()]
    slug = next((words for words, _ in lines[:2] if _SLUG.match(words)), "")
    bylines = [words for words, end in lines if end == "=" and _BY.match(words)]
    return slug, _headline(lines, slug), bylines, rows[max(heads, default=-1) + 1 :]


def _headline(lines: list[tuple[str, str | None]], slug: str) -> str | None:
    titles = [words for words, end in lines if end == "<" and " " in words and words != slug]
    return next(filterfalse(_FOR_EDITORS.match, titles), None)


def _with_marks(entry: ParsedEntry, authors: list[str], stamp: re.Match[str] | None, head: str) -> ParsedEntry:
    """*entry* with what its bylines, the line at its end and the letter of a category in its *head* say."""
    service = _SERVICE.search(head)
    category = _CATEGORIES.get(service["category"].lower(), "") if service else ""
    return replace(
        entry,
        authors=entry.authors or _people(authors),
        published="20{2}-{0}-{1} {3}:{4} {5}".format(*stamp.groups()) if stamp else entry.published,
        categories=entry.categories or _categories([category], ()),
    )


def _wire_id(slug: str, stamp: re.Match[str] | None) -> str | None:
    """What texts of one slug and one day have in common; None where either is missing."""
    parts = [part.strip() for part in slug.split(",") if not _VERSION.fullmatch(part.strip())]
    return f"wire:{'-'.join(parts).lower()}:{''.join(stamp.groups()[:3])}" if parts and stamp else None


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
