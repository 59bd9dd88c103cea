"""Config, the whole of what admins configure, its stored form, and its secrets. Pure.

The stored form is JSON that reads back exactly. Values equal to the model's defaults are left out, and unknown ones
overlooked, so that a config which an earlier release stored can be read.

Secrets come from the environment. A Config carries the text with `${NAME}` in it, and so does its stored form; only
`resolve_secrets` puts the values in, for whoever fetches.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import quote as percent_encode

from feeds.codec import plain, restore
from feeds.errors import ConfigError, StoreError
from feeds.model import Drop, Section, Settings, Source
from feeds.settings.reports import ConfigWarning, Wrong, quote

_FORM = 1  # of the JSON; raised when a release changes its meaning


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """What all config files say together. *sections* come parents first, *sources* as written, OPML's last; *drops* are
    what is never published.

    *digest* is of what the config means: comments, layout and line numbers do not change it. *warnings* hold what
    is allowed and hardly meant. *opml_files*, as written in `sources.yaml`, are to be watched with the three files.
    *files* stands for the very bytes of all of them (see `load.judged_before`).
    """

    settings: Settings = Settings()
    sections: tuple[Section, ...] = ()
    sources: tuple[Source, ...] = ()
    drops: tuple[Drop, ...] = ()
    digest: str = ""
    warnings: tuple[ConfigWarning, ...] = ()
    opml_files: tuple[str, ...] = ()
    files: str = field(default="", compare=False)

    @property
    def brief(self) -> Config:
        """The config with those sources alone of which the store lacks something that polling needs."""
        secret = tuple(source for source in self.sources if source.headers or source.follow or "${" in source.target)
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


def reference_errors(text: str) -> None:
    """Raise Wrong where *text* has a `${…}` that names no variable; quotes nothing else of it."""
    for name in references(text):
        if not _NAME.fullmatch(name):
            raise Wrong(f"{quote('${' + name + '}')} names no variable", "write ${NAME}, of letters, digits and _")
    if "${" in _REFERENCE.sub("", text):
        raise Wrong("a ${ that is never closed", "write ${NAME}, or $$ for a dollar sign")


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


def resolve_secrets(source: Source, environ: Mapping[str, str]) -> Source:
    """Give *source* with its secrets put in, for fetching alone: never store, log or show what this gives.

    Raises ConfigError naming the variable, never its value, where *environ* lacks it.
    """
    try:
        headers = tuple((name, resolve(value, environ)) for name, value in source.headers)
        target = source.target if source.kind == "files" else resolve(source.target, environ, for_url=True)
    except KeyError as error:
        cause = f"source {source.name!r} needs the environment variable {error.args[0]}"
        raise ConfigError(cause, file="sources.yaml", line=source.line, remedy="set it and start again") from None
    return replace(source, headers=headers, target=target)


def masked_headers(source: Source) -> tuple[tuple[str, str], ...]:
    """Give *source*'s headers fit to be shown: names as they are, every value as ``***``."""
    return tuple((name, "***") for name, _ in source.headers)
