"""libcurl's multi interface under one poller (epoll where there is one), and a way to be woken. I/O: sockets."""

from __future__ import annotations

import os
import select
from collections.abc import Callable
from typing import Any

import pycurl

LONGEST_WAIT_S = 60.0


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
