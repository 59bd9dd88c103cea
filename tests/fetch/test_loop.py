"""The waiting lines: limits and gaps hold in any order of events, nobody starves, nothing is left behind."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from feeds.fetch.loop import HostQueues


def test_a_host_starts_few_at_once_and_after_its_gap() -> None:
    queues: HostQueues[str] = HostQueues(2, 1.0)
    for item in "abc":
        queues.put("h", item, 0.0)
    assert (queues.take(0.0), queues.take(0.0)) == ("a", None)
    assert queues.next_start() == 1.0
    assert (queues.take(1.0), queues.take(5.0)) == ("b", None)
    queues.done("h", 6.0)
    assert queues.take(6.0) == "c"


def test_hosts_take_turns() -> None:
    queues: HostQueues[str] = HostQueues(5, 0.0)
    for host in "xyz":
        for number in range(3):
            queues.put(host, f"{host}{number}", 0.0)
    taken = [queues.take(0.0) for _ in range(9)]
    assert taken == ["x0", "y0", "z0", "x1", "y1", "z1", "x2", "y2", "z2"]


def test_what_is_urgent_goes_first() -> None:
    queues: HostQueues[str] = HostQueues(1, 0.0)
    queues.put("h", "late", 0.0)
    queues.put("h", "urgent", 0.0, first=True)
    assert queues.take(0.0) == "urgent"


def test_gaps_are_stretched_by_jitter() -> None:
    queues: HostQueues[str] = HostQueues(9, 1.0, jitter=lambda: 1.2)
    queues.put("h", "a", 0.0)
    queues.put("h", "b", 0.0)
    queues.take(0.0)
    assert queues.take(1.1) is None
    assert queues.take(1.2) == "b"


def test_a_gap_is_remembered_after_the_line_is_empty() -> None:
    queues: HostQueues[str] = HostQueues(1, 10.0)
    queues.put("h", "a", 0.0)
    queues.take(0.0)
    queues.done("h", 1.0)
    queues.put("h", "b", 2.0)
    assert queues.take(2.0) is None
    assert queues.take(10.0) == "b"


def test_new_limits_hold_from_the_next_start_on() -> None:
    queues: HostQueues[int] = HostQueues(1, 0.0)
    for number in range(3):
        queues.put("h", number, 0.0)
    assert (queues.take(0.0), queues.take(0.0)) == (0, None)
    queues.per_host = 2
    queues.gap_s = 5.0
    queues.done("h", 0.0)
    assert (queues.take(0.0), queues.take(1.0), queues.take(5.0)) == (1, None, 2)


Event = st.tuples(st.sampled_from(["put", "first", "take", "done"]), st.integers(0, 3), st.floats(0, 3))


@given(st.integers(1, 3), st.sampled_from([0.0, 1.0, 2.5]), st.lists(Event, max_size=80))
def test_limits_hold_whatever_happens_and_everything_starts_in_the_end(
    per_host: int, gap_s: float, events: list[tuple[str, int, float]]
) -> None:
    queues: HostQueues[tuple[str, int]] = HostQueues(per_host, gap_s, jitter=lambda: 1.0)
    now, put, started = 0.0, 0, []
    running: dict[str, int] = {}
    last: dict[str, float] = {}

    def take() -> bool:
        item = queues.take(now)
        if item is None:
            return False
        host = item[0]
        running[host] = running.get(host, 0) + 1
        assert running[host] <= per_host
        assert now - last.get(host, -100.0) >= gap_s - 1e-9
        last[host] = now
        started.append(item)
        return True

    for kind, number, wait in events:
        now += wait
        host = f"h{number}"
        if kind in ("put", "first"):
            queues.put(host, (host, put), now, first=kind == "first")
            put += 1
        elif kind == "take":
            take()
        elif running.get(host):
            running[host] -= 1
            queues.done(host, now)
    while len(started) < put:
        for host, count in running.items():
            for _ in range(count):
                queues.done(host, now)
            running[host] = 0
        if not take():
            upcoming = queues.next_start()
            assert upcoming is not None and upcoming > now, "something waits, and nothing will wake it"
            now = upcoming
    assert len(set(started)) == put
    for host, count in running.items():
        for _ in range(count):
            queues.done(host, now)
    assert queues.take(now + 100) is None
    assert (len(queues), queues.waiting, queues.next_start()) == (0, 0, None)
