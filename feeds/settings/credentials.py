"""`${NAME}`: secrets that come from the environment, kept out of files, messages and the stored config. Pure.

A Config carries the text with `${NAME}` in it. Only `resolve_secrets` puts the values in, for whoever fetches.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from urllib.parse import quote as percent_encode

from feeds.errors import ConfigError
from feeds.model import Source
from feeds.settings.reports import Wrong, quote

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
