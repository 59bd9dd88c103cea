"""Who reads private sections: a token in the address, or as the password of HTTP Basic (RFC 7617). Pure, but for the
clock.

A token is the number of its row and a secret, such as `7-Qk3…`; of the secret the desk keeps a digest alone. Before a
view is asked the token leaves the query, so that no view, log line, redirect or cache finds it there.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from feeds.serve.admission import secret_in
from feeds.store.values import AccessToken

_SECRET_BYTES = 24
_PARAMETER = "token="
_TAKEN = "wiredesk.token"
_VISITOR = "wiredesk.visitor"

Tokens = Mapping[str, AccessToken]
"""The tokens that there are, by their number as text."""


@dataclass(frozen=True, slots=True)
class Visitor:
    """Whoever asks. *opened* is the path of the section that a token opens, with those below; None without one that
    holds. *token* is what the addresses that are shown go on with: "" where it came in a header.
    """

    opened: str | None = None
    token: str = ""

    def may_read(self, private: str) -> bool:
        """Whether the *private* section is open to this visitor."""
        return self.opened is not None and f"{private}/".startswith(f"{self.opened}/")


ANYBODY = Visitor()


def new_secret() -> str:
    """Return a secret that nobody can guess, of letters that stand in addresses as they are."""
    return secrets.token_urlsafe(_SECRET_BYTES)


def digest_of(secret: str) -> bytes:
    """Return what is kept of a secret. It is as good as random, so that a slow hash would protect nothing more."""
    return hashlib.sha256(secret.encode()).digest()


_OF_NOBODY = digest_of("")


def visitor_of(environ: Mapping[str, Any], tokens: Tokens, now: datetime | None = None) -> Visitor:
    """Return who sends the request *environ*. Takes the same time whether a token is unknown or its secret is wrong."""
    if (known := environ.get(_VISITOR)) is not None:
        return known  # type: ignore[no-any-return]
    in_address = environ.get(_TAKEN) or _token_in(environ.get("QUERY_STRING", ""))
    given = in_address or secret_in(environ.get("HTTP_AUTHORIZATION"))
    if not given:
        return ANYBODY
    number, _, secret = given.partition("-")
    token = tokens.get(number)
    right = hmac.compare_digest(digest_of(secret), token.digest if token is not None else _OF_NOBODY)
    if token is None or not right:
        return ANYBODY
    if token.expires_at is not None and token.expires_at <= (now or datetime.now(UTC)):
        return ANYBODY
    return Visitor(token.path, in_address)


def take_token(environ: dict[str, Any], tokens: Tokens) -> None:
    """Note who asks, and move the token out of the query."""
    query = environ.get("QUERY_STRING", "")
    if _PARAMETER in query:
        environ[_TAKEN] = _token_in(query)
        environ["QUERY_STRING"] = "&".join(part for part in query.split("&") if not part.startswith(_PARAMETER))
    environ[_VISITOR] = visitor_of(environ, tokens)


def taken_token(environ: Mapping[str, Any]) -> str | None:
    """Return the token that stood in the address of a request, None where none did."""
    return environ.get(_TAKEN)


def _token_in(query: str) -> str:
    parts = query.split("&") if _PARAMETER in query else ()
    return next((part[len(_PARAMETER) :] for part in parts if part.startswith(_PARAMETER)), "")
