"""The site as files: the same bytes that the desk serves, written only where they changed; and nginx over them."""

from __future__ import annotations

import gzip
import http.client
import json
import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import brotli
import pytest

from feeds.cli.export import MANIFEST, write_site
from feeds.errors import DeskError
from tests.e2e.desk import free_port
from tests.publish.desk import WORLD, Desk

DOCS = Path(__file__).resolve().parents[2] / "docs" / "nginx.md"
NGINX = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")


def files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def filled(desk: Desk) -> Desk:
    desk.bring(range(130))
    desk.render(most_archived=None)
    return desk


@pytest.fixture
def few(desk: Desk) -> Desk:
    desk.bring(range(20))
    desk.render(most_archived=None)
    return desk


def test_every_file_holds_what_the_desk_serves(filled: Desk, tmp_path: Path) -> None:
    folder = tmp_path / "site"
    done = write_site(filled.store.url.render_as_string(), folder)
    assert done.changed == len(done.files) and done.removed == 0
    told = files(folder)
    for name in ("news/world.rss", "index.atom", "news.json", "news/world/archive/100.atom", "archive/100.json",
                 "sections.opml", "sitemap.xml", "sitemap-sections.xml", "sitemap-news.xml", "sitemap-2026-12.xml",
                 "robots.txt"):  # fmt: skip
        served = filled.get(f"/{name}")
        assert told[name] == served.body, name
        if len(served.body) > 1500 and name.endswith(("rss", "atom", "json")):
            assert gzip.decompress(told[f"{name}.gz"]) == brotli.decompress(told[f"{name}.br"]) == served.body
    assert told["index.html"] == filled.get("/").body
    assert told["news/world.html"] == filled.get("/news/world").body
    assert len([name for name in told if re.fullmatch(r"article/[0-9a-f-]{36}\.html", name)]) == 130
    style = re.search(rb'href="/(static/desk\.[0-9a-f]+\.css)"', told["index.html"])
    assert style is not None and style[1].decode() in told
    assert not [name for name in told if ".half" in name]


def test_stories_that_pages_lead_to_are_files_too(desk: Desk, tmp_path: Path) -> None:
    desk.bring([1, 2], story=7)
    desk.bring([3], story=8)
    desk.render()
    write_site(desk.store.url.render_as_string(), tmp_path)
    stem = "story/00000000-0000-4000-9000-000000000007"
    told = files(tmp_path)
    assert {name for name in told if name.startswith("story/") and name.count(".") == 1} == {
        f"{stem}.{suffix}" for suffix in ("html", "rss", "atom", "json")
    }
    assert told[f"{stem}.atom"] == desk.get(f"/{stem}.atom").body


def test_only_what_changed_is_written_and_only_what_is_ours_is_removed(few: Desk, tmp_path: Path) -> None:
    folder, url = tmp_path / "site", few.store.url.render_as_string()
    write_site(url, folder)
    (folder / "google123.html").write_text("an admin's own")
    (folder / "article" / "mine.html").write_text("an admin's own")
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file()}
    again = write_site(url, folder)
    assert (again.changed, again.removed) == (0, 0)
    assert {path: path.stat().st_mtime_ns for path in before if path.name != MANIFEST} == {
        path: stamp for path, stamp in before.items() if path.name != MANIFEST
    }
    few.retract(19)
    few.render()
    gone = write_site(url, folder)
    assert gone.removed >= 1 and 0 < gone.changed < gone.same
    assert not (folder / "article" / "00000000-0000-4000-8000-000000000019.html").exists()
    assert (folder / "google123.html").exists() and (folder / "article" / "mine.html").exists()
    assert b"000000000019" not in (folder / "news/world.rss").read_bytes()


def test_without_archives_only_the_present_is_written(filled: Desk, tmp_path: Path) -> None:
    done = write_site(filled.store.url.render_as_string(), tmp_path / "site", archives=False)
    assert not [name for name in done.files if "archive" in name]
    assert len([name for name in done.files if name.startswith("article/") and name.endswith(".html")]) == 50


def test_a_manifest_that_names_foreign_files_can_not_have_them_removed(few: Desk, tmp_path: Path) -> None:
    folder, outside = tmp_path / "site", tmp_path / "precious"
    folder.mkdir()
    outside.write_text("x")
    (folder / MANIFEST).write_text(json.dumps({"../precious": "0", str(outside): "0", "nothing": "1"}))
    write_site(few.store.url.render_as_string(), folder)
    assert outside.read_text() == "x"
    (folder / MANIFEST).write_text("broken {")
    write_site(few.store.url.render_as_string(), folder)


def test_a_folder_that_is_a_file_is_told_in_one_line(few: Desk, tmp_path: Path) -> None:
    (tmp_path / "site").write_text("")
    with pytest.raises(DeskError, match="another folder"):
        write_site(few.store.url.render_as_string(), tmp_path / "site")


# ------------------------------------------------------------------ nginx


@pytest.fixture
def nginx(filled: Desk, tmp_path: Path) -> Iterator[int]:
    """nginx with the server block of the docs over an export; its port."""
    if NGINX is None:
        pytest.skip("nginx is not installed (bench/setup does)")
    site = tmp_path / "site"
    write_site(filled.store.url.render_as_string(), site)
    [block] = re.findall(r"```nginx\n(.*?)```", DOCS.read_text("utf-8"), re.DOTALL)
    port = free_port()
    block = block.replace("listen 80;", f"listen 127.0.0.1:{port};").replace("/srv/wire", str(site))
    temporary = "".join(
        f"{kind}_temp_path {tmp_path}/{kind};\n" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    told = f"daemon off; master_process off; pid {tmp_path}/nginx.pid; error_log {tmp_path}/error.log;\n"
    told += f"events {{}}\nhttp {{ access_log off;\n{temporary}{block}}}\n"
    (tmp_path / "nginx.conf").write_text(told)
    server = subprocess.Popen([NGINX, "-p", str(tmp_path), "-c", str(tmp_path / "nginx.conf")], stderr=subprocess.PIPE)
    try:
        for _ in range(100):
            try:
                asked(port, "/")
                break
            except OSError:
                assert server.poll() is None, server.stderr.read()  # type: ignore[union-attr]
                time.sleep(0.05)
        yield port
    finally:
        server.terminate()
        server.communicate(timeout=10)


def asked(port: int, path: str, **headers: str) -> tuple[int, dict[str, str], bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", path, headers={name.replace("_", "-"): value for name, value in headers.items()})
        response = connection.getresponse()
        return response.status, {name.lower(): value for name, value in response.getheaders()}, response.read()
    finally:
        connection.close()


def test_nginx_serves_the_export_as_the_desk_would(filled: Desk, nginx: int) -> None:
    types = {"rss": "application/rss+xml", "atom": "application/atom+xml", "json": "application/feed+json"}
    for suffix, media_type in types.items():
        status, headers, body = asked(nginx, f"/{WORLD}.{suffix}")
        served = filled.get(f"/{WORLD}.{suffix}")
        assert (status, body) == (200, served.body)
        assert headers["content-type"] == served.headers["content-type"] == f"{media_type}; charset=utf-8"
        assert headers["last-modified"] == served.headers["last-modified"]
        assert headers["cache-control"] == served.headers["cache-control"]
        status, coded, packed = asked(nginx, f"/{WORLD}.{suffix}", Accept_Encoding="gzip")
        assert coded["content-encoding"] == "gzip" and gzip.decompress(packed) == served.body
        assert "accept-encoding" in coded["vary"].lower()
        assert asked(nginx, f"/{WORLD}.{suffix}", If_None_Match=headers["etag"])[0] == 304
        assert asked(nginx, f"/{WORLD}.{suffix}", If_Modified_Since=headers["last-modified"])[0] == 304
    for path in ("/", "/news", f"/{WORLD}", "/article/00000000-0000-4000-8000-000000000001"):
        status, headers, body = asked(nginx, path)
        assert (status, headers["content-type"]) == (200, "text/html; charset=utf-8")
        assert body == filled.get(path).body
    assert "max-age=86400" in asked(nginx, f"/{WORLD}/archive/100.atom")[1]["cache-control"]
    assert asked(nginx, f"/{MANIFEST}")[0] == 404
    assert asked(nginx, "/nothing")[0] == 404
    for path in ("/feed", "/feed.xml", f"/{WORLD}/rss.xml", f"/{WORLD}/feed.json", "/atom.xml"):
        status, headers, _ = asked(nginx, path)
        assert status == 301 and filled.get(path).headers["location"].endswith(urlsplit(headers["location"]).path)
