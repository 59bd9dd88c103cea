"""URLs taken apart: the host that is judged is the host that is asked, in every spelling."""

from __future__ import annotations

from ipaddress import IPv4Address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feeds.errors import UrlError
from feeds.fetch.target import follow, parse_target, without_credentials


@pytest.mark.parametrize(
    ("url", "site", "path"),
    [
        ("http://Example.ORG", "http://example.org", "/"),
        ("https://example.org:443/a", "https://example.org", "/a"),
        ("http://example.org:443/a", "http://example.org:443", "/a"),
        ("http://example.org:/a", "http://example.org", "/a"),
        ("http://example.org./a", "http://example.org", "/a"),
        ("  http://example.org/a\n", "http://example.org", "/a"),
        ("http://user:p@ss@example.org/", "http://example.org", "/"),
        ("http://user@example.org:8080?q", "http://example.org:8080", "/?q"),
        ("http://a_b.example.org/", "http://a_b.example.org", "/"),
        ("https://Bücher.example/", "https://xn--bcher-kva.example", "/"),
        ("https://faß.example/", "https://xn--fa-hia.example", "/"),
        ("http://[2001:DB8::1]:81/x", "http://[2001:db8::1]:81", "/x"),
        ("http://example.org/a@b:c", "http://example.org", "/a@b:c"),
        ("http://example.org/\\evil.test/", "http://example.org", "/\\evil.test/"),
    ],
)
def test_a_url_is_taken_apart_exactly(url: str, site: str, path: str) -> None:
    target = parse_target(url)
    assert (target.site, target.path) == (site, path)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "example.org",
        "//example.org/",
        "http:example.org",
        "http:/example.org",
        "http://",
        "http:///path",
        "http://:80/",
        "http://user@/",
        "http://exa mple.org/",
        "http://example.org:0/",
        "http://example.org:65536/",
        "http://example.org:٨٠/",
        "http://example.org:-1/",
        "http://example.org:80:80/",
        "http://exa%6dple.org/",
        "http://evil.test\\@example.org/",
        "http://exa\tmple.org/",
        "http://example.org/\x00",
        "http://example.org/a\r\nX: y",
        "http://[::1]x/",
        "http://[fe80::1%25eth0]/",
        "http://[fe80::1%eth0]/",
        "http://::1/",
        "http://-example.org/",
        "http://example..org/",
        "http://example.org../",
        "http://1.2.3.4.5/",
        "http://256.1.1.1/",
        "http://1.2.3.08/",
        "http://a.b.1/",
        "http://0xfffffffff/",
        "http://" + "a" * 64 + ".org/",
        "http://" + "a." * 130 + "org/",
        "http://example.org/" + "a" * 9000,
        "http://\ud800.example/",
    ],
)
def test_what_is_no_url_of_ours_is_refused(url: str) -> None:
    with pytest.raises(UrlError):
        parse_target(url)


LOOPBACK = [
    "127.0.0.1",
    "127.1",
    "127.0.1",
    "2130706433",
    "0x7f000001",
    "0x7F.1",
    "0177.0.0.1",
    "0177.0x0.0.01",
    "017700000001",
    "127.0.0.1.",
    "１２７.０.０.１",
    "127。0。0。1",
    "①②⑦.0.0.1",
    "0x7f.0x0.0x0.0x1",
]


@pytest.mark.parametrize("host", LOOPBACK)
def test_every_spelling_of_an_address_is_seen_as_the_address(host: str) -> None:
    target = parse_target(f"http://{host}/")
    assert target.literal == IPv4Address("127.0.0.1")
    assert target.url == "http://127.0.0.1/"


@given(st.integers(0, 2**32 - 1), st.integers(1, 4), st.lists(st.sampled_from("dxo"), min_size=4, max_size=4))
def test_any_number_of_parts_in_any_base_is_the_same_address(value: int, parts: int, bases: list[str]) -> None:
    numbers = [value >> 8 * (3 - index) & 0xFF for index in range(parts - 1)]
    numbers.append(value & (1 << 8 * (5 - parts)) - 1)
    spelled = ".".join(
        {"d": str(number), "x": hex(number), "o": f"0{number:o}"}[base]
        for number, base in zip(numbers, bases, strict=False)
    )
    assert parse_target(f"http://{spelled}/").literal == IPv4Address(value)


@given(st.text(max_size=60))
def test_any_text_is_a_target_or_a_url_error(text: str) -> None:
    for url in (text, f"http://{text}", f"http://example.org/{text}", f"http://{text}@example.org:80/"):
        try:
            target = parse_target(url)
        except UrlError:
            continue
        assert target.url.isascii() and not set(target.url) & set(" \r\n\t\0")
        again = parse_target(target.url)
        assert (again.site, again.path) == (target.site, target.path)


@given(st.text(max_size=60))
def test_any_location_is_a_target_or_a_url_error(location: str) -> None:
    base = parse_target("https://me:pw@example.org/a/b?c")
    try:
        target = follow(base, location)
    except UrlError:
        return
    assert target.scheme in ("http", "https") and target.userinfo is None


@pytest.mark.parametrize(
    ("location", "url"),
    [  # RFC 3986 §5.4 as far as it is about http
        ("g", "http://a/b/c/g"),
        ("./g", "http://a/b/c/g"),
        ("g/", "http://a/b/c/g/"),
        ("/g", "http://a/g"),
        ("//g", "http://g/"),
        ("?y", "http://a/b/c/d;p?y"),
        ("g?y", "http://a/b/c/g?y"),
        ("#s", "http://a/b/c/d;p?q"),
        (";x", "http://a/b/c/;x"),
        ("../g", "http://a/b/g"),
        ("../../../g", "http://a/g"),
        ("http://h/../x", "http://h/../x"),
    ],
)
def test_a_location_is_resolved_by_rfc_3986(location: str, url: str) -> None:
    assert follow(parse_target("http://a/b/c/d;p?q"), location).url == url


def test_a_location_brings_no_credentials() -> None:
    assert follow(parse_target("http://a/"), "http://their:choice@b/").userinfo is None


def test_credentials_are_kept_apart_from_the_url() -> None:
    target = parse_target("https://me%40work:p%3Aw@example.org/x")
    assert target.credentials == b"me@work:p:w"
    assert target.url == "https://example.org/x"
    assert without_credentials("https://me:pw@example.org/x?y#z") == "https://example.org/x?y#z"
