"""The files of the config folder judged together: what they say, or every error of all of them. I/O: reads files.

After the errors come warnings: sections and sources that hold each by itself, and together leave something empty.
`schemas` gives the tables of keys as JSON Schema (draft 7), for editors that complete and check while one types;
`python -m feeds.settings.judging docs/schema` writes the three schema files anew.
"""

from __future__ import annotations

import glob
import json
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import MISSING, fields, is_dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from yaml.nodes import Node

from feeds import files
from feeds.errors import ConfigError
from feeds.model import Match, Section, Settings, Source, Term
from feeds.settings.desk_file import DESK_KEYS, apply_environment, judge_desk
from feeds.settings.load import (
    DESK_FILE,
    FILES,
    MAX_CONFIG_BYTES,
    SECTIONS_FILE,
    SOURCES_FILE,
    fingerprint,
    mark_of,
)
from feeds.settings.opml_lists import MAX_OPML_BYTES
from feeds.settings.reports import ConfigErrors, Report, quote
from feeds.settings.section_tree import Tree, judge_sections, sections_schema
from feeds.settings.sources_file import Gathered, judge_sources, sources_schema
from feeds.settings.stored_config import Config, digest_of
from feeds.settings.types import Schema, mapping_schema
from feeds.settings.yamltext import compose

ENVIRONMENT = "environment"
_TRIES = 5


def judge(folder: Path, environ: Mapping[str, str]) -> Config:
    """See `load.load_config`."""
    reports = {name: Report(name) for name in (*FILES, ENVIRONMENT)}
    raw_files = _read_together(folder, reports)
    lists: dict[str, bytes | None] = {}

    def read_list(name: str) -> bytes:
        lists[name] = None
        lists[name] = body = files.read_regular(folder / name, most_bytes=MAX_OPML_BYTES)
        return body

    roots: dict[str, Node | None] = {}
    for name, raw in raw_files.items():
        roots[name] = compose(raw, reports[name]) if raw is not None else None
    unread = {name for name in FILES if roots[name] is None and reports[name].errors}

    settings = judge_desk(roots[DESK_FILE], reports[DESK_FILE])
    settings = apply_environment(settings, environ, reports[ENVIRONMENT])
    tree = judge_sections(roots[SECTIONS_FILE], reports[SECTIONS_FILE])
    tree.whole = tree.whole and SECTIONS_FILE not in unread
    gathered = judge_sources(
        roots[SOURCES_FILE],
        tree,
        settings,
        environ,
        read_list,
        reports[SOURCES_FILE],
        reach=not (reports[DESK_FILE].errors or reports[ENVIRONMENT].errors),
    )
    if not (reports[SECTIONS_FILE].errors or reports[SOURCES_FILE].errors):
        _judge_together(folder, tree, gathered, reports)

    errors = [error for report in reports.values() for error in report.errors]
    found = [warning for report in reports.values() for warning in report.warnings]
    warnings = tuple(sorted(found, key=lambda warning: (warning.file, warning.line, warning.column)))
    opml_files = tuple(dict.fromkeys(gathered.opml_files))
    if errors:
        raise ConfigErrors(errors, warnings, opml_files)
    sections, sources = tuple(tree.sections), tuple(gathered.sources)
    drops = (*tree.drops, *gathered.drops)
    return Config(
        settings=settings,
        sections=sections,
        sources=sources,
        drops=drops,
        digest=digest_of(settings, sections, sources, drops),
        warnings=warnings,
        opml_files=opml_files,
        files=mark_of({**raw_files, **{name: lists.get(name) for name in opml_files}}, environ),
    )


def _read_together(folder: Path, reports: Mapping[str, Report]) -> dict[str, bytes | None]:
    """Give the bytes of each file as they were at one time: files exchanged meanwhile are read again."""
    for _ in range(_TRIES):
        for name in FILES:
            reports[name].errors.clear()
        before = fingerprint(folder)
        files = {name: _read(folder, name, reports[name]) for name in FILES}
        if fingerprint(folder) == before:
            break
    if all(raw is None for raw in files.values()) and all("no such file" in _said(reports[name]) for name in FILES[1:]):
        reports[SECTIONS_FILE].errors.clear()
        reports[SOURCES_FILE].errors.clear()
        what = "no config in this folder" if folder.is_dir() else "no folder" if folder.exists() else "no such folder"
        error = ConfigError(
            what,
            file=str(folder),
            remedy=f"name the folder that has {SECTIONS_FILE} and {SOURCES_FILE} with --config",
        )
        reports[DESK_FILE].errors.append(error)
    return files


def _said(report: Report) -> str:
    return report.errors[0].cause if report.errors else ""


def _read(folder: Path, name: str, report: Report) -> bytes | None:
    path = folder / name
    try:
        return files.read_regular(path, most_bytes=MAX_CONFIG_BYTES)
    except (FileNotFoundError, NotADirectoryError):
        other = path.with_suffix(".yml")
        if other.exists():
            report.error(None, "no such file", f"there is {other.name}: rename it to {name}")
        elif path.is_symlink():
            report.error(None, "a link that leads nowhere", "mend the link")
        elif name != DESK_FILE:
            report.error(None, "no such file", "restore it; it may hold a comment alone where there is nothing to say")
    except IsADirectoryError:
        report.error(None, "a folder of this name where a file belongs", "move it away")
    except files.Refused as refused:
        report.error(None, f"not read: {refused.strerror}", "put a plain file of this name there")
    except PermissionError:
        report.error(None, "no permission to read it", "let the user that runs the desk read it")
    except OSError as error:
        report.error(None, f"can't be read: {(error.strerror or str(error)).lower()}", "look at the disk")
    return None


def _judge_together(folder: Path, tree: Tree, gathered: Gathered, reports: Mapping[str, Report]) -> None:
    judge_uses(tree, gathered.sources, reports[SECTIONS_FILE])
    report = reports[SOURCES_FILE]
    if not gathered.sources and not report.errors:
        report.warn(None, "no sources", "add one: `- name: …` and, below it, `url: …`")
    for source in gathered.sources:
        if source.kind != "files" or not source.enabled:
            continue
        found = list(islice(glob.iglob(source.target, root_dir=folder, recursive=True), 1))
        place = (source.line, 1)
        if not found:
            report.warn(place, f"files: nothing is called {quote(source.target)} yet", "documents put there are taken")
        elif os.path.isdir(folder / source.target):  # never raises, as Path.is_dir() does below a closed folder
            better = source.target.rstrip("/") + "/*.txt"
            report.warn(place, f"files: {quote(source.target)} is a folder", f"write a pattern such as {better}")


_ONE_EACH = frozenset({"source", "language"})
"""Terms of which an article has one value only: two of them that share no value never hold together."""


def judge_uses(tree: Tree, sources: Sequence[Source], report: Report) -> None:
    """Warn, in the *report* of `sections.yaml`, of rules that can never match and of sections that nothing fills."""
    names = [word for source in sources for word in (source.name, source.key)]
    for drop in tree.drops:
        _judge_rule("`drop:`", drop.match, 1, names, report)
    filled = {source.section for source in sources if source.section}
    parents = {section.parent for section in tree.sections}
    for section in tree.sections:
        place = tree.places[section.path]
        if section.match is not None:
            column = place.start_mark.column + 1
            _judge_rule(f"the rule of {section.path!r}", section.match, column, names, report)
        elif section.path in filled:
            continue
        elif section.path not in parents:
            remedy = "only breadcrumbs and categories of its name, or the learned classifier, can"
            report.warn(place, f"no source and no rule fills {section.path!r}", remedy)
        elif not section.include_children:
            remedy = "write include_children: true, if it should"
            report.warn(place, f"{section.path!r} shows nothing of the sections below it", remedy)
    for section, other in _shadowed(tree.sections):
        remedy = f"{other.path!r} is exclusive and goes first: change its priority or one of the rules"
        report.warn(
            tree.places[section.path], f"{other.path!r} takes all that the rule of {section.path!r} finds", remedy
        )


def _judge_rule(called: str, match: Match, column: int, names: Sequence[str], report: Report) -> None:
    """Warn of what in a rule can never hold; *names* are those by which a rule can ask for a source."""
    known = {word.casefold() for word in names}
    for term, cause in _barren(match):
        report.warn((term.line, column), f"{called} can never match: {cause}", "mend it")
    for term in _terms(match):
        for value in term.values if term.field == "source" else ():
            if value.casefold() not in known:
                remedy = report.did_you_mean(value, names) or "it can never match"
                cause = f"{called} asks for the source {quote(value)}, which sources.yaml lacks"
                report.warn((term.line, column), cause, remedy)


def _barren(match: Match) -> Iterator[tuple[Term, str]]:
    """Give the terms that keep *match*, or a joint within it that must hold, from ever matching, and why."""
    refused = [term for term in match.none if isinstance(term, Term)]
    wanted = [term for term in match.all if isinstance(term, Term)]
    for term in wanted:
        if any(_covers(one, term) for one in refused):
            yield term, f"`none` leaves out all that `{term.field}` asks for"
    if match.any and all(isinstance(term, Term) and any(_covers(one, term) for one in refused) for term in match.any):
        first = next(term for term in match.any if isinstance(term, Term))
        yield first, "`none` leaves out all that `any` asks for"
    for index, term in enumerate(wanted):
        for other in wanted[:index]:
            if term.field == other.field and term.field in _ONE_EACH and not _meet(term, other):
                yield term, f"an article has one {term.field}, and two are asked for"
    for part in match.all:
        if isinstance(part, Match):
            yield from _barren(part)


def _covers(wide: Term, term: Term) -> bool:
    return wide.field == term.field and _folded(term) <= _folded(wide)


def _meet(term: Term, other: Term) -> bool:
    # `en` holds for `en-GB` too.
    return any(
        f"{one}-".startswith(f"{two}-") or f"{two}-".startswith(f"{one}-")
        for one in _folded(term)
        for two in _folded(other)
    )


def _folded(term: Term) -> set[str]:
    # A regular expression is another one in another case.
    return set(term.values) if term.field == "regex" else {value.casefold() for value in term.values}


def _shadowed(sections: Sequence[Section]) -> Iterator[tuple[Section, Section]]:
    """Give each section whose rule finds nothing but what an exclusive section takes before it, and that section."""
    ruled = [(place, section, section.match) for place, section in enumerate(sections) if section.match is not None]
    takers = [(place, section, match, _enough(match)) for place, section, match in ruled if section.exclusive]
    for place, section, match in ruled:
        needed, meaning = _needed(match), _meaning(match)
        for first, other, rule, enough in takers:
            if other is section or not _goes_first(other, section, first < place):
                continue
            if meaning == _meaning(rule) or any(one <= enough for one in needed):
                yield section, other
                break


def _goes_first(other: Section, section: Section, stands_before: bool) -> bool:
    """Whether the exclusive *other* has an article alone that both sections match."""
    if other.priority != section.priority:
        return other.priority > section.priority
    return not section.exclusive or stands_before


def _enough(match: Match) -> frozenset[tuple[str, str]]:
    """Values any one of which makes *match* hold; none where it asks for more."""
    if match.none or len(match.all) + bool(match.any) != 1:
        return frozenset()
    terms = match.any or match.all
    if not all(isinstance(term, Term) for term in terms):
        return frozenset()
    return frozenset().union(*(_values(term) for term in terms if isinstance(term, Term)))


def _needed(match: Match) -> list[frozenset[tuple[str, str]]]:
    """Sets of values of each of which at least one is there wherever *match* holds."""
    found = [_values(term) for term in match.all if isinstance(term, Term)]
    if match.any and all(isinstance(term, Term) for term in match.any):
        found.append(frozenset().union(*(_values(term) for term in match.any if isinstance(term, Term))))
    return found


def _values(term: Term) -> frozenset[tuple[str, str]]:
    return frozenset((term.field, value) for value in _folded(term))


def _meaning(rule: Match | Term) -> object:
    if isinstance(rule, Term):
        return rule.field, frozenset(_folded(rule))
    return tuple(frozenset(_meaning(part) for part in parts) for parts in (rule.any, rule.all, rule.none))


def _terms(match: Match) -> Iterator[Term]:
    waiting: list[Term | Match] = [match]
    while waiting:
        one = waiting.pop()
        if isinstance(one, Term):
            yield one
        else:
            waiting.extend((*one.any, *one.all, *one.none))


def schemas() -> dict[str, str]:
    """Give file name → JSON text of the schema of each config file."""
    desk = mapping_schema(DESK_KEYS)
    _add_defaults(desk, Settings())
    titled = {"wiredesk": desk, "sections": sections_schema(), "sources": sources_schema()}
    head = {"$schema": "http://json-schema.org/draft-07/schema#"}
    return {
        f"{name}.schema.json": json.dumps({**head, "title": f"{name}.yaml", **schema}, ensure_ascii=False, indent=2)
        + "\n"
        for name, schema in titled.items()
    }


def _add_defaults(schema: Schema, settings: Any) -> None:
    for one in fields(settings):
        key = schema["properties"].get(one.name)
        default = getattr(settings, one.name)
        if key is None or default is None or default is MISSING:
            continue
        if is_dataclass(default):
            _add_defaults(key, default)
        else:
            key["default"] = list(default) if isinstance(default, tuple) else default


def write_schemas(folder: Path) -> None:
    """Write the three schema files into *folder*."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in schemas().items():
        (folder / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    write_schemas(Path(sys.argv[1]))
