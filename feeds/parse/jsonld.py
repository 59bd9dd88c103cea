"""What a page says of itself in JSON-LD (schema.org): its articles and its breadcrumb. Part of `parse`. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from html import unescape
from typing import Any

from feeds.text import plain

MAX_BLOCKS = 30
MAX_NODES = 2_000
MAX_BODY_CHARS = 300_000

_ARTICLE = re.compile(r"\w*(?:Article|Posting|BlogPost)$|Report$")
_BREAK = re.compile(r"[\x00-\x1f]")
_WRAPPED = re.compile(r"^\s*(?:<!\[CDATA\[|<!--|//<!\[CDATA\[)|(?:\]\]>|-->|//\]\]>)\s*;?\s*$")


def nodes(blocks: list[str]) -> list[dict[str, Any]]:
    """Return every object with a type in the JSON-LD *blocks*, outer before inner; what is no JSON counts nothing."""
    found: list[dict[str, Any]] = []
    for block in blocks[:MAX_BLOCKS]:
        try:
            # Line breaks inside strings are what pages get wrong most.
            value = json.loads(_BREAK.sub(" ", _WRAPPED.sub("", block.strip())), strict=False)
        except (ValueError, RecursionError):
            continue
        for node in _walk(value):
            found.append(node)
            if len(found) >= MAX_NODES:
                return found
    return found


def _walk(value: Any) -> Iterator[dict[str, Any]]:
    waiting = [(value, 0)]
    while waiting:
        value, depth = waiting.pop(0)
        if depth > 12:
            continue
        if isinstance(value, dict):
            if "@type" in value:
                yield value
            waiting.extend((inner, depth + 1) for inner in value.values() if isinstance(inner, (dict, list)))
        elif isinstance(value, list):
            waiting.extend((inner, depth + 1) for inner in value[:500] if isinstance(inner, (dict, list)))


def types(node: dict[str, Any]) -> list[str]:
    """Return the types of *node* without their vocabulary."""
    kind = node.get("@type")
    kinds = kind if isinstance(kind, list) else [kind]
    return [kind.rpartition("/")[2] for kind in kinds if isinstance(kind, str)]


def article(found: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the article that the page is about, ``{}`` without one: of several the first that has a headline."""
    articles = [node for node in found if any(_ARTICLE.match(kind) for kind in types(node))]
    return next((node for node in articles if text(node.get("headline"))), articles[0] if articles else {})


def body(article: dict[str, Any]) -> str:
    """Return the text of *article* as it gives it (``articleBody``), markup out, ``""`` where it gives none."""
    said = article.get("articleBody") or article.get("text")
    if isinstance(said, list):
        said = "\n".join(part for part in said if isinstance(part, str))
    if not isinstance(said, str):
        return ""
    # Some write their markup into it, some write it as references.
    return plain(unescape(said) if "&lt;" in said else said)[:MAX_BODY_CHARS]


def breadcrumb(found: list[dict[str, Any]]) -> list[str]:
    """Return the names of the first BreadcrumbList with any, in the order of their positions."""
    for node in found:
        if "BreadcrumbList" not in types(node):
            continue
        items = node.get("itemListElement")
        items = [item for item in (items if isinstance(items, list) else [items]) if isinstance(item, dict)]
        items.sort(key=lambda item: _position(item.get("position")))
        names = [text(item.get("name")) or text(item.get("item")) for item in items]
        if any(names):
            return [name for name in names if name and not name.startswith("http")]
    return []


def _position(value: Any) -> int:
    try:
        return int(value)
    except (TypeError, ValueError, OverflowError):
        return 0


def text(value: Any) -> str:
    """Return the text of *value*: a string, the first of a list, or the name of an object; ``""`` for nothing."""
    if isinstance(value, list):
        return next((found for inner in value if (found := text(inner))), "")
    if isinstance(value, dict):
        return text(value.get("name")) or text(value.get("@value"))
    return " ".join(value.split()) if isinstance(value, str) else ""


def texts(value: Any) -> list[str]:
    """Return the texts of a list, or of one value."""
    return [found for inner in (value if isinstance(value, list) else [value]) if (found := text(inner))]


def address(value: Any) -> str:
    """Return the address that *value* is or has; ``""`` for none."""
    if isinstance(value, list):
        return next((found for inner in value if (found := address(inner))), "")
    if isinstance(value, dict):
        return address(value.get("url")) or address(value.get("contentUrl")) or address(value.get("@id"))
    return value.strip() if isinstance(value, str) and value.strip().startswith(("http", "/")) else ""
