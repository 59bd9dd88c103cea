"""Which addresses may be connected to: public ones, on the allowed ports, and what config opens. Pure; part of fetch.

The registries behind the lists: IANA IPv4 and IPv6 Special-Purpose Address Registries (RFC 6890 and its updates).
"""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from feeds.errors import UrlError

Address = IPv4Address | IPv6Address

_V4_CLOSED = tuple(
    (IPv4Network(network), reason)
    for network, reason in (
        ("0.0.0.0/8", "unspecified"),
        ("10.0.0.0/8", "private"),
        ("100.64.0.0/10", "carrier-grade NAT"),
        ("127.0.0.0/8", "loopback"),
        ("168.63.129.16/32", "cloud metadata"),  # a public address that answers only inside Azure
        ("169.254.169.254/32", "cloud metadata"),
        ("169.254.0.0/16", "link-local"),
        ("172.16.0.0/12", "private"),
        ("192.0.0.0/24", "reserved"),
        ("192.0.2.0/24", "documentation"),
        ("192.31.196.0/24", "reserved"),
        ("192.52.193.0/24", "reserved"),
        ("192.88.99.0/24", "reserved"),
        ("192.168.0.0/16", "private"),
        ("192.175.48.0/24", "reserved"),
        ("198.18.0.0/15", "benchmarking"),
        ("198.51.100.0/24", "documentation"),
        ("203.0.113.0/24", "documentation"),
        ("224.0.0.0/4", "multicast"),
        ("240.0.0.0/4", "reserved"),
    )
)
_V6_CLOSED = tuple(
    (IPv6Network(network), reason)
    for network, reason in (
        ("::/128", "unspecified"),
        ("::1/128", "loopback"),
        ("::/96", "IPv4-compatible"),
        ("64:ff9b:1::/48", "private"),
        ("100::/64", "discard-only"),
        ("2001::/32", "Teredo"),
        ("2001::/23", "reserved"),
        ("2001:db8::/32", "documentation"),
        ("2620:4f:8000::/48", "reserved"),
        ("3fff::/20", "documentation"),
        ("5f00::/16", "reserved"),
        ("fc00::/7", "unique-local"),
        ("fe80::/10", "link-local"),
        ("fec0::/10", "site-local"),
        ("ff00::/8", "multicast"),
    )
)
_JUDGED = 4096  # verdicts remembered: each address is asked about three times, and most of them every hour
_V6_OPEN = IPv6Network("2000::/3")
_NAT64 = IPv6Network("64:ff9b::/96")
_SIX_TO_FOUR = IPv6Network("2002::/16")
_ISATAP = (0x0000_5EFE, 0x0200_5EFE)  # upper half of the interface identifier, RFC 5214 §6.1


def closed_because(address: Address) -> str | None:
    """Why *address* is not public, in a word or two; None where it is.

    An IPv6 address that carries an IPv4 one (mapped, NAT64, 6to4, ISATAP) is as public as that one.
    """
    if isinstance(address, IPv4Address):
        return next((reason for network, reason in _V4_CLOSED if address in network), None)
    carried = carried_ipv4(address)
    if carried is not None:
        return closed_because(carried)
    for network, reason in _V6_CLOSED:
        if address in network:
            return reason
    return None if address in _V6_OPEN else "reserved"


def carried_ipv4(address: IPv6Address) -> IPv4Address | None:
    """The IPv4 address to which traffic for *address* is really carried; None for a plain IPv6 address."""
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    value = int(address)
    if address in _NAT64:
        return IPv4Address(value & 0xFFFF_FFFF)
    if address in _SIX_TO_FOUR:
        return IPv4Address(value >> 80 & 0xFFFF_FFFF)
    if (value >> 32 & 0xFFFF_FFFF) in _ISATAP and closed_because(IPv4Address(value & 0xFFFF_FFFF)):
        # Under a global prefix the same bits may be chance; what they carry counts only where it is closed.
        return IPv4Address(value & 0xFFFF_FFFF)
    return None


class Guard:
    """The rule for one configuration: *ports*, and *allow_private* that opens networks or one address and port.

    A network opens its private addresses with all their ports, for inside services seldom listen on 80;
    ``127.0.0.1:8081`` or ``[::1]:8081`` opens exactly that.
    Raises UrlError for an entry that is neither.
    """

    def __init__(self, ports: Iterable[int], allow_private: Iterable[str] = ()) -> None:
        self.ports = frozenset(ports)
        self._networks: list[IPv4Network | IPv6Network] = []
        self._places: set[tuple[Address, int]] = set()
        self._judged: dict[tuple[str, int], str | None] = {}
        for entry in allow_private:
            self._open(entry.strip())

    def refusal(self, address: str, port: int) -> str | None:
        """Why a connection to *address* and *port* is refused, in words; None where it is allowed."""
        place = (address, port)
        if place not in self._judged:
            if len(self._judged) >= _JUDGED:
                self._judged.clear()
            self._judged[place] = self._judge(address, port)
        return self._judged[place]

    def port_is_open(self, port: int) -> bool:
        """Whether *port* is allowed for any address at all."""
        return port in self.ports or bool(self._networks) or any(port == open_port for _, open_port in self._places)

    def _judge(self, address: str, port: int) -> str | None:
        try:
            parsed = ip_address(address)
        except ValueError:
            return f"{address!r} is no address"
        if isinstance(parsed, IPv6Address):
            if parsed.scope_id:
                return f"address {address} is link-local"
            parsed = parsed.ipv4_mapped or parsed
        if (parsed, port) in self._places:
            return None
        reason = closed_because(parsed)
        if reason is not None:
            opened = any(parsed in network for network in self._networks)
            return None if opened else f"address {address} is {reason}"
        return None if port in self.ports else f"port {port} is not among the allowed ports"

    def _open(self, entry: str) -> None:
        try:
            self._networks.append(ip_network(entry, strict=False))
            return
        except ValueError:
            pass
        host, separator, port = entry.rpartition(":")
        try:
            if not separator or not 1 <= int(port) <= 65535:
                raise ValueError(entry)
            self._places.add((ip_address(host.removeprefix("[").removesuffix("]")), int(port)))
        except ValueError as error:
            remedy = 'write a network ("10.1.0.0/16") or one address and port ("127.0.0.1:8081")'
            raise UrlError(f"allow_private entry {entry!r} is neither", remedy=remedy) from error
