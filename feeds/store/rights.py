"""How much of an entry may be shown: `full_text` applied, once, when an article is made from rows. Pure."""

from __future__ import annotations

from html import escape

from feeds.model import Entry, FullText
from feeds.text import plain
from feeds.urls import masked

SUMMARY_CHARS = 300
KEPT_WHOLE_CHARS = 600
"""A summary up to here is a summary; longer ones are whole articles that a feed calls so."""

_ORDER: tuple[FullText, ...] = ("link", "summary", "full")


def strictest(first: FullText, second: FullText) -> FullText:
    """The right of the two that shows less."""
    return min(first, second, key=_ORDER.index)


def allowed(entry: Entry, right: FullText) -> tuple[str, str]:
    """Summary and content of *entry*, both HTML, as far as *right* allows; ``""`` for what it does not.

    For ``summary`` without a summary of its own one is cut from the text, about 300 characters at a word's end.
    """
    if right == "full":
        return entry.summary, entry.content
    if right == "link":
        return "", ""
    text = plain(entry.summary)
    if text and len(text) <= KEPT_WHOLE_CHARS:
        return entry.summary, ""
    return cut(text or entry.text or plain(entry.content)), ""


def cut(text: str) -> str:
    """The beginning of plain *text* as HTML, at the end of a word where there is one, with a mark where it was cut."""
    text = " ".join(text.split())
    if len(text) <= SUMMARY_CHARS:
        return escape(text, quote=False)
    start = text[: SUMMARY_CHARS + 1]
    at = start.rfind(" ")
    kept = start[:at] if at >= SUMMARY_CHARS // 2 else start[:SUMMARY_CHARS]  # some languages have no blanks
    return escape(kept.rstrip(" ,;:.–—-"), quote=False) + "…"


def public_address(url: str) -> str | None:
    """*url* if it may be published as a source's address, None where it carries a password or a key."""
    return url if url.startswith(("http://", "https://")) and masked(url) == url else None
