"""The driver of libcurl: nobody who calls for it is left unheard."""

from __future__ import annotations

import time

from feeds.fetch.wire import Multi


class Interrupted(Multi):
    """Another thread calls in the very middle of waking up."""

    def _drain(self) -> None:
        self.wake()
        super()._drain()


def test_a_call_in_the_middle_of_waking_up_does_not_deafen_it() -> None:
    multi = Interrupted(time.monotonic)
    multi.wake()
    multi.turn(None)
    multi.wake()
    assert multi._poller.poll(0), "the next wait would last its full time"
    multi.close()


def test_waking_what_is_closed_is_harmless() -> None:
    multi = Multi(time.monotonic)
    multi.close()
    multi.wake()
