"""Who may see the admins' pages: everybody on a desk that nobody else can reach, else who has the token. Pure.

A proxy on the same machine makes every visitor look local, so the address of the client never counts: the desk must
listen on loopback and call itself loopback. A foreign name in Host is refused all the same, since a page of somebody
else's can make a browser ask any name that it resolves to 127.0.0.1.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import ipaddress
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlsplit

Verdict = Literal["open", "ask", "closed"]

CLOSED = "Set WIREDESK_ADMIN_TOKEN in the environment of the desk, start it again, and give the token as the password."
_MAX_HOPS = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """*bind* is the address that the desk listens on, empty where a server of another make was started."""

    bind: str = ""
    token: str = ""

    @classmethod
    def of(cls, environ: Mapping[str, str]) -> Access:
        """Take it from the environment: WIREDESK_BIND, which `run` and `web` set, and WIREDESK_ADMIN_TOKEN."""
        return cls(bind=environ.get("WIREDESK_BIND", "").strip(), token=environ.get("WIREDESK_ADMIN_TOKEN", "").strip())

    def judge(self, base_url: str, *, host: str, authorization: str | None, query_token: str | None = None) -> Verdict:
        """Say whether a request is let in: ``ask`` wants the token, ``closed`` means that there is none to give.

        Who shows the right token is let in, on an open desk too.
        """
        if self.token:
            for given in (_secret_in(authorization), query_token):
                if given is not None and hmac.compare_digest(given.encode(), self.token.encode()):
                    return "open"
        if is_loopback(self.bind) and is_loopback(urlsplit(base_url).hostname or ""):
            name = urlsplit(f"//{host}").hostname or ""
            if not host or is_loopback(name):
                return "open"
        return "ask" if self.token else "closed"


def is_loopback(host: str) -> bool:
    """Tell whether *host* can only be reached from this machine.

    >>> is_loopback("127.0.0.1"), is_loopback("::1"), is_loopback("localhost"), is_loopback("0.0.0.0"), is_loopback("")
    (True, True, True, False, False)
    """
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def _secret_in(authorization: str | None) -> str | None:
    """The token of a Bearer header (RFC 6750), or the password of a Basic one (RFC 7617)."""
    scheme, _, rest = (authorization or "").strip().partition(" ")
    if scheme.lower() == "bearer":
        return rest.strip()
    if scheme.lower() == "basic":
        try:
            return base64.b64decode(rest.strip(), validate=True).decode("utf-8").partition(":")[2]
        except (binascii.Error, UnicodeDecodeError, ValueError):
            return None
    return None


def client_address(environ: Mapping[str, object], trusted: Sequence[str]) -> str:
    """Return the address of the client: the peer's own, or the last untrusted hop that trusted proxies report.

    *trusted* are the addresses and networks of `trusted_proxies`. X-Forwarded-For is read from its end, since anybody
    can write anything at its beginning. What is no address stops the reading.
    >>> client_address({"REMOTE_ADDR": "10.0.0.1", "HTTP_X_FORWARDED_FOR": "6.6.6.6, 192.0.2.7"}, ["10.0.0.0/8"])
    '192.0.2.7'
    >>> client_address({"REMOTE_ADDR": "192.0.2.9", "HTTP_X_FORWARDED_FOR": "6.6.6.6"}, ["10.0.0.0/8"])
    '192.0.2.9'
    """
    address = str(environ.get("REMOTE_ADDR") or "")
    hops = str(environ.get("HTTP_X_FORWARDED_FOR") or "").split(",")[-_MAX_HOPS:]
    while hops and _is_trusted(address, trusted):
        hop = hops.pop().strip()
        try:
            address = str(ipaddress.ip_address(hop))
        except ValueError:
            break
    return address


def _is_trusted(address: str, trusted: Sequence[str]) -> bool:
    try:
        ip = ipaddress.ip_address(address)
        if isinstance(ip, ipaddress.IPv6Address) and ip.ipv4_mapped is not None:
            ip = ip.ipv4_mapped
        return any(ip in ipaddress.ip_network(network, strict=False) for network in trusted)
    except ValueError:
        return False
