"""Config, the whole of what admins configure: its files, its stored form, its secrets, how two of them differ.

I/O: reads the config folder.

Three files: `wiredesk.yaml` may be missing (all defaults), `sections.yaml` and `sources.yaml` may not, though either
may hold comments alone. Beside them the OPML lists that `sources.yaml` names, and the environment variables that go
before `wiredesk.yaml`. What judges them (`judging`) is imported when there is something to judge: a start with files
that were judged before needs no YAML parser.

The stored form is JSON that reads back exactly. Values equal to the model's defaults are left out, and unknown ones
overlooked, so that a config which an earlier release stored can be read.

Secrets come from the environment. A Config carries the text with `${NAME}` in it, and so does its stored form; only
`resolve_secrets` puts the values in, for whoever fetches.
"""

from __future__ import annotations

import gc
import hashlib
import json
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote as percent_encode

import xxhash
from msgspec import Struct
from msgspec.structs import fields, replace

from feeds import __version__, files
from feeds.codec import plain, restore
from feeds.configuration import Drop, Notify, Section, Settings, Source, renames
from feeds.errors import ConfigError, StoreError
from feeds.settings.reports import ConfigWarning, Wrong, quote
from feeds.urls import LISTENING

FILES = DESK_FILE, SECTIONS_FILE, SOURCES_FILE = ("wiredesk.yaml", "sections.yaml", "sources.yaml")

MAX_CONFIG_BYTES = 64 * 1024 * 1024
"""Bytes of one config file: a hundred thousand sources take a fifth of it."""

Fingerprint = tuple[tuple[str, int, int, int, str], ...]

OVERRIDES: dict[str, tuple[str, ...]] = {
    "WIREDESK_TITLE": ("title",),
    "WIREDESK_BASE_URL": ("base_url",),
    "WIREDESK_CONTACT": ("contact",),
    "WIREDESK_LANGUAGE": ("language",),
    "WIREDESK_TIMEZONE": ("timezone",),
    "WIREDESK_TRUSTED_PROXIES": ("trusted_proxies",),
    "WIREDESK_ALLOW_PRIVATE": ("fetch", "allow_private"),
    "WIREDESK_PROXY": ("fetch", "proxy"),
    "WIREDESK_FULL_TEXT": ("publish", "full_text"),
}
"""Environment variables that go before `wiredesk.yaml`; lists are separated by commas or spaces."""

_FORM = 1  # of the JSON; raised when a release changes its meaning


class Config(Struct, frozen=True, kw_only=True):
    """What all config files say together. *sections* come parents first, *sources* as written, OPML's last; *drops* are
    what is never published.

    *digest* is of what the config means: comments, layout and line numbers do not change it. *warnings* hold what
    is allowed and hardly meant. *opml_files*, as written in `sources.yaml`, are to be watched with the three files.
    *files* stands for the very bytes of all of them (see `judged_before`).
    """

    settings: Settings = Settings()
    sections: tuple[Section, ...] = ()
    sources: tuple[Source, ...] = ()
    drops: tuple[Drop, ...] = ()
    digest: str = ""
    warnings: tuple[ConfigWarning, ...] = ()
    opml_files: tuple[str, ...] = ()
    files: str = ""

    @property
    def brief(self) -> Config:
        """The config with those sources alone of which the store lacks something that polling needs."""
        secret = tuple(source for source in self.sources if is_kept_back(source))
        return replace(self, sources=secret)


def config_to_json(config: Config) -> str:
    """Give *config* as JSON, from which `config_from_json` makes an equal one; equal configs give equal text."""
    return _dump({"form": _FORM, **plain(config)})


def config_from_json(text: str) -> Config:
    """Give the Config that *text* holds. Raises StoreError where it is none."""
    try:
        document = json.loads(text)
        if document.get("form") != _FORM:
            raise StoreError(
                f"a stored config of form {document.get('form')!r}", remedy="it is from a newer release; upgrade"
            )
        return restore(Config, document)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise StoreError("the stored config can't be read", remedy="start with good config files") from error


def digest_of(
    settings: Settings, sections: tuple[Section, ...], sources: tuple[Source, ...], drops: tuple[Drop, ...] = ()
) -> str:
    """Give the digest of a config: equal for configs that mean the same, whatever their layout."""
    means: dict[str, Any] = {"settings": settings, "sections": sections, "sources": sources}
    if drops:  # left out where there are none, so that a config of an earlier release keeps its digest
        means["drops"] = drops
    text = _dump({name: plain(value, without=("line",)) for name, value in means.items()})
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def _dump(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=True)


# --------------------------------------------------------------------------- files


def load_config(folder: Path, environ: Mapping[str, str]) -> Config:
    """Give the Config that the files in *folder* say; `WIREDESK_*` variables of *environ* go before them.

    Raises ConfigErrors with every error of all files at once.
    """
    from feeds.settings.judging import judge  # PyYAML, lxml and re2: a start with known files needs none of them

    # A large config makes a million nodes that all live until it is judged: the collector would only walk them.
    with without_collector():
        return judge(folder, environ)


@contextmanager
def without_collector() -> Iterator[None]:
    """Make much that hangs together in no circles, without a tenth of the time going into looking for some."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


def judged_before(config: Config, folder: Path, environ: Mapping[str, str]) -> bool:
    """Whether the files in *folder* are, byte for byte, those that *config* was made of, under the same environment.

    Of its sources *config* needs those with secrets alone.
    """
    raw: dict[str, bytes | None] = {}
    for name in (*FILES, *config.opml_files):
        try:
            raw[name] = files.read_regular(folder / name, most_bytes=MAX_CONFIG_BYTES)
        except OSError:
            raw[name] = None
    texts = [text for source in config.sources for text in secret_texts(source)]
    texts += outgoing_texts(config.settings)
    if any(missing(text, environ) or unsendable(text, environ) for text in texts):
        return False
    return config.files == mark_of(raw, environ)


def fingerprint(folder: Path, opml_files: Iterable[str] = ()) -> Fingerprint:
    """Give what changes whenever a config file does: name, mtime_ns, size, inode and resolved path of each.

    *opml_files* are those of the Config, or of the ConfigErrors, last loaded. A missing file counts as one of size
    -1, so that its coming is a change too. Symlinks are followed: a folder swapped at once is a change.
    """
    found = []
    for name in (*FILES, *opml_files):
        path = folder / name
        try:
            at = path.stat()
            found.append((name, at.st_mtime_ns, at.st_size, at.st_ino, os.path.realpath(path)))
        except OSError:
            found.append((name, 0, -1, 0, ""))
    return tuple(found)


def mark_of(raw: Mapping[str, bytes | None], environ: Mapping[str, str]) -> str:
    """What stands for the bytes of config files (None: there is none), for the variables that go before them, and for
    the code that judges them: another release may judge otherwise.
    """
    mark = xxhash.xxh3_128()
    for name, body in raw.items():
        mark.update(repr((name, None if body is None else len(body))).encode())
        mark.update(body or b"")
    ours = [environ.get(name) for name in (*OVERRIDES, LISTENING)]
    mark.update(repr((ours, __version__, _code())).encode())
    return mark.hexdigest()


@cache
def _code() -> int:
    """When the code of this room was last changed, for whoever works on it."""
    return max(path.stat().st_mtime_ns for path in Path(__file__).parent.glob("*.py"))


# --------------------------------------------------------------------------- secrets

_REFERENCE = re.compile(r"\$\$|\$\{([^}]*)\}")
_IN_URL = re.compile(r"\$\{([^}]*)\}")  # an address is asked exactly as written, so that $$ stays $$ there
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_PRINTABLE = re.compile(r"[\x20-\x7e\t]*")


def references(text: str) -> Iterator[str]:
    """Give the names that *text* takes from the environment; `$$` stands for a dollar sign.

    >>> list(references("Bearer ${TOKEN} $${NOT}"))
    ['TOKEN']
    """
    return (match[1] for match in _REFERENCE.finditer(text) if match[1] is not None)


def with_references(text: str) -> str:
    """Give *text*. Raises Wrong where it has a `${…}` that names no variable; quotes nothing else of it."""
    for name in references(text):
        if not _NAME.fullmatch(name):
            raise Wrong(f"{quote('${' + name + '}')} names no variable", "write ${NAME}, of letters, digits and _")
    if "${" in _REFERENCE.sub("", text):
        raise Wrong("a ${ that is never closed", "write ${NAME}, or $$ for a dollar sign")
    return text


def without_references(text: str) -> str:
    """Give *text* with a harmless word for each reference, for judging what is around it."""
    return _REFERENCE.sub("x", text)


def resolve(text: str, environ: Mapping[str, str], *, for_url: bool = False) -> str:
    """Put the values of *environ* into *text*; with *for_url* percent-encoded. Raises KeyError with the name."""

    def value(match: re.Match[str]) -> str:
        if match[1] is None:
            return "$"
        found = environ[match[1]].strip()
        return percent_encode(found, safe="") if for_url else found

    return (_IN_URL if for_url else _REFERENCE).sub(value, text)


def missing(text: str, environ: Mapping[str, str]) -> tuple[str, ...]:
    """Give the names in *text* that *environ* lacks or has empty."""
    return tuple(dict.fromkeys(name for name in references(text) if not environ.get(name)))


def unsendable(text: str, environ: Mapping[str, str]) -> tuple[str, ...]:
    """Give the names in *text* whose value holds what no header can carry, such as a line end."""
    return tuple(
        dict.fromkeys(name for name in references(text) if not _PRINTABLE.fullmatch(environ.get(name, "").strip()))
    )


def is_kept_back(source: Source) -> bool:
    """Whether the store lacks something of *source*: what may hold secrets, or what only its folder needs."""
    kept = source.headers or source.post or source.follow or source.removed != "keep" or source.kind == "mail"
    return bool(kept or "${" in source.target)


def secret_texts(source: Source) -> tuple[str, ...]:
    """The texts of *source* that may take something from the environment."""
    return (source.target, source.post, *(value for _, value in source.headers))


def resolve_secrets(source: Source, environ: Mapping[str, str]) -> Source:
    """Give *source* with its secrets put in, for fetching alone: never store, log or show what this gives.

    Raises ConfigError naming the variable, never its value, where *environ* lacks it.
    """
    try:
        headers = tuple((name, resolve(value, environ)) for name, value in source.headers)
        target = source.target if source.kind == "files" else resolve(source.target, environ, for_url=True)
        post = resolve(source.post, environ)
    except KeyError as error:
        cause = f"source {source.name!r} needs the environment variable {error.args[0]}"
        raise ConfigError(cause, file="sources.yaml", line=source.line, remedy="set it and start again") from None
    return replace(source, headers=headers, target=target, post=post)


def outgoing_texts(settings: Settings) -> list[str]:
    """Give the texts of *settings* that may take something from the environment."""
    return [settings.digest.server, *(text for one in settings.notify for text in (one.url, one.secret))]


def resolve_notify(settings: Settings, environ: Mapping[str, str]) -> dict[str, Notify]:
    """Give the webhooks, by their address as written, with their secrets put in: never store, log or show these.

    One that lacks a variable in *environ* is left out: the files of such a config are not accepted.
    """
    return {
        one.url: replace(one, url=resolve(one.url, environ, for_url=True), secret=resolve(one.secret, environ))
        for one in settings.notify
        if not missing(one.url + one.secret, environ)
    }


def masked_headers(source: Source) -> tuple[tuple[str, str], ...]:
    """Give *source*'s headers fit to be shown: names as they are, every value as ``***``."""
    return tuple((name, "***") for name, _ in source.headers)


# --------------------------------------------------------------------------- differences

NAMED = 3
"""How many of several things are named; the rest are counted."""


def differences(accepted: Config, files: Config) -> tuple[str, ...]:
    """A line for each file in which *files* says other than *accepted*; none where both mean the same.

    Names of sources and paths of sections alone stand there, never an address or a header: these may hold secrets.
    """
    names = {source.key: source.name for config in (accepted, files) for source in config.sources}
    renamed = {was: now for now, was in renames(accepted.sources, files.sources).items()}
    sources = {renamed.get(key, key): source for key, source in _by(accepted.sources, "key").items()}
    changes = {
        DESK_FILE: _changed_settings(accepted.settings, files.settings),
        SECTIONS_FILE: [
            *_things("section", _by(accepted.sections, "path"), _by(files.sections, "path"), {}),
            *(["other rules of what is dropped"] if accepted.drops != files.drops else []),
        ],
        SOURCES_FILE: [*_things("source", sources, _by(files.sources, "key"), names)],
    }
    lines = tuple(f"{file}: {'; '.join(words)}" for file, words in changes.items() if words)
    return lines or (() if accepted.digest == files.digest else ("the order of sections or sources",))


def _changed_settings(accepted: Settings, files: Settings) -> list[str]:
    changed = [one.name for one in fields(Settings) if getattr(accepted, one.name) != getattr(files, one.name)]
    return [f"other {_few(changed)}"] if changed else []


def _things(
    noun: str, accepted: Mapping[str, Any], files: Mapping[str, Any], names: Mapping[str, str]
) -> Iterator[str]:
    """What of *noun* is more, fewer, and other in *files*; *names* are what keys are called that have one."""
    changes = {
        "more": [key for key in files if key not in accepted],
        "fewer": [key for key in accepted if key not in files],
        "changed": [key for key in files if accepted.get(key, files[key]) != files[key]],
    }
    for words, keys in changes.items():
        if keys:
            shown = _few([*map(names.get, keys, keys)])
            yield f"{len(keys)} {noun}{'s' * (len(keys) != 1)} {words} ({shown})"


def _few(names: list[str]) -> str:
    more = len(names) - NAMED
    return ", ".join(names[:NAMED]) + (f" and {more} more" if more > 0 else "")


def _by(things: tuple[Any, ...], name: str) -> dict[str, Any]:
    """*things* by their attribute *name*, without the lines on which they stand."""
    return {getattr(one, name): plain(one, without=("line",)) for one in things}
