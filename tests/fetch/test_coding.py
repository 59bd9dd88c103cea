"""Content codings undone piece by piece: the same bytes as at once, never more than the cap, no end missed."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable

import brotli
import pytest
from hypothesis import given
from hypothesis import strategies as st

from feeds.fetch.headers import BadCoding, Decoder, TooMuch
from tests.fetch.origin import raw_deflate

ENCODERS: dict[str, tuple[list[str], Callable[[bytes], bytes]]] = {
    "gzip": (["gzip"], gzip.compress),
    "x-gzip": (["x-gzip"], gzip.compress),
    "deflate": (["deflate"], zlib.compress),
    "bare deflate": (["deflate"], raw_deflate),
    "br": (["br"], brotli.compress),
    "gzip in br": (["gzip", "br"], lambda body: brotli.compress(gzip.compress(body))),
    "two members": (["gzip"], lambda body: gzip.compress(body[:3]) + gzip.compress(body[3:])),
    "zeros after the end": (["gzip"], lambda body: gzip.compress(body) + bytes(20)),
}


def _decode(codings: list[str], raw: bytes, piece: int, cap: int) -> bytes:
    decoder = Decoder(codings, cap)
    body = b"".join(decoder.feed(raw[at : at + piece]) for at in range(0, len(raw), piece))
    return body + decoder.finish()


@pytest.mark.parametrize("name", ENCODERS)
@given(
    # What begins like a gzip file is unpacked once more.
    body=st.binary(max_size=500).map(lambda piece: piece * 7).filter(lambda body: not body.startswith(b"\x1f\x8b")),
    piece=st.integers(1, 400),
)
def test_a_body_in_pieces_decodes_to_itself_within_an_exact_cap(name: str, body: bytes, piece: int) -> None:
    codings, encode = ENCODERS[name]
    raw = encode(body)
    cap = max(len(body), len(gzip.compress(body)) if len(codings) > 1 else 0)
    assert _decode(codings, raw, piece, cap) == body
    if body and len(codings) == 1:
        with pytest.raises(TooMuch):
            _decode(codings, raw, piece, len(body) - 1)


@pytest.mark.parametrize("name", ["gzip", "deflate", "bare deflate", "br", "gzip in br"])
@given(data=st.data())
def test_a_body_without_its_end_is_bad(name: str, data: st.DataObject) -> None:
    codings, encode = ENCODERS[name]
    raw = encode(b"some words that matter " * 20)
    cut = data.draw(st.integers(0, len(raw) - 1))
    with pytest.raises(BadCoding):
        _decode(codings, raw[:cut], 50, 10_000)


@given(st.sampled_from(["gzip", "deflate", "br"]), st.binary(min_size=1, max_size=200))
def test_any_bytes_decode_or_are_bad(coding: str, raw: bytes) -> None:
    try:
        _decode([coding], raw, 20, 1000)
    except (BadCoding, TooMuch):
        pass


@pytest.mark.parametrize("coding", ["zstd", "compress", "x-compress", "dcb"])
def test_a_coding_that_was_not_asked_for_is_bad(coding: str) -> None:
    with pytest.raises(BadCoding):
        Decoder([coding], 100)


@pytest.mark.parametrize("coding", ["utf-8", "none", "aws-chunked", "identity", "", "ISO-8859-1", "binary"])
def test_a_word_that_names_no_coding_is_passed_over(coding: str) -> None:
    assert _decode([coding], b"<rss/>", 3, 100) == b"<rss/>"
    assert _decode(["gzip", coding], gzip.compress(b"<rss/>"), 3, 100) == b"<rss/>"


@pytest.mark.parametrize("codings", [[], ["gzip"], ["br"]])
@pytest.mark.parametrize("step", [1, 2, 7, 1000])
def test_what_is_a_gzip_file_is_unpacked(codings: list[str], step: int) -> None:
    packed = gzip.compress(b"<urlset/>")
    for coding in codings:
        packed = gzip.compress(packed) if coding == "gzip" else brotli.compress(packed)
    assert _decode(codings, packed, step, 1000) == b"<urlset/>"


def test_an_unpacked_file_is_held_to_the_cap() -> None:
    with pytest.raises(TooMuch):
        _decode([], gzip.compress(bytes(1_000_000)), 100, 10_000)
    with pytest.raises(BadCoding, match="more than"):
        _decode(["gzip"] * 3, gzip.compress(gzip.compress(gzip.compress(gzip.compress(b"x")))), 100, 10_000)
    with pytest.raises(BadCoding, match="too early"):
        _decode([], gzip.compress(b"words " * 100)[:-20], 100, 10_000)


@pytest.mark.parametrize("start", [b"\x1f", b"\x1f\x8b"])
def test_what_only_begins_like_a_gzip_file_stays(start: bytes) -> None:
    assert _decode([], start, 1, 100) == start


def test_too_many_codings_or_members_are_bad() -> None:
    with pytest.raises(BadCoding):
        Decoder(["gzip"] * 4, 100)
    with pytest.raises(BadCoding, match="members"):
        _decode(["gzip"], gzip.compress(b"") * 10_002, 100_000, 100)
