"""What hands do for a desk on PostgreSQL, as tasks of Procrastinate. I/O: the database.

The `sources` table is the schedule, and a job only a hint: one that is lost or doubled costs a delay. A job is a shard
of sources under a lock of its own, so no host is polled by two processes at once; or one of the roles of the desk
(`roles.py`), which whoever runs it keeps. A hand that dies loses its heartbeat; the sweep of any other takes its jobs
away, and with them its locks.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import cast

from procrastinate import App, PsycopgConnector
from procrastinate.exceptions import AlreadyEnqueued, ConnectorException
from procrastinate.jobs import Status

from feeds.engine.hand import AT_ONCE, Hand
from feeds.engine.roles import LOOK_EVERY_S, ROLES, Role
from feeds.errors import StoreError
from feeds.store import Store
from feeds.store.dialect import SOON_GONE
from feeds.store.lease import HEARTBEAT_S

log = logging.getLogger(__name__)

SHARDS_AT_ONCE = 16
"""That one hand polls side by side."""
SIGN_EVERY_S = 2.0
MOST_WAITING = 5000
"""Readings that wait for the desk. With more of them nothing new is polled: it could only wait, too."""
ROUNDS = 20
"""How often one job goes on with the same shard before others get their turn."""
SHARDS, CLOCK, OF_DESK = "shards", "clock", "roles"
"""Queues: while shards take all their places, what makes and frees them goes on."""
TAKE_EVERY_S = 0.5
"""How often a role is asked for that the process that decides, or a hand that died, has still."""
EVERY_2_S = "* * * * * */2"
EVERY_5_S = "* * * * * */5"
"""The seconds are the sixth field."""


def need_schema(store: Store) -> None:
    """Make Procrastinate's tables where there are none. Raises StoreError."""
    store.install(App(connector=PsycopgConnector()).schema_manager.get_schema(), "procrastinate_jobs")


def run_hand(store: Store, environ: Mapping[str, str], stop: threading.Event) -> None:
    """Be a hand until *stop* is set. Raises DeskError where this process has to end, to be started anew."""
    need_schema(store)
    hand = Hand(store, environ, stop=stop)
    ended: list[Exception] = []

    def poll() -> None:
        try:
            hand.run()
        except Exception as error:  # noqa: BLE001 - raised again below, in the thread that ends the process
            ended.append(error)

    def stopped() -> bool:
        return stop.is_set() or not polling.is_alive()

    polling = threading.Thread(target=poll, name="hand")
    polling.start()
    try:
        asyncio.run(_work(app_of(store, hand, stopped), stopped))
    except ConnectorException as error:
        raise StoreError("the database does not answer", remedy="this hand goes on when started again") from error
    finally:
        stop.set()
        polling.join()
    if ended:
        raise ended[0]


def app_of(store: Store, hand: Hand, stopped: Callable[[], bool]) -> App:
    """The tasks of *hand*, with a pool of connections of their own."""
    kwargs = {"application_name": store.name, **SOON_GONE}
    app = App(connector=PsycopgConnector(conninfo=store.conninfo, kwargs=kwargs, min_size=1, max_size=8))

    async def defer_shard(shard: int) -> None:
        lock = f"shard:{shard}"
        with suppress(AlreadyEnqueued):
            await poll_shard.configure(lock=lock, queueing_lock=lock).defer_async(shard=shard)

    @app.periodic(cron=EVERY_2_S)
    @app.task(queue=CLOCK, queueing_lock="dispatch", name="dispatch")
    async def dispatch(timestamp: int) -> None:
        """Have the shards polled in which something is due."""
        for shard in await asyncio.to_thread(_due_shards, store):
            await defer_shard(shard)

    @app.task(queue=SHARDS, name="poll_shard")
    async def poll_shard(shard: int) -> None:
        """Poll one shard, alone."""
        for _ in range(ROUNDS):
            if await asyncio.wrap_future(hand.poll(shard)) < AT_ONCE:
                break

    @app.periodic(cron=EVERY_5_S)
    @app.task(queue=CLOCK, queueing_lock="sweep", name="sweep")
    async def sweep(timestamp: int) -> None:
        """Take jobs from hands that died. What was under way in their shards is due again by the next `poll_shard`."""
        for job in await app.job_manager.get_stalled_jobs(seconds_since_heartbeat=HEARTBEAT_S):
            log.warning("taking job %s %s from a hand that gives no sign of life", job.task_name, job.task_kwargs)
            assert job.id is not None
            await app.job_manager.finish_job_by_id_async(job.id, status=Status.FAILED, delete_job=True)
            if job.task_name == "poll_shard":
                await defer_shard(cast(int, job.task_kwargs["shard"]))
        for name in ROLES:
            with suppress(AlreadyEnqueued):
                await role.configure(lock=name, queueing_lock=name).defer_async(name=name)

    @app.task(queue=OF_DESK, name="role")
    async def role(name: str) -> None:
        """Have a role of the desk until this hand stops, or may not have it: then the next one gets it."""
        await _hold(hand, hand.roles[name], stopped)

    return app


async def _hold(hand: Hand, role: Role, stopped: Callable[[], bool]) -> None:
    try:
        while not stopped():
            had = role.part is not None
            try:
                if not await asyncio.to_thread(role.may):
                    return
                await asyncio.to_thread(role.look)
            except StoreError as error:
                log.error("%s: %s, trying again", role.name, error)
            if had and role.part is None:
                return  # another hand has it
            if part := role.stuck():
                hand.give_up(part)
            until = time.monotonic() + (LOOK_EVERY_S if role.part else TAKE_EVERY_S)
            while not stopped() and time.monotonic() < until:
                await asyncio.sleep(0.1)
    finally:
        await asyncio.to_thread(role.let_go)


async def _work(app: App, stopped: Callable[[], bool]) -> None:
    """Do what comes until *stopped*; what is under way is ended before this returns. Raises ConnectorException."""
    async with app.open_async():
        working = [
            asyncio.create_task(_worker(app, SHARDS, SHARDS_AT_ONCE)),
            asyncio.create_task(_worker(app, CLOCK, 2)),
            asyncio.create_task(_worker(app, OF_DESK, len(ROLES))),
        ]
        ended: set[asyncio.Task[None]] = set()
        while not ended and not stopped():
            ended, _ = await asyncio.wait(working, timeout=0.2, return_when=asyncio.FIRST_COMPLETED)
        for task in working:
            task.cancel()
        await asyncio.wait(working)
        for task in ended:
            task.result()


async def _worker(app: App, queue: str, at_once: int) -> None:
    await app.run_worker_async(
        queues=[queue],
        concurrency=at_once,
        fetch_job_polling_interval=1.0,
        delete_jobs="always",
        install_signal_handlers=False,
        update_heartbeat_interval=SIGN_EVERY_S,
        stalled_worker_timeout=HEARTBEAT_S,
        shutdown_graceful_timeout=10.0,
    )


def _due_shards(store: Store) -> list[int]:
    with store.read() as tx:
        if tx.inbox.count() > MOST_WAITING:
            log.warning(
                "more than %d readings wait for the desk: nothing is polled until it has saved some", MOST_WAITING
            )
            return []
        return tx.sources.due_shards()
