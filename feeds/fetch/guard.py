"""Which addresses may be connected to: public ones, on the allowed ports, and what config opens. Pure; part of fetch.

The registries behind the lists: IANA IPv4 and IPv6 Special-Purpose Address Registries (RFC 6890 and its updates).
"""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from feeds.errors import UrlError
from feeds.fetch.target import Address
from feeds.files import tables

_CLOSED = [
    (ip_network(network), why)
    for network, _, why in (row.partition(" ") for row in tables("fetch/networks.txt")["closed"])
]
_JUDGED = 4096  # verdicts remembered: each address is asked about three times, and most of them every hour
_V6_OPEN = IPv6Network("2000::/3")
_NAT64 = IPv6Network("64:ff9b::/96")
_SIX_TO_FOUR = IPv6Network("2002::/16")
_ISATAP = (0x0000_5EFE, 0x0200_5EFE)  # upper half of the interface identifier, RFC 5214 §6.1


def closed_because(address: Address) -> str | None:
    """Why *address* is not public, in a word or two; None where it is.

    An IPv6 address that carries an IPv4 one (mapped, NAT64, 6to4, ISATAP) is as public as that one.
    """
    if isinstance(address, IPv6Address) and (carried := carried_ipv4(address)) is not None:
        return closed_because(carried)
    closed = next((why for network, why in _CLOSED if address in network), None)
    return closed or (None if isinstance(address, IPv4Address) or address in _V6_OPEN else "reserved")


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
