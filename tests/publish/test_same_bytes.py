"""The same articles are the same bytes: in another process, after a restart, on the other database."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from hashlib import sha256
from pathlib import Path
from unittest import mock

from feeds.model import FORMATS
from feeds.parsed import Category, Enclosure, Image, Origin, Person
from feeds.serve.app import answers_of
from feeds.store import open_store
from tests.publish.desk import WORLD, Desk
from tests.store import postgres

ROOT = Path(__file__).resolve().parents[2]
ASKED = (
    f"/{WORLD}.FORMAT",
    "/index.FORMAT",
    f"/{WORLD}/archive/100.FORMAT",
    f"/{WORLD}.FORMAT?lang=de&limit=9",
    f"/{WORLD}.FORMAT?by=story",
)


def told(url: str) -> dict[str, list[str]]:
    """Fill a desk on *url*; by address and coding the ETag, Last-Modified and a hash of the bytes that it serves."""
    with mock.patch("feeds.store.small_tables.secrets.randbits", lambda bits: 7), open_store(url) as store:
        desk = Desk(store, url)
        desk.now = desk.now.replace(month=12)
        desk.bring(range(90), story=1, categories=tuple(Category(term=word) for word in ("sea", "Häfen", "tide")))
        desk.bring([5], kind="copy", source=2, key="copy", title="Another headline")
        desk.bring(
            range(90, 130),
            source=2,
            language="de-AT",
            authors=(Person(name="Åda", email="a@example.org"), Person(name="Bo")),
            origin=Origin(name="Agency", url="https://agency.example/"),
            enclosures=(Enclosure(url="https://a.example/a.mp3", type="audio/mpeg", length_bytes=9),),
            image=Image(url="https://a.example/a.jpg"),
        )
        desk.retract(17)
        desk.render(most_archived=None)
        found = {}
        for path in ASKED:
            for format in FORMATS:
                address, _, query = path.replace("FORMAT", format).partition("?")
                for coding in ("identity", "gzip", "br"):
                    got = desk.get(address, query=query, accept_encoding=coding)
                    assert got.status == 200, got
                    digest = sha256(got.body).hexdigest()
                    found[f"{path} {format} {coding}"] = [got.headers["etag"], got.headers["last-modified"], digest]
        answers_of(desk.web).close()
    return found


def elsewhere() -> dict[str, list[str]]:
    """What a process with other hashes, another time zone and other words for months tells."""
    environ = os.environ | {
        "PYTHONHASHSEED": "4711",
        "TZ": "Asia/Tokyo",
        "LC_ALL": "de_DE.UTF-8",
        "PYTHONPATH": str(ROOT),
    }
    with tempfile.TemporaryDirectory() as folder:
        script = f"import json; from tests.publish.test_same_bytes import told; print(json.dumps(told('sqlite:///{folder}/d')))"
        done = subprocess.run([sys.executable, "-c", script], capture_output=True, env=environ, cwd=ROOT, check=True)
    found: dict[str, list[str]] = json.loads(done.stdout)
    return found


def test_the_same_articles_are_the_same_bytes_everywhere(tmp_path: Path) -> None:
    here = told(f"sqlite:///{tmp_path}/desk.sqlite3")
    assert len(here) == len(ASKED) * 9
    assert elsewhere() == here
    with postgres.running() as url:
        assert told(url) == here


def test_a_restart_that_renders_everything_again_changes_no_byte_and_no_validator(desk: Desk) -> None:
    desk.bring(range(130))
    desk.retract(3)
    desk.render(most_archived=None)
    asked = [f"/{WORLD}.{format}" for format in FORMATS] + [f"/{WORLD}/archive/100.{format}" for format in FORMATS]
    before = [desk.get(path) for path in asked]
    with desk.store.write() as tx:
        tx.documents.renew_fragments(-1)  # as after an upgrade, and back
        tx.sections.mark_dirty()
    desk.pass_time(days=3)
    desk.render(most_archived=None)
    for old, path in zip(before, asked, strict=True):
        new = desk.get(path)
        same = ("etag", "last-modified")
        assert (new.body, [new.headers[name] for name in same]) == (old.body, [old.headers[name] for name in same])
