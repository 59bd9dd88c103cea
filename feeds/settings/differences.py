"""In what two configs differ, told in a few words for a log and a page. Pure.

Names of sources and paths of sections alone are told: never an address or a header, which may hold secrets.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import fields
from typing import Any

from feeds.codec import plain
from feeds.configuration import Settings, renames
from feeds.settings.config import DESK_FILE, SECTIONS_FILE, SOURCES_FILE, Config

NAMED = 3
"""How many of several things are named; the rest are counted."""


def differences(accepted: Config, files: Config) -> tuple[str, ...]:
    """A line for each file in which *files* says other than *accepted*; none where both mean the same."""
    names = {source.key: source.name for config in (accepted, files) for source in config.sources}
    renamed = {was: now for now, was in renames(accepted.sources, files.sources).items()}
    sources = {renamed.get(key, key): source for key, source in _by(accepted.sources, "key").items()}
    told = {
        DESK_FILE: _settings(accepted.settings, files.settings),
        SECTIONS_FILE: [
            *_things("section", _by(accepted.sections, "path"), _by(files.sections, "path")),
            *(["other rules of what is dropped"] if accepted.drops != files.drops else []),
        ],
        SOURCES_FILE: [*_things("source", sources, _by(files.sources, "key"), names)],
    }
    lines = tuple(f"{file}: {'; '.join(words)}" for file, words in told.items() if words)
    return lines or (() if accepted.digest == files.digest else ("the order of sections or sources",))


def _settings(accepted: Settings, files: Settings) -> list[str]:
    changed = [one.name for one in fields(Settings) if getattr(accepted, one.name) != getattr(files, one.name)]
    return [f"other {_few(changed)}"] if changed else []


def _things(
    noun: str, accepted: Mapping[str, Any], files: Mapping[str, Any], names: Mapping[str, str] | None = None
) -> Iterator[str]:
    """What of *noun* is more, fewer, and other in *files*."""
    more = [key for key in files if key not in accepted]
    fewer = [key for key in accepted if key not in files]
    other = [key for key in files if key in accepted and files[key] != accepted[key]]
    for keys, words in ((more, "more"), (fewer, "fewer"), (other, "changed")):
        if keys:
            shown = [(names or {}).get(key, key) for key in keys]
            yield f"{len(keys)} {noun}{'s' * (len(keys) != 1)} {words} ({_few(shown)})"


def _few(names: list[str]) -> str:
    more = len(names) - NAMED
    return ", ".join(names[:NAMED]) + (f" and {more} more" if more > 0 else "")


def _by(things: tuple[Any, ...], name: str) -> dict[str, Any]:
    """*things* by their attribute *name*, without the lines on which they stand."""
    return {getattr(one, name): plain(one, without=("line",)) for one in things}
