"""Who is asking, behind the proxies that config trusts. For logs alone: no address is ever built from it. Pure."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping, Sequence

_MAX_HOPS = 32


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
