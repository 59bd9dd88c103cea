"""What a failed transfer means for its source: statuses and libcurl's codes to the error family. Pure; part of fetch.

| what happened                                             | error          | kind      |
| --------------------------------------------------------- | -------------- | --------- |
| 408 425 429, every 5xx                                    | FetchStatus    | temporary |
| every other status that brings no document                | FetchStatus    | soft      |
| deadline, silence, name look-up without an answer         | FetchTimeout   | temporary |
| a cap on headers, raw or decoded bytes                    | FetchTooLarge  | soft      |
| address, port or scheme that config does not allow        | FetchBlocked   | hard      |
| name that does not exist                                  | FetchBroken    | hard      |
| URL that is none, header that can't be sent               | FetchBroken    | hard      |
| refused, reset, truncated, no route, look-up failed       | FetchBroken    | temporary |
| TLS without trust, redirects astray, bad coding, empty    | FetchBroken    | soft      |
"""

from __future__ import annotations

from typing import NamedTuple

from feeds.errors import FailureKind, FetchBroken, FetchError, FetchTimeout, FetchTooLarge

TEMPORARY_STATUSES = frozenset({408, 425, 429})


class Failure(NamedTuple):
    """An error without its subject yet."""

    type: type[FetchError]
    kind: FailureKind
    cause: str
    remedy: str = ""


def status_kind(status: int) -> FailureKind:
    """How a source backs off after *status*; see the table above."""
    return "temporary" if status in TEMPORARY_STATUSES or 500 <= status <= 599 else "soft"


def status_cause(status: int) -> str:
    """*status* in words an admin understands."""
    phrase = _PHRASES.get(status)
    return f"answered {status} {phrase}" if phrase else f"answered with status {status}"


def status_remedy(status: int) -> str:
    """What an admin can do about *status*; "" where nothing but to wait helps, which the desk does by itself."""
    return _REMEDIES.get(status, "")


def curl_failure(code: int, message: str) -> Failure:
    """What libcurl's error *code* with its *message* means."""
    kind_of = _CODES.get(code)
    text = message.strip()[:200]
    if kind_of is None:
        return Failure(FetchBroken, "temporary", f"transfer failed: {text or f'libcurl error {code}'}")
    error, kind, cause, remedy = kind_of
    return Failure(error, kind, f"{cause} ({text})" if text else cause, remedy)


_LOGIN = "give its login: `headers:` at the source, with ${NAME} from the environment"
_MOVED = "look for its present address: `wiredesk discover` asks its site"
_REMEDIES = {
    401: _LOGIN,
    402: "it sells its feed: buy access, or rest it with `enabled: false`",
    403: f"it blocks this desk or wants a login: set `contact:`, ask its publisher, or {_LOGIN}",
    404: _MOVED,
    429: "raise its `interval_s`, or poll.gap_s and poll.floor_s for all",
    451: "take it out: it may not be given away",
}
_OWN_NETWORK = "if many sources fail so, look at this machine's network: `wiredesk doctor`"
_PROXY = "check fetch.proxy in wiredesk.yaml"
_TRUST = "renew the origin's certificate, or this machine's list of authorities"
_CODES: dict[int, Failure] = {
    1: Failure(FetchBroken, "soft", "the answer is not HTTP/1 or HTTP/2"),
    3: Failure(FetchBroken, "hard", "malformed URL"),
    5: Failure(FetchBroken, "temporary", "the proxy's name was not found", _PROXY),
    6: Failure(FetchBroken, "temporary", "the name was not found", _OWN_NETWORK),
    7: Failure(FetchBroken, "temporary", "could not connect", _OWN_NETWORK),
    8: Failure(FetchBroken, "soft", "the answer is not proper HTTP"),
    16: Failure(FetchBroken, "temporary", "HTTP/2 framing is damaged"),
    18: Failure(FetchBroken, "temporary", "the body ends before its stated length"),
    28: Failure(FetchTimeout, "temporary", "took too long"),
    35: Failure(FetchBroken, "temporary", "TLS handshake failed"),
    52: Failure(FetchBroken, "temporary", "the connection closed without an answer"),
    55: Failure(FetchBroken, "temporary", "the connection broke while asking"),
    56: Failure(FetchBroken, "temporary", "the connection broke, or the body is badly framed"),
    60: Failure(FetchBroken, "soft", "the TLS certificate is not trusted", _TRUST),
    61: Failure(FetchBroken, "soft", "the body is badly coded"),
    63: Failure(FetchTooLarge, "soft", "the body is larger than allowed", "raise fetch.max_body_bytes"),
    91: Failure(FetchBroken, "soft", "the TLS certificate's status is invalid", _TRUST),
    92: Failure(FetchBroken, "temporary", "the HTTP/2 stream broke"),
    97: Failure(FetchBroken, "temporary", "the proxy refused", _PROXY),
    100: Failure(FetchTooLarge, "soft", "headers larger than allowed", "raise fetch.max_header_bytes"),
}
_PHRASES = {
    201: "Created",
    202: "Accepted",
    204: "No Content",
    206: "Partial Content to a whole request",
    300: "Multiple Choices",
    400: "Bad Request",
    401: "Unauthorized",
    402: "Payment Required",
    403: "Forbidden",
    404: "Not Found",
    406: "Not Acceptable",
    408: "Request Timeout",
    421: "Misdirected Request",
    425: "Too Early",
    429: "Too Many Requests",
    451: "Unavailable For Legal Reasons",
    500: "Internal Server Error",
    501: "Not Implemented",
    502: "Bad Gateway",
    503: "Service Unavailable",
    504: "Gateway Timeout",
}
