"""Inputs that a desk has always taken well, and must go on taking well."""

from __future__ import annotations

from collections.abc import Callable

from tests.cases.desk import Seen


def test_57_odd_enclosures(seen: Callable[..., Seen]) -> None:
    all_ = seen("57-odd-enclosures")
    assert len(all_.items) == len(all_.rss) == len(all_.atom) == 4
    for entry in all_.rss:
        (file,) = entry.enclosures
        assert file.type == "audio/mpeg"
        assert int(file.length) >= 0
    for item in all_.items:
        (attached,) = item["attachments"]
        assert attached["mime_type"] == "audio/mpeg"


def test_67_a_guid_that_is_used_again(seen: Callable[..., Seen]) -> None:
    assert len(seen("67-guid-reused", "poll1.xml", "poll2.xml").items) == 2


def test_64_a_guid_that_changes(seen: Callable[..., Seen]) -> None:
    assert len(seen("64-guid-changed", "poll1.xml", "poll2.xml").items) == 1
