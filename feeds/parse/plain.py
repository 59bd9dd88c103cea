"""A plain document: its head, its body as clean HTML, its tail. Part of `parse`, behind `documents`. Pure.

Lines are taken for what they are by `lines`, never for what one publisher writes. A document is read from both
ends: breadcrumb, headline, byline and dates from above; page furniture, publisher and credit from below; what is
left in between is the article.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from html import escape
from itertools import pairwise
from typing import Any

from msgspec import Struct

from feeds.parse import line_kinds
from feeds.parse.fields import raw_text
from feeds.parse.line_kinds import furniture
from feeds.parsed import Category, ParsedEntry, RawText

STANDFIRST_CHARS = 600
HEADLINE_CHARS = 250

_QUOTES = {'"': '"', "“": "”", "„": "“”", "«": "»", "»": "«", "”": "”", "「": "」", "『": "』", "‘": "’", "'": "'"}
_BULLET = re.compile(r"(?:[•‣◦▪▫●○■□►▸➤➢✔✓✦★∙⁃🔹🔸·]\ufe0f?\s*|[*+o–—-]\s+)(?=\S)")
_NUMBERED = re.compile(r"[(\[]?(\d{1,3}|[a-zA-Z])[.)\]]\s+(?=\S)")
_UNDERLINE = re.compile(r"(={3,}|-{3,}|~{3,})$")
_SENTENCE_END = re.compile(r"""[.!?…。！？।؟:;,]["'”’»)\]]*$""")
_ADDRESS = re.compile(r"https?://[^\s<>\"]+[^\s<>\".,;:!?)\]'’”]", re.IGNORECASE)
_COMMENT = re.compile(r"^reply$|^antworten$|^répondre$|\bsays:?$|\bago$|^\d+ likes?$|^log in to reply", re.IGNORECASE)
_TAIL_LABELS = ("tags", "link", "published", "updated", "author")
_TWO_SENTENCES = re.compile(r"[^.\s][.。।]\s+\S")
_SHORTENED = re.compile(r"\b(?:[A-Z]|[A-Z][a-z]{1,2}|vs|No|St|Dr|Mr|Mrs|Ms)\.")
_HEADING_MARKS = re.compile(r"#{1,6}\s+|\*\*(?=.*\*\*$)|__(?=.*__$)")


_Facts = dict[str, Any]
"""What the lines around the body said, by the names of the fields of a ParsedEntry; *title* is a plain text still."""


def read_plain(text: str, *, to_html: Callable[[str], str] | None = None, title: str | None = None) -> ParsedEntry:
    """Return the article that *text* holds (line ends ``\\n``); its title is None where no line is a headline.

    The first paragraph is the standfirst, and stays the beginning of the content. *to_html* makes the body's HTML
    where the body is markup of its own (Markdown); *title* is one that is already known, so that none is looked for.
    """
    rows = text.split("\n")
    blocks = _blocks(rows)
    facts: _Facts = {"title": title, "credits": []}
    start = _read_head(blocks, facts)
    if start == len(blocks) and start and facts["title"] is None:
        start -= 1  # nothing but lines around a body: the last of them is all there is
    body = blocks[start : _read_tail(blocks, start, facts)]
    if body and (agency := line_kinds.dateline_credit(body[0].text)):
        facts["credits"].append(agency)
    html = standfirst = None
    if not to_html:
        html, standfirst = _body(body)
    elif body:
        html = to_html("\n".join(rows[body[0].first : body[-1].last + 1]))
    facts["title"] = raw_text(facts["title"], "text")
    facts["summary"] = raw_text(facts.get("summary") or standfirst, "text")
    facts["credits"] = tuple(dict.fromkeys(facts["credits"]))
    return ParsedEntry(content=RawText(value=html, type="html") if html else None, **facts)


# --------------------------------------------------------------------------- blocks


class _Block(Struct, frozen=True):
    """What stands together: *text* joined to one line, *rows* as they were, numbers of the first and last row."""

    text: str
    rows: tuple[str, ...]
    first: int
    last: int


def _blocks(rows: Sequence[str]) -> list[_Block]:
    """Cut at blank lines, and between lines that are no hard-wrapped paragraph."""
    wrapped = _is_wrapped(rows)
    blocks: list[_Block] = []
    run: list[int] = []

    def close() -> None:
        if run:
            parts = tuple(rows[number].strip() for number in run)
            blocks.append(_Block(" ".join(parts), parts, run[0], run[-1]))
            run.clear()

    for number, row in enumerate(rows):
        line = row.strip()
        if not line:
            close()
            continue
        if run and not (_UNDERLINE.match(line) and len(run) == 1) and not _continues(rows[run[-1]], line, wrapped):
            close()
        run.append(number)
    close()
    return blocks


def _is_wrapped(rows: Sequence[str]) -> bool:
    """Tell whether paragraphs are broken at a width, as in letters: many lines nearly as long as the longest."""
    lengths = [len(row.rstrip()) for row in rows]
    longest = max(lengths, default=0)
    if not 40 <= longest <= 110 or len(lengths) - lengths.count(0) < 4:
        return False
    follow = [length for length, below in pairwise(lengths) if length and below]
    full = [length for length in follow if length >= longest * 0.7]
    return len(follow) >= 2 and len(full) >= len(follow) * 0.5


def _continues(before: str, line: str, wrapped: bool) -> bool:
    before = before.strip()
    if not wrapped or len(before) < 30 or _mark(line) or line.startswith(">"):
        return False
    return not (
        furniture(line)
        or line_kinds.credit(line)
        or line_kinds.stated(line)
        or line_kinds.stated(before)
        or line_kinds.label(before)
        or line_kinds.breadcrumb(before)
    )


# --------------------------------------------------------------------------- from above


def _read_head(blocks: Sequence[_Block], facts: _Facts) -> int:
    """Read what stands over the body into *facts*; return the number of the body's first block."""
    some = blocks[:16]
    for position, block in enumerate(some):
        if not _is_of_the_head(block, facts, last=position + 1 == len(blocks)):
            return position
    return len(some)


def _is_of_the_head(block: _Block, facts: _Facts, *, last: bool) -> bool:
    """Read *block* into *facts* where it stands over a body; *last*: none is behind it."""
    if _read_label(block.text, facts) or _read_stated(block.text, facts):
        return True
    if not last and (_read_breadcrumb(block.text, facts) or furniture(block.text)):
        return True
    if facts["title"] is None:
        facts["title"] = _headline(block, last=last)
        return facts["title"] is not None
    return not facts["credits"] and _read_credit(block.text, facts)


def _read_breadcrumb(text: str, facts: _Facts) -> bool:
    if facts["title"] is None and "breadcrumb" not in facts and (crumbs := line_kinds.breadcrumb(text)):
        facts["breadcrumb"] = crumbs
        return True
    return False


def _read_credit(text: str, facts: _Facts) -> bool:
    credit = line_kinds.credit(text)
    if credit is not None:
        facts["credits"].insert(0, credit.printed)
        facts["origin"] = credit.origin or facts.get("origin")
    return credit is not None


def _headline(block: _Block, *, last: bool) -> str | None:
    text = block.rows[0] if len(block.rows) == 2 and _UNDERLINE.match(block.rows[1]) else block.text
    if _HEADING_MARKS.match(text):
        text = _HEADING_MARKS.sub("", text).strip(" #*_")
    if len(text) > HEADLINE_CHARS or _mark(block.rows[0]) or not any(map(str.isalnum, text)):
        return None
    return None if _is_paragraph(text, last=last) else text


def _is_paragraph(text: str, *, last: bool) -> bool:
    """Two sentences are a paragraph; so is one with a full stop where nothing follows."""
    return _TWO_SENTENCES.search(_SHORTENED.sub("x", text)) is not None or (
        last and len(text) > 120 and text[-1] in ".。।"
    )


def _date(value: str) -> str | None:
    return value if line_kinds.only_date(value) else None


_LABELLED: dict[str, tuple[str, Callable[[str], Any]]] = {
    "title": ("title", str),
    "author": ("authors", lambda value: line_kinds.people(value) or None),
    "published": ("published", _date),
    "updated": ("updated", _date),
    "link": ("link", lambda value: value if _ADDRESS.fullmatch(value) else None),
    "section": ("breadcrumb", lambda value: line_kinds.breadcrumb(value) or (value,) if len(value) <= 80 else None),
    "tags": ("categories", lambda value: tuple(Category(term=tag) for tag in _tags(value))),
    "summary": ("summary", str),
    "language": ("language", lambda value: value if len(value) <= 35 else None),
}
"""For each kind of label: the fact that it states, and how its value is read; None: it states nothing."""


def _read_label(text: str, facts: _Facts) -> bool:
    """Take a line such as ``Author: Jane Doe`` into *facts*; False where it is none, or is said already."""
    found = line_kinds.label(text)
    if not found or len(text) > 400:
        return False
    name, read = _LABELLED[found[0]]
    value = read(found[1])
    if value is None:
        return False
    if facts.get(name):
        return read is _date
    facts[name] = value
    return True


def _tags(value: str) -> list[str]:
    return [term for tag in re.split(r"[,;]", value) if (term := tag.strip(" #"))]


def _read_stated(text: str, facts: _Facts) -> bool:
    stated = line_kinds.stated(text)
    for name in ("authors", "published", "updated") if stated else ():
        facts[name] = facts.get(name) or getattr(stated, name)
    return stated is not None


# --------------------------------------------------------------------------- from below


def _read_tail(blocks: Sequence[_Block], start: int, facts: _Facts) -> int:
    """Read what stands under the body into *facts*; return the number after the body's last block."""
    end = _before_comments(blocks, start)
    furnished = end < len(blocks)
    while end > start:
        text = blocks[end - 1].text
        if furniture(text) and not line_kinds.rights(text) and not line_kinds.credit(text):
            furnished = True
        elif not _is_of_the_tail(text, facts, alone=end - start == 1):
            if "publisher" in facts or not _is_publisher(blocks, start, end, furnished=furnished):
                break
            facts["publisher"] = text
        end -= 1
    return end


def _is_of_the_tail(text: str, facts: _Facts, *, alone: bool) -> bool:
    """Read a credit, a copyright notice, a byline, a date, an address or a label into *facts*; *alone*: it is all that
    there is.
    """
    if _read_credit(text, facts):
        return True
    if line_kinds.rights(text):
        facts.setdefault("rights", text)
        return True
    if not alone and _ADDRESS.fullmatch(text):
        facts.setdefault("link", text)
        return True
    found = line_kinds.label(text)
    return _read_stated(text, facts) or (found is not None and found[0] in _TAIL_LABELS and _read_label(text, facts))


def _before_comments(blocks: Sequence[_Block], start: int) -> int:
    """Where readers' comments begin, all that follows is theirs.

    A line about comments begins them where less than a third of the text follows, or where what follows reads like
    comments; else it is a button amid the article.
    """
    left = total = sum(len(block.text) for block in blocks[start:])
    for number in range(start, len(blocks)):
        if number > start and furniture(blocks[number].text) == "comments":
            after = [block.text for block in blocks[number + 1 :]]
            if left * 3 < total or sum(bool(_COMMENT.search(text)) for text in after) >= 2:
                return number
        left -= len(blocks[number].text)
    return len(blocks)


def _is_publisher(blocks: Sequence[_Block], start: int, end: int, *, furnished: bool) -> bool:
    """A short last line under a credit, or over furniture: a heading there would head nothing."""
    text = blocks[end - 1].text
    if end - start == 1 or not line_kinds.is_name(text) or _mark(text):
        return False
    return furnished or any(line_kinds.credit(block.text) for block in blocks[max(start, end - 4) : end - 1])


# --------------------------------------------------------------------------- the body


def _body(blocks: Sequence[_Block]) -> tuple[str, str | None]:
    """The body as HTML, and its standfirst: the first paragraph, where more follows and it is not too long."""
    parts: list[str] = []
    standfirst: str | None = None
    number = 0
    while number < len(blocks):
        block, following = blocks[number], next(iter(blocks[number + 1 : number + 2]), None)
        if items := _list_at(blocks, number):
            parts.append(_list_html(items, "ol" if _NUMBERED.match(block.text) else "ul"))
            number += len(items)
            continue
        number += 1
        if furniture(block.text):
            continue
        part = _block_html(block, following)
        if not parts and following and part.startswith("<p>") and len(block.text) <= STANDFIRST_CHARS:
            standfirst = block.text
        parts.append(part)
    return "\n".join(parts), standfirst


def _list_html(items: list[str], tag: str) -> str:
    shown = "".join(f"<li>{_inline(item)}</li>" for item in items if not furniture(item))
    return f"<{tag}>{shown}</{tag}>"


def _block_html(block: _Block, following: _Block | None) -> str:
    if heading := _marked_heading(block) or (following and _plain_heading(block.text, following.text)):
        return f"<h2>{_inline(heading)}</h2>"
    if block.text.startswith(">"):
        return f"<blockquote><p>{_inline(' '.join(row.lstrip('> ') for row in block.rows))}</p></blockquote>"
    if _is_quote(block.text):
        return f"<blockquote><p>{_inline(block.text)}</p></blockquote>"
    return f"<p>{_inline(block.text)}</p>"


def _mark(line: str) -> str | None:
    match = _BULLET.match(line) or _NUMBERED.match(line)
    return match[0] if match else None


def _list_at(blocks: Sequence[_Block], start: int) -> list[str]:
    """The items of the list that begins at *start*, empty where none does.

    A mark that is also a dash or a number needs a second item: one such line is dialogue, or begins with a year.
    """
    first = blocks[start].text
    pattern = _NUMBERED if _NUMBERED.match(first) else _BULLET
    opening = pattern.match(first)
    if opening is None:
        return []
    items = []
    for block in blocks[start:]:
        match = pattern.match(block.text)
        if not match or (pattern is _BULLET and match[0].strip() != opening[0].strip()):
            break
        items.append(block.text[match.end() :])
    unsure = pattern is _NUMBERED or opening[0].strip() in ("-", "–", "—", "o", "+", "*")
    return items if len(items) > 1 or not unsure else []


def _marked_heading(block: _Block) -> str | None:
    """The text of a sub-heading that is underlined, or marked as in Markdown."""
    if len(block.rows) == 2 and _UNDERLINE.match(block.rows[1]):
        return block.rows[0]
    match = _HEADING_MARKS.match(block.text)
    return block.text[match.end() :].strip(" #*_") if match else None


def _plain_heading(text: str, below: str) -> str | None:
    """*text* where it heads what stands *below*: it is short and no sentence, and below is something to be headed."""
    if not _can_head(text) or below[0].islower() or line_kinds.credit(text) or line_kinds.stated(text):
        return None
    return text if _mark(below) or _SENTENCE_END.search(below) or len(below) > 110 or below[0] in _QUOTES else None


def _can_head(text: str) -> bool:
    """Tell whether *text* is short and no sentence; a question, or a few words before a colon, may be a heading."""
    if len(text) > 110 or len(text.split()) > 16 or text[0].islower() or _is_quote(text):
        return False
    if text[-1] in "?!？！؟" or text.endswith("?”"):
        return True
    return not _SENTENCE_END.search(text) or (text[-1] == ":" and len(text.split()) <= 6)


def _is_quote(text: str) -> bool:
    """Tell whether a paragraph is one quotation, alone or with a few words that say whose it is."""
    closing = _QUOTES.get(text[0])
    if closing is None or len(text.split()) < 6:
        return False
    last = max(map(text.rfind, closing))
    if last <= 0:
        return False
    quoted, after = text[1:last], text[last + 1 :].strip()
    again = text[0] if text[0] != "'" else '"'
    if again in quoted:
        return False
    return len(after.split()) <= 8 and len(after) <= 70 and len(quoted.split()) >= (8 if after else 1)


def _inline(text: str) -> str:
    """Escaped text, with bare addresses made links."""
    parts, end = [], 0
    for match in _ADDRESS.finditer(text):
        address = escape(match[0])
        parts.append(f'{escape(text[end : match.start()], quote=False)}<a href="{address}">{address}</a>')
        end = match.end()
    return "".join(parts) + escape(text[end:], quote=False)
