"""What can go wrong on the desk: one family, each with its subject, its cause and its remedy. Pure.

DeskError
├── ConfigError        a line of a config file             file, line, column
├── UrlError           text that is no usable address      url
├── FetchError         a source gave no usable answer      url, kind, status, retry_after_s, request
│   ├── FetchTimeout       a deadline passed
│   ├── FetchStatus        an answer with a status that brings no document
│   ├── FetchTooLarge      a cap on bytes was reached
│   ├── FetchBlocked       an address, port or scheme that config does not allow
│   └── FetchBroken        the connection or the answer itself is damaged
├── ParseError         bytes that are no document of ours
│   └── ParseUnfinished    their reader died or reached a limit: nothing is known of them
├── RenderError        a document that does not check      article_uid
├── StoreError         the database refuses or is gone
│   └── DatabaseLost       its files were deleted or exchanged while they were open
└── SectionNotFound    no section has this path

Foreign errors are mapped to these once, at the edge where they occur, with ``raise … from error``.
Not modified, a copy, an unfiled article are outcomes and no errors.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

FailureKind = Literal["temporary", "soft", "hard"]
"""How a failing source backs off: temporary (a minute's trouble), soft (hours), hard (days)."""


class DeskError(Exception):
    """An error with a *cause* in words and, where there is one, the *remedy*; printed as "cause; remedy"."""

    def __init__(self, cause: str, *, remedy: str = "") -> None:
        super().__init__(cause)
        self.cause = cause
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.cause}; {self.remedy}" if self.remedy else self.cause

    def __reduce__(self) -> tuple[Any, ...]:
        # Errors of config cross the pipe of the process that reads it; keyword-only attributes need the long way.
        return (_rebuild, (type(self), self.__dict__.copy()))


def _rebuild(kind: type[DeskError], attributes: dict[str, Any]) -> DeskError:
    error = kind.__new__(kind, attributes["cause"])
    Exception.__init__(error, attributes["cause"])
    error.__dict__.update(attributes)
    return error


class ConfigError(DeskError):
    """A config file that does not hold; *line* and *column* count from 1, 0 means the file as a whole."""

    def __init__(self, cause: str, *, file: str, line: int = 0, column: int = 0, remedy: str = "") -> None:
        super().__init__(cause, remedy=remedy)
        self.file = file
        self.line = line
        self.column = column

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}:{self.column}" if self.line else self.file
        return f"{place}: {super().__str__()}"


class UrlError(DeskError):
    """Text that is not a usable http(s) address."""

    def __init__(self, cause: str, *, url: str = "", remedy: str = "") -> None:
        super().__init__(cause, remedy=remedy)
        self.url = url


class FetchError(DeskError):
    """A source gave no usable answer. *kind* chooses the back-off; *retry_after_s* is what the origin asked for.

    *url* is masked, fit to be printed; *request* is the `model.Request` that failed, with its secrets: never print it.
    """

    def __init__(
        self,
        cause: str,
        *,
        url: str,
        kind: FailureKind = "temporary",
        status: int | None = None,
        retry_after_s: float | None = None,
        remedy: str = "",
        request: Any = None,
    ) -> None:
        super().__init__(cause, remedy=remedy)
        self.request = request
        self.url = url
        self.kind: FailureKind = kind
        self.status = status
        self.retry_after_s = retry_after_s


class FetchTimeout(FetchError):
    """The whole fetch, or a silence within it, took longer than allowed."""


class FetchStatus(FetchError):
    """An answer arrived whole, but its status brings no document (4xx, 5xx, odd codes)."""


class FetchTooLarge(FetchError):
    """Headers, raw body or decoded body passed their cap."""


class FetchBlocked(FetchError):
    """The address, port or scheme is not one that config allows."""


class FetchBroken(FetchError):
    """Reset, truncated, badly framed or badly coded: what arrived cannot be trusted."""


class ParseError(DeskError):
    """Bytes that are not a document which the desk can read."""


class ParseUnfinished(ParseError):
    """Bytes of which nothing is known: their reader died over them, or reached a limit, twice."""


class Embargoed(ParseError):
    """A document that may not be shown before *until*."""

    def __init__(self, until: datetime) -> None:
        cause = f"it is under an embargo until {until:%Y-%m-%d %H:%M} UTC"
        super().__init__(cause, remedy="nothing to do: it is published then")
        self.until = until


class RenderError(DeskError):
    """A rendered document that does not pass its check; *article_uid* is the entry at fault where one is."""

    def __init__(self, cause: str, *, article_uid: str | None = None, remedy: str = "") -> None:
        super().__init__(cause, remedy=remedy)
        self.article_uid = article_uid


class StoreError(DeskError):
    """The database refuses, is locked, full, newer than this release, or gone."""


class DatabaseLost(StoreError):
    """The files of the database were deleted or exchanged under the process that had them open."""


class StoreTooNew(StoreError):
    """The database was upgraded by a newer release."""


class LeaseLost(StoreError):
    """Another process decides for the desk by now: nothing that this one decides may be written."""


class SectionNotFound(DeskError):
    """No section has this path."""

    def __init__(self, path: str) -> None:
        super().__init__(f"no section {path!r}", remedy="`wiredesk check` lists the sections")
