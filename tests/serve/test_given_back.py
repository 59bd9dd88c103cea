"""Nothing that a request holds comes back as markup or as a header, whatever part of it that is; nothing is a 500."""

from __future__ import annotations

from urllib.parse import quote

import pytest

from tests.serve.wsgi import ask

SCRIPT = '"><script>alert(1)</script><img src=x onerror=alert(1)>\r\nX-Evil: 1'
PATHS = """
/ /index.rss /news /news/world /news/world.json /news/world.atom /search /search.atom /sections.opml /sitemap-news.xml
/robots.txt /status /status.atom /status/source/a /metrics /article/a /story/a /websub /websub/callback/a
/news/archive/1.atom /healthz /readyz /static/style.css /nothing
""".split()
PARAMETERS = (
    "q before since limit source lang by page state hub.mode hub.topic hub.challenge hub.callback token".split()
)
HEADERS = """
accept accept_language accept_encoding a_im authorization cookie host if_none_match if_modified_since if_range origin
range
referer user_agent x_forwarded_for x_forwarded_host x_forwarded_proto x_original_url forwarded
""".split()


def judge(got, what: str) -> None:
    assert got.status != 500, what
    assert b"<script>alert" not in got.body and b"onerror=alert(1)>" not in got.body, what
    assert "x-evil" not in got.headers, what
    assert not any("\n" in value or "<script" in value for value in got.headers.values()), what


@pytest.mark.parametrize("path", PATHS)
def test_a_script_in_any_part_of_a_request(desk, path: str) -> None:
    for parameter in PARAMETERS:
        judge(ask(desk, path, query=f"{parameter}={quote(SCRIPT)}"), f"?{parameter}=")
        judge(ask(desk, path, query=f"{parameter}={SCRIPT}"), f"?{parameter}= as it is")
    for header in HEADERS:
        judge(ask(desk, path, **{header: SCRIPT}), header)
    for more in ("/", "", ".rss", "/archive/"):
        judge(ask(desk, f"{path}{more}{SCRIPT}"), f"{path}{more}")
        judge(ask(desk, f"/{SCRIPT}{path}{more}"), f"before {path}{more}")


@pytest.mark.parametrize("path", ["//evil.example/", "/\\evil.example/", "//evil.example/news/", "/%2f/evil.example/"])
def test_no_path_leads_to_another_host(desk, path: str) -> None:
    for host in ("wire.example.org", "evil.example"):
        got = ask(desk, path, host=host, x_forwarded_host="evil.example")
        assert (
            "evil.example"
            not in got.headers.get("location", "").partition("?")[0].removeprefix("http://").split("/")[0]
        )
