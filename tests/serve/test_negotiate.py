"""Which coding a client gets: every rule of RFC 9110 section 12.5.3."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feeds.serve.negotiate import choose, codings_in_order, wants_html

ALL = ("identity", "gzip", "br")


@pytest.mark.parametrize(
    ("header", "coding"),
    [
        (None, "identity"),
        ("", "identity"),
        ("gzip", "gzip"),
        ("GZip", "gzip"),
        ("x-gzip", "gzip"),
        ("br", "br"),
        ("gzip, deflate", "gzip"),
        ("gzip, deflate, br, zstd", "br"),
        ("gzip;q=1.0, br;q=0.9", "gzip"),
        ("gzip ; Q=0.2 , br;q=0.1", "gzip"),
        ("br;q=0, gzip", "gzip"),
        ("gzip;q=0", "identity"),
        ("gzip;q=0.000, br;q=0.0", "identity"),
        ("*", "br"),
        ("*;q=0.1, gzip", "gzip"),
        ("br;q=0, *", "gzip"),
        ("*;q=0", "identity"),
        ("identity;q=0", "identity"),
        ("identity;q=0, gzip", "gzip"),
        ("identity;q=0, *;q=0", "identity"),
        ("identity, gzip;q=0.5", "identity"),
        ("identity;q=0.5, gzip", "gzip"),
        ("identity;q=0.5, gzip;q=0.5", "gzip"),
        ("gzip;q=0.001", "gzip"),
        ("deflate", "identity"),
        ("gzipped, brotli, xbr", "identity"),
        ("gzip;q=oops", "identity"),
        ("gzip;q=2", "identity"),
        ("gzip;q=-1", "identity"),
        ("gzip;q=nan, br;q=inf", "identity"),
        ("gzip;q=", "identity"),
        ("gzip;foo=bar", "gzip"),
        ("gzip;foo=bar;q=0", "identity"),
        (";;,, ,gzip,,", "gzip"),
        ("gzip br", "identity"),
        ("gzip;q=0, gzip", "identity"),
    ],
)
def test_the_coding_is_chosen_by_weight_and_whole_tokens(header, coding):
    assert choose(header, ALL) == coding


@pytest.mark.parametrize("header", ["br", "gzip", "*", "br, gzip;q=0.5"])
def test_a_document_without_coded_forms_comes_as_it_is(header):
    assert choose(header, ("identity",)) == "identity"


@given(st.text(max_size=100))
def test_any_header_at_all_leads_to_a_coding(header):
    assert choose(header, ALL) in ALL
    assert len(set(codings_in_order(header))) == len(codings_in_order(header))


@pytest.mark.parametrize(
    ("accept", "html"),
    [
        ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", True),
        ("application/rss+xml, */*;q=0.1", False),
        ("text/html;q=0", False),
        ("text/plain, text/html;q=0.5", False),
        ("TEXT/HTML", True),
        ("*/*", False),
        (None, False),
    ],
)
def test_only_who_names_html_gets_pages_for_errors(accept, html):
    assert wants_html(accept) is html
