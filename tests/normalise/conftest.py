"""What the tests of normalise share: entries of one document, normalised."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from feeds.configuration import Source
from feeds.model import Entry
from feeds.normalise import Normalised, normalise
from feeds.parsed import ParsedEntry, ParsedFeed, RawText

NOW = datetime(2024, 6, 20, 12, tzinfo=UTC)
URL = "https://shore.example/news/feed.xml"


def run(*entries: ParsedEntry, url: str = URL, source: dict[str, Any] | None = None, **feed: Any) -> Normalised:
    """The entries as normalise leaves them, received at NOW."""
    return normalise(
        ParsedFeed(kind="rss20", entries=entries, **feed),
        source=Source(key="shore", name="Shore", kind="feed", target=url, **(source or {})),
        url=url,
        received_at=NOW,
        desk_language="en",
        desk_timezone="UTC",
    )


@pytest.fixture
def one() -> Callable[..., Entry]:
    """Normalise one entry, given by its fields; a text is HTML unless it is a RawText."""

    def make(*, source: dict[str, Any] | None = None, url: str = URL, **fields: Any) -> Entry:
        for name in ("title", "summary", "content"):
            if isinstance(fields.get(name), str):
                fields[name] = RawText(value=fields[name], type="html")
        fields.setdefault("title", RawText(value="Title"))
        found = run(ParsedEntry(**fields), url=url, source=source)
        assert found.dropped == ()
        return found.entries[0]

    return make
