"""Markdown documents: front matter, and a body in CommonMark. Part of `parse`, behind `documents`. Pure.

Front matter is read as far as articles use it: plain values, quoted ones, lists, blocks of text; YAML between
``---`` or TOML between ``+++``. What is neither is left to the text.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime, time
from functools import lru_cache
from itertools import chain
from typing import Any

from feeds.parse import line_kinds
from feeds.parse.fields import raw_text
from feeds.parse.plain import read_plain
from feeds.parsed import Category, Image, Origin, ParsedEntry

_FENCES = {"---": ("---", "..."), "+++": ("+++",)}
_PAIR = re.compile(r"([A-Za-z_][\w -]*?)\s*:(?:\s+(.*)|$)")
_BLOCK = re.compile(r"[|>][+-]?")
_JOINTS = {"|": "\n", ">": " "}
_FIRST_HEADING = re.compile(r"\A\s*#\s+(.+?)\s*#*\s*\n|\A\s*([^\n#>*\-\s][^\n]*)\n=+\s*\n")


def has_front_matter(text: str) -> bool:
    """Tell whether *text* begins with front matter."""
    return front_matter(text)[0] is not None


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


def is_draft(text: str) -> bool:
    """Tell whether the front matter of *text* says that it is not to be published yet."""
    return _one(front_matter(text)[0] or {}, "draft") == "true"


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


def read_markdown(text: str) -> ParsedEntry:
    """Return the article in the Markdown *text*; what its front matter states counts before what lines say.

    Without a title there, the first heading is it.
    """
    stated, body = front_matter(text)
    stated = stated or {}
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
    found: list[str] = []
    for key in keys:
        value = stated.get(key)
        for inner in value if isinstance(value, list) else [value]:
            if isinstance(inner, (datetime, date, time)):
                found.append(inner.isoformat())
            elif isinstance(inner, bool):
                found.append(str(inner).lower())
            elif isinstance(inner, (str, int, float)) and str(inner).strip():
                found.append(str(inner).strip())
    return found


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
