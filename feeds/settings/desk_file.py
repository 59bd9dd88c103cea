"""`wiredesk.yaml` and the environment → Settings. Pure.

The tables of keys are all there is to know of a key: how it is read, its range, what the schema says.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

from yaml.nodes import Node, ScalarNode, SequenceNode

from feeds.model import Settings
from feeds.settings.forms import BASE_URL, CONTACT, LANGUAGE, NETWORK, NETWORK_OR_PORT, TIME_OF_DAY, ZONE, Address
from feeds.settings.load import OTHER_VARIABLES, OVERRIDES
from feeds.settings.reports import Report, Wrong, did_you_mean
from feeds.settings.types import Choice, Group, Key, ListOf, Number, Or, Read, Text, YesNo, plain, read_mapping

WEEK_S = 7 * 86400
FULL_TEXT = Choice(("full", "summary", "link"))

POLL_KEYS: dict[str, Key] = {
    "first_s": Key(takes=Number(1, WEEK_S, "seconds", False), says="how often a source of unknown rhythm is asked"),
    "floor_s": Key(takes=Number(1, WEEK_S, "seconds", False), says="never ask a source more often than this"),
    "ceiling_s": Key(takes=Number(1, 30 * 86400, "seconds", False), says="never ask a healthy source more rarely"),
    "per_host": Key(takes=Number(1, 100), says="transfers from one host at the same time"),
    "gap_s": Key(takes=Number(0, 3600, "seconds", False), says="time between two starts at one host"),
    "retry_after_scope": Key(
        takes=Choice(("url", "host", "domain")), says="what waits when an origin answers with Retry-After"
    ),
}  # fmt: skip

FETCH_KEYS: dict[str, Key] = {
    "timeout_s": Key(takes=Number(1, 600, "seconds", False), says="the longest that one fetch may take in all"),
    "idle_s": Key(takes=Number(1, 600, "seconds", False), says="the longest silence within a fetch"),
    "max_body_bytes": Key(takes=Number(1024, 2**30, "bytes"), says="the largest document, after decoding"),
    "max_header_bytes": Key(takes=Number(1024, 2**24, "bytes"), says="the largest block of response headers"),
    "max_redirects": Key(takes=Number(0, 50), says="how many redirects are followed"),
    "max_transfers": Key(takes=Number(1, 10_000), says="transfers at the same time, over all hosts"),
    "ports": Key(takes=ListOf(Number(1, 65535), least=1), says="ports that may be connected to"),
    "allow_private": Key(
        takes=ListOf(NETWORK_OR_PORT), says="private networks, or addresses with port, that may be connected to"
    ),
    "proxy": Key(
        takes=Address(schemes=("http", "https", "socks5", "socks5h")), says="a proxy that all fetches go through"
    ),
}

PUBLISH_KEYS: dict[str, Key] = {
    "entries": Key(takes=Number(1, 1000), says="articles in a section's document"),
    "max_age_s": Key(takes=Number(0, 86400, "seconds"), says="how long readers may keep a document (Cache-Control)"),
    "full_text": Key(takes=FULL_TEXT, says="how much of an article is republished where its source does not say"),
    "keep_days": Key(takes=Number(0, 36500, "days"), says="how long articles are kept; 0 for ever"),
    "keep_articles": Key(takes=Number(0, 10**9), says="how many articles a section keeps; 0 for all"),
    "first_import": Key(takes=Number(0, 10_000), says="how many articles of a new source's first answer are taken"),
    "websub": Key(takes=YesNo(), says="whether documents name a WebSub hub: those of `hubs`, else the desk's own"),
    "hubs": Key(
        takes=ListOf(Address(published=True), most=20),
        says="WebSub hubs in the place of the desk's own, told of each change",
    ),
    "images": Key(takes=YesNo(), says="whether articles keep their pictures"),
}

GROUPS = {"poll": POLL_KEYS, "fetch": FETCH_KEYS, "publish": PUBLISH_KEYS}

DESK_KEYS: dict[str, Key] = {
    "title": Key(takes=Text(longest=200), says="the name of the desk"),
    "description": Key(takes=Text(longest=1000, empty=True, lines=True), says="what the desk is, in a sentence"),
    "copyright": Key(takes=Text(longest=500, empty=True), says="who holds the rights, told by every document"),
    "image": Key(takes=Address(published=True), says="a picture for the desk (PNG, JPEG or GIF), shown by readers"),
    "base_url": Key(takes=BASE_URL, says="the desk's public address: what feeds and pages call themselves"),
    "contact": Key(takes=CONTACT, says="an e-mail address or page, told to sources in the User-Agent"),
    "language": Key(takes=LANGUAGE, says="the desk's language, for sources that do not say"),
    "timezone": Key(takes=ZONE, says="for source dates without a zone, and for pages"),
    "poll": Key(takes=Group(POLL_KEYS), says="how often sources are asked"),
    "fetch": Key(takes=Group(FETCH_KEYS), says="the limits of one fetch"),
    "publish": Key(takes=Group(PUBLISH_KEYS), says="what documents hold, and how long it is kept"),
    "trusted_proxies": Key(takes=ListOf(NETWORK), says="proxies whose X-Forwarded headers are believed"),
    "learn_at": Key(
        takes=Or("never", "never", TIME_OF_DAY),
        says="when the classifier learns anew each day, where a section is to learn",
    ),
}


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


def apply_environment(settings: Settings, environ: Mapping[str, str], report: Report) -> Settings:
    """Give *settings* with the OVERRIDES that *environ* has; what is wrong goes to *report*."""
    values: dict[str, Any] = {}
    for name, path in OVERRIDES.items():
        if text := environ.get(name, "").strip():
            group = values.setdefault(path[0], {}) if len(path) > 1 else values
            _override(group, path, text, name, report)
    for name in environ:
        if name.startswith("WIREDESK_") and name not in OVERRIDES and name not in OTHER_VARIABLES:
            hint = did_you_mean(name, OVERRIDES)
            if hint and name.replace("_", "") in {known.replace("_", "") for known in OVERRIDES}:
                report.warn(None, f"the variable {name} means nothing", hint)
    return _settings(values, settings)


def _override(values: dict[str, Any], path: tuple[str, ...], text: str, name: str, report: Report) -> None:
    """Put what the variable *name* says into *values*, as the key at *path* reads it; errors name the variable."""
    keys: Mapping[str, Key] = DESK_KEYS if len(path) == 1 else GROUPS[path[0]]
    takes = keys[path[-1]].takes
    own = Report(report.file)
    try:
        values[path[-1]] = takes.read(_node(text, isinstance(takes, ListOf)), own)
    except Wrong as wrong:
        own.error(None, wrong.cause, wrong.remedy)
    for error in own.errors:
        report.error(None, f"{name}: {error.cause}", error.remedy)


def _settings(values: dict[str, Any], base: Settings) -> Settings:
    groups = {name: replace(getattr(base, name), **values[name]) for name in GROUPS if name in values}
    return replace(base, **{**values, **groups})


def _node(text: str, several: bool) -> Node:
    if not several:
        return ScalarNode("tag:yaml.org,2002:str", text, style='"')
    items = [ScalarNode("tag:yaml.org,2002:str", part, style='"') for part in text.replace(",", " ").split()]
    return SequenceNode("tag:yaml.org,2002:seq", items)


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
    _public_address(settings, read, report)


def _public_address(settings: Settings, read: Read, report: Report) -> None:
    parts = urlsplit(settings.base_url)
    local = parts.hostname in ("localhost", "::1") or (parts.hostname or "").startswith("127.")
    if parts.scheme == "http" and not local:
        report.warn(
            read.places.get("base_url"),
            f"base_url {settings.base_url!r} is not https",
            "readers can be shown changed articles on the way; put TLS in front of the desk",
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
