"""Where the desk listens, and whether its `base_url` leads there. Pure."""

from __future__ import annotations

from contextlib import suppress
from ipaddress import ip_address
from urllib.parse import urlsplit

LISTENING = "WIREDESK_LISTENING"
"""The variable with the port that the desk listens on: its own processes tell each other, nobody else sets it."""
OWN = "http://desk.invalid"
"""Stands for the desk's own address in what is stored of articles, for that address may change; in place of it goes
`base_url`, wherever an article leaves the desk. No machine can have this name (RFC 6761, 6.4).
"""
_KNOWN_INSIDE = (".local", ".lan", ".internal", ".home.arpa", ".localdomain")


def is_loopback(host: str) -> bool:
    """Tell whether *host* can only be reached from this machine.

    >>> is_loopback("127.0.0.1"), is_loopback("::1"), is_loopback("localhost"), is_loopback("0.0.0.0"), is_loopback("")
    (True, True, True, False, False)
    """
    if host == "localhost":
        return True
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def followed(base_url: str, port: str) -> str:
    """Give a *base_url* of this machine alone with the *port* that is listened on; any other as it is.

    One with a path has a web server before it, and that one's port.
    >>> followed("http://localhost:8080", "8090"), followed("https://wire.example.org", "8090")
    ('http://localhost:8090', 'https://wire.example.org')
    """
    parts = urlsplit(base_url)
    host = parts.hostname or ""
    if not port or parts.scheme != "http" or parts.path or not is_loopback(host):
        return base_url
    named = f"[{host}]" if ":" in host else host
    return f"http://{named}" + (f":{port}" if port != "80" else "")


def misleading(base_url: str, bind: str, port: str, *, behind_tls: bool = False) -> tuple[str, str] | None:
    """Say why *base_url* can't be right for a desk that listens on *port* of *bind*, and what to do; None where it may.

    Nothing is known of the address where *bind* is empty. *behind_tls*: a proxy says that readers come by https.
    >>> misleading("http://127.0.0.1:8080", "0.0.0.0", "8080")[0]
    'base_url is http://127.0.0.1:8080, which leads nowhere from other machines, and the desk listens on 0.0.0.0'
    """
    parts = urlsplit(base_url)
    host = parts.hostname or ""
    said, remedy = f"base_url is {base_url}", "set `base_url:` in wiredesk.yaml to the address that readers use"
    if behind_tls and parts.scheme == "http":
        return f"{said}, and readers come by https", remedy
    if is_loopback(host) and bind:
        if not is_loopback(bind):
            return f"{said}, which leads nowhere from other machines, and the desk listens on {bind}", remedy
        if not parts.path and parts.scheme == "http" and str(parts.port or 80) != port:
            return f"{said}, and the desk listens on port {port}", remedy
    elif _is_public(bind) and _is_known_inside(host):
        return f"{said}, a name that is known only inside, and the desk listens on the public address {bind}", remedy
    return None


def _is_public(host: str) -> bool:
    with suppress(ValueError):
        return ip_address(host).is_global
    return False


def _is_known_inside(host: str) -> bool:
    with suppress(ValueError):
        return not ip_address(host).is_global
    return host.endswith(_KNOWN_INSIDE) or "." not in host
