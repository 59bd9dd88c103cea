"""A plain document: its head, its body as clean HTML, its tail. Part of `parse`, behind `documents`. Pure.

Lines are taken for what they are by `lines`, never for what one publisher writes. A document is read from both
ends: breadcrumb, headline, byline and dates from above; page furniture, publisher and credit from below; what is
left in between is the article.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from html import escape

from feeds.model import Category, Origin, ParsedEntry, Person, RawText
from feeds.parse import line_kinds
from feeds.parse.line_kinds import furniture

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
_HEADING_MARKS = re.compile(r"#{1,6}\s+|\*\*(?=.*\*\*$)|__(?=.*__$)")


@dataclass(slots=True)
class _Head:
    """What the lines around the body said, as they are met."""

    breadcrumb: tuple[str, ...] = ()
    title: str | None = None
    authors: tuple[Person, ...] = ()
    published: str | None = None
    updated: str | None = None
    link: str | None = None
    summary: str | None = None
    language: str | None = None
    categories: tuple[Category, ...] = ()
    origin: Origin | None = None
    credits: list[str] = field(default_factory=list)
    publisher: str | None = None
    rights: str | None = None


def read_plain(
    text: str, *, entry_id: str | None = None, to_html: Callable[[str], str] | None = None, title: str | None = None
) -> ParsedEntry:
    """Return the article that *text* holds (line ends ``\\n``); its title is None where no line is a headline.

    The first paragraph is the standfirst, and stays the beginning of the content. *to_html* makes the body's HTML
    where the body is markup of its own (Markdown); *title* is one that is already known, so that none is looked for.
    """
    rows = text.split("\n")
    blocks = _blocks(rows)
    head = _Head(title=title)
    start = _read_head(blocks, head)
    if start == len(blocks) and start and head.title is None:
        start -= 1  # nothing but lines around a body: the last of them is all there is
    end = _read_tail(blocks, start, head)
    body = blocks[start:end]
    if body and (agency := line_kinds.dateline_credit(body[0].text)):
        head.credits.append(agency)
    if to_html:
        html = to_html("\n".join(rows[body[0].first : body[-1].last + 1])) if body else ""
        summary = head.summary
    else:
        html, standfirst = _body(body)
        summary = head.summary or standfirst
    return ParsedEntry(
        entry_id=entry_id,
        link=head.link,
        title=RawText(value=head.title) if head.title else None,
        summary=RawText(value=summary) if summary else None,
        content=RawText(value=html, type="html") if html else None,
        language=head.language,
        authors=head.authors,
        published=head.published,
        updated=head.updated,
        categories=head.categories,
        breadcrumb=head.breadcrumb,
        origin=head.origin,
        credits=tuple(dict.fromkeys(head.credits)),
        publisher=head.publisher,
        rights=head.rights,
    )


# --------------------------------------------------------------------------- blocks


@dataclass(frozen=True, slots=True)
class _Block:
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
    lengths = [len(row.rstrip()) for row in rows if row.strip()]
    longest = max(lengths, default=0)
    if not 40 <= longest <= 110 or len(lengths) < 4:
        return False
    follow = [len(a.rstrip()) for a, b in zip(rows, rows[1:], strict=False) if a.strip() and b.strip()]
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


def _read_head(blocks: Sequence[_Block], head: _Head) -> int:
    """Read what stands over the body into *head*; return the number of the body's first block."""
    position = 0
    while position < len(blocks) and position < 16:
        block = blocks[position]
        if not (_read_label(block.text, head) or _read_stated(block.text, head)):
            crumbs = () if head.title or head.breadcrumb else line_kinds.breadcrumb(block.text)
            if crumbs and position + 1 < len(blocks):
                head.breadcrumb = crumbs
            elif head.title is None and position + 1 < len(blocks) and furniture(block.text):
                pass
            elif head.title is None and (headline := _headline(block, last=position + 1 == len(blocks))):
                head.title = headline
            elif head.title and furniture(block.text) and position < len(blocks) - 1:
                pass
            elif head.title and not head.credits and (credit := line_kinds.credit(block.text)):
                head.credits.append(credit.printed)
                head.origin = head.origin or credit.origin
            else:
                break
        position += 1
    return position


def _headline(block: _Block, *, last: bool) -> str | None:
    text = block.rows[0] if len(block.rows) == 2 and _UNDERLINE.match(block.rows[1]) else block.text
    text = _HEADING_MARKS.sub("", text).strip(" #*_") if _HEADING_MARKS.match(text) else text
    if len(text) > HEADLINE_CHARS or _mark(block.rows[0]) or not any(character.isalnum() for character in text):
        return None
    # Two sentences are a paragraph; so is one with a full stop where nothing follows.
    if re.search(r"[^.\s][.。।]\s+\S", re.sub(r"\b(?:[A-Z]|[A-Z][a-z]{1,2}|vs|No|St|Dr|Mr|Mrs|Ms)\.", "x", text)):
        return None
    return None if last and len(text) > 120 and text[-1] in ".。।" else text


def _read_label(text: str, head: _Head) -> bool:
    """Take a line such as ``Author: Jane Doe`` into *head*; False where it is none, or is said already."""
    found = line_kinds.label(text)
    if not found or len(text) > 400:
        return False
    kind, value = found
    if kind == "title" and head.title is None:
        head.title = value
    elif kind == "author" and not head.authors and (persons := line_kinds.people(value)):
        head.authors = persons
    elif kind in ("published", "updated") and line_kinds.only_date(value):
        if kind == "published":
            head.published = head.published or value
        else:
            head.updated = head.updated or value
    elif kind == "link" and _ADDRESS.fullmatch(value) and head.link is None:
        head.link = value
    elif kind == "section" and not head.breadcrumb and len(value) <= 80:
        head.breadcrumb = line_kinds.breadcrumb(value) or (value,)
    elif kind == "tags" and not head.categories:
        head.categories = tuple(Category(term=term) for tag in re.split(r"[,;]", value) if (term := tag.strip(" #")))
    elif kind == "summary" and head.summary is None:
        head.summary = value
    elif kind == "language" and head.language is None and len(value) <= 35:
        head.language = value
    else:
        return False
    return True


def _read_stated(text: str, head: _Head) -> bool:
    said = line_kinds.stated(text)
    if said is None:
        return False
    head.authors = head.authors or said.authors
    head.published = head.published or said.published
    head.updated = head.updated or said.updated
    return True


# --------------------------------------------------------------------------- from below


def _read_tail(blocks: Sequence[_Block], start: int, head: _Head) -> int:
    """Read what stands under the body into *head*; return the number after the body's last block."""
    end = _before_comments(blocks, start)
    furnished = end < len(blocks)
    publisher: str | None = None
    while end > start:
        text = blocks[end - 1].text
        if credit := line_kinds.credit(text):
            head.credits.insert(0, credit.printed)
            head.origin = credit.origin or head.origin
            head.publisher = head.publisher or publisher
            publisher = None
        elif line_kinds.rights(text):
            head.rights = head.rights or text
        elif furniture(text):
            furnished = True
        elif _read_stated(text, head) or (_ADDRESS.fullmatch(text) and end - start > 1 and _take_link(text, head)):
            pass
        elif publisher is None and _is_publisher(blocks, start, end, furnished=furnished):
            publisher = text
        elif _read_tail_label(text, head):
            pass
        else:
            break
        end -= 1
    head.publisher = head.publisher or publisher
    return end


def _read_tail_label(text: str, head: _Head) -> bool:
    found = line_kinds.label(text)
    return found is not None and found[0] in _TAIL_LABELS and _read_label(text, head)


def _take_link(text: str, head: _Head) -> bool:
    head.link = head.link or text
    return True


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
    return (
        end - start > 1
        and line_kinds.is_name(text)
        and not _mark(text)
        and (furnished or _credit_above(blocks, start, end))
    )


def _credit_above(blocks: Sequence[_Block], start: int, end: int) -> bool:
    above = [block.text for block in blocks[max(start, end - 4) : end - 1]]
    return any(line_kinds.credit(text) for text in above)


# --------------------------------------------------------------------------- the body


def _body(blocks: Sequence[_Block]) -> tuple[str, str | None]:
    """The body as HTML, and its standfirst: the first paragraph, where more follows and it is not too long."""
    parts: list[str] = []
    standfirst: str | None = None
    number = 0
    while number < len(blocks):
        block = blocks[number]
        if items := _list_at(blocks, number):
            tag = "ol" if _NUMBERED.match(block.text) else "ul"
            parts.append(
                f"<{tag}>" + "".join(f"<li>{_inline(item)}</li>" for item in items if not furniture(item)) + f"</{tag}>"
            )
            number += len(items)
            continue
        number += 1
        if furniture(block.text):
            continue
        if line_kinds.credit(block.text) and number < len(blocks):
            pass  # a credit amid the text belongs to the text
        if heading := _heading(block, blocks[number] if number < len(blocks) else None):
            parts.append(f"<h2>{_inline(heading)}</h2>")
        elif block.text.startswith(">") or _is_quote(block.text):
            text = " ".join(row.lstrip("> ") for row in block.rows) if block.text.startswith(">") else block.text
            parts.append(f"<blockquote><p>{_inline(text)}</p></blockquote>")
        else:
            if not parts and len(block.text) <= STANDFIRST_CHARS and number < len(blocks):
                standfirst = block.text
            parts.append(f"<p>{_inline(block.text)}</p>")
    return "\n".join(parts), standfirst


def _mark(line: str) -> str | None:
    match = _BULLET.match(line) or _NUMBERED.match(line)
    return match[0] if match else None


def _list_at(blocks: Sequence[_Block], start: int) -> list[str]:
    """The items of the list that begins at *start*, empty where none does.

    A mark that is also a dash or a number needs a second item: one such line is dialogue, or begins with a year.
    """
    first = blocks[start].text
    numbered = _NUMBERED.match(first)
    bullet = None if numbered else _BULLET.match(first)
    pattern = _NUMBERED if numbered else _BULLET if bullet else None
    if pattern is None:
        return []
    mark = bullet[0].strip() if bullet else ""
    items = []
    for block in blocks[start:]:
        match = pattern.match(block.text)
        if not match or (bullet and match[0].strip() != mark):
            break
        items.append(block.text[match.end() :])
    unsure = numbered is not None or mark in ("-", "–", "—", "o", "+", "*")
    return items if len(items) > 1 or not unsure else []


def _heading(block: _Block, following: _Block | None) -> str | None:
    """The text of a sub-heading, None where *block* is none: a heading is short, no sentence, and heads something."""
    if len(block.rows) == 2 and _UNDERLINE.match(block.rows[1]):
        return block.rows[0]
    if match := _HEADING_MARKS.match(block.text):
        return block.text[match.end() :].strip(" #*_")
    text = block.text
    if following is None or len(text) > 110 or len(text.split()) > 16:
        return None
    question = text[-1] in "?!？！؟" or text.endswith("?”")
    if _SENTENCE_END.search(text) and not question and not (text[-1] == ":" and len(text.split()) <= 6):
        return None
    if text[0] in _QUOTES and _is_quote(text):
        return None
    if text[0].islower() or line_kinds.credit(text) or line_kinds.stated(text):
        return None
    below = following.text
    return text if _mark(below) or _SENTENCE_END.search(below) or len(below) > 110 or below[0] in _QUOTES else None


def _is_quote(text: str) -> bool:
    """Tell whether a paragraph is one quotation, alone or with a few words that say whose it is."""
    closing = _QUOTES.get(text[0])
    if closing is None or len(text.split()) < 6:
        return False
    last = max(text.rfind(mark) for mark in closing)
    if last <= 0:
        return False
    quoted, after = text[1:last], text[last + 1 :].strip()
    if any(mark in quoted for mark in (text[0] if text[0] != "'" else '"')):
        return False
    return len(after.split()) <= 8 and len(after) <= 70 and len(quoted.split()) >= (1 if not after else 8)


def _inline(text: str) -> str:
    """Escaped text, with bare addresses made links."""
    parts, end = [], 0
    for match in _ADDRESS.finditer(text):
        address = escape(match[0])
        parts.append(f'{escape(text[end : match.start()], quote=False)}<a href="{address}">{address}</a>')
        end = match.end()
    return "".join(parts) + escape(text[end:], quote=False)
