"""A finished document in pieces, and put together again with fewer of its entries. Pure.

Serve makes deltas of it (RFC 3229), the hub what it distributes: the same bytes with what is known already left out.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from xml.parsers import expat

from feeds import frames
from feeds.errors import ParseError
from feeds.model import Document, Format

_ENTRY = {"rss": "item", "atom": "http://www.w3.org/2005/Atom entry"}
_JSON = json.JSONDecoder()


@dataclass(frozen=True, slots=True)
class Cut:
    """A document in pieces: head + separator.join(entries) + tail are its bytes."""

    head: bytes
    entries: tuple[bytes, ...]
    separator: bytes
    tail: bytes


def cut(document: Document) -> Cut:
    """Return *document* in pieces. Raises ParseError where they are not one for each of its articles."""
    pieces = _cut_json(document.body) if document.format == "json" else _cut_xml(document.body, document.format)
    if len(pieces.entries) != len(document.article_uids):
        raise ParseError(
            f"{document.path}.{document.format} has {len(pieces.entries)} entries and not as many articles"
        )
    return pieces


def delta_body(
    document: Document, pieces: Cut, changed: Collection[str], retracted: Sequence[tuple[str, datetime]]
) -> bytes:
    """Return the feed of those articles of *document* that are in *changed*, with tombstones of the *retracted*.

    What changed and does not stand in the document is left out: a delta makes the client's copy the document, no more.
    """
    chosen = [entry for uid, entry in zip(document.article_uids, pieces.entries, strict=True) if uid in changed]
    tombstones = [(uid, at) for uid, at in retracted if uid.encode() not in pieces.head]
    head = pieces.head
    if document.format == "atom":
        head += frames.deleted_entries("atom", tombstones)
    return head + pieces.separator.join(chosen) + pieces.tail


def _cut_xml(body: bytes, format: Format) -> Cut:
    spans: list[tuple[int, int]] = []
    start, depth = 0, 0
    wanted, level = _ENTRY[format], 3 if format == "rss" else 2
    parser = expat.ParserCreate(namespace_separator=" ")

    def opened(name: str, attributes: object) -> None:
        nonlocal depth, start
        depth += 1
        if depth == level and name == wanted:
            start = parser.CurrentByteIndex

    def closed(name: str) -> None:
        nonlocal depth
        if depth == level and name == wanted:
            # Of an empty element expat gives the end, of any other where its end tag begins.
            end = parser.CurrentByteIndex
            spans.append((start, body.index(b">", end) + 1 if body[end : end + 2] == b"</" else end))
        depth -= 1

    parser.StartElementHandler, parser.EndElementHandler = opened, closed
    try:
        parser.Parse(body, True)
    except expat.ExpatError as error:
        raise ParseError("a published document is not well-formed") from error
    return _pieces(body, spans)


def _cut_json(body: bytes) -> Cut:
    text = body.decode()
    try:
        at = _space(text, 0)
        if text[at] != "{":
            raise ParseError("a published JSON feed is no object")
        at = _space(text, at + 1)
        while text[at] == '"':
            key, at = _JSON.raw_decode(text, at)
            at = _space(text, _space(text, at) + 1)
            if key == "items" and text[at] == "[":
                return _items(text, at)
            _, at = _JSON.raw_decode(text, at)
            at = _space(text, at)
            at = _space(text, at + 1)
    except (ValueError, IndexError) as error:
        raise ParseError("a published JSON feed can't be read") from error
    raise ParseError("a published JSON feed has no items")


def _items(text: str, opening: int) -> Cut:
    spans: list[tuple[int, int]] = []
    at = _space(text, opening + 1)
    while text[at] != "]":
        _, end = _JSON.raw_decode(text, at)
        spans.append((at, end))
        at = _space(text, end)
        if text[at] == ",":
            at = _space(text, at + 1)
        elif text[at] != "]":
            raise ParseError("a published JSON feed has no comma between its items")
    if not spans:
        return Cut(text[: opening + 1].encode(), (), b",", text[opening + 1 :].encode())
    head, tail = text[: spans[0][0]], text[spans[-1][1] :]
    separator = text[spans[0][1] : spans[1][0]] if len(spans) > 1 else ","
    return Cut(
        head.encode(), tuple(text[start:end].encode() for start, end in spans), separator.encode(), tail.encode()
    )


def _pieces(body: bytes, spans: list[tuple[int, int]]) -> Cut:
    if not spans:
        return Cut(body, (), b"", b"")
    separator = body[spans[0][1] : spans[1][0]] if len(spans) > 1 else b""
    if any(body[before[1] : after[0]] != separator for before, after in zip(spans, spans[1:], strict=False)):
        raise ParseError("a published document has something between its entries")
    return Cut(body[: spans[0][0]], tuple(body[start:end] for start, end in spans), separator, body[spans[-1][1] :])


def _space(text: str, at: int) -> int:
    while text[at] in " \t\r\n":
        at += 1
    return at
