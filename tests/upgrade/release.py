"""What a release leaves behind on the machines of those who run it: a small desk's database, and what its readers saw.

    python -m tests.upgrade.release        # in the last commit before a release; writes released/VERSION.*

Every later release must take such a database over: `test_releases.py` tries it on all that stand in `released/`, which
are never made again. The migrations that a release ships are part of it, and never change after.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import shutil
import sqlite3
import tempfile
from pathlib import Path

from feeds import __version__
from feeds.store import open_store
from feeds.store.migrations import FOLDER
from tests.e2e.desk import Desk
from tests.e2e.publisher import Publisher
from tests.fetch.origin import Origin

RELEASED = Path(__file__).with_name("released")
LETTERS = {
    "bridge.txt": "The bridge opens\n\nAfter eleven months the bridge over the river opens again on Monday.\n",
    "oven.txt": "One oven for three\n\nThree bakers share one oven, and all of them sell more loaves.\n",
}


def furnish(desk: Desk, origin: Origin) -> Publisher:
    """Write the config of the small desk: a feed on *origin*, a folder, a section that a rule fills."""
    publisher = Publisher(origin)
    for title in ("Ferry stops", "Storm ahead", "Lamp found"):
        publisher.publish(title)
    desk.write(
        sections={
            "news": {"title": "News", "include_children": True, "sections": {"world": {"title": "World"}}},
            "trade": {"title": "Trade", "match": {"any": [{"keywords": ["bakers"]}]}},
        },
        sources=[
            {"name": "Tidings", "url": publisher.url, "section": "news/world"},
            {"name": "Letters", "files": "letters/*.txt", "section": "news"},
        ],
    )
    (desk.config / "letters").mkdir()
    for name, text in LETTERS.items():
        (desk.config / "letters" / name).write_text(text)
    return publisher


def seen(database: Path) -> dict[str, object]:
    """What subscribers and sources count on: ids by section, ETags by document, validators by source."""
    with sqlite3.connect(database) as opened:
        documents = opened.execute("select path, format, etag from documents order by path, format").fetchall()
        articles = opened.execute("select uid from articles order by uid").fetchall()
    opened.close()
    with open_store(f"sqlite:///{database}") as store, store.read() as tx:
        told = {
            path: [each.uid for each in tx.sections.top(path, 100)]
            for path, format_, _ in documents
            if format_ == "rss"
        }
        states = {
            source.key: [state.validators.etag, state.validators.last_modified]
            for source, state in tx.sources.all_states()
        }
    return {
        "documents": {f"{path}.{format_}": etag for path, format_, etag in documents},
        "articles": [uid for (uid,) in articles],
        "sections": told,
        "validators": states,
    }


def migrations() -> dict[str, str]:
    """The digest of each migration that ships."""
    files = sorted((FOLDER / "versions").glob("r*.py"))
    return {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in files}


def main() -> None:
    """Run the small desk once with this release, and keep its database."""
    with tempfile.TemporaryDirectory() as folder, Origin() as origin:
        desk = Desk(Path(folder))
        furnish(desk, origin)
        ended = desk.command("poll")
        assert ended.returncode == 0, ended.stdout + ended.stderr
        kept = Path(folder) / "kept.sqlite3"
        assert desk.command("backup", str(kept)).returncode == 0
        with sqlite3.connect(kept) as opened:
            opened.execute("vacuum")
        opened.close()
        told = {"version": __version__, "migrations": migrations(), "seen": seen(kept)}
        RELEASED.mkdir(exist_ok=True)
        with kept.open("rb") as whole, (RELEASED / f"{__version__}.sqlite3.gz").open("wb") as file:
            with gzip.GzipFile(fileobj=file, mode="wb", mtime=0) as packed:
                shutil.copyfileobj(whole, packed)
        (RELEASED / f"{__version__}.json").write_text(json.dumps(told, indent=1, sort_keys=True) + "\n")


if __name__ == "__main__":
    main()
