"""A whole run is searched for planted secrets: log, database, documents, pages, commands. And its log is JSON lines."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
import zlib
from pathlib import Path
from urllib.parse import quote

from tests.e2e import raising
from tests.e2e.desk import Desk, until
from tests.e2e.publisher import Publisher
from tests.fetch.origin import Exchange, Origin

SECRETS = {
    "NEWS_TOKEN": "tok-7f3a9c1e55",
    "NEWS_PASSWORD": "pass-b81d20ff",
    "NEWS_KEY": "key-04c6e9a37d",
    "NEWS_WORD": "lighthousekeeper",
    "WIREDESK_ADMIN_TOKEN": "admin-5590cafe12",
}


def test_no_secret_is_ever_told(desk: Desk, origin: Origin, tmp_path: Path) -> None:
    publisher = Publisher(origin)
    publisher.publish("An article behind a token")
    port = origin.url("/").split(":")[2].strip("/")

    def refuse(exchange: Exchange) -> None:
        exchange.answer(503)

    def redirect(exchange: Exchange) -> None:
        exchange.answer(302, Location=f"{origin.url('/feed.xml')}?again={SECRETS['NEWS_KEY']}")

    origin.add("/refuses.xml", refuse)
    origin.add("/redirects.xml", redirect)
    common = {"section": "news/world", "interval_s": 1}
    desk.write(
        sources=[
            {"name": "Token", "url": publisher.url, "headers": {"Authorization": "Bearer ${NEWS_TOKEN}"}, **common},
            {"name": "Password", "url": f"http://wire:${{NEWS_PASSWORD}}@127.0.0.1:{port}/refuses.xml", **common},
            {"name": "Key", "url": f"{origin.url('/redirects.xml')}?key=${{NEWS_KEY}}", **common},
            {"name": "Broken", "url": "http://127.0.0.1:9/feed?key=${NEWS_KEY}", **common},
            # No name and no form tells that these are secrets: config does.
            {"name": "Path", "url": f"{origin.url('/')}feeds/${{NEWS_WORD}}/none.xml", **common},
            {"name": "Silent path", "url": "http://127.0.0.1:9/feeds/${NEWS_WORD}/none.xml", **common},
        ]
    )
    desk.start("--verbose", WIREDESK_LOG="json", **SECRETS)
    until(lambda: desk.items("/news/world.json"), what="the article")
    until(lambda: len(origin.seen("/refuses.xml")) and len(origin.seen("/redirects.xml")), what="the other polls")
    # They did go out where they belong.
    assert origin.seen("/feed.xml")[0].header("authorization") == f"Bearer {SECRETS['NEWS_TOKEN']}"
    assert origin.seen("/refuses.xml")[0].header("authorization")
    with (desk.config / "sources.yaml").open("a") as sources:
        sources.write("- name: Bad\n  url: https://x.example/${NEWS_KEY\n")
    until(lambda: "ERROR" in desk.log.read_text(), what="the mistake in the log")

    found: dict[str, bytes] = {}
    pages = "/ /news/world /news/world.rss /news/world.atom /index.json /sections.opml /search?q=token /robots.txt"
    for path in (*pages.split(), "/status", "/status.atom", "/metrics", "/nothing.rss", "/article/nothing"):
        found[path] = desk.get(path).body
        found[f"{path} for the admin"] = desk.get(
            path, {"Authorization": f"Bearer {SECRETS['WIREDESK_ADMIN_TOKEN']}"}
        ).body
    uid = str(desk.items("/news/world.json")[0]["id"])
    found["arguments"] = repr([child.cmdline() for child in desk.children().values()]).encode()
    commands = f"check|explain {uid}|doctor --offline|poll -v|opml export|backup|plan|sections|learn --dry-run"
    for command in (*commands.split("|"), f"export {desk.data / 'site'}", f"preview {publisher.url}"):
        ended = desk.command(*command.split(), **SECRETS)
        found[command] = (ended.stdout + ended.stderr).encode()
    desk.stop()
    found["log"] = desk.log.read_bytes()
    for file in desk.data.rglob("*"):
        if file.is_file():
            found[str(file.name)] = file.read_bytes()
    with sqlite3.connect(desk.data / "desk.sqlite3") as database:
        tables = [row[0] for row in database.execute("select name from sqlite_master where type = 'table'")]
        for table in tables:
            for row in database.execute(f"select * from {table}"):  # noqa: S608
                found.setdefault(f"table {table}", b"")
                found[f"table {table}"] += b"\n".join(_plain(value) for value in row)
    for where, held in found.items():
        for name, secret in SECRETS.items():
            assert secret.encode() not in held, f"{name} is told by {where}"
    assert len(found) > 45
    assert any(name.startswith("desk-") for name in found), "the backup was searched, too"

    for line in desk.log.read_text().splitlines():
        event = json.loads(line)
        assert {"time", "level", "logger", "message"} <= set(event)


def _plain(value: object) -> bytes:
    """A column's value as it reads, unpacked where it is compressed."""
    if isinstance(value, bytes):
        for window in (15, 31, -15):
            try:
                return zlib.decompress(value, window)
            except zlib.error:
                continue
        return value
    return str(value).encode("utf-8", "replace")


WRITTEN = {
    "user": "wireuser-31c7",
    "password": "77e1-b0d4",
    "session": "sess-9d02f6aa",
    "user_key": "ukey-5c11b7de",
    "sid": "sid-70e3d1f9",
    "drawn": "8f3a9c1e55d0b7426a1c",
}


def test_no_secret_that_config_itself_holds_is_told_in_public(desk: Desk, origin: Origin) -> None:
    publisher = Publisher(origin)
    publisher.publish("An article behind a session")
    query = "&".join(f"{name}={WRITTEN[name]}" for name in ("session", "user_key", "sid")) + f"&r={WRITTEN['drawn']}"
    front = (
        f"http://{WRITTEN['user']}:pass%2F{WRITTEN['password']}@127.0.0.1:{origin.url('/').split(':')[2].strip('/')}"
    )
    common = {"section": "news/world", "interval_s": 1}
    desk.write(
        sources=[
            {"name": "Good", "url": f"{publisher.url}?{query}", **common},
            {"name": "Missing", "url": f"{front}/missing.xml?{query}", **common},
            {"name": "Silent", "url": f"http://127.0.0.1:9/feed;sid={WRITTEN['sid']}?{query}", **common},
        ]
    )
    desk.start("--verbose")
    until(lambda: desk.items("/news/world.json"), what="the article")
    found: dict[str, bytes] = {}
    for (
        path
    ) in "/ /news/world /news/world.rss /news/world.atom /news/world.json /sections.opml /search?q=article".split():
        found[path] = desk.get(path).body
    uid = str(desk.items("/news/world.json")[0]["id"])
    found["article"] = desk.get(f"/article/{uid.removeprefix('urn:uuid:')}").body
    assert b"127.0.0.1" in found["/news/world.atom"], "the source is named by its site"
    for path in ("/status", "/status.atom", "/status/source/good", "/status/source/missing", "/metrics"):
        found[path] = desk.get(path).body
    for command in ("check", f"explain {uid}", "doctor --offline", f"preview {publisher.url}?{query}"):
        ended = desk.command(*command.split())
        found[command.split()[0]] = (ended.stdout + ended.stderr).encode()
    desk.stop()
    found["log"] = desk.log.read_bytes()
    for where, held in found.items():
        for name, secret in WRITTEN.items():
            assert secret.encode() not in held, f"{name} is told by {where}"


def test_no_traceback_tells_a_secret_whatever_raises_with_it_in_hand(
    desk: Desk, origin: Origin, tmp_path: Path
) -> None:
    publisher = Publisher(origin)
    publisher.publish("An article behind a token")
    place = f"127.0.0.1:{origin.url('/').split(':')[2].strip('/')}"
    common = {"section": "news/world", "interval_s": 1}
    literal = {"X-Api-Key": "written-4b7711ce90", "Cookie": "paper=1; login=cookie-8ab31f02dd"}
    desk.write(
        sources=[
            {"name": "Token", "url": publisher.url, "headers": {"Authorization": "Bearer ${NEWS_TOKEN}"}, **common},
            {"name": "Password", "url": f"http://wire:${{NEWS_ODD}}@{place}/feed.xml?again", **common},
            {"name": "Path", "url": f"{origin.url('/')}feeds/${{NEWS_WORD}}/none.xml", "headers": literal, **common},
            {
                "name": "Written",
                "url": f"http://wire:writtenpass-77e1@{place}/feed.xml?key=drawn-90d1",
                **common,
            },
        ]
    )
    secrets = {name: SECRETS[name] for name in ("NEWS_TOKEN", "NEWS_WORD", "WIREDESK_ADMIN_TOKEN")}
    secrets |= {"NEWS_ODD": "p@ss/w: 'q\"%+=#\\ 5e11"}
    with desk.log.open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, str(Path(raising.__file__)), "worker", "-v", *desk.folders],
            stdout=log,
            stderr=log,
            env=desk.environ(secrets),
        )
    try:
        raised = [f"RuntimeError: {step}" for step in raising.STEPS]
        until(lambda: not _missing(desk.log, raised), 90, "every step of STEPS")
        until(lambda: _articles(desk) >= 1, 60, "the article, for all that")
    finally:
        process.terminate()
        process.wait(60)
    told = desk.log.read_bytes()
    with sqlite3.connect(desk.data / "desk.sqlite3") as database:
        tables = [row[0] for row in database.execute("select name from sqlite_master where type = 'table'")]
        stored = {
            table: b"\n".join(_plain(value) for row in database.execute(f"select * from {table}") for value in row)  # noqa: S608
            for table in tables
        }
    for name, secret in secrets.items():
        for spelled in (secret, quote(secret, safe=""), repr(secret)[1:-1]):
            assert spelled.encode() not in told, f"{name} is told by the log"
            for table, held in stored.items():
                assert spelled.encode() not in held, f"{name} stands in table {table}"
    for written in ("written-4b7711ce90", "cookie-8ab31f02dd", "writtenpass-77e1", "drawn-90d1"):
        assert written.encode() not in told, f"{written} is told by the log"


def _missing(log: Path, wanted: list[str]) -> list[str]:
    told = log.read_text(errors="replace")
    return [one for one in wanted if one not in told]


def _articles(desk: Desk) -> int:
    with sqlite3.connect(desk.data / "desk.sqlite3") as database:
        return int(database.execute("select count(*) from articles").fetchone()[0])
