"""OPML lists → lines for `sources.yaml`, ready to be pasted. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass

from feeds.model import Section, Source
from feeds.settings.kinds import comparable, judge_address
from feeds.settings.opml import Names, Outline, flat, read_opml
from feeds.settings.reports import Wrong
from feeds.settings.tree import section_by_name

_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9]*( [A-Za-z0-9]+)*")
_WORDS = {"true", "false", "yes", "no", "on", "off", "null", "y", "n"}


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigLines:
    """*text* for `sources.yaml` with so many *sources*; *known* ones are left out, *refused* ones told as comments."""

    text: str
    sources: int
    known: int
    refused: int


def opml_to_lines(
    lists: Iterable[tuple[str, bytes]], *, sections: Iterable[Section] = (), present: Iterable[Source] = ()
) -> ConfigLines:
    """Give the feeds of OPML documents, (file name, body) each, as lines for a `sources.yaml` that has *present*.

    A folder that means one of *sections* gives a `section:` line; folders stand as comments. Feeds listed twice come
    once; addresses that no source can have become comments with the reason. Raises ConfigError for no OPML.
    """
    tree = {section.path: section for section in sections}
    present = tuple(present)
    names = Names(word for source in present for word in (source.name, source.key))
    had = {comparable(source.target) for source in present if source.kind != "files"}
    seen: set[str] = set()
    lines: list[str] = []
    count = known = refused = 0
    for file, body in lists:
        subscriptions = read_opml(body, file=file)
        if subscriptions.mended:
            lines += [""] * bool(lines) + [f"# {file}, mended: {subscriptions.mended}"]
        for folders, outlines in _by_folder(subscriptions.outlines).items():
            section = section_by_name(tree, folders)
            wanted = []
            for outline in outlines:
                if (same := comparable(outline.url)) in had:
                    known += 1
                elif same not in seen:
                    seen.add(same)
                    wanted.append(outline)
            if wanted and (folders or lines):
                lines += [""] * bool(lines) + [f"# {' > '.join(folders) or 'outside any folder'}"]
            for outline in wanted:
                try:
                    judge_address(outline.url)
                except Wrong as wrong:
                    lines.append(f"# left out, {flat(outline.title)}: {wrong.cause}")
                    refused += 1
                    continue
                lines.append(f"- name: {scalar(names.give(outline.title, outline.url))}")
                lines.append(f"  url: {scalar(outline.url)}")
                if section:
                    lines.append(f"  section: {section}")
                count += 1
    text = "".join(f"{line}\n" for line in lines)
    return ConfigLines(text=text, sources=count, known=known, refused=refused)


def _by_folder(outlines: Iterable[Outline]) -> dict[tuple[str, ...], list[Outline]]:
    groups: dict[tuple[str, ...], list[Outline]] = {}
    for outline in outlines:
        groups.setdefault(outline.folders, []).append(outline)
    return groups


def scalar(text: str) -> str:
    """Write *text* as a YAML scalar: plain where nothing can be mistaken, else in double quotes.

    >>> scalar("Ars Technica"), scalar("no"), scalar("Q: what?")
    ('Ars Technica', '"no"', '"Q: what?"')
    """
    if _PLAIN.fullmatch(text) and text.lower() not in _WORDS:
        return text
    if re.fullmatch(r"https?://[A-Za-z0-9._~/?=&%+:@-]*[A-Za-z0-9_~/=%-]", text):
        return text
    return json.dumps(text, ensure_ascii=False)
