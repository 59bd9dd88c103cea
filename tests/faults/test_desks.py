"""Whole desks to which something is done, and their books; `bench/faults.py processes` does more, as root."""

from __future__ import annotations

import signal
from collections.abc import Callable

from tests.e2e.desk import until
from tests.faults import deeds
from tests.faults.trials import Trial, trial
from tests.store import postgres


def judged(one: Trial, do: Callable[[Trial], None]) -> None:
    do(one)
    assert one.back() is not None, one.desk.log.read_text()[-3000:]
    assert not any(one.judge().values()), (one.found, one.told, one.desk.log.read_text()[-3000:])


def test_a_database_server_that_is_away_for_a_while_costs_nothing_whether_stopped_or_crashed() -> None:
    with postgres.server() as server, trial(WIREDESK_DATABASE=server.url) as one:
        for how in (signal.SIGINT, signal.SIGQUIT):
            judged(one, deeds.restarted(server, how))


def test_a_database_that_is_replaced_by_an_older_copy_is_taken_up() -> None:
    with trial() as one:
        judged(one, deeds.replaced)
        # What came before the desk looked was published by the one that is to end.
        until(lambda: "another database was put in its place" in one.desk.log.read_text(), what="the end")
        judged(one, Trial.publish)


def test_summer_time_that_begins_and_ends_changes_nothing() -> None:
    with trial(TZ=deeds.zone_with_steps(begins_s=12.0, ends_s=19.0)) as one:
        judged(one, deeds.through_the_step(22.0))
