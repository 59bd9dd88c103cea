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
from email.utils import parsedate_to_datetime
from hashlib import sha256
from pathlib import Path
from urllib.parse import urlsplit

import click
from msgspec import Struct, field
from werkzeug.test import Client

from feeds.cli.common import Places, with_places
from feeds.cli.stored import need_running_config, opened
from feeds.configuration import UNFILED
from feeds.engine.startup import now_utc
from feeds.errors import DeskError
from feeds.frames import document_path
from feeds.model import FORMATS
from feeds.publish import publish
from feeds.render import squeeze
from feeds.serve.answers import Answers
from feeds.serve.app import answers_of, create_app


@click.command()
@with_places
@click.argument("folder", metavar="DIR", type=click.Path(file_okay=False, path_type=Path))
@click.option("--no-archives", is_flag=True, help="Leave out the past: archive pages, pages of older articles.")
def export(found: Places, folder: Path, no_archives: bool) -> None:
    """Write every document, page and archive below DIR, compressed too, as a web server gives them away.

    Files are replaced whole and only where they changed; what the last export wrote and this one does not is removed,
    other files are left alone. docs/nginx.md shows a server for it. Works beside a running desk.
    """
    with opened(found, create=True) as store:
        running = need_running_config(store)
        publish(store, running.settings, running.sections, now=now_utc(), most_archived=None)
    written = write_site(found.database, folder, archives=not no_archives)
    click.echo(
        f"{folder}: {written.changed} files written, {written.same} unchanged, {written.removed} removed"
        f" ({written.addresses} addresses)."
    )


MANIFEST = ".wiredesk-export.json"
_PLAIN = (
    "/sections.opml",
    "/sitemap-sections.xml",
    "/sitemap-news.xml",
    "/licence.xml",
    "/robots.txt",
    "/favicon.ico",
)
_MONTH = re.compile(rb"(/sitemap-[0-9-]+\.xml)</loc>")
_CODED = ("rss", "atom", "json", "html", "opml", "xml", "css", "svg", "txt")
_LEAST_CODED = 200
"""Bytes from which a file is written compressed, too."""
_STATIC = re.compile(rb'(?:href|src)="[^"]*(/static/[A-Za-z0-9_.-]+)"')
_STORY = re.compile(rb'href="[^"]*(/story/[0-9a-f-]{36})"')
_ARTICLE = re.compile(rb'"id":"urn:uuid:([0-9a-f-]{36})"')


class Written(Struct):
    """What an export did."""

    addresses: int = 0
    changed: int = 0
    same: int = 0
    removed: int = 0
    files: dict[str, str] = field(default_factory=dict)


def write_site(database: str, folder: Path, *, archives: bool = True) -> Written:
    """Write the site of the desk on *database* below *folder*. Raises DeskError where that can't be written."""
    answers = answers_of(create_app(database))
    try:
        folder.mkdir(parents=True, exist_ok=True)
        return _Export(answers, folder).run(archives)
    except OSError as error:
        raise DeskError(
            f"{error.filename or folder}: {error.strerror}", remedy="free it, or name another folder"
        ) from error
    finally:
        answers.close()


class _Export:
    """One run over the addresses that *answers* have, written below *folder*."""

    def __init__(self, answers: Answers, folder: Path) -> None:
        self._client = Client(answers, use_cookies=False)
        self._addresses = answers.snapshot.addresses
        self._folder = folder
        self._before = _manifest(folder)
        self._done = Written()

    def run(self, archives: bool) -> Written:
        """Write everything, and remove what the last export wrote and this one did not."""
        stories: set[bytes] = set()
        statics: set[bytes] = set()
        for path in self._paths(archives):
            body = self._write(path)
            stories.update(_STORY.findall(body))
            statics.update(_STATIC.findall(body))
        for static in statics:
            self._write(static.decode())
        for story in sorted(match.decode() for match in stories):
            for suffix in ("", *(f".{format}" for format in FORMATS)):
                self._write(story + suffix)
        done = self._done
        for name in self._before.keys() - done.files.keys():
            done.removed += _remove(self._folder, name)
        _put(self._folder / MANIFEST, json.dumps(done.files, indent=0, sort_keys=True).encode(), None)
        return done

    def _paths(self, archives: bool) -> Iterator[str]:
        """Every path of the site but for stories; found as a crawler would, from the sections on."""
        yield "/"
        yield from _PLAIN
        yield "/sitemap.xml"
        yield from (month.decode() for month in _MONTH.findall(self._client.get("/sitemap.xml").data))
        for section in ("", *self._addresses.sections, UNFILED):
            if section:
                yield f"/{section}"
            for format in FORMATS:
                yield document_path(section, format)
            for page, body in self._pages(document_path(section, "json"), archives):
                yield from (f"{page.removesuffix('.json')}.{format}" for format in FORMATS)
                yield from (f"/article/{article.decode()}" for article in _ARTICLE.findall(body))

    def _pages(self, page: str, archives: bool) -> Iterator[tuple[str, bytes]]:
        """The JSON document *page* with its address, and with *archives* those of the past that it leads to."""
        while page:
            body = self._client.get(page).data
            yield page, body
            older = json.loads(body).get("next_url") if archives and body.startswith(b"{") else None
            page = urlsplit(older).path.removeprefix(self._addresses.prefix) if older else ""

    def _write(self, path: str) -> bytes:
        """Write what is at *path*, and return it; nothing for what was written before or is not given away."""
        name = _file_name(path)
        if name in self._done.files:
            return b""
        got = self._client.get(path, headers={"Accept": "text/html"} if name.endswith(".html") else {})
        if got.status_code != 200:
            # A section without documents, an article just retracted: nothing to give away.
            return b""
        self._done.addresses += 1
        stamp = got.headers.get("Last-Modified")
        time = parsedate_to_datetime(stamp).timestamp() if stamp else None
        self._keep(name, got.data, time)
        if name.rpartition(".")[2] in _CODED and len(got.data) >= _LEAST_CODED:
            coded = self._client.get(path, headers={"Accept-Encoding": "gzip"})
            if coded.headers.get("Content-Encoding") == "gzip" and coded.headers.get("Last-Modified") == stamp:
                self._keep(f"{name}.gz", coded.data, time)
            if (brotli := squeeze(got.data)) is not None:
                self._keep(f"{name}.br", brotli, time)
        body: bytes = got.data
        return body

    def _keep(self, name: str, body: bytes, time: float | None) -> None:
        """Have *body* in the file *name*, modified at *time*; a file that is so already is not touched."""
        path = self._folder / name
        digest = sha256(body).hexdigest()
        self._done.files[name] = digest
        if self._before.get(name) == digest and _has(path, len(body), time):
            self._done.same += 1
        elif path.resolve().is_relative_to(self._folder.resolve()):
            path.parent.mkdir(parents=True, exist_ok=True)
            _put(path, body, time)
            self._done.changed += 1


def _file_name(path: str) -> str:
    """The file for an address: pages have no ending there.

    >>> _file_name("/"), _file_name("/news/world"), _file_name("/news/world.rss")
    ('index.html', 'news/world.html', 'news/world.rss')
    """
    if path == "/":
        return "index.html"
    return path[1:] if "." in path.rpartition("/")[2] else f"{path[1:]}.html"


def _has(path: Path, size: int, time: float | None) -> bool:
    if not path.is_file():
        return False
    found = path.stat()
    return found.st_size == size and (time is None or int(found.st_mtime) == int(time))


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
        files = json.loads((folder / MANIFEST).read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return {str(name): str(digest) for name, digest in files.items()} if isinstance(files, dict) else {}
