"""Secrets by their values: starred wherever they turn up, as in an exception of a library or an unnamed part of a path.

`urls.masked` knows a secret by its form and its name; here it is known because config, or the environment, said it.
The desk of the flows has a `Redaction` of its own for what it stores; `OF_THIS_PROCESS` is for logs and errors.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from urllib.parse import quote, quote_plus, unquote

from feeds.urls import hidden_in, masked

SHORTEST_NAMED = 4
"""Characters of a variable's value from which on it is a secret: a shorter one would star half of all words."""
SHORTEST_WRITTEN = 8
"""The same of a secret written into config itself, which nobody has called one."""
STARS = "***"
_ESCAPE = re.compile(r"%[0-9A-F]{2}")
_WORDS = re.compile(r"[\s:;=]+")  # user and password, a scheme and its token, a cookie and its value

_COMMANDS = (*range(10), *range(11, 32), *range(127, 160))
_ORDERS = (0x061C, 0x200E, 0x200F, *range(0x2028, 0x202F), *range(0x2066, 0x206A))
CONTROLS = {code: "\N{REPLACEMENT CHARACTER}" for code in (*_COMMANDS, *_ORDERS)} | {9: " "}
"""What commands a terminal, ends a line, or turns the order of what is read."""


class Redaction:
    """Values that must not be told, each with what stands in its place."""

    def __init__(self) -> None:
        self._named: dict[str, str] = {}
        self._shown: dict[str, str] = {}

    def add(self, named: Mapping[str, str], hidden: Iterable[str] = ()) -> None:
        """Redact the values of *named* environment variables (`${NAME}` stands for each), and what `urls.masked` stars
        in the texts *hidden*: addresses with a password, headers with a token.
        """
        named = {name: value for name, value in named.items() if len(value) >= SHORTEST_NAMED}
        known = dict(self._shown)
        secrets = [(value, f"${{{name}}}") for name, value in named.items()]
        for value, shown in secrets + [(written, STARS) for written in _written(hidden)]:
            for spelling in _spellings(value):
                known.setdefault(spelling, shown)
        self._named = {**self._named, **named}
        # The longest first, for one secret may hold another; a new dict at once, for other threads read the old one.
        self._shown = dict(sorted(known.items(), key=lambda item: -len(item[0])))

    def redacted(self, text: str) -> str:
        """*text* without the values, in whatever spelling of `_spellings` they stand there."""
        for value, shown in self._shown.items():
            if value in text:
                text = text.replace(value, shown)
        return text

    def restored(self, url: str | None) -> str | None:
        """An address of a source as it was before `redacted`: for asking alone."""
        if url is not None and "${" in url:
            for name, value in self._named.items():
                url = url.replace(f"${{{name}}}", quote(value, safe=""))
        return url


def _written(texts: Iterable[str]) -> Iterator[str]:
    """What `urls.masked` stars in *texts*, and the words of it, such as a user and a password."""
    for value in (value for text in texts for value in hidden_in(text)):
        for part in {value, *_WORDS.split(value)}:
            if len(part) >= SHORTEST_WRITTEN and "${" not in part:
                yield part


def _spellings(value: str) -> Iterator[str]:
    """*value* as it is and as a host, as addresses and forms escape it, as `repr` and JSON print it."""
    yield from (value, value.lower(), repr(value)[1:-1])
    yield from (json.dumps(value)[1:-1], json.dumps(value, ensure_ascii=False)[1:-1])
    for escaped in (quote(value, safe=""), quote(value), quote_plus(value)):
        yield escaped
        yield _ESCAPE.sub(lambda found: found[0].lower(), escaped)
    plain = unquote(value)
    if len(plain) >= SHORTEST_NAMED:
        yield plain


OF_THIS_PROCESS = Redaction()
"""What no log line of this process tells, nor an error that it keeps; it only grows."""


def fault_of_ours(error: BaseException) -> str:
    """What is told, stored and shown of *error*, which we did not foresee: it may hold anything."""
    return f"a fault of the desk's own: {OF_THIS_PROCESS.redacted(masked(repr(error)))}"
