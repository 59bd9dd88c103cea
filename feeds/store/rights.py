"""How much of an entry may be shown: `full_text` applied, once, when an article is made from rows. Pure."""

from __future__ import annotations

import re
from dataclasses import replace
from html import escape

from feeds.model import Enclosure, Entry, Episode, FullText, Image
from feeds.players import is_dead, media_type
from feeds.text import plain

SUMMARY_CHARS = 300
KEPT_WHOLE_CHARS = 600
"""A summary up to here is a summary; longer ones are whole articles that a feed calls so."""

_ORDER: tuple[FullText, ...] = ("link", "summary", "full")


def strictest(first: FullText, second: FullText) -> FullText:
    """The right of the two that shows less."""
    return min(first, second, key=_ORDER.index)


def allowed(entry: Entry, right: FullText) -> tuple[str, str]:
    """Summary and content of *entry*, both HTML, as far as *right* allows; ``""`` for what it does not.

    For ``summary`` without a summary of its own one is cut from the text, about 300 characters at a word's end. Of an
    entry without words the first picture, film or sound is its summary, or where it is to be seen.
    """
    if right == "full":
        return entry.summary, entry.content
    if right == "link":
        return "", ""
    text = plain(entry.summary)
    if text and len(text) <= KEPT_WHOLE_CHARS:
        return entry.summary, ""
    if words := text or entry.text:
        return cut(words), ""
    return _first_shown(entry.summary) or _first_shown(entry.content) or cut(plain(entry.content)), ""


# As `normalise` leaves them; `<` and `>` stand for themselves in tags alone.
_SHOWN = re.compile(
    r'<figure><a href="[^"]*"[^>]*><img [^>]*></a><figcaption>.*?</figcaption></figure>|<img [^>]*>'
    r'|<(video|audio)\b.*?</\1>|<p><a href="[^"]*"[^>]*>[^<]*</a></p>',
    re.DOTALL,
)


def _first_shown(html: str) -> str:
    found = _SHOWN.search(html)
    return found[0] if found else ""


def allowed_image(entry: Entry, right: FullText) -> Image | None:
    """The picture of *entry*; none where a headline and a link are all that may be shown."""
    return entry.image if right != "link" else None


def allowed_files(entry: Entry, right: FullText) -> tuple[Enclosure, ...]:
    """The files of *entry*: where they are to be had, and for ``link`` no pictures and nothing said of them.

    Those of players that are gone are left out; `normalise` does so too, but rows of release 0.1.0 have them.
    """
    files = [file for file in entry.enclosures if not is_dead(file.type, file.url)]
    if right != "link":
        return tuple(files)
    return tuple(
        replace(file, title="", description="", credit="")
        for file in files
        if not media_type(file.type, file.url).startswith("image/")
    )


def allowed_episode(entry: Entry, right: FullText) -> Episode | None:
    """What *entry* says of itself as an episode: its summary cut, for ``link`` no words and no pictures."""
    episode = entry.episode
    if episode is None or right == "full":
        return episode
    if right == "summary":
        return replace(episode, summary=cut_text(episode.summary))
    people = tuple(replace(person, image_url=None) for person in episode.people)
    return replace(episode, subtitle="", summary="", image_url=None, people=people)


def cut(text: str) -> str:
    """`cut_text` of plain *text*, as HTML."""
    return escape(cut_text(text), quote=False)


def cut_text(text: str) -> str:
    """The beginning of plain *text*, at the end of a word where there is one, with a mark where it was cut."""
    text = " ".join(text.split())
    if len(text) <= SUMMARY_CHARS:
        return text
    start = text[: SUMMARY_CHARS + 1]
    at = start.rfind(" ")
    kept = start[:at] if at >= SUMMARY_CHARS // 2 else start[:SUMMARY_CHARS]  # some languages have no blanks
    return kept.rstrip(" ,;:.–—-") + "…"
