"""The files of the config folder judged together: what they say, or every error of all of them. I/O: reads files."""

from __future__ import annotations

import glob
import os
from collections.abc import Mapping
from itertools import islice
from pathlib import Path

from yaml.nodes import Node

from feeds import regular
from feeds.errors import ConfigError
from feeds.settings.desk import apply_environment, judge_desk
from feeds.settings.doubts import judge_uses
from feeds.settings.files import (
    DESK_FILE,
    FILES,
    MAX_CONFIG_BYTES,
    SECTIONS_FILE,
    SOURCES_FILE,
    fingerprint,
    mark_of,
)
from feeds.settings.opml import MAX_OPML_BYTES
from feeds.settings.reports import ConfigErrors, Report, quote
from feeds.settings.sources import Gathered, judge_sources
from feeds.settings.stored import Config, digest_of
from feeds.settings.tree import Tree, judge_sections
from feeds.settings.yamltext import compose

ENVIRONMENT = "environment"
_TRIES = 5


def judge(folder: Path, environ: Mapping[str, str]) -> Config:
    """See `load.load_config`."""
    reports = {name: Report(name) for name in (*FILES, ENVIRONMENT)}
    files = _read_together(folder, reports)
    lists: dict[str, bytes | None] = {}

    def read_list(name: str) -> bytes:
        lists[name] = None
        lists[name] = body = regular.read(folder / name, most_bytes=MAX_OPML_BYTES)
        return body

    roots: dict[str, Node | None] = {}
    for name, raw in files.items():
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
        files=mark_of({**files, **{name: lists.get(name) for name in opml_files}}, environ),
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
        return regular.read(path, most_bytes=MAX_CONFIG_BYTES)
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
    except regular.Refused as refused:
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
