"""The files of the config folder judged together: what they say, or every error of all of them. I/O: reads files.

`wiredesk.yaml` and the environment are judged here, `sections.yaml` and `sources.yaml` by modules of their own. After
the errors come warnings: sections and sources that hold each by itself, and together leave something empty.
`schemas` gives the tables of keys as JSON Schema (draft 7), for editors that complete and check while one types;
`python -m feeds.settings.judging docs/schema` writes the three schema files anew.
"""

from __future__ import annotations

import glob
import json
import os
import sys
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from msgspec import Struct
from msgspec.structs import fields, replace
from yaml.nodes import Node, ScalarNode, SequenceNode

from feeds import files
from feeds.configuration import Section, Settings, Source
from feeds.errors import ConfigError
from feeds.settings.config import (
    DESK_FILE,
    FILES,
    MAX_CONFIG_BYTES,
    OVERRIDES,
    SECTIONS_FILE,
    SOURCES_FILE,
    Config,
    digest_of,
    fingerprint,
    mark_of,
    missing,
    references,
    without_references,
)
from feeds.settings.forms import keys_of
from feeds.settings.match_rules import judge_sense, shadowed
from feeds.settings.opml_lists import MAX_OPML_BYTES
from feeds.settings.reports import ConfigErrors, ConfigWarning, Report, Wrong, did_you_mean, quote
from feeds.settings.sections_file import Tree, judge_sections, sections_schema
from feeds.settings.sources_file import SET_OUTSIDE, judge_sources, sources_schema
from feeds.settings.types import Schema, items_of, mapping_schema, plain, read_mapping
from feeds.settings.yamltext import compose
from feeds.urls import LISTENING, followed, is_loopback

ENVIRONMENT = "environment"
_TRIES = 5


def judge(folder: Path, environ: Mapping[str, str]) -> Config:
    """See `config.load_config`."""
    reports = {name: Report(name) for name in (*FILES, ENVIRONMENT)}
    desk_report, sections_report, sources_report, environment_report = reports.values()
    raw = _read_together(folder, reports)
    roots = {name: compose(body, reports[name]) if body is not None else None for name, body in raw.items()}

    def read_list(name: str) -> bytes:
        raw[name] = None
        raw[name] = body = files.read_regular(folder / name, most_bytes=MAX_OPML_BYTES)
        return body

    unread = roots[SECTIONS_FILE] is None and sections_report.errors
    settings = judge_desk(roots[DESK_FILE], desk_report)
    settings = apply_environment(settings, environ, environment_report)
    tree = judge_sections(roots[SECTIONS_FILE], sections_report)
    tree.whole = tree.whole and not unread
    judge_outgoing(roots[DESK_FILE], settings, tree, environ, desk_report)
    reach = not (desk_report.errors or environment_report.errors)
    gathered = judge_sources(roots[SOURCES_FILE], tree, settings, environ, read_list, sources_report, reach=reach)
    if not (sections_report.errors or sources_report.errors):
        judge_uses(tree, gathered.sources, sections_report)
        _judge_folders(folder, gathered.sources, sources_report)

    opml_files = tuple(dict.fromkeys(gathered.opml_files))
    warnings = _warnings(reports.values(), opml_files)
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
        files=mark_of({name: raw[name] for name in (*FILES, *opml_files)}, environ),
    )


def _warnings(reports: Collection[Report], opml_files: tuple[str, ...]) -> tuple[ConfigWarning, ...]:
    """The warnings of all files in order; raises ConfigErrors where there is an error."""
    warnings = list(chain.from_iterable(report.warnings for report in reports))
    warnings.sort(key=lambda warning: (warning.file, warning.line, warning.column))
    if errors := list(chain.from_iterable(report.errors for report in reports)):
        raise ConfigErrors(errors, warnings, opml_files)
    return tuple(warnings)


def _read_together(folder: Path, reports: Mapping[str, Report]) -> dict[str, bytes | None]:
    """Give the bytes of each file as they were at one time: files exchanged meanwhile are read again."""
    for _ in range(_TRIES):
        for name in FILES:
            reports[name].errors.clear()
        before = fingerprint(folder)
        raw = {name: _read(folder, name, reports[name]) for name in FILES}
        if fingerprint(folder) == before:
            break
    if not any(body is not None for body in raw.values()):
        _merge_missing(folder, reports)
    return raw


def _merge_missing(folder: Path, reports: Mapping[str, Report]) -> None:
    """One error, where the folder has no config at all, in the place of one a file."""
    missing = all("no such file" in error.cause for name in FILES[1:] for error in reports[name].errors[:1])
    if missing:
        for name in FILES[1:]:
            reports[name].errors.clear()
        reports[DESK_FILE].errors.append(_no_config(folder))


def _no_config(folder: Path) -> ConfigError:
    what = "no config in this folder" if folder.is_dir() else "no folder" if folder.exists() else "no such folder"
    remedy = f"name the folder that has {SECTIONS_FILE} and {SOURCES_FILE} with --config"
    return ConfigError(what, file=str(folder), remedy=remedy)


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


def _judge_folders(folder: Path, sources: Sequence[Source], report: Report) -> None:
    """Warn where there are no sources, or patterns that name no document."""
    if not sources:
        report.warn(None, "no sources", "add one: `- name: …` and, below it, `url: …`")
    for source in sources:
        if source.kind != "files" or not source.enabled:
            continue
        place, target = (source.line, 1), quote(source.target)
        if next(glob.iglob(source.target, root_dir=folder, recursive=True), None) is None:
            report.warn(place, f"files: nothing is called {target} yet", _near_folder(folder, source.target))
        elif os.path.isdir(folder / source.target):  # never raises, as Path.is_dir() does below a closed folder
            better = source.target.rstrip("/") + "/*.txt"
            report.warn(place, f"files: {target} is a folder", f"write a pattern such as {better}")


def _near_folder(folder: Path, target: str) -> str:
    """What to do about a pattern that finds nothing: the folder that was meant, where there is one of a like name."""
    first, slash, rest = target.removeprefix("./").partition("/")
    there = [path.name for path in folder.iterdir() if path.is_dir()] if slash and not (folder / first).exists() else []
    hint = did_you_mean(first, there)
    return hint.replace("'?", f"/{rest}'?") if hint else "documents put there are taken"


# --------------------------------------------------------------------------- wiredesk.yaml

DESK_KEYS = keys_of(Settings)
_TEXT_TAG = "tag:yaml.org,2002:str"


def judge_desk(root: Node | None, report: Report) -> Settings:
    """Give the Settings of the document *root* (None: all defaults); what is wrong goes to *report*."""
    if root is None:
        return Settings()
    try:
        read = read_mapping(root, DESK_KEYS, report)
    except Wrong as wrong:
        report.wrong(root, wrong)
        return Settings()
    settings = _settings(read.values, Settings())
    written = dict(read.places)
    for group, node in read.places.items():
        written |= {f"{group}.{name}": place for name, place in places(node).items()}
    for tell, problems in ((report.error, _impossible(settings)), (report.warn, _unlikely(settings))):
        for names, cause, remedy in problems:
            tell(next((written[name] for name in names.split() if name in written), None), cause, remedy)
    return settings


def judge_outgoing(
    root: Node | None, settings: Settings, tree: Tree, environ: Mapping[str, str], report: Report
) -> None:
    """Judge what of *settings* the section *tree* and the environment decide: who gets what by mail and webhooks."""
    if root is None or report.errors:
        return

    def judge(place: Node, sections: Iterable[str], *texts: str) -> None:
        for path in sections:
            if path not in tree.paths and tree.whole and not tree.is_broken(path):
                hint = report.did_you_mean(path, tree.paths)
                report.error(place, f"sections: no section {quote(path)}", hint or "`wiredesk sections` lists them")
        for variable in dict.fromkeys(name for text in texts for name in missing(text, environ)):
            report.error(place, f"no environment variable {variable}", "set it where the desk is started")

    written = places(root)
    if "digest" in written:
        judge(written["digest"], settings.digest.sections, settings.digest.server)
    if "notify" not in written:
        return
    seen: set[str] = set()
    for one, place in zip(settings.notify, items_of(written["notify"]), strict=False):
        if one.url in seen:
            report.error(place, "this address for the second time", "name all its `sections:` in one place")
        seen.add(one.url)
        if one.secret and not any(references(one.secret)):
            report.warn(place, "a secret in the file", SET_OUTSIDE)
        judge(place, one.sections, one.url, one.secret)


def apply_environment(settings: Settings, environ: Mapping[str, str], report: Report) -> Settings:
    """Give *settings* with the OVERRIDES that *environ* has; what is wrong goes to *report*."""
    values: dict[str, Any] = {}
    for name, path in OVERRIDES.items():
        if text := environ.get(name, "").strip():
            _override(values, path, text, name, report)
    spelled = {known.replace("_", "") for known in OVERRIDES}
    for name in environ:
        if name.startswith("WIREDESK_") and name not in OVERRIDES and name.replace("_", "") in spelled:
            report.warn(None, f"the variable {name} means nothing", did_you_mean(name, OVERRIDES))
    if "base_url" not in values:
        settings = replace(settings, base_url=followed(settings.base_url, environ.get(LISTENING, "")))
    return _settings(values, settings)


def _override(values: dict[str, Any], path: tuple[str, ...], text: str, name: str, report: Report) -> None:
    """Put what the variable *name* says into *values*, as the key at *path* reads it; errors name the variable."""
    keys, default = DESK_KEYS, getattr(Settings(), path[0])
    if len(path) > 1:
        keys, default = keys_of(type(default)), getattr(default, path[1])
        values = values.setdefault(path[0], {})
    node: Node = ScalarNode(_TEXT_TAG, text, style='"')
    if isinstance(default, tuple):
        words = text.replace(",", " ").split()
        node = SequenceNode("tag:yaml.org,2002:seq", [ScalarNode(_TEXT_TAG, word, style='"') for word in words])
    found = Report(report.file)
    try:
        values[path[-1]] = keys[path[-1]].takes.read(node, found)
    except Wrong as wrong:
        found.error(None, wrong.cause, wrong.remedy)
    for error in found.errors:
        report.error(None, f"{name}: {error.cause}", error.remedy)


def _settings(values: dict[str, Any], base: Settings) -> Settings:
    given = {
        name: replace(getattr(base, name), **value) if isinstance(value, dict) else value
        for name, value in values.items()
    }
    return replace(base, **given)


Problem = tuple[str, str, str]
"""The keys, of which the first that is written is the place; cause; remedy."""


def _impossible(settings: Settings) -> Iterator[Problem]:
    """What single keys can't show: settings that hold each by itself, and together don't."""
    poll, digest, licence = settings.poll, settings.digest, settings.licence
    if poll.floor_s > poll.ceiling_s:
        cause = f"poll.floor_s {plain(poll.floor_s)} is above poll.ceiling_s {plain(poll.ceiling_s)}"
        yield "poll.floor_s poll.ceiling_s", cause, "lower the floor or raise the ceiling"
    if digest.to and not digest.server:
        remedy = "add it: the mail server, such as smtps://user:${PASSWORD}@smtp.example.org"
        yield "digest", "digest: no `server:`", remedy
    if digest.to and not digest.sender and "@" not in settings.contact.partition("//")[0]:
        yield "digest", "digest: no `sender:`", "add it, or give an e-mail address for `contact:`"
    if both := set(licence.permits) & set(licence.prohibits):
        yield "licence.prohibits", f"licence permits and prohibits {min(both)!r}", "take it out of one of them"


def _unlikely(settings: Settings) -> Iterator[Problem]:
    """Settings that are allowed and together hardly meant."""
    poll, fetch, publish, server = settings.poll, settings.fetch, settings.publish, settings.digest.server
    real = min(max(poll.first_s, poll.floor_s), poll.ceiling_s)
    if poll.floor_s <= poll.ceiling_s and real != poll.first_s:
        cause = f"poll.first_s {plain(poll.first_s)} is outside floor_s and ceiling_s"
        yield "poll.first_s poll", cause, f"new sources are asked every {plain(real)} s"
    if fetch.idle_s > fetch.timeout_s:
        cause = f"fetch.idle_s {plain(fetch.idle_s)} is above fetch.timeout_s {plain(fetch.timeout_s)}"
        yield "fetch.idle_s fetch.timeout_s", cause, "the shorter one always comes first"
    if settings.digest.to and urlsplit(without_references(server)).password is not None and not any(references(server)):
        yield "digest", "a password in the file", SET_OUTSIDE
    if 0 < publish.keep_articles < publish.entries:
        cause = f"publish.keep_articles {publish.keep_articles} is below publish.entries {publish.entries}"
        yield "publish.keep_articles", cause, f"documents will hold {publish.keep_articles} articles"
    if publish.keep_days == 1:
        yield "publish.keep_days", "articles are kept for a day", "readers that ask once a day may miss some"
    yield from _unlikely_address(settings)


def _unlikely_address(settings: Settings) -> Iterator[Problem]:
    parts = urlsplit(settings.base_url)
    if is_loopback(parts.hostname or ""):
        if settings.publish.indexnow:
            cause = "publish.indexnow tells search engines of a desk that they can't reach"
            yield "publish", cause, "set base_url to the address under which everybody reads it"
        return
    if parts.scheme == "http":
        remedy = "readers can be shown changed articles on the way; put TLS in front of the desk"
        yield "base_url", f"base_url {settings.base_url!r} is not https", remedy
    if not settings.contact:
        yield "contact", "no `contact:`", "give an address, so that sources can tell you of trouble"


def places(node: Node) -> dict[str, Node]:
    """Where each key of the mapping *node* has its value; empty for anything else."""
    found: dict[str, Node] = {}
    if not isinstance(node.value, str):
        for pair in node.value:
            if isinstance(pair, tuple) and isinstance(pair[0], ScalarNode):
                found.setdefault(pair[0].value, pair[1])
    return found


# --------------------------------------------------------------------------- together


def judge_uses(tree: Tree, sources: Sequence[Source], report: Report) -> None:
    """Warn, in the *report* of `sections.yaml`, of rules that can never match and of sections that nothing fills."""
    names = [word for source in sources for word in (source.name, source.key)]
    for drop in tree.drops:
        judge_sense("`drop:`", drop.match, 1, names, report)
    _judge_each(tree, sources, names, report)
    for section, other in shadowed(tree.sections):
        cause = f"{other.path!r} takes all that the rule of {section.path!r} finds"
        remedy = f"{other.path!r} is exclusive and goes first: change its priority or one of the rules"
        report.warn(tree.places[section.path], cause, remedy)


def _judge_each(tree: Tree, sources: Sequence[Source], names: Sequence[str], report: Report) -> None:
    filled = {source.section for source in sources}
    parents = {section.parent for section in tree.sections}
    for section in tree.sections:
        place = tree.places[section.path]
        if section.match is not None:
            judge_sense(f"the rule of {section.path!r}", section.match, place.start_mark.column + 1, names, report)
        elif section.path not in filled and (found := _unfilled(section, parents)):
            report.warn(place, *found)


def _unfilled(section: Section, parents: Collection[str | None]) -> tuple[str, str] | None:
    """What is odd about a section that no source names and that has no rule; with the remedy."""
    if section.path not in parents:
        remedy = "only breadcrumbs and categories of its name, or the learned classifier, can"
        return f"no source and no rule fills {section.path!r}", remedy
    if not section.include_children:
        return f"{section.path!r} shows nothing of the sections below it", "write include_children: true, if it should"
    return None


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
        if key is None or default is None:
            continue
        if isinstance(default, Struct):
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
