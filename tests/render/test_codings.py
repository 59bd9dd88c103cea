"""Coded documents: the same bytes for the same body, and only where a coding pays."""

from __future__ import annotations

import gzip as stdlib_gzip
import random

import brotli
from hypothesis import given
from hypothesis import strategies as st

from feeds.render.fragments import BROTLI_AT_ONCE_BYTES, SMALLEST_BYTES, compress, squeeze


@given(st.binary(max_size=2000) | st.text(max_size=2000).map(str.encode))
def test_a_coded_body_is_smaller_and_decodes_to_the_body(body: bytes) -> None:
    gzip, squeezed = compress(body)
    if gzip is not None:
        assert stdlib_gzip.decompress(gzip) == body and len(gzip) < len(body)
    if squeezed is not None:
        assert brotli.decompress(squeezed) == body and len(squeezed) < len(gzip or body)


def test_the_same_body_gives_the_same_bytes_without_a_time_in_them() -> None:
    body = b"tide and time " * 500
    gzip, squeezed = compress(body)
    assert (gzip, squeezed) == compress(body)
    assert gzip is not None and gzip[4:8] == bytes(4)  # RFC 1952 §2.3: MTIME
    assert squeezed is not None


def test_what_is_short_or_cannot_be_made_smaller_is_left_alone() -> None:
    assert compress(b"a" * (SMALLEST_BYTES - 1)) == (None, None)
    assert squeeze(b"a" * (SMALLEST_BYTES - 1)) is None
    noise = random.Random(1).randbytes(5000)
    assert compress(noise) == (None, None)


def test_brotli_waits_for_large_documents() -> None:
    body = b"tide and time, " * (BROTLI_AT_ONCE_BYTES // 15 + 1)
    gzip, squeezed = compress(body)
    assert gzip is not None and squeezed is None
    later = squeeze(body, gzip)
    assert later is not None and brotli.decompress(later) == body
