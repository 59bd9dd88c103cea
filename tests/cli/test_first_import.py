"""What a first import leaves out is known and in no section, `unfiled` and a later re-filing included."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path

from tests.cli.conftest import Ended
from tests.e2e.publisher import Publisher
from tests.fetch.origin import Origin


def _filed(folder: Path) -> dict[str, int]:
    with sqlite3.connect(folder / "data" / "desk.sqlite3") as database:
        return dict(
            database.execute(
                "select path, count(*) from filings join sections on sections.id = section_id"
                " where state = 0 and removed_at is null group by path"
            )
        )


def test_old_entries_of_a_new_source_stay_out_of_every_section(run: Callable[..., Ended], folder: Path) -> None:
    with Origin() as origin:
        publisher = Publisher(origin)
        for number in range(30):
            publisher.publish(f"Number {number}")
        (folder / "config" / "wiredesk.yaml").write_text(
            'base_url: http://127.0.0.1:1\nfetch: {allow_private: ["127.0.0.0/8"]}\n'
        )
        source = f"- name: Tidings\n  url: {publisher.url}\n  section: news/world\n"
        (folder / "config" / "sources.yaml").write_text(source)
        assert "30 new articles" in run("poll").out
        assert _filed(folder) == {"": 20, "news": 20, "news/world": 20}
        (folder / "config" / "sections.yaml").write_text("sea:\n  title: Sea\n")
        (folder / "config" / "sources.yaml").write_text(source.replace("news/world", "sea"))
        assert run("poll").code == 0
        assert _filed(folder) == {"": 20, "sea": 20}
