"""A subscriber written from the Recommendation alone, on a real server: it knows nothing of the desk's code.

Each callback is ``/cb/NAME`` with a query of its own, so that a hub which loses the query is found out.
"""

from __future__ import annotations

import hashlib
import hmac
import http.client
import re
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit


@dataclass(frozen=True)
class Answered:
    status: int
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True)
class Verification:
    """A GET that the hub made: *fields* in order, the callback's own among them."""

    name: str
    target: str
    fields: tuple[tuple[str, str], ...]
    at: float

    def field(self, name: str) -> str:
        found = [value for key, value in self.fields if key == name]
        assert len(found) == 1, (name, self.fields)
        return found[0]


@dataclass(frozen=True)
class Delivery:
    """A POST that the hub made."""

    name: str
    target: str
    headers: dict[str, str]
    body: bytes
    at: float

    def links(self, rel: str) -> list[str]:
        """The targets of the Link header with this relation."""
        found = re.findall(r'<([^>]*)>\s*;\s*rel="?([a-z]+)"?', self.headers.get("link", ""))
        return [target for target, each in found if each == rel]


@dataclass
class Subscriber:
    """Answers as *challenge* (given a Verification) and *status* (given a Delivery) say, where they are set."""

    verifications: list[Verification] = field(default_factory=list)
    deliveries: list[Delivery] = field(default_factory=list)
    secrets: dict[str, str] = field(default_factory=dict)
    challenge: Any = None
    status: Any = None
    hold_after: int | None = None

    def __post_init__(self) -> None:
        subscriber = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                parts = urlsplit(self.path)
                fields = tuple(parse_qsl(parts.query, keep_blank_values=True))
                seen = Verification(parts.path.rpartition("/")[2], self.path, fields, time.monotonic())
                status, body = 200, dict(fields).get("hub.challenge", "").encode()
                if subscriber.challenge is not None:
                    status, body = subscriber.challenge(seen)
                subscriber.verifications.append(seen)  # before the answer, at which the hub's part is done
                self._answer(status, body)

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                headers = {name.lower(): value for name, value in self.headers.items()}
                name = urlsplit(self.path).path.rpartition("/")[2]
                seen = Delivery(name, self.path, headers, body, time.monotonic())
                with subscriber._lock:
                    held = subscriber.hold_after is not None and len(subscriber.deliveries) >= subscriber.hold_after
                    if not held:
                        subscriber.deliveries.append(seen)
                while held and subscriber.hold_after is not None and not subscriber._closing.wait(0.02):
                    pass
                if not held:
                    self._answer(subscriber.status(seen) if subscriber.status else 200, b"thanks")

            def _answer(self, status: int, body: bytes) -> None:
                self.send_response(status)
                if 300 <= status < 400:
                    self.send_header("Location", "/elsewhere")
                self.send_header("Content-Type", "text/plain")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *arguments: object) -> None:
                pass

        class Server(ThreadingHTTPServer):
            request_queue_size = 512
            daemon_threads = True

            def handle_error(self, request: object, client_address: object) -> None:
                pass

        self._lock = threading.Lock()
        self._closing = threading.Event()
        self._server = Server(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    def __enter__(self) -> Subscriber:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closing.set()
        self._server.shutdown()
        self._server.server_close()

    @property
    def verified(self) -> int:
        """How many questions were answered."""
        return len(self.verifications)

    def callback(self, name: str) -> str:
        """The address at which *name* is reached."""
        return f"http://127.0.0.1:{self._server.server_port}/cb/{name}?red=fish&name={name}"

    def subscribe(self, hub: str, topic: str, name: str = "one", mode: str = "subscribe", **more: str) -> Answered:
        """Send a request with a secret of its own; *more* as ``lease_seconds="60"``, ``secret=""`` for none."""
        self.secrets[name] = more.pop("secret", f"secret of {name}")
        fields = {"hub.callback": self.callback(name), "hub.mode": mode, "hub.topic": topic}
        if self.secrets[name]:
            fields["hub.secret"] = self.secrets[name]
        fields |= {f"hub.{key}": value for key, value in more.items()}
        return post(hub, urlencode(fields).encode())

    def is_signed(self, delivery: Delivery) -> bool:
        """Whether the delivery is signed as the Recommendation says, by SHA-256 or better."""
        method, _, digest = delivery.headers.get("x-hub-signature", "").partition("=")
        if method not in ("sha256", "sha384", "sha512"):
            return False
        right = hmac.new(self.secrets[delivery.name].encode(), delivery.body, getattr(hashlib, method)).hexdigest()
        return hmac.compare_digest(right, digest)


def post(url: str, body: bytes, **headers: str) -> Answered:
    """POST a form, or what *headers* (``content_type="…"``) say."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=10)
    named = {"Content-Type": "application/x-www-form-urlencoded"}
    named |= {name.replace("_", "-").title(): value for name, value in headers.items()}
    try:
        connection.request("POST", parts.path + (f"?{parts.query}" if parts.query else ""), body, named)
        response = connection.getresponse()
        answered = {name.lower(): value for name, value in response.getheaders()}
        return Answered(response.status, answered, response.read())
    finally:
        connection.close()
