"""One request on libcurl, and its multi interface under one poller (epoll where there is one). I/O: sockets."""

from __future__ import annotations

import logging
import os
import select
import socket
import ssl
from collections.abc import Callable, Sequence
from io import BytesIO
from typing import Any

import pycurl

from feeds.configuration import FetchSettings
from feeds.errors import FetchBroken
from feeds.fetch.guard import Guard
from feeds.fetch.headers import BadCoding, Decoder, TooMuch, final_head, list_members, parse_fields
from feeds.fetch.target import Target
from feeds.fetch.transfer import Failure, Hop, Transfer, blocked, curl_failure, too_large

LONGEST_WAIT_S = 60.0
DISCARD_BYTES = 65_536  # of a body nobody reads; more closes the connection
SHORT_BYTES = 65_536  # of a body of any status, which is not a document
_BUFFER_BYTES = 131_072
_IDLE_CONNECTION_S = 60
_DNS_CACHE_S = 2  # entries come with each transfer; curl need not keep them


class Multi:
    """Drives easy handles: `add` them, `turn` again and again, take what has `ended`. *clock* gives seconds.

    libcurl's own wait goes through select() here, which ends at 1,024 descriptors; so sockets and timer are ours.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._reader, self._writer = os.pipe()
        os.set_blocking(self._reader, False)
        os.set_blocking(self._writer, False)
        self._awake = False
        self._closed = False
        self._poller: Any = select.epoll() if hasattr(select, "epoll") else select.poll()
        self._unit = 1.0 if hasattr(select, "epoll") else 1000.0
        self._poller.register(self._reader, select.POLLIN)
        self._watched: set[int] = set()
        self._timer: float | None = None
        self._multi = pycurl.CurlMulti()
        self._multi.setopt(pycurl.M_SOCKETFUNCTION, self._on_socket)
        self._multi.setopt(pycurl.M_TIMERFUNCTION, self._on_timer)

    def keep_connections(self, most: int) -> None:
        """Hold at most *most* connections, idle ones included."""
        self._multi.setopt(pycurl.M_MAXCONNECTS, most)

    def add(self, easy: pycurl.Curl) -> None:
        """Begin the transfer that *easy* is armed for; the next `turn` does something about it."""
        self._multi.add_handle(easy)

    def remove(self, easy: pycurl.Curl) -> None:
        """Take *easy* out; where it has not ended its connection is closed."""
        self._multi.remove_handle(easy)

    def turn(self, until: float | None) -> None:
        """Wait for sockets, timer, `wake`, or *until* (None: nothing else is due), and let libcurl act."""
        for descriptor, events in self._poller.poll(self._patience(until) * self._unit):
            if descriptor == self._reader:
                # In this order: who finds the flag still set has left its work where it is looked for after this turn.
                self._drain()
                self._awake = False
                continue
            action = (
                (pycurl.CSELECT_IN if events & select.POLLIN else 0)
                | (pycurl.CSELECT_OUT if events & select.POLLOUT else 0)
                | (pycurl.CSELECT_ERR if events & (select.POLLERR | select.POLLHUP) else 0)
            )
            self._multi.socket_action(descriptor, action)
        if self._timer is not None and self._timer <= self._clock():
            self._timer = None
            self._multi.socket_action(pycurl.SOCKET_TIMEOUT, 0)

    def ended(self) -> list[tuple[pycurl.Curl, int, str]]:
        """The handles whose transfers have ended, each with libcurl's code and message; they are removed."""
        ended: list[tuple[pycurl.Curl, int, str]] = []
        left = 1
        while left:
            left, good, bad = self._multi.info_read()
            ended += [(easy, 0, "") for easy in good]
            ended += bad
        for easy, _, _ in ended:
            self._multi.remove_handle(easy)
        return ended

    def wake(self) -> None:
        """End the wait of `turn`; for other threads."""
        if self._awake or self._closed:
            return
        self._awake = True
        try:
            os.write(self._writer, b"!")
        except OSError:  # full: it will wake anyway; closed: nothing is left to wake
            pass

    def close(self) -> None:
        """Let everything go; handles must have been removed."""
        self._closed = True
        self._multi.close()
        if hasattr(self._poller, "close"):
            self._poller.close()
        os.close(self._reader)
        os.close(self._writer)

    def _patience(self, until: float | None) -> float:
        now = self._clock()
        soonest = min(now + LONGEST_WAIT_S if until is None else until, now + LONGEST_WAIT_S)
        if self._timer is not None:
            soonest = min(soonest, self._timer)
        return max(soonest - now, 0.0)

    def _drain(self) -> None:
        try:
            os.read(self._reader, 4096)
        except BlockingIOError:
            pass

    def _on_socket(self, event: int, descriptor: int, multi: object, data: object) -> None:
        if event == pycurl.POLL_REMOVE:
            if descriptor in self._watched:
                self._watched.discard(descriptor)
                self._poller.unregister(descriptor)
            return
        mask = (select.POLLIN if event & pycurl.POLL_IN else 0) | (select.POLLOUT if event & pycurl.POLL_OUT else 0)
        if descriptor in self._watched:
            self._poller.modify(descriptor, mask)
        else:
            self._poller.register(descriptor, mask)
            self._watched.add(descriptor)

    def _on_timer(self, wait_ms: int) -> None:
        self._timer = None if wait_ms < 0 else self._clock() + wait_ms / 1000


log = logging.getLogger(__name__)


class _Lent(socket.SocketType):
    """A socket that closes when let go: pycurl duplicates the descriptor that it is given."""

    def __del__(self) -> None:
        self.close()


class Wire:
    """An easy handle with its callbacks. `start` arms it for one hop, `ended` says how that went.

    A head is gathered without a line of Python, and looked at when a body comes or all is over: most answers are a 304.
    """

    def __init__(self, settings: FetchSettings, guard: Guard, clock: Callable[[], float]) -> None:
        self.transfer: Transfer | None = None
        self._clock = clock
        self._settings = settings
        self._guard = guard
        self._resolved = ""
        self._posted = False
        self._most_bytes = settings.max_body_bytes
        self._received = BytesIO()
        self._stirred = False
        self._clear()
        self.easy = self._new_easy()

    def start(self, transfer: Transfer, headers: list[bytes], addresses: Sequence[str]) -> None:
        """Arm the handle for the present hop of *transfer*, to connect to *addresses* (none: the host is one)."""
        self.transfer = transfer
        target = transfer.target
        easy = self.easy
        if self._settings.proxy:
            easy.setopt(pycurl.URL, target.url)
        else:
            # Beyond the site libcurl would tidy the URL up; the request target goes as it is written.
            easy.setopt(pycurl.URL, target.site)
            easy.setopt(pycurl.REQUEST_TARGET, target.path)
        post = transfer.request.post
        if post is not None:
            easy.setopt(pycurl.POST, 1)
            easy.setopt(pycurl.POSTFIELDS, post)
            headers = [*headers, b"Expect:"]  # libcurl would wait for a 100 that few servers send
        elif self._posted:
            easy.setopt(pycurl.HTTPGET, 1)
        self._posted = post is not None
        most = self._settings.max_body_bytes
        self._most_bytes = min(SHORT_BYTES, most) if transfer.request.as_is else most
        easy.setopt(pycurl.HTTPHEADER, headers)
        if addresses or self._resolved:
            easy.setopt(pycurl.RESOLVE, self._resolve(target, addresses))

    def ended(self, code: int, message: str) -> Hop:
        """How the hop went that ended with libcurl's *code*."""
        self._check_size()
        if not self._head_done:
            self._take_head()
        failure = self._failure or self._fault(code, message)
        hop = Hop(
            status=self._status,
            fields=self._fields if failure is None else (),
            body=bytes(self._body) if failure is None else b"",
            wire_bytes=self._received.tell() + self._raw_bytes,
            address=self._address,
            failure=failure,
        )
        self._clear()
        return hop

    def _fault(self, code: int, message: str) -> Failure | None:
        """What is wrong with a hop that ended with *code*; what follows a head with nothing to keep is no matter."""
        if self._head_done:
            if not self._kept:
                return None
            return curl_failure(code, message) if code else self._unfinished()
        if self._refusal and code in (7, 42):
            return blocked(self._refusal)
        return curl_failure(code, message) if code else Failure(FetchBroken, "temporary", "no answer arrived")

    def stirs(self) -> bool:
        """Whether the head has begun to arrive since this was last asked."""
        if self._stirred or not self._received.tell():
            return False
        self._stirred = True
        return True

    @property
    def held_bytes(self) -> int:
        """How much of a body has arrived so far."""
        return self._body_bytes

    def belongs_to(self, settings: FetchSettings, guard: Guard) -> bool:
        """Whether the handle was made for these limits; else it is not worth keeping."""
        return self._settings is settings and self._guard is guard

    def close(self) -> None:
        """Give the handle back to libcurl."""
        self.easy.close()

    def _clear(self) -> None:
        self.transfer = None
        self._received.seek(0)
        self._received.truncate()
        self._stirred = False
        self._head_done = False
        self._kept = False
        self._fields: tuple[tuple[str, str], ...] = ()
        self._status = 0
        self._body = bytearray()  # a piece may be one byte, and is an object of forty while it is alone
        self._body_bytes = 0
        self._raw_bytes = 0
        self._decoder: Decoder | None = None
        self._failure: Failure | None = None
        self._refusal = ""
        self._address = ""

    def _new_easy(self) -> pycurl.Curl:
        settings = self._settings
        easy = pycurl.Curl()
        options: list[tuple[int, Any]] = [
            (pycurl.PROTOCOLS, pycurl.PROTO_HTTP | pycurl.PROTO_HTTPS),
            (pycurl.FOLLOWLOCATION, 0),
            (pycurl.HTTP_VERSION, pycurl.CURL_HTTP_VERSION_2TLS),
            (pycurl.HTTP09_ALLOWED, 0),
            (pycurl.HTTP_CONTENT_DECODING, 0),
            (pycurl.PATH_AS_IS, 1),
            (pycurl.NOSIGNAL, 1),
            (pycurl.NETRC, 0),
            (pycurl.PROXY, settings.proxy or ""),
            (pycurl.NOPROXY, ""),
            (pycurl.SSL_VERIFYPEER, 1),
            (pycurl.SSL_VERIFYHOST, 2),
            (pycurl.MAXFILESIZE_LARGE, settings.max_body_bytes),
            (pycurl.BUFFERSIZE, _BUFFER_BYTES),
            (pycurl.MAXAGE_CONN, _IDLE_CONNECTION_S),
            (pycurl.DNS_CACHE_TIMEOUT, _DNS_CACHE_S),
            (pycurl.TCP_NODELAY, 1),
            (pycurl.HEADERFUNCTION, self._received.write),
            (pycurl.WRITEFUNCTION, self._on_body),
            (pycurl.OPENSOCKETFUNCTION, self._on_open),
            (pycurl.PREREQFUNCTION, self._on_connected),
        ]
        authorities = ssl.get_default_verify_paths()
        if authorities.cafile:
            options.append((pycurl.CAINFO, authorities.cafile))
        if authorities.capath:
            options.append((pycurl.CAPATH, authorities.capath))
        for option, value in options:
            easy.setopt(option, value)
        return easy

    def _check_size(self) -> None:
        most = self._settings.max_header_bytes
        if self._failure is None and self._received.tell() > most:
            self._failure = too_large(f"headers of more than {most} bytes", "fetch.max_header_bytes")

    def _take_head(self) -> None:
        """Read the head that counts, where it is whole; what is wrong with it becomes the failure."""
        head = final_head(self._received.getvalue())
        if head is None:
            return
        self._head_done = True
        self._status, lines = head
        self._fields = parse_fields(lines)
        self._kept = self.transfer is not None and self.transfer.keeps(self._status)
        codings = list_members(self._fields, "content-encoding") if self._kept else ()
        try:
            self._decoder = Decoder(codings, self._most_bytes) if self._kept else None
        except BadCoding as error:
            self._failure = self._failure or Failure(FetchBroken, "soft", str(error))

    def _on_body(self, chunk: bytes) -> int:
        size = len(chunk)
        self._raw_bytes += size
        self._alive()
        if not self._head_done:
            self._check_size()
            self._take_head()
            if self._failure is not None:
                return -1
        if not self._kept:
            return size if self._raw_bytes <= DISCARD_BYTES else -1
        try:
            if self._decoder is not None:
                chunk = self._decoder.feed(chunk)
        except BadCoding as error:
            self._failure = Failure(FetchBroken, "soft", str(error))
            return -1
        except TooMuch:
            self._failure = self._body_too_large()
            return -1
        self._body_bytes += len(chunk)
        if self._body_bytes > self._most_bytes:  # libcurl's own cap is on what the wire brings
            self._failure = self._body_too_large()
            return -1
        if chunk:
            self._body += chunk
        return size

    def _on_open(self, purpose: int, address: Any) -> Any:
        """The last guard: what is refused here is not connected to, whatever led to it."""
        if address.family not in (socket.AF_INET, socket.AF_INET6):
            self._refusal = "only IP connections are made"
            return pycurl.SOCKET_BAD
        host, port = address.addr[:2]
        if not self._settings.proxy:
            refusal = self._guard.refusal(host, port)
            if refusal:
                self._refusal = refusal
                return pycurl.SOCKET_BAD
        try:
            return _Lent(address.family, address.socktype, address.protocol)
        except OSError as error:
            log.warning("no socket for a transfer: %s", error)
            return pycurl.SOCKET_BAD

    def _on_connected(self, address: str, own: str, port: int, own_port: int) -> int:
        """A connection that is used again was opened under the rules of its time; these are today's."""
        self._address = address
        self._alive()
        if self._settings.proxy:
            return pycurl.PREREQFUNC_OK
        refusal = self._guard.refusal(address, port)
        if refusal is None:
            return pycurl.PREREQFUNC_OK
        self._failure = blocked(refusal)
        return pycurl.PREREQFUNC_ABORT

    def _resolve(self, target: Target, addresses: Sequence[str]) -> list[str]:
        """What libcurl's cache of names is told: to forget the last one of this handle, and what *target* resolves to.

        It walks through that cache with every transfer, so it is kept as small as the number of handles. The "+" has an
        entry leave by itself, should it ever be left over.
        """
        entries = [f"-{self._resolved}"] if self._resolved else []
        self._resolved = f"{target.host}:{target.port}" if addresses else ""
        if addresses:
            listed = ",".join([f"[{address}]" if ":" in address else address for address in addresses])
            entries.append(f"+{self._resolved}:{listed}")
        return entries

    def _alive(self) -> None:
        if self.transfer is not None:
            self.transfer.seen_at = self._clock()

    def _unfinished(self) -> Failure | None:
        if self._decoder is None:
            return None
        try:
            self._body += self._decoder.finish()
        except BadCoding as error:
            return Failure(FetchBroken, "temporary", str(error)) if self._raw_bytes else None
        return None

    def _body_too_large(self) -> Failure:
        return too_large(f"a body of more than {self._most_bytes} bytes", "fetch.max_body_bytes")
