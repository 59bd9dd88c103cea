"""The guard: no way to write an address leads past it."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feeds.errors import UrlError
from feeds.fetch.guard import Guard, closed_because

CLOSED = {
    "0.0.0.0": "unspecified",
    "0.1.2.3": "unspecified",
    "10.1.2.3": "private",
    "100.64.0.1": "carrier-grade NAT",
    "100.100.100.200": "carrier-grade NAT",
    "127.0.0.1": "loopback",
    "127.255.255.254": "loopback",
    "168.63.129.16": "cloud metadata",
    "169.254.169.254": "cloud metadata",
    "169.254.0.1": "link-local",
    "172.16.0.1": "private",
    "172.31.255.255": "private",
    "192.0.0.192": "reserved",
    "192.0.2.1": "documentation",
    "192.88.99.1": "reserved",
    "192.168.1.1": "private",
    "198.18.0.1": "benchmarking",
    "198.51.100.1": "documentation",
    "203.0.113.1": "documentation",
    "224.0.0.1": "multicast",
    "239.255.255.250": "multicast",
    "240.0.0.1": "reserved",
    "255.255.255.255": "reserved",
    "::": "unspecified",
    "::1": "loopback",
    "::127.0.0.1": "IPv4-compatible",
    "::ffff:127.0.0.1": "loopback",
    "::ffff:0a00:0001": "private",
    "64:ff9b::169.254.169.254": "cloud metadata",
    "64:ff9b:1::1": "private",
    "100::1": "discard-only",
    "2001:0:4136:e378:8000:63bf:3fff:fdd2": "Teredo",
    "2001:10::1": "reserved",
    "2001:db8::1": "documentation",
    "2002:7f00:1::1": "loopback",
    "2002:c0a8:101::": "private",
    "2a00:1450::5efe:10.0.0.1": "private",
    "2a00:1450::200:5efe:127.0.0.1": "loopback",
    "3fff::1": "documentation",
    "5f00::1": "reserved",
    "4000::1": "reserved",
    "fc00::1": "unique-local",
    "fd00:ec2::254": "unique-local",
    "fe80::1": "link-local",
    "fec0::1": "site-local",
    "ff02::1": "multicast",
}
OPEN = [
    "1.1.1.1",
    "8.8.8.8",
    "100.63.255.255",
    "100.128.0.0",
    "172.15.255.255",
    "172.32.0.0",
    "192.0.1.1",
    "198.20.0.0",
    "223.255.255.255",
    "2606:4700::1111",
    "2a00:1450:4001::5",
    "::ffff:8.8.8.8",
    "64:ff9b::8.8.8.8",
    "2002:808:808::1",
    "2a00:1450::5efe:8.8.8.8",
]


@pytest.mark.parametrize(("address", "reason"), CLOSED.items())
def test_a_special_address_is_closed_and_called_by_name(address: str, reason: str) -> None:
    assert closed_because(ip_address(address)) == reason
    assert reason in (Guard([80]).refusal(address, 80) or "")


@pytest.mark.parametrize("address", OPEN)
def test_a_public_address_is_open_on_allowed_ports_alone(address: str) -> None:
    assert Guard([80, 443]).refusal(address, 443) is None
    assert "port 22" in (Guard([80, 443]).refusal(address, 22) or "")


@given(st.integers(0, 2**32 - 1))
def test_nothing_that_python_calls_private_is_open(value: int) -> None:
    address = IPv4Address(value)
    if closed_because(address) is None:
        assert address.is_global and not address.is_multicast
    carriers = [
        IPv6Address(0xFFFF << 32 | value),
        IPv6Address((0x64FF9B << 96) | value),
        IPv6Address(0x2002 << 112 | value << 80 | 1),
        IPv6Address(0x2A00 << 112 | 0x5EFE << 32 | value),
    ]
    assert [closed_because(carrier) for carrier in carriers] == [closed_because(address)] * 4


@given(st.integers(0, 2**128 - 1) | st.sampled_from(list(CLOSED)).map(lambda text: int(ip_address(text))))
def test_an_open_ipv6_address_is_global_unicast(value: int) -> None:
    address = IPv6Address(value)
    if closed_because(address) is None and address.ipv4_mapped is None and address not in ip_network("64:ff9b::/96"):
        assert address in ip_network("2000::/3") and not address.is_multicast and not address.is_reserved


@given(st.text(max_size=40), st.integers(-10, 70000))
def test_what_is_no_address_is_refused(text: str, port: int) -> None:
    refusal = Guard([80]).refusal(text, port)
    if refusal is None:
        ip_address(text)
        assert port == 80


def test_an_opened_network_opens_its_private_addresses_with_all_ports() -> None:
    guard = Guard([80], ["10.1.0.0/16", "fd00::/8", "8.8.8.0/24"])
    assert guard.refusal("10.1.2.3", 80) is None
    assert guard.refusal("fd12::1", 80) is None
    assert guard.refusal("::ffff:10.1.2.3", 80) is None, "mapped is the same place"
    assert guard.refusal("10.1.2.3", 8080) is None
    assert guard.refusal("10.2.0.1", 80) is not None
    assert "port 8080" in (guard.refusal("8.8.8.8", 8080) or ""), "a public one has the allowed ports as before"


def test_an_opened_place_is_that_address_and_port_alone() -> None:
    guard = Guard([80], ["127.0.0.1:8081", "[::1]:8082"])
    assert guard.refusal("127.0.0.1", 8081) is None
    assert guard.refusal("::ffff:127.0.0.1", 8081) is None
    assert guard.refusal("::1", 8082) is None
    assert guard.refusal("127.0.0.1", 80) is not None
    assert guard.refusal("127.0.0.2", 8081) is not None
    assert guard.refusal("8.8.8.8", 8081) is not None
    assert (guard.port_is_open(8081), guard.port_is_open(80), guard.port_is_open(22)) == (True, True, False)


def test_a_single_address_without_a_port_is_a_network_of_one() -> None:
    guard = Guard([80], ["192.168.1.10", " 10.0.0.7/24 "])
    assert guard.refusal("192.168.1.10", 80) is None
    assert guard.refusal("192.168.1.11", 80) is not None
    assert guard.refusal("10.0.0.200", 80) is None


@pytest.mark.parametrize(
    "entry", ["", "localhost", "example.org:80", "127.0.0.1:0", "127.0.0.1:x", "10.0.0.0/33", "::1:"]
)
def test_an_entry_that_is_neither_is_an_error_with_a_remedy(entry: str) -> None:
    with pytest.raises(UrlError, match="write a network"):
        Guard([80], [entry])


def test_a_scoped_address_is_link_local() -> None:
    assert "link-local" in (Guard([80], ["::/0"]).refusal("fe80::1%1", 80) or "")
