"""An origin, and fetchers that may ask it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import pytest
from msgspec.structs import replace

from feeds.configuration import FetchSettings, PollSettings
from feeds.fetch.client import Fetcher

from .origin import Origin

USER_AGENT = "Wiredesk/1.2 (+https://desk.example/about)"

MakeFetcher = Callable[..., Fetcher]


@pytest.fixture
def origin() -> Iterator[Origin]:
    with Origin() as origin:
        yield origin


@pytest.fixture
def make_fetcher() -> Iterator[MakeFetcher]:
    """Fetchers that are closed at the end: ``make_fetcher(allow=[…], resolver=…, per_host=…, timeout_s=…)``."""
    made: list[Fetcher] = []

    def make(
        allow: Sequence[str] = (),
        resolver: Callable[[str], Sequence[str]] | None = None,
        poll: PollSettings | None = None,
        **settings: object,
    ) -> Fetcher:
        limits = replace(FetchSettings(timeout_s=10, idle_s=5), allow_private=tuple(allow), **settings)  # type: ignore[arg-type]
        fetcher = Fetcher(limits, poll or PollSettings(gap_s=0, per_host=8), USER_AGENT, resolver)
        made.append(fetcher)
        return fetcher

    yield make
    for fetcher in made:
        fetcher.close()


@pytest.fixture
def fetcher(origin: Origin, make_fetcher: MakeFetcher) -> Fetcher:
    """A fetcher for which every name, and the origin's own address, leads to the origin."""
    return make_fetcher(allow=[origin.place], resolver=lambda host: ["127.0.0.1"])
