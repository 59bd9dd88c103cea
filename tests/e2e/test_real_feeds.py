"""Real feeds from the development data, served on loopback, through a whole desk to real readers."""

from __future__ import annotations

import shutil
import subprocess
from collections import Counter
from itertools import islice
from pathlib import Path

import feedparser
import pytest
import xxhash

from tests.development import archived
from tests.e2e.desk import Desk
from tests.fetch.origin import Exchange, Origin

FEEDS = 12


def serve_archive(origin: Origin, archive: Path, count: int) -> list[str]:
    """Serve the first *count* documents of *archive* with validators; returns their paths."""
    paths = []
    for _, body in islice(archived(archive), count):
        path = f"/feed/{len(paths)}.xml"
        etag = f'W/"{xxhash.xxh3_64_hexdigest(body)}"'

        def answer(exchange: Exchange, body: bytes = body, etag: str = etag) -> None:
            if exchange.seen.header("if-none-match") == etag:
                exchange.answer(304, ETag=etag)
            else:
                exchange.answer(200, body, ETag=etag, Content_Type="text/xml")

        origin.add(path, answer)
        paths.append(path)
    return paths


@pytest.mark.shared_data
def test_real_feeds_reach_real_readers_and_second_polls_end_in_304(
    desk: Desk, origin: Origin, shared_data: Path, tmp_path: Path
) -> None:
    for reader in ("newsboat", "sfeed"):
        if shutil.which(reader) is None:
            pytest.skip(f"{reader} is not installed (Debian: apt install {reader})")
    paths = serve_archive(origin, shared_data / "feeds" / "realworld_2026_dev.tar.gz", FEEDS)
    desk.write(
        sections={"wire": {"title": "Wire"}},
        sources=[
            {"name": f"Source {number}", "url": origin.url(path), "section": "wire", "interval_s": 3600}
            for number, path in enumerate(paths)
        ],
        desk={"publish": {"entries": 1000, "first_import": 0, "keep_days": 0}},
    )
    polled = desk.command("poll")
    assert polled.returncode == 0, polled.stdout + polled.stderr
    again = desk.command("poll", "--now")
    assert again.returncode == 0, again.stdout + again.stderr
    for path in paths:
        first, second = origin.seen(path)
        assert first.header("if-none-match") is None
        assert second.header("if-none-match") is not None
    assert "0 new articles" in again.stdout

    desk.start()
    items = desk.items("/wire.json")
    assert len(items) > FEEDS
    assert max(Counter(str(item["id"]) for item in items).values()) == 1
    titles = {str(item["id"]): str(item.get("title", "")) for item in items}
    for suffix in ("rss", "atom"):
        read = feedparser.parse(desk.get(f"/wire.{suffix}").body)
        assert not read.bozo
        assert {entry.id: entry.title for entry in read.entries} == titles

    by_newsboat = _newsboat(desk, tmp_path)
    assert by_newsboat == set(titles)
    rows = subprocess.run(
        ["sfeed", desk.base_url], input=desk.get("/wire.atom").body, capture_output=True, check=True
    ).stdout.splitlines()
    assert {row.split(b"\t")[5].decode() for row in rows} == set(titles)


def _newsboat(desk: Desk, folder: Path) -> set[str]:
    """The entry ids in newsboat's cache after two reloads; the second one must end in 304."""
    import sqlite3

    (folder / "urls").write_text(f"{desk.base_url}/wire.atom\n")
    (folder / "newsboat.conf").write_text("download-retries 1\nmax-items 0\n")
    command = [
        "newsboat",
        "-u",
        str(folder / "urls"),
        "-c",
        str(folder / "cache.db"),
        "-C",
        str(folder / "newsboat.conf"),
    ]
    log = folder / "newsboat.log"
    for _ in range(2):
        subprocess.run(
            [*command, "-x", "reload", "-d", str(log), "-l", "6"],
            check=True,
            capture_output=True,
            timeout=60,
            env={"HOME": str(folder), "TERM": "dumb", "LANG": "C.UTF-8", "PATH": "/usr/bin:/bin"},
        )
    with sqlite3.connect(folder / "cache.db") as cache:
        guids = {row[0] for row in cache.execute("select guid from rss_item")}
        etag = cache.execute("select etag from rss_feed").fetchone()[0]
    assert etag
    assert "HTTP/1.1 304" in log.read_text(errors="replace") or "304" in log.read_text(errors="replace")
    return guids
