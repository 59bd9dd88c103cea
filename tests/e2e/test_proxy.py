"""The desk behind nginx with the snippet that ships, below a path: seen as a reader out there sees it."""

from __future__ import annotations

import gzip
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import feedparser
import pytest

from tests.e2e.desk import ROOT, Desk, free_port, until
from tests.e2e.publisher import Publisher
from tests.fetch.origin import Origin

CONF = """
daemon off;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
worker_processes 1;
{user}
events {{ worker_connections 64; }}
http {{
    access_log off;
    gzip on;
    gzip_types *;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    server {{
        listen 127.0.0.1:{port};
        include {folder}/wiredesk.conf;
    }}
}}
"""


@pytest.fixture
def front(desk: Desk, tmp_path: Path) -> Iterator[Desk]:
    """nginx before *desk* on a port of its own; asked like a desk."""
    nginx = shutil.which("nginx", path="/usr/sbin:/usr/bin:/bin")
    if nginx is None:
        pytest.skip("nginx is not installed (Debian: apt install nginx-light)")
    folder = tmp_path / "nginx"
    folder.mkdir()
    port = free_port()
    shipped = (ROOT / "deploy" / "nginx.conf").read_text()
    assert "http://127.0.0.1:8080" in shipped
    (folder / "wiredesk.conf").write_text(shipped.replace("127.0.0.1:8080", f"127.0.0.1:{desk.port}"))
    user = "user root;" if os.geteuid() == 0 else ""
    (folder / "nginx.conf").write_text(CONF.format(folder=folder, port=port, user=user))
    process = subprocess.Popen([nginx, "-p", str(folder), "-c", str(folder / "nginx.conf")], stderr=subprocess.PIPE)
    asked = Desk(tmp_path / "asked", port=port)
    try:
        yield asked
    finally:
        process.terminate()
        process.wait(60)
        assert process.stderr is not None
        process.stderr.close()


def test_below_a_path_every_address_leads_back_to_the_desk(desk: Desk, front: Desk, origin: Origin) -> None:
    publisher = Publisher(origin)
    publisher.publish("Through the proxy")
    outside = "http://wire.example/wire"
    desk.write(
        desk={"base_url": outside, "trusted_proxies": ["127.0.0.1"]},
        sources=[{"name": "Tidings", "url": publisher.url, "section": "news/world"}],
    )
    desk.start()
    until(lambda: desk.items("/news/world.json"), what="the article")
    assert desk.items("/wire/news/world.json")

    answered = front.get("/wire/news/world.atom", {"Accept-Encoding": "gzip"})
    assert answered.status == 200
    assert answered.headers["content-encoding"] == "gzip"
    assert not answered.headers["etag"].startswith("W/")
    assert "accept-encoding" in answered.headers["vary"].lower()
    feed = feedparser.parse(gzip.decompress(answered.body))
    assert not feed.bozo
    [self_link] = [link.href for link in feed.feed.links if link.rel == "self"]
    assert self_link == f"{outside}/news/world.atom"
    again = front.get("/wire/news/world.atom", {"Accept-Encoding": "gzip", "If-None-Match": answered.headers["etag"]})
    assert (again.status, again.body) == (304, b"")

    page = front.get("/wire/news/world")
    assert page.status == 200
    assert b'href="/wire/news/world.atom"' in page.body
    assert front.get("/wire").status == 301
    slash = front.get("/wire/news/world/")
    assert (slash.status, slash.headers["location"]) == (301, f"{outside}/news/world")
    assert f"{outside}/news/world.rss".encode() in front.get("/wire/sections.opml").body
    for path in ("/wire/robots.txt", "/wire/favicon.ico", "/wire/index.json", "/wire/healthz"):
        assert front.get(path).status == 200, path
    article = str(desk.items("/news/world.json")[0]["id"]).removeprefix("urn:uuid:")
    assert front.get(f"/wire/article/{article}").status == 200
    # Everybody comes from loopback here: what is for the admin stays closed.
    assert front.get("/wire/status").status in (401, 403, 404)
