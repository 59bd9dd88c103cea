"""Which coding a client gets, and whether it is a browser: proactive negotiation, RFC 9110 section 12.5. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence

CODINGS = ("br", "gzip", "identity")
"""What the desk can send, the smallest first: that order decides among equal weights."""

_ALIASES = {"x-gzip": "gzip"}  # RFC 9110 section 8.4.1.3
_WEIGHT = re.compile(r"(?:0(?:\.\d*)?|1(?:\.0*)?|\.\d+)")


def weights(value: str) -> dict[str, float]:
    """Return each member of an Accept-like header, in lower case, with its weight from 0 to 1.

    A member whose weight cannot be read is left out; of a member given twice the first counts.
    >>> weights("GZIP;q=0.5, br ;Q=0, x;q=oops, *")
    {'gzip': 0.5, 'br': 0.0, '*': 1.0}
    """
    found: dict[str, float] = {}
    for member in value.split(","):
        name, *parameters = (part.strip().lower() for part in member.split(";"))
        weight: float | None = 1.0
        for parameter in parameters:
            key, _, text = parameter.partition("=")
            if key.strip() == "q":
                weight = float(text) if _WEIGHT.fullmatch(text := text.strip()) else None
                break
        if name and weight is not None:
            found.setdefault(name, weight)
    return found


def codings_in_order(accept_encoding: str | None) -> tuple[str, ...]:
    """Return the codings that the client accepts, best first; never empty.

    No header, or an empty one, means identity. Identity comes last unless it is given a weight. Who refuses
    everything (``identity;q=0`` alone) gets identity all the same: a document serves better than 406, as RFC 9110
    section 12.5.3 allows.
    >>> codings_in_order("gzip, deflate, br;q=0.9"), codings_in_order("gzip;q=0, *")
    (('gzip', 'br', 'identity'), ('br', 'identity'))
    """
    if not accept_encoding:
        return ("identity",)
    given = weights(accept_encoding)
    for alias, name in _ALIASES.items():
        if alias in given:
            given.setdefault(name, given[alias])
    ranked: list[tuple[float, int, str]] = []
    for order, coding in enumerate(CODINGS):
        weight = given.get(coding)
        if weight is None and coding == "identity":
            # Acceptable without being named, but behind whatever was asked for; ``*;q=0`` refuses it.
            weight = 0.0 if given.get("*") == 0 else 0.0001
        elif weight is None:
            weight = given.get("*", 0.0)
        if weight > 0:
            ranked.append((-weight, order, coding))
    return tuple(coding for _, _, coding in sorted(ranked)) or ("identity",)


def choose(accept_encoding: str | None, available: Sequence[str]) -> str:
    """Return the coding to send, one of *available*; identity is always available."""
    return next((coding for coding in codings_in_order(accept_encoding) if coding in available), "identity")


def wants_html(accept: str | None) -> bool:
    """Tell whether an error should be a page: only who names HTML gets one, all others get plain text.

    >>> wants_html("text/html,application/xhtml+xml,*/*;q=0.8"), wants_html("*/*"), wants_html(None)
    (True, False, False)
    """
    if not accept:
        return False
    given = weights(accept)
    html = max(given.get("text/html", 0.0), given.get("application/xhtml+xml", 0.0))
    return html > 0 and html >= given.get("text/plain", 0.0)
