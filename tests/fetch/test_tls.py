"""TLS: trusted authorities and right names only; HTTP/2 where the origin has it.

`tls/` holds a test authority and a certificate of its making for tls.test, both for a hundred years.
"""

from __future__ import annotations

import shutil
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from feeds.errors import FetchBroken, FetchError
from feeds.parsed import Request, Validators

from .conftest import MakeFetcher
from .origin import FEED, Origin

TLS = Path(__file__).parent / "tls"


@pytest.fixture
def secure() -> Iterator[Origin]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(TLS / "server.pem")
    with Origin(tls=context) as origin:
        yield origin


@pytest.fixture
def trust(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the test authority be this machine's only one."""
    monkeypatch.setenv("SSL_CERT_FILE", str(TLS / "authority.pem"))


@pytest.mark.usefixtures("trust")
def test_a_trusted_origin_is_asked(secure: Origin, make_fetcher: MakeFetcher) -> None:
    fetcher = make_fetcher(allow=[secure.place], resolver=lambda host: ["127.0.0.1"])
    url = secure.url("/plain", host="tls.test", scheme="https")
    assert fetcher.fetch(Request(source_id=1, url=url)).body == FEED


def test_an_unknown_authority_is_refused_before_anything_is_asked(secure: Origin, make_fetcher: MakeFetcher) -> None:
    fetcher = make_fetcher(allow=[secure.place], resolver=lambda host: ["127.0.0.1"])
    with pytest.raises(FetchBroken, match="certificate is not trusted") as caught:
        fetcher.fetch(Request(source_id=1, url=secure.url("/plain", host="tls.test", scheme="https")))
    assert caught.value.kind == "soft"
    assert secure.requests == []


@pytest.mark.usefixtures("trust")
def test_a_certificate_for_another_name_is_refused(secure: Origin, make_fetcher: MakeFetcher) -> None:
    fetcher = make_fetcher(allow=[secure.place], resolver=lambda host: ["127.0.0.1"])
    for host in ("other.test", "127.0.0.1"):
        with pytest.raises(FetchBroken):
            fetcher.fetch(Request(source_id=1, url=secure.url("/plain", host=host, scheme="https")))
    assert secure.requests == []


@pytest.mark.usefixtures("trust")
def test_secrets_do_not_follow_from_https_to_http(secure: Origin, origin: Origin, make_fetcher: MakeFetcher) -> None:
    fetcher = make_fetcher(allow=[secure.place, origin.place], resolver=lambda host: ["127.0.0.1"])
    target = origin.url("/plain", host="tls.test")
    start = secure.url(f"/redirect/302?to={target}", host="tls.test", user="me:pw", scheme="https")
    fetcher.fetch(Request(source_id=1, url=start))
    assert [bool(seen.header("authorization")) for seen in (*secure.requests, *origin.requests)] == [True, False]


def test_plain_http_behind_https_is_an_error(origin: Origin, make_fetcher: MakeFetcher) -> None:
    fetcher = make_fetcher(allow=[origin.place], resolver=lambda host: ["127.0.0.1"], timeout_s=3)
    with pytest.raises(FetchError):
        fetcher.fetch(Request(source_id=1, url=origin.url("/plain", scheme="https")))


NGINX = """
worker_processes 1; daemon off; pid {folder}/pid; error_log {folder}/error.log;
events {{ worker_connections 64; }}
http {{
  access_log off; client_body_temp_path {folder}/b; proxy_temp_path {folder}/p;
  fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
  server {{ listen 127.0.0.1:{port} ssl http2; root {folder}; etag off; if_modified_since off;
    ssl_certificate {tls}/server.pem; ssl_certificate_key {tls}/server.pem;
    add_header X-Asked $request_uri always; add_header X-Protocol $server_protocol always;
    add_header X-None-Match $http_if_none_match always; add_header ETag '"h2"' always;
    location /304 {{ return 304; }}
    location / {{ return 200 "a body"; }} }}
}}
"""


@pytest.fixture
def http2(tmp_path: Path) -> Iterator[int]:
    nginx = shutil.which("nginx")
    if nginx is None:
        pytest.skip("nginx is not installed")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
    (tmp_path / "nginx.conf").write_text(NGINX.format(folder=tmp_path, port=port, tls=TLS))
    server = subprocess.Popen(
        [nginx, "-c", str(tmp_path / "nginx.conf"), "-p", str(tmp_path)], stderr=subprocess.DEVNULL
    )
    try:
        for _ in range(100):
            try:
                socket.create_connection(("127.0.0.1", port), 0.2).close()
                break
            except OSError:
                time.sleep(0.05)
        yield port
    finally:
        server.terminate()
        server.wait()


@pytest.mark.usefixtures("trust")
def test_http_2_is_spoken_and_asks_exactly_the_same(http2: int, make_fetcher: MakeFetcher) -> None:
    fetcher = make_fetcher(allow=[f"127.0.0.1:{http2}"], resolver=lambda host: ["127.0.0.1"])
    url = f"https://tls.test:{http2}/a/../b%2f%e2?x=%7e&&y"
    answer = fetcher.fetch(Request(source_id=1, url=url))
    assert (answer.header("x-protocol"), answer.header("x-asked")) == ("HTTP/2.0", "/a/../b%2f%e2?x=%7e&&y")
    assert (answer.body, answer.validators) == (b"a body", Validators(etag='"h2"'))
    again = fetcher.fetch(
        Request(source_id=1, url=f"https://tls.test:{http2}/304", validators=Validators(etag='W/"x\xe9"'))
    )
    assert (again.status, again.header("x-none-match")) == (304, 'W/"x\xe9"')
