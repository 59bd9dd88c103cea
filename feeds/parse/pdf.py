"""The article in a PDF: its title, and its text in the order in which people read. Part of `parse`. Pure.

A PDF says where glyphs stand and not what they mean. Lines are put together from pieces at one height; a page of two
columns is read down the left one first, between what goes across both; what stands at the head or foot of most pages
is the document's and not the article's.
"""

from __future__ import annotations

import io
import logging
import re
from collections import Counter
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from feeds.errors import ParseError
from feeds.parse.fields import MAX_FIELD_CHARACTERS
from feeds.parse.plain import read_plain
from feeds.parsed import ParsedEntry, Person, RawText

MAX_PAGES = 200
MAX_PAGE_BYTES = 16 << 20
"""A page's content; decoded it takes many times as much."""

_JUNK_TITLE = re.compile(
    r"^(?:untitled|document\d*|microsoft word.*|.*\.(?:docx?|pdf|indd|qxd|rtf|tex))$", re.IGNORECASE
)
_DATE = re.compile(r"D:(\d{4})(\d\d)?(\d\d)?(\d\d)?(\d\d)?(\d\d)?(Z|[+-]\d\d'?\d\d)?")
_NUMBER = re.compile(r"\d+")
_HYPHEN = re.compile(r"(?<=[^\W\d_])[-\u00ad\u2010]\Z")

logging.getLogger("pypdf").setLevel(logging.CRITICAL)


class _Line(Struct, frozen=True):
    """A line of a page: where it begins and ends (points from the left, its width a guess), its height, its type."""

    left: float
    right: float
    y: float
    size: float
    text: str


def read_pdf(body: bytes, *, name: str) -> ParsedEntry:
    """Return the article in the PDF *body*. Raises ParseError where it can't be read, is locked, or has no text."""
    pages, facts = _read(body, name)
    pages = _without_running_lines(pages)
    if not any(pages):
        raise ParseError(f"{name} is a PDF without text", remedy="it may be a scan: save its text as a file")
    title = _title(facts.get("/Title", ""), next(filter(None, pages)))
    lines = [line for page in pages for line in _in_order(page)]
    entry = read_plain("\n\n".join(_paragraphs(lines, title))[:MAX_FIELD_CHARACTERS], title=title or None)
    author = " ".join(facts.get("/Author", "").split())
    return replace(
        entry,
        title=RawText(value=title) if title else entry.title,
        authors=entry.authors or ((Person(name=author),) if author else ()),
        published=entry.published or _iso(facts.get("/CreationDate", "")),
    )


def _read(body: bytes, name: str) -> tuple[list[list[_Line]], dict[str, str]]:
    """The lines of each page, and what the file states of itself."""
    from pypdf import PdfReader  # a tenth of a second, for desks that have such files
    from pypdf.errors import PyPdfError

    try:
        reader = PdfReader(io.BytesIO(body), strict=False)
        if reader.is_encrypted and not reader.decrypt(""):
            raise ParseError(f"{name} is a PDF with a password", remedy="save it without one")
        pages = [_lines(page) for page, _ in zip(reader.pages, range(MAX_PAGES), strict=False)]
        return pages, {key: str(value) for key, value in (reader.metadata or {}).items() if isinstance(value, str)}
    except (PyPdfError, ValueError, TypeError, KeyError, IndexError, AttributeError, RecursionError, OSError) as error:
        raise ParseError(f"{name} is a damaged PDF: {type(error).__name__}", remedy="save it again") from error


def _iso(date: str) -> str | None:
    stated = _DATE.match(date)
    if stated is None:
        return None
    year, month, day, hour, minute, second, zone = (part or "" for part in stated.groups())
    time = f"{hour or '00'}:{minute or '00'}:{second or '00'}"
    return f"{year}-{month or '01'}-{day or '01'}T{time}{zone.replace(chr(39), '') or 'Z'}"


def _lines(page: Any) -> list[_Line]:
    """The lines of *page* that stand upright, from above."""
    contents = page.get_contents()
    if contents is None or len(contents.get_data()) > MAX_PAGE_BYTES:
        return []
    pieces: list[_Line] = []

    def take(text: str, matrix: list[float], text_matrix: list[float], _font: Any, size: float) -> None:
        if not text.strip():
            return
        left = text_matrix[4] * matrix[0] + text_matrix[5] * matrix[2] + matrix[4]
        y = text_matrix[4] * matrix[1] + text_matrix[5] * matrix[3] + matrix[5]
        tall = abs(size * (text_matrix[3] or 1) * (matrix[3] or 1)) or 10.0
        for row, words in enumerate(text.strip("\n").split("\n")):
            if words.strip():
                width = len(words.rstrip()) * tall * 0.5
                pieces.append(_Line(left, left + width, y - row * tall * 1.2, tall, words.rstrip()))

    page.extract_text(visitor_text=take, orientations=(0,))
    return _joined(sorted(pieces, key=lambda piece: (-round(piece.y), piece.left)))


def _joined(pieces: list[_Line]) -> list[_Line]:
    """*pieces* that stand at one height and next to each other, as one line."""
    lines: list[_Line] = []
    for piece in pieces:
        last = lines[-1] if lines else None
        if last is not None and abs(last.y - piece.y) < last.size * 0.4 and piece.left - last.right < last.size * 2:
            blank = "" if last.text.endswith(" ") or piece.text.startswith(" ") else " "
            text = last.text + (blank if piece.left - last.right > -last.size else "") + piece.text
            lines[-1] = _Line(last.left, max(last.right, piece.right), last.y, max(last.size, piece.size), text)
        else:
            lines.append(piece)
    return [_Line(line.left, line.right, line.y, line.size, " ".join(line.text.split())) for line in lines]


def _without_running_lines(pages: list[list[_Line]]) -> list[list[_Line]]:
    """*pages* without what stands first or last on most of them, page numbers counted as alike."""
    ends = [{_NUMBER.sub("#", line.text) for line in (*page[:2], *page[-2:])} for page in pages]
    seen = Counter(text for some in ends for text in some)
    running = {text for text, count in seen.items() if count >= 3 and count * 2 > len(pages)} | {"#"}
    return [
        [line for at, line in enumerate(page) if 1 < at < len(page) - 2 or _NUMBER.sub("#", line.text) not in running]
        for page in pages
    ]


def _title(stated: str, page: list[_Line]) -> str:
    """The title: the largest lines of the first page, where they are larger than its text, else what is *stated*."""
    if len(title := _largest(page)) > 3:
        return title[:300]
    stated = " ".join(stated.split())
    return "" if _JUNK_TITLE.match(stated) else stated[:300]


def _largest(page: list[_Line]) -> str:
    """The largest lines of *page* that stand together, ``""`` where its text is as large."""
    body = Counter(round(line.size) for line in page for _ in line.text).most_common(1)[0][0]
    largest = max(line.size for line in page)
    lines = [line for line in page if line.size > largest * 0.95] if largest > body * 1.2 else []
    return " ".join(line.text for line in lines if lines[0].y - line.y < largest * 5)


def _in_order(page: list[_Line]) -> list[_Line]:
    """The lines of *page* as they are read: two columns one after the other, between the lines that go across."""
    if not page:
        return []
    left, right = min(line.left for line in page), max(line.right for line in page)
    middle = (left + right) / 2
    starts = sorted(line.left for line in page)
    second = [start for start in starts if start > middle - (right - left) * 0.1]
    if len(second) * 4 < len(page):
        return page
    gutter = min(second) - 1
    ordered: list[_Line] = []
    columns: tuple[list[_Line], list[_Line]] = ([], [])
    for line in page:
        if line.left < gutter and line.right > gutter + (right - left) * 0.15:
            ordered += [*columns[0], *columns[1], line]
            columns = ([], [])
        else:
            columns[line.left >= gutter].append(line)
    return [*ordered, *columns[0], *columns[1]]


def _paragraphs(lines: list[_Line], title: str) -> list[str]:
    """The text of *lines* without the title; a paragraph ends where the next line stands apart or is indented."""
    paragraphs: list[str] = []
    before: _Line | None = None
    for line in lines:
        if title and line.text in title and not paragraphs:
            continue
        if before is None or _is_apart(before, line):
            paragraphs.append(line.text)
        else:
            text = paragraphs[-1]
            paragraphs[-1] = _HYPHEN.sub("", text) + line.text if _joins(text, line.text) else f"{text} {line.text}"
        before = line
    return paragraphs


def _is_apart(before: _Line, line: _Line) -> bool:
    if abs(before.size - line.size) > before.size * 0.15:
        return True
    ends = before.text.endswith((".", "!", "?", "”", '"', ":", "。"))
    if line.y > before.y:  # at the head of a column or page a sentence goes on
        return ends and line.text[:1].isupper()
    return before.y - line.y > before.size * 1.7 or (ends and line.left - before.left > before.size * 0.8)


def _joins(text: str, line: str) -> bool:
    return bool(_HYPHEN.search(text)) and line[:1].islower()
