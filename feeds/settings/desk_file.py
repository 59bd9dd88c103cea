"""`wiredesk.yaml` and the environment → Settings. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

from yaml.nodes import Node, ScalarNode, SequenceNode

from feeds.configuration import Settings
from feeds.settings.config import OTHER_VARIABLES, OVERRIDES, missing, references, without_references
from feeds.settings.forms import keys_of
from feeds.settings.reports import Report, Wrong, did_you_mean, quote
from feeds.settings.section_tree import Tree
from feeds.settings.types import Read, items_of, plain, read_mapping
from feeds.urls import LISTENING, followed, is_loopback

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
    _interactions(settings, read, report)
    return settings


def judge_outgoing(
    root: Node | None, settings: Settings, tree: Tree, environ: Mapping[str, str], report: Report
) -> None:
    """Judge what of *settings* the section *tree* and the environment decide: who is told of what."""
    if root is None or report.errors:
        return
    digest, at = settings.digest, places(root).get("notify")
    if (place := places(root).get("digest")) is not None:
        _outgoing(place, digest.sections, (digest.server,), tree, environ, report)
    if at is None:
        return
    seen: set[str] = set()
    for one, place in zip(settings.notify, items_of(at), strict=False):
        if one.url in seen:
            report.error(place, "this address for the second time", "name all its `sections:` in one place")
        seen.add(one.url)
        if one.secret and not any(references(one.secret)):
            report.warn(place, "a secret in the file", "write ${NAME} and set NAME in the environment")
        _outgoing(place, one.sections, (one.url, one.secret), tree, environ, report)


def _outgoing(
    place: Node,
    sections: Iterable[str],
    texts: Iterable[str],
    tree: Tree,
    environ: Mapping[str, str],
    report: Report,
) -> None:
    for path in sections:
        if path not in tree.paths and tree.whole and not tree.is_broken(path):
            hint = report.did_you_mean(path, tree.paths)
            report.error(place, f"sections: no section {quote(path)}", hint or "`wiredesk sections` lists them")
    for variable in dict.fromkeys(name for text in texts for name in missing(text, environ)):
        report.error(place, f"no environment variable {variable}", "set it where the desk is started")


def apply_environment(settings: Settings, environ: Mapping[str, str], report: Report) -> Settings:
    """Give *settings* with the OVERRIDES that *environ* has; what is wrong goes to *report*."""
    values: dict[str, Any] = {}
    for name, path in OVERRIDES.items():
        if text := environ.get(name, "").strip():
            _override(values, path, text, name, report)
    for name in environ:
        if name.startswith("WIREDESK_") and name not in OVERRIDES and name not in OTHER_VARIABLES:
            hint = did_you_mean(name, OVERRIDES)
            if hint and name.replace("_", "") in {known.replace("_", "") for known in OVERRIDES}:
                report.warn(None, f"the variable {name} means nothing", hint)
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


def _interactions(settings: Settings, read: Read, report: Report) -> None:
    """Judge what single keys can't show: settings that hold each by itself and not together."""
    poll, fetch, publish = settings.poll, settings.fetch, settings.publish

    def at(group: str, *names: str) -> Node | None:
        """Where the first of *names* stands in *group*."""
        found = places(read.places[group]) if group in read.places else {}
        return next((found[name] for name in names if name in found), None)

    if poll.floor_s > poll.ceiling_s:
        report.error(
            at("poll", "floor_s", "ceiling_s"),
            f"poll.floor_s {plain(poll.floor_s)} is above poll.ceiling_s {plain(poll.ceiling_s)}",
            "lower the floor or raise the ceiling",
        )
    elif not poll.floor_s <= poll.first_s <= poll.ceiling_s:
        real = min(max(poll.first_s, poll.floor_s), poll.ceiling_s)
        report.warn(
            at("poll", "first_s") or read.places.get("poll"),
            f"poll.first_s {plain(poll.first_s)} is outside floor_s and ceiling_s",
            f"new sources are asked every {plain(real)} s",
        )
    if fetch.idle_s > fetch.timeout_s:
        report.warn(
            at("fetch", "idle_s", "timeout_s"),
            f"fetch.idle_s {plain(fetch.idle_s)} is above fetch.timeout_s {plain(fetch.timeout_s)}",
            "the shorter one always comes first",
        )
    _digest(settings, read, report)
    if 0 < publish.keep_articles < publish.entries:
        report.warn(
            at("publish", "keep_articles"),
            f"publish.keep_articles {publish.keep_articles} is below publish.entries {publish.entries}",
            f"documents will hold {publish.keep_articles} articles",
        )
    if publish.keep_days and publish.keep_days < 2:
        report.warn(
            at("publish", "keep_days"), "articles are kept for a day", "readers that ask once a day may miss some"
        )
    if both := set(settings.licence.permits) & set(settings.licence.prohibits):
        report.error(
            at("licence", "prohibits"),
            f"licence permits and prohibits {min(both)!r}",
            "take it out of one of them",
        )
    _public_address(settings, read, report)


def _digest(settings: Settings, read: Read, report: Report) -> None:
    digest, place = settings.digest, read.places.get("digest")
    if not digest.to:
        return
    if not digest.server:
        remedy = "add it: the mail server, such as smtps://user:${PASSWORD}@smtp.example.org"
        report.error(place, "digest: no `server:`", remedy)
    elif urlsplit(without_references(digest.server)).password is not None and not any(references(digest.server)):
        report.warn(place, "a password in the file", "write ${NAME} and set NAME in the environment")
    if not digest.sender and "@" not in settings.contact.partition("//")[0]:
        report.error(place, "digest: no `sender:`", "add it, or give an e-mail address for `contact:`")


def _public_address(settings: Settings, read: Read, report: Report) -> None:
    parts = urlsplit(settings.base_url)
    local = is_loopback(parts.hostname or "")
    if parts.scheme == "http" and not local:
        report.warn(
            read.places.get("base_url"),
            f"base_url {settings.base_url!r} is not https",
            "readers can be shown changed articles on the way; put TLS in front of the desk",
        )
    if local and settings.publish.indexnow:
        report.warn(
            read.places.get("publish"),
            "publish.indexnow tells search engines of a desk that they can't reach",
            "set base_url to the address under which everybody reads it",
        )
    if not local and not settings.contact:
        report.warn(
            read.places.get("contact"), "no `contact:`", "give an address, so that sources can tell you of trouble"
        )


def places(node: Node) -> dict[str, Node]:
    """Where each key of the mapping *node* has its value; empty for anything else."""
    found: dict[str, Node] = {}
    if not isinstance(node.value, str):
        for pair in node.value:
            if isinstance(pair, tuple) and isinstance(pair[0], ScalarNode):
                found.setdefault(pair[0].value, pair[1])
    return found
