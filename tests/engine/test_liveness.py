"""Signs of life: who is silent is replaced, who only is slow is not; what systemd is told."""

from __future__ import annotations

import os
import select
import socket
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from feeds.engine import liveness
from feeds.engine.liveness import Alive, Signs, Systemd

LIVES = """
import sys, time
from feeds.engine import liveness
liveness.EVERY_S = 0.1
liveness.Alive('test', sys.argv[1]).beat_from_a_thread()
"""


def heard(signs: Signs, pid: int) -> None:
    while pid not in signs._heard:
        select.select([signs._socket], [], [], 10)
        signs.look()


@pytest.mark.parametrize(("then", "killed"), [("time.sleep(60)", False), ("STOPPED", True)])
def test_a_process_that_is_stopped_is_killed_and_one_that_runs_is_not(
    then: str, killed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [0.0]
    signs = Signs(silent_s=60.0, clock=lambda: now[0])
    script = LIVES + (then if then != "STOPPED" else "time.sleep(60)")
    process = subprocess.Popen([sys.executable, "-c", script, signs.address])
    try:
        heard(signs, process.pid)
        if killed:
            psutil.Process(process.pid).suspend()
            while psutil.Process(process.pid).status() != psutil.STATUS_STOPPED:
                pass
            for _ in range(10):
                signs.look()
        for _ in range(4):  # a sign in 40 seconds by this clock
            if not killed:
                del signs._heard[process.pid]
                heard(signs, process.pid)
            for _ in range(20):
                now[0] += 2.0
                signs.look()
        assert (process.pid in signs._heard) is not killed
        if killed:
            assert process.wait(10) == -9
    finally:
        process.kill()
        process.wait()
        signs.close()


def test_a_process_that_works_is_given_longer_and_a_parent_that_slept_kills_nobody() -> None:
    one = liveness._Heard("test", 10.0)
    for second in range(60):
        one.was_silent(1.0, 10.0 + second * 0.5 + 0.5)
    assert one.silent_s == pytest.approx(6.0)
    for _ in range(60):
        one.was_silent(1.0, 40.0)
    assert one.silent_s > 60
    now = [0.0]
    signs = Signs(clock=lambda: now[0])
    me = Alive("me", signs.address)
    me.beat()
    me.close()
    heard(signs, os.getpid())
    now[0] += 86_400.0  # it was stopped, or the machine was
    assert signs.look()
    signs.close()


def test_who_has_ended_is_forgotten() -> None:
    signs = Signs()
    process = subprocess.Popen([sys.executable, "-c", LIVES + "time.sleep(3)", signs.address])
    heard(signs, process.pid)
    process.kill()
    process.wait()
    signs.look()
    assert signs._heard == {}
    signs.close()


def test_nobody_is_told_where_nobody_asks() -> None:
    Alive("test", "").beat()
    Systemd({}).tell("READY=1")
    Systemd({}).feed()


def test_systemd_is_told_and_its_watchdog_fed(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(tmp_path / "notify"))
        systemd.settimeout(5)
        environ = {"NOTIFY_SOCKET": str(tmp_path / "notify"), "WATCHDOG_USEC": "3000000", "WATCHDOG_PID": "1"}
        told = Systemd(environ)
        assert environ == {}  # no child is to speak for the desk
        told.tell("READY=1")
        assert systemd.recv(100) == b"READY=1"
        told.feed()
        told.feed()
        assert systemd.recv(100) == b"WATCHDOG=1"
        systemd.setblocking(False)
        with pytest.raises(BlockingIOError):
            systemd.recv(100)
