"""What stands before a document's first element: where the root is, and the entities that the document defines. Pure.

The XML safety of `parse` begins here (OWASP XXE): no DOCTYPE ever reaches an XML parser. Of an internal subset only
entities that stand for plain text are kept, within a budget, and written into a DOCTYPE of our own; what is external,
nested or parametric is dropped, so that a reference to it stays the text that it is.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from feeds.errors import ParseError
from feeds.parse.limits import MAX_DOCTYPE_BYTES, MAX_EXPANSION_BYTES, MAX_LEAD_BYTES, MAX_ROOT_TAG_BYTES

_SPACE = b" \t\r\n"
_NAME = re.compile(rb"<([A-Za-z_\x80-\xff][\w.\-\x80-\xff]*(?::[A-Za-z_\x80-\xff][\w.\-\x80-\xff]*)?)")
_TAG_END = re.compile(rb"""(?:[^"'>]++|"[^"]*+"|'[^']*+')*+>""")
_DOCTYPE_PART = re.compile(rb"""<!--.*?-->|<\?.*?\?>|"[^"]*"|'[^']*'|[\[\]>]""", re.DOTALL)
_ENTITY = re.compile(rb"""<!ENTITY\s+([A-Za-z_][\w.\-]*)\s+(?:"([^"]*)"|'([^']*)')\s*>""")
_COMMENT = re.compile(rb"<!--.*?-->", re.DOTALL)
_TEXT_VALUE = re.compile(rb"(?:[^&%<]|&#(?:[0-9]{1,7}|x[0-9A-Fa-f]{1,6});)*\Z")
_REFERENCE = re.compile(rb"&#(x?)([0-9A-Fa-f]+);")
_BUILT_IN = (b"lt", b"gt", b"amp", b"quot", b"apos")


@dataclass(frozen=True, slots=True, kw_only=True)
class Prolog:
    """The root's *name* and *tag* (`body[start:end]`), and text *entities* of the document's own, as it wrote them."""

    name: str
    start: int
    end: int
    tag: bytes
    doctype: bytes = b""
    entities: dict[bytes, bytes] = field(default_factory=dict)

    @property
    def local(self) -> str:
        """The root's name without prefix, in lower case."""
        return self.name.rpartition(":")[2].lower()

    @property
    def prefix(self) -> str:
        """The root's prefix with its colon, empty without one."""
        return self.name[: -len(self.name.rpartition(":")[2])]


def read_prolog(body: bytes) -> Prolog | None:
    """Find the root of *body* (UTF-8); None where there is no element, or too much before it to be markup.

    Comments, processing instructions and at most MAX_LEAD_BYTES of other text may stand before it.
    Raises ParseError where the DOCTYPE passes its caps.
    """
    at = junk = 0
    doctype, entities = b"", dict[bytes, bytes]()
    while True:
        opening = body.find(b"<", at, at + MAX_LEAD_BYTES)
        if opening < 0:
            return None
        junk += len(body[at:opening].strip())
        if junk > MAX_LEAD_BYTES:
            return None
        at = opening
        if body.startswith(b"<?", at):
            at = _after(body, b"?>", at)
        elif body.startswith(b"<!--", at):
            at = _after(body, b"-->", at)
        elif body[at : at + 9].upper() == b"<!DOCTYPE":
            end = _doctype_end(body, at)
            doctype = body[at:end]
            entities = _entities(doctype)
            at = end
        elif (match := _NAME.match(body, at)) is not None:
            end_match = _TAG_END.match(body, match.end(), match.end() + MAX_ROOT_TAG_BYTES)
            end = end_match.end() if end_match else match.end()
            if entities:
                _check_expansion(body, end, entities)
            name = match.group(1).decode("utf-8", "replace")
            return Prolog(name=name, start=at, end=end, tag=body[at:end], doctype=doctype, entities=entities)
        else:
            junk += 1
            at += 1


def _after(body: bytes, mark: bytes, at: int) -> int:
    """Where the construct that begins at *at* is over; the end of the document where it never is."""
    end = body.find(mark, at)
    return end + len(mark) if end >= 0 else len(body)


def _doctype_end(body: bytes, at: int) -> int:
    subset = False
    for part in _DOCTYPE_PART.finditer(body, at, at + MAX_DOCTYPE_BYTES):
        token = part.group()
        if token == b"[":
            subset = True
        elif token == b"]":
            subset = False
        elif token == b">" and not subset:
            return part.end()
    if len(body) - at <= MAX_DOCTYPE_BYTES:
        return len(body)
    raise ParseError(
        f"a DOCTYPE of more than {MAX_DOCTYPE_BYTES} bytes",
        remedy="a feed needs none; ask its publisher to leave it out",
    )


def _entities(doctype: bytes) -> dict[bytes, bytes]:
    found: dict[bytes, bytes] = {}
    for name, double, single in _ENTITY.findall(_COMMENT.sub(b"", doctype)):
        value = double or single
        # XML 1.0 §4.2: the first declaration binds. "&#38;lol;" is a nested reference in disguise (§4.4, appendix D).
        if name not in found and name not in _BUILT_IN and _TEXT_VALUE.match(value) and not _disguised(value):
            found[name] = value
    return found


def _disguised(value: bytes) -> bool:
    return any(int(digits, 16 if x else 10) in (37, 38, 60) for x, digits in _REFERENCE.findall(value))


def _check_expansion(body: bytes, start: int, entities: dict[bytes, bytes]) -> None:
    total = sum(body.count(b"&" + name + b";", start) * len(value) for name, value in entities.items())
    if total > MAX_EXPANSION_BYTES:
        raise ParseError(
            f"entities that come to {total} bytes, {MAX_EXPANSION_BYTES} are allowed",
            remedy="this looks like an attack; remove the source unless its publisher is known",
        )


def doctype_of(entities: dict[bytes, bytes]) -> bytes:
    """Return a DOCTYPE that declares *entities* and nothing else, empty for none."""
    if not entities:
        return b""
    declared = b"".join(
        b"<!ENTITY %s %s>" % (name, b"'%s'" % value if b'"' in value else b'"%s"' % value)
        for name, value in entities.items()
    )
    return b"<!DOCTYPE feed [" + declared + b"]>"
