"""A fresh desk for each case."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cases.desk import CaseDesk, Seen, content


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[CaseDesk]:
    """A desk with an origin, not asked anything yet."""
    with CaseDesk(tmp_path) as made:
        yield made


@pytest.fixture
def seen(desk: CaseDesk) -> Callable[..., Seen]:
    """Take in one or more states of one feed in turn, *names* of files of *case*, and see what is published."""

    def take(case: str, *names: str, source: dict[str, Any] | None = None, **config: Any) -> Seen:
        first = names[0] if names else "feed.xml"
        path = f"/{case}/{first}"
        desk.write({"name": "Cases", "url": desk.origin.url(path)} | (source or {}), **config)
        for name in names or (first,):
            kind = "application/feed+json" if name.endswith(".json") else "application/xml"
            desk.show(path, content(case, name), Content_Type=kind)
            desk.poll()
        return desk.see()

    return take
