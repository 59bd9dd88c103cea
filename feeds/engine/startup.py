"""What every start of the desk needs: the present, what sources are told, what is wrong with config. I/O: clock.

Apart from `clock`, so that a command which polls once loads no scheduler.
"""

from __future__ import annotations

import gc
import logging
import os
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from feeds import __version__
from feeds.settings.reports import first_lines
from feeds.urls import LISTENING, misleading

if TYPE_CHECKING:
    from feeds.configuration import Settings
    from feeds.engine.config_watch import Accepted


log = logging.getLogger(__name__)


def user_agent(settings: Settings) -> str:
    """What sources are told: product, version, and whom to write to."""
    contact = settings.contact or settings.base_url
    return f"Wiredesk/{__version__} (+{contact})"


def now_utc() -> datetime:
    """The present; starts alone read the clock."""
    return datetime.now(UTC)


def collect_seldom() -> None:
    """Look for cyclic garbage seldom: entries by the thousand are no garbage, and looking at them all costs 3 to 8 %.

    What is loaded by now stays for good and is not looked at again.
    """
    gc.freeze()
    gc.set_threshold(50_000, 10, 10)


def without_threads() -> None:
    """Have numpy start no threads of its own, before it is loaded: they are a third of what loading it costs, and what
    one poll multiplies is small.
    """
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")


def tell_config(accepted: Accepted) -> None:
    """Say in the log what is wrong with the files, each with its line."""
    for line in first_lines(accepted.warnings):
        log.warning("config: %s", line)
    for line in first_lines(accepted.errors):
        log.error("config: %s", line)
    if accepted.errors:
        log.error("config: the files have errors, so the last good config (version %d) goes on", accepted.desk.version)
    tell_address(accepted.desk.settings, os.environ)


def tell_address(settings: Settings, environ: Mapping[str, str]) -> None:
    """Say in the log why `base_url` can't be right for where this desk listens, by the *environ* of its processes."""
    if wrong := misleading(settings.base_url, environ.get("WIREDESK_BIND", ""), environ.get(LISTENING, "")):
        log.warning("config: %s: %s", *wrong)
