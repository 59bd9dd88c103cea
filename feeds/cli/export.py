"""`wiredesk export`: the whole site as files, for any web server or bucket. I/O: writes files.

The application itself is asked, address by address, so a file holds what a reader would have got; its
``Last-Modified`` becomes the file's time. Every file is put in place whole. A manifest in the folder remembers which
files are ours, with a hash of each.
"""

from __future__ import annotations

import json
import os
import re
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from hashlib import sha256
from pathlib import Path
from urllib.parse import unquote, urlsplit

import click
from werkzeug.test import Client

from feeds.cli.common import need_database, places, with_places
from feeds.engine.entrance import now_utc
from feeds.errors import DeskError
from feeds.model import FORMATS, UNFILED
from feeds.render import squeeze
from feeds.serve import create_app
from feeds.serve.addresses import document_path
from feeds.serve.answers import Answers


@click.command()
@with_places
@click.argument("folder", metavar="DIR", type=click.Path(file_okay=False, path_type=Path))
@click.option("--no-archives", is_flag=True, help="Leave out the past: archive pages, pages of older articles.")
def export(config: str | None, data: str | None, folder: Path, no_archives: bool) -> None:
    """Write every document, page and archive below DIR, compressed too, as a web server gives them away.

    Files are replaced whole and only where they changed; what the last export wrote and this one does not is removed,
    other files are left alone. docs/nginx.md shows a server for it. Works beside a running desk.
    """
    from feeds.publish import publish
    from feeds.settings import config_from_json
    from feeds.store import open_store

    found = places(config, data)
    need_database(found)
    store = open_store(found.database)
    try:
        with store.read() as tx:
            stored = tx.configs.current()
        if stored is None:
            raise DeskError("no config was ever accepted here", remedy="poll once with `wiredesk poll`")
        accepted = config_from_json(stored.text)
        publish(store, accepted.settings, accepted.sections, now=now_utc(), most_archived=None)
    finally:
        store.close()
    written = write_site(found.database, folder, archives=not no_archives)
    click.echo(
        f"{folder}: {written.changed} files written, {written.same} unchanged, {written.removed} removed"
        f" ({written.addresses} addresses)."
    )


MANIFEST = ".wiredesk-export.json"
_PLAIN = ("/sections.opml", "/sitemap-news.xml", "/robots.txt", "/favicon.ico")
_CODED = ("rss", "atom", "json", "html", "opml", "xml", "css", "svg", "txt")
_STATIC = re.compile(rb'(?:href|src)="([^"]*/static/[A-Za-z0-9_.-]+)"')
_STORY = re.compile(rb'href="[^"]*(/story/[0-9a-f-]{36})"')
_ARTICLE = re.compile(rb'"id":"urn:uuid:([0-9a-f-]{36})"')


@dataclass(slots=True)
class Written:
    """What an export did."""

    addresses: int = 0
    changed: int = 0
    same: int = 0
    removed: int = 0
    files: dict[str, str] = field(default_factory=dict)


def write_site(database: str, folder: Path, *, archives: bool = True) -> Written:
    """Write the site of the desk on *database* below *folder*. Raises DeskError where that can't be written."""
    application = create_app(database)
    done = Written()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        before = _manifest(folder)
        stories: set[bytes] = set()
        for path, name in _addresses(application, archives):
            if name not in done.files:
                stories.update(_STORY.findall(_write_address(Client(application), path, name, folder, before, done)))
        for story in sorted(match.decode() for match in stories):
            for suffix in ("", *(f".{format}" for format in FORMATS)):
                name = story[1:] + (suffix or ".html")
                _write_address(Client(application), story + suffix, name, folder, before, done)
        for name in before.keys() - done.files.keys():
            done.removed += _remove(folder, name)
        _put(folder / MANIFEST, json.dumps(done.files, indent=0, sort_keys=True).encode(), None)
    except OSError as error:
        raise DeskError(
            f"{error.filename or folder}: {error.strerror}", remedy="free it, or name another folder"
        ) from error
    finally:
        application.close()
    return done


def _addresses(application: Answers, archives: bool) -> Iterator[tuple[str, str]]:
    """Every path of the site with the name of its file; found as a crawler would, from the sections on."""
    client = Client(application)
    snapshot = application.snapshot
    prefix = snapshot.addresses.prefix
    sections = ["", *snapshot.addresses.sections, UNFILED]
    yield "/", "index.html"
    yield from ((path, path[1:]) for path in _PLAIN)
    for match in set(_STATIC.findall(client.get("/").data)):
        path = unquote(match.decode()).removeprefix(prefix)
        yield path, path[1:]
    seen: set[bytes] = set()
    for section in sections:
        if section:
            yield f"/{section}", f"{section}.html"
        for format in FORMATS:
            yield document_path(section, format), document_path(section, format)[1:]
        page = document_path(section, "json")
        while page:
            body = client.get(page).data
            for found in _ARTICLE.findall(body):
                if found not in seen:
                    seen.add(found)
                    yield f"/article/{found.decode()}", f"article/{found.decode()}.html"
            older = json.loads(body).get("next_url") if archives and body.startswith(b"{") else None
            page = urlsplit(older).path.removeprefix(prefix) if older else ""
            if page:
                stem = page.removesuffix(".json")
                yield from ((f"{stem}.{format}", f"{stem}.{format}"[1:]) for format in FORMATS)


def _write_address(client: Client, path: str, name: str, folder: Path, before: dict[str, str], done: Written) -> bytes:
    """Write what is at *path*, and return it; nothing for what is not given away."""
    got = client.get(path, headers={"Accept": "text/html"} if name.endswith(".html") else {})
    if got.status_code != 200:
        # A section without documents, an article just retracted: nothing to give away.
        return b""
    done.addresses += 1
    stamp = got.headers.get("Last-Modified")
    time = parsedate_to_datetime(stamp).timestamp() if stamp else None
    bodies: dict[str, bytes] = {"": got.data}
    if name.rpartition(".")[2] in _CODED and len(got.data) >= 200:
        coded = client.get(path, headers={"Accept-Encoding": "gzip"})
        if coded.headers.get("Content-Encoding") == "gzip" and coded.headers.get("Last-Modified") == stamp:
            bodies[".gz"] = coded.data
        if (brotli := squeeze(got.data)) is not None:
            bodies[".br"] = brotli
    for suffix, body in bodies.items():
        _keep(folder, name + suffix, body, time, before, done)
    return bodies[""]


def _keep(folder: Path, name: str, body: bytes, time: float | None, before: dict[str, str], done: Written) -> None:
    path = folder / name
    digest = sha256(body).hexdigest()
    done.files[name] = digest
    if before.get(name) == digest and path.is_file() and path.stat().st_size == len(body):
        if time is None or int(path.stat().st_mtime) == int(time):
            done.same += 1
            return
    if path.resolve().is_relative_to(folder.resolve()):
        path.parent.mkdir(parents=True, exist_ok=True)
        _put(path, body, time)
        done.changed += 1


def _put(path: Path, body: bytes, time: float | None) -> None:
    """Put a file in place whole: who reads meanwhile gets the old or the new one."""
    handle, half = tempfile.mkstemp(dir=path.parent, prefix=".half-")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(body)
        os.chmod(half, 0o644)
        if time is not None:
            os.utime(half, (time, time))
        os.replace(half, path)
    except BaseException:
        os.unlink(half)
        raise


def _remove(folder: Path, name: str) -> int:
    """Remove a file that an export wrote, and folders that are empty then."""
    path = folder / name
    if not path.resolve().is_relative_to(folder.resolve()) or not path.is_file():
        return 0
    path.unlink()
    for above in path.parents:
        if above == folder or any(above.iterdir()):
            break
        above.rmdir()
    return 1


def _manifest(folder: Path) -> dict[str, str]:
    """The files of the last export; nothing where there was none, or its list can't be read."""
    try:
        told = json.loads((folder / MANIFEST).read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return {str(name): str(digest) for name, digest in told.items()} if isinstance(told, dict) else {}
