"""Ask a WSGI application as a server would, and get what it would send."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import Any

from flask import Flask
from werkzeug.test import run_wsgi_app

from feeds.serve.app import answers_of


@dataclass(frozen=True)
class Got:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()


def environ_of(path: str, *, method: str = "GET", query: str = "", **headers: str) -> dict[str, Any]:
    environ: dict[str, Any] = {
        "REQUEST_METHOD": method,
        "SCRIPT_NAME": "",
        "PATH_INFO": path,
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "8080",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "HTTP_HOST": "wire.example.org",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(),
        "wsgi.errors": io.StringIO(),
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    }
    if query:  # PEP 3333: an empty one may be absent
        environ["QUERY_STRING"] = query
    for name, value in headers.items():
        key = name.upper()
        environ[key if key in ("CONTENT_LENGTH", "CONTENT_TYPE", "SERVER_PROTOCOL") else "HTTP_" + key] = value
    return environ


def ask(application: Any, path: str, *, method: str = "GET", query: str = "", **headers: str) -> Got:
    """Ask *application*; header names are given in lower case with underscores."""
    return call(application, environ_of(path, method=method, query=query, **headers))


def ask_view(application: Flask, path: str, **more: Any) -> Got:
    """Ask the Flask application behind the finished answers."""
    return call(answers_of(application).app, environ_of(path, **more))


def call(application: Any, environ: dict[str, Any]) -> Got:
    chunks, status, headers = run_wsgi_app(application, environ, buffered=True)
    names = [name.lower() for name, _ in headers]
    assert len(set(names)) == len(names), f"a header was sent twice: {names}"
    return Got(int(status[:3]), {name.lower(): value for name, value in headers}, b"".join(chunks))
