"""A hostile origin on loopback: raw sockets, an endpoint for each way to misbehave, a record of every request.

    with Origin() as origin:
        origin.add("/mine", lambda exchange: exchange.answer(200, b"<rss/>", ETag='"1"'))
        fetcher.fetch(Request(source_id=1, url=origin.url("/mine")))
        assert origin.seen("/mine")[0].header("user-agent") == "…"

`BEHAVIOURS` is what every origin answers from the start; `add` puts something beside or in its place, bytes being
sent exactly as they are before the connection closes. Handlers run on a thread a connection; those that wait end
with the origin. `BlackHole` is an address that takes no connection, as behind a firewall that drops.
"""

from __future__ import annotations

import gzip
import re
import socket
import struct
import threading
import time
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from urllib.parse import parse_qs, unquote

import brotli

FEED = b"""<?xml version="1.0"?><rss version="2.0"><channel><title>Origin</title><link>https://origin.example/</link>
<description>For tests</description><item><title>Tide and time</title><guid>urn:x:1</guid></item></channel></rss>"""
FEED_TYPE = "application/rss+xml; charset=utf-8"


@dataclass(frozen=True)
class Seen:
    """A request as it came: *target* and *fields* byte for byte (Latin-1)."""

    method: str
    target: str
    fields: tuple[tuple[str, str], ...]
    raw: bytes
    at: float = 0.0

    @property
    def path(self) -> str:
        return self.target.partition("?")[0]

    def query(self, name: str, default: str = "") -> str:
        return parse_qs(self.target.partition("?")[2]).get(name, [default])[0]

    def header(self, name: str) -> str | None:
        """The value of *name*, None where it was not sent."""
        return next((value for key, value in self.fields if key.lower() == name.lower()), None)


class Gone(Exception):
    """The other side, or the origin itself, has left."""


@dataclass
class Exchange:
    """One request and the connection it came on."""

    origin: Origin
    seen: Seen
    connection: socket.socket
    keep_open: bool = False

    def send(self, content: bytes) -> None:
        """Put *content* on the wire as it is."""
        try:
            self.connection.sendall(content)
        except OSError as error:
            raise Gone from error

    def answer(self, status: int, body: bytes = b"", **headers: str) -> None:
        """A well-formed answer; ``Last_Modified="…"`` names a header. The connection stays open."""
        self.send(answer(status, body, **headers))
        self.keep_open = True

    def wait(self, seconds: float = 60.0) -> None:
        """Do nothing, until the origin closes or the other side does."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            if self.origin.closing.wait(0.02) or self._left():
                raise Gone

    def reset(self) -> None:
        """Close with a TCP reset."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()

    def _left(self) -> bool:
        try:
            return self.connection.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT) == b""
        except BlockingIOError:
            return False
        except OSError:
            return True


Handler = Callable[[Exchange], None]


def answer(status: int, body: bytes = b"", **headers: str) -> bytes:
    """The bytes of a well-formed answer."""
    lines = [f"HTTP/1.1 {status} Whatever"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    if status != 304:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body


class Origin:
    """The server. *host* is where it listens."""

    def __init__(self, host: str = "127.0.0.1", tls: object = None) -> None:
        self.requests: list[Seen] = []
        self.connections = 0
        self.closing = threading.Event()
        self._tls = tls
        self._handlers: dict[str, Handler | bytes] = {}
        self._listener = socket.create_server((host, 0), backlog=1024)
        self.host = host
        self.port: int = self._listener.getsockname()[1]
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._acceptor = threading.Thread(target=self._accept, daemon=True)

    def __enter__(self) -> Origin:
        self._acceptor.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.closing.set()
        # Closing a listener does not end an accept() under way; a connection does.
        try:
            socket.create_connection((self.host, self.port), 1).close()
        except OSError:
            pass
        self._acceptor.join()
        self._listener.close()
        with self._lock:
            for connection in self._open:
                try:
                    connection.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass

    def url(self, path: str = "/", host: str | None = None, user: str = "", scheme: str = "http") -> str:
        """The address of *path* here; *host* and *user* (``name:password``) as wanted."""
        return f"{scheme}://{user + '@' if user else ''}{host or self.host}:{self.port}{path}"

    @property
    def place(self) -> str:
        """What `allow_private` has to say to let this origin be asked."""
        return f"{self.host}:{self.port}"

    def add(self, path: str, handler: Handler | bytes) -> None:
        """Let *path* be answered by *handler*, or by these very bytes."""
        self._handlers[path] = handler

    def seen(self, path: str) -> list[Seen]:
        """The requests for *path*, in order, whatever their query."""
        return [seen for seen in list(self.requests) if seen.path == path]

    def _accept(self) -> None:
        while not self.closing.is_set():
            connection, _ = self._listener.accept()
            self.connections += 1
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        try:
            if self._tls is not None:
                connection = self._tls.wrap_socket(connection, server_side=True)  # type: ignore[attr-defined]
            with self._lock:
                self._open.add(connection)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            while not self.closing.is_set():
                seen = self._read(connection)
                if seen is None:
                    break
                self.requests.append(seen)
                exchange = Exchange(self, seen, connection)
                self._act(exchange)
                if not exchange.keep_open:
                    break
        except (Gone, OSError):
            pass
        finally:
            with self._lock:
                self._open.discard(connection)
            connection.close()

    def _act(self, exchange: Exchange) -> None:
        path = exchange.seen.path
        handler = self._handlers.get(path) or BEHAVIOURS.get(path)
        if handler is None:
            pattern = re.fullmatch(r"/([a-z-]+)/([^/]*)", path)
            family = FAMILIES.get(pattern[1]) if pattern else None
            if family is None or pattern is None:
                exchange.answer(404, b"no such path")
            else:
                family(exchange, unquote(pattern[2]))
        elif isinstance(handler, bytes):
            exchange.send(handler)
        else:
            handler(exchange)

    def _read(self, connection: socket.socket) -> Seen | None:
        raw = b""
        while b"\r\n\r\n" not in raw:
            chunk = connection.recv(65536)
            if not chunk:
                return None
            raw += chunk
        first, *lines = raw.partition(b"\r\n\r\n")[0].decode("latin-1").split("\r\n")
        method, target, _ = first.split(" ", 2)
        fields = tuple((name, value.strip(" ")) for name, _, value in (line.partition(":") for line in lines))
        return Seen(method, target, fields, raw, time.monotonic())


class BlackHole:
    """An address that never completes a connection: its backlog is full, so that the system drops what comes."""

    def __init__(self) -> None:
        self._listener = socket.socket()
        self._listener.bind(("127.0.0.1", 0))
        self._listener.listen(0)
        self.port: int = self._listener.getsockname()[1]
        self._fillers = []
        for _ in range(4):
            filler = socket.socket()
            filler.setblocking(False)
            filler.connect_ex(("127.0.0.1", self.port))
            self._fillers.append(filler)
        time.sleep(0.05)

    def __enter__(self) -> BlackHole:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        for filler in (*self._fillers, self._listener):
            filler.close()


# --------------------------------------------------------------------------- behaviours


def _feed(exchange: Exchange) -> None:
    """A feed with odd but legal validators, and 304 for exactly these."""
    etag, modified = 'W/"a\xe9,b\\"', "Mon, 02 Nov 2026 10:00:00 GMT"
    headers = {"ETag": etag, "Last_Modified": modified, "Cache_Control": "max-age=600", "Content_Type": FEED_TYPE}
    asked = exchange.seen.header("if-none-match")
    if asked == etag if asked is not None else exchange.seen.header("if-modified-since") == modified:
        exchange.answer(304, **headers)
    else:
        exchange.answer(200, FEED, **headers)


def _slow_head(exchange: Exchange) -> None:
    for line in [b"HTTP/1.1 200 OK\r\n"] + [b"X-Slow: %d\r\n" % n for n in range(2000)]:
        exchange.send(line)
        _pause(exchange, 0.05)


def _pause(exchange: Exchange, seconds: float) -> None:
    if exchange.origin.closing.wait(seconds):
        raise Gone


def _slow_body(exchange: Exchange) -> None:
    exchange.send(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
    for _ in range(100_000):
        exchange.send(b"x")
        _pause(exchange, 0.05)


def _drip_head(exchange: Exchange) -> None:
    """One byte at a time of a header line that never ends."""
    exchange.send(b"HTTP/1.1 200 OK\r\nX-Drip: ")
    for _ in range(100_000):
        exchange.send(b"x")
        _pause(exchange, 0.05)


def _stall_head(exchange: Exchange) -> None:
    exchange.wait()


def _stall_body(exchange: Exchange) -> None:
    exchange.send(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n<rss")
    exchange.wait()


def _stall_error_body(exchange: Exchange) -> None:
    exchange.send(b"HTTP/1.1 404 Not Found\r\nContent-Length: 100000\r\n\r\n<html")
    exchange.wait()


def _endless(head: bytes, piece: bytes) -> Handler:
    def behave(exchange: Exchange) -> None:
        exchange.send(head)
        while not exchange.origin.closing.is_set():
            exchange.send(piece)

    return behave


def _bomb(coding: str) -> Handler:
    def behave(exchange: Exchange) -> None:
        exchange.send(answer(200, bomb(coding), Content_Encoding=coding))

    return behave


_BOMBS: dict[str, bytes] = {}


def bomb(coding: str, size: int = 200_000_000) -> bytes:
    """Bytes that decode to *size* zeros."""
    if coding not in _BOMBS:
        piece = bytes(1_000_000)
        if coding == "br":
            compressor = brotli.Compressor(quality=1)
            _BOMBS[coding] = (
                b"".join(compressor.process(piece) for _ in range(size // len(piece))) + compressor.finish()
            )
        elif coding == "gzip, gzip":
            _BOMBS[coding] = gzip.compress(bomb("gzip"))
        else:
            packer = zlib.compressobj(1, wbits=31 if coding == "gzip" else 15)
            _BOMBS[coding] = b"".join(packer.compress(piece) for _ in range(size // len(piece))) + packer.flush()
    return _BOMBS[coding]


def _coded(coding: str, body: bytes) -> bytes:
    return answer(200, body, Content_Encoding=coding, Content_Type=FEED_TYPE)


def raw_deflate(body: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(body) + packer.flush()


def chunked(body: bytes, size: int = 100) -> bytes:
    """*body* in chunks, with the end."""
    pieces = [body[at : at + size] for at in range(0, len(body), size)]
    return b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"


_CHUNKED_HEAD = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


def _reset_head(exchange: Exchange) -> None:
    exchange.reset()


def _reset_body(exchange: Exchange) -> None:
    exchange.send(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n<rss>")
    _pause(exchange, 0.05)
    exchange.reset()


def _cookie(exchange: Exchange) -> None:
    exchange.answer(200, FEED, Set_Cookie="id=1; Path=/")


def _delta(exchange: Exchange) -> None:
    if exchange.seen.header("a-im") == "feed" and exchange.seen.header("if-none-match"):
        exchange.answer(226, FEED, IM="feed", ETag='"2"')
    else:
        exchange.answer(200, FEED, ETag='"1"')


BEHAVIOURS: dict[str, Handler | bytes] = {
    "/feed": _feed,
    "/plain": lambda exchange: exchange.answer(200, FEED),
    "/always-304": lambda exchange: exchange.answer(304, ETag='"x"'),
    "/cookie": _cookie,
    "/delta": _delta,
    "/unasked-delta": lambda exchange: exchange.answer(226, FEED, IM="feed"),
    "/odd-delta": lambda exchange: exchange.answer(226, FEED, IM="vcdiff"),
    "/empty": lambda exchange: exchange.answer(200),
    "/slow-headers": _slow_head,
    "/slow-body": _slow_body,
    "/drip-headers": _drip_head,
    "/stall-headers": _stall_head,
    "/stall-body": _stall_body,
    "/stall-error-body": _stall_error_body,
    "/endless-body": _endless(b"HTTP/1.1 200 OK\r\n\r\n", bytes(65536)),
    "/endless-chunks": _endless(_CHUNKED_HEAD, b"1000\r\n" + bytes(4096) + b"\r\n"),
    "/endless-crumbs": _endless(_CHUNKED_HEAD, b"2\r\nab\r\n" * 1000),
    "/endless-error-body": _endless(b"HTTP/1.1 404 Not Found\r\n\r\n", bytes(65536)),
    "/endless-headers": _endless(b"HTTP/1.1 200 OK\r\n", b"X-More: of the same\r\n" * 50),
    "/endless-header-line": _endless(b"HTTP/1.1 200 OK\r\nX-Long: ", b"x" * 4096),
    "/endless-interim": _endless(b"", b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" * 20),
    "/endless-trailers": _endless(_CHUNKED_HEAD + b"2\r\nhi\r\n0\r\n", b"X-More: of the same\r\n" * 50),
    "/endless-empty-deflate": _endless(
        b"HTTP/1.1 200 OK\r\nContent-Encoding: deflate\r\n\r\n\x78\x9c", b"\x00\x00\x00\xff\xff" * 1000
    ),
    "/announced-too-large": b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n<rss>",
    "/gzip-bomb": _bomb("gzip"),
    "/deflate-bomb": _bomb("deflate"),
    "/br-bomb": _bomb("br"),
    "/double-gzip-bomb": _bomb("gzip, gzip"),
    "/gzip": _coded("gzip", gzip.compress(FEED)),
    "/x-gzip": _coded("x-gzip", gzip.compress(FEED)),
    "/br": _coded("br", brotli.compress(FEED)),
    "/deflate": _coded("deflate", zlib.compress(FEED)),
    "/raw-deflate": _coded("deflate", raw_deflate(FEED)),
    "/two-members": _coded("gzip", gzip.compress(FEED[:100]) + gzip.compress(FEED[100:])),
    "/identity": _coded("identity", FEED),
    "/interim": b'HTTP/1.1 103 Early Hints\r\nETag: "no"\r\n\r\n' + answer(200, FEED, ETag='"yes"'),
    "/until-close": b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + FEED,
    "/chunked": _CHUNKED_HEAD + chunked(FEED),
    "/folded": b'HTTP/1.1 200 OK\r\nETag:\r\n "a"\r\nContent-Length: 2\r\n\r\nhi',
    "/short-length": b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n" + FEED,
    "/short-chunked": _CHUNKED_HEAD + chunked(FEED)[:-5],
    "/short-chunk": _CHUNKED_HEAD + chunked(FEED)[:150],
    "/short-gzip": _coded("gzip", gzip.compress(FEED)[:-12]),
    "/short-gzip-check": _coded("gzip", gzip.compress(FEED)[:-4]),
    "/short-br": _coded("br", brotli.compress(FEED)[:-8]),
    "/short-deflate": _coded("deflate", zlib.compress(FEED)[:-8]),
    "/empty-gzip": _coded("gzip", b""),
    "/wrong-gzip-check": _coded("gzip", gzip.compress(FEED)[:-8] + b"\0\0\0\0" + gzip.compress(FEED)[-4:]),
    "/not-gzip": _coded("gzip", FEED),
    "/not-br": _coded("br", FEED),
    "/unknown-coding": _coded("zstd", FEED),
    "/many-codings": _coded("gzip, gzip, gzip, gzip", FEED),
    "/bad-chunk": _CHUNKED_HEAD + b"zz\r\nhello\r\n0\r\n\r\n",
    "/bad-chunk-end": _CHUNKED_HEAD + b"5\r\nhelloXX0\r\n\r\n",
    "/negative-length": b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\nhello",
    "/two-lengths": b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
    "/garbage": b"\x00\x01\x02 this is no HTTP \xff\xfe\r\n\r\n",
    "/http09": b"<rss>no head at all</rss>",
    "/no-answer": b"",
    "/half-head": b"HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\n",
    "/status-999": b"HTTP/1.1 999 Odd\r\nContent-Length: 2\r\n\r\nhi",
    "/status-0": b"HTTP/1.1 000 Nothing\r\nContent-Length: 2\r\n\r\nhi",
    "/switching": b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
    "/reset": _reset_head,
    "/reset-body": _reset_body,
    "/no-location": b"HTTP/1.1 302 Found\r\nContent-Length: 0\r\n\r\n",
    "/empty-location": b"HTTP/1.1 302 Found\r\nLocation: \r\nContent-Length: 0\r\n\r\n",
    "/two-locations": b"HTTP/1.1 302 Found\r\nLocation: /plain\r\nLocation: /feed\r\nContent-Length: 0\r\n\r\n",
    "/self": lambda exchange: exchange.answer(302, Location="/self"),
    "/circle-a": lambda exchange: exchange.answer(302, Location="/circle-b"),
    "/circle-b": lambda exchange: exchange.answer(302, Location="/circle-a"),
    "/redirect-cut": b"HTTP/1.1 301 Moved\r\nLocation: /plain\r\nContent-Length: 1000\r\n\r\n<html>",
}


def _status(exchange: Exchange, code: str) -> None:
    """``/status/503?retry-after=120``; ``date=…`` is the origin's clock."""
    headers = {"Retry_After": exchange.seen.query("retry-after"), "Date": exchange.seen.query("date")}
    exchange.answer(int(code), b"never mind", **{name: value for name, value in headers.items() if value})


def _redirect(exchange: Exchange, code: str) -> None:
    """``/redirect/301?to=…``."""
    exchange.answer(int(code), b"<html>over there</html>", Location=exchange.seen.query("to"))


def _hops(exchange: Exchange, left: str) -> None:
    """``/hops/5``: so many redirects, then a feed."""
    if int(left):
        exchange.answer(302, Location=f"{int(left) - 1}")
    else:
        exchange.answer(200, FEED)


FAMILIES: dict[str, Callable[[Exchange, str], None]] = {"status": _status, "redirect": _redirect, "hops": _hops}
