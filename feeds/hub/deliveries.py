"""When the hub asks, delivers and tries again (WebSub §5.3, §7); `messages.py` says what. Outside hubs, search engines
and webhooks take the same road. I/O: requests to callbacks and hubs; the store.
"""

from __future__ import annotations

import logging
import random
import secrets
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from functools import cache
from types import MappingProxyType
from typing import Any

from msgspec.structs import replace

from feeds.configuration import Notify, PollSettings, Settings
from feeds.errors import DeskError, FetchError, StoreError
from feeds.fetch.client import Fetcher
from feeds.fetch.headers import retry_after_s
from feeds.fetch.resolver import Lookup
from feeds.frames import document_path
from feeds.hub.messages import (
    INDEXNOW_EVERY_S,
    INDEXNOW_TOPIC,
    MOST_PAGES,
    announcement,
    changes_of,
    delivery_headers,
    message_headers,
    message_to,
    news,
    next_message,
    question,
)
from feeds.hub.subscribing import Asking, after, judge_hub, request_to
from feeds.model import Document, Format
from feeds.parsed import Answer, Request
from feeds.store import PUBLISHED, WRITTEN, ReadTx, Store
from feeds.store.hubs import HOOK, PING, HubRequest, Subscription
from feeds.store.values import Changes
from feeds.urls import masked

TURN_S, REST_S, REST_SHARED_S = 0.2, 60.0, 1.0
"""How long a turn waits for something to end or to come: where something is due, at rest, and where other machines may
write into the store, of which nobody tells."""
REQUESTS_EVERY_S, FAILING_EVERY_S, SUBSCRIBE_EVERY_S, SWEEP_EVERY_S = 0.2, 1.0, 1.0, 60.0
MOST_IN_FLIGHT = 1000
MOST_CHANGES = 200
"""A subscriber that missed more gets the whole document."""
FIRST_RETRY_S, LAST_RETRY_S = 5.0, 3600.0
GIVE_UP = timedelta(hours=24)
"""How long one delivery is tried; the next change of the topic begins anew, and brings what was missed."""
ALARM_AFTER = 6
"""Failures in a row from which on an alarm tells of a webhook: some five minutes."""
VERIFY_TRIES, VERIFY_AGAIN_S = 3, 15.0
STORE_RETRY_S = 2.0
_MANNERS = PollSettings(per_host=16, gap_s=0)  # many callbacks of one reader live on one host

log = logging.getLogger(__name__)


class Deliveries:
    """Runs from `start` to `close`. *clock* gives the present; *resolver* takes the place of the system's.

    *hooks* are the webhooks by their address as config has it, with their secrets. *count* is told each delivery, each
    ping to an outside hub and each message to a webhook, with its outcome: "delivered", "refused" (another answer than
    2xx), "failed" (no answer) or "gone" (410: the subscription ends).
    """

    def __init__(
        self,
        store: Store,
        settings: Settings,
        user_agent: str,
        *,
        clock: Callable[[], datetime],
        count: Callable[[str, str], None] = lambda kind, outcome: None,
        resolver: Lookup | None = None,
        hooks: Mapping[str, Notify] = MappingProxyType({}),
    ) -> None:
        self._hooks = hooks
        self._store = store
        self._count = count
        self._settings = settings
        self._clock = clock
        self._fetcher = Fetcher(settings.fetch, _MANNERS, user_agent, resolver)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="wiredesk-deliveries", daemon=True)
        self._turned_at = time.monotonic()
        self._publication = -1
        self._look = True  # at all subscriptions, for documents may have changed
        self._delivering: set[int] = set()
        self._verifying: set[int] = set()
        self._next: dict[str, datetime] = {}
        self._data: int | None = -1  # what `Store.data_version` said last
        self._next_at: datetime | None = None

    def start(self) -> None:
        """Begin, with what was left undone."""
        for what in (PUBLISHED, WRITTEN):
            self._store.hear(what, self.wake)
        self._thread.start()

    def wake(self) -> None:
        """Something was published, or somebody wrote into the store; for any thread."""
        self._fetcher.interrupt()

    def configure(
        self, settings: Settings, user_agent: str, hooks: Mapping[str, Notify] = MappingProxyType({})
    ) -> None:
        """Go on by other settings and webhooks."""
        self._hooks = hooks
        self._fetcher.configure(settings.fetch, _MANNERS, user_agent)
        self._settings = settings
        self._next.pop("sweep", None)
        self.wake()

    def stuck(self, for_s: float) -> str:
        """The name of this part where its thread has ended, or does not come round; "" where it lives."""
        if not self._thread.ident or (self._thread.is_alive() and time.monotonic() - self._turned_at < for_s):
            return ""
        return "the hub's deliveries"

    def close(self) -> None:
        """Stop; what is under way is done again by the next process."""
        self._stop.set()
        self._fetcher.interrupt()
        if self._thread.is_alive():
            self._thread.join()
        self._fetcher.close()

    def _run(self) -> None:
        while not self._stop.is_set():
            self._turned_at = time.monotonic()
            try:
                self.turn(self._rest_s())
                continue
            except StoreError as error:
                log.error("the hub waits for the store: %s", error)
            except Exception:
                # One odd subscriber must never end the thread that serves all the others.
                log.exception("the hub stumbled")
            self._forget()
            self._stop.wait(STORE_RETRY_S)

    def _rest_s(self) -> float:
        """How long nothing is due that this process knows of; what comes wakes it."""
        rest_s = REST_S if self._store.file is not None else REST_SHARED_S
        if self._look or len(self._delivering) >= MOST_IN_FLIGHT:
            return TURN_S
        if self._next_at is None:
            return rest_s
        return min(max((self._next_at - self._clock()).total_seconds(), TURN_S), rest_s)

    def _forget(self) -> None:
        """Take up anew what stands in the store; what is under way may be told twice."""
        self._delivering.clear()
        self._verifying.clear()
        self._look = True

    def turn(self, wait_s: float) -> None:
        """Settle what has ended within *wait_s*, and begin what is due. Raises StoreError."""
        outcomes = self._fetcher.outcomes(wait_s)
        if outcomes:
            self._settle(outcomes)
        now = self._clock()
        publication = self._store.publication()
        if publication != self._publication:
            self._publication = publication
            self._look = True
            if self._settings.publish.hubs:
                self._next.pop("sweep", None)  # a new document has outside hubs to be told, too
        if self._comes("sweep", now, SWEEP_EVERY_S):
            self._sweep(now)
        if self._look:
            self._deliver(now, failing=False)
        if self._may_be_due(now) or outcomes:
            self._look_for_due(now)

    def _may_be_due(self, now: datetime) -> bool:
        """Whether something is due by its own time; where nobody has written since the last look, without asking."""
        reached = self._next_at is not None and self._next_at <= now
        data = self._store.data_version()
        if not reached and data is not None and data == self._data:
            return False
        self._data = data
        with self._store.read() as tx:
            self._next_at = tx.hubs.next_at(now)
        return reached or (self._next_at is not None and self._next_at <= now)

    def _look_for_due(self, now: datetime) -> None:
        if not self._look and self._comes("failing", now, FAILING_EVERY_S):
            self._deliver(now, failing=True)
        if self._comes("requests", now, REQUESTS_EVERY_S):
            self._verify(now)
        if self._comes("subscribe", now, SUBSCRIBE_EVERY_S):
            self._subscribe(now)

    def _comes(self, name: str, now: datetime, every_s: float) -> bool:
        every = timedelta(seconds=every_s)
        # Further away than that it was noted before the clock was set back.
        if timedelta(0) < self._next.get(name, now) - now <= every:
            return False
        self._next[name] = now + every
        return True

    # ------------------------------------------------------------------ deliveries

    def _deliver(self, now: datetime, *, failing: bool) -> None:
        room = MOST_IN_FLIGHT - len(self._delivering)
        if room <= 0:
            return
        hub = self._settings.own_hub
        with self._store.read() as tx:
            due = tx.hubs.due(now, room, failing=failing, but=self._delivering)
            mine = [one for one in due if one.ping or one.hook or hub is not None]
            requests, nothing = self._prepared(tx, mine, hub or "")
        if nothing:
            with self._store.write() as tx:
                tx.hubs.delivered(nothing, now)
        for request in requests:
            tag: Any = request.tag
            self._delivering.add(tag[1].id)
            self._fetcher.submit(request)
        if not failing:
            self._look = len(due) == room

    def _prepared(
        self, tx: ReadTx, due: Sequence[Subscription], hub: str
    ) -> tuple[list[Request], list[tuple[int, str, int]]]:
        """What is to be sent, and for which subscriptions (id, ETag, sequence) the topic's document holds no news."""
        get = cache(tx.documents.get)

        @cache
        def changed(path: str, format: Format, sequence: int) -> bytes | None:
            document = get(path, format)
            return None if document is None else _news(tx, document, sequence)

        requests: list[Request] = []
        nothing: list[tuple[int, str, int]] = []
        for one in due:
            document = get(one.path, one.format)
            if document is None:
                continue
            if one.ping:
                request = self._ping(tx, one, document)
            elif one.hook:
                request = self._message(tx, one, document)
            else:
                body = changed(one.path, one.format, one.delivered_sequence)
                request = None if body is None else self._delivery(one, document, body, hub)
            if request is None:
                nothing.append((one.id, document.etag, document.sequence))
            else:
                requests.append(request)
        return requests, nothing

    def _delivery(self, one: Subscription, document: Document, body: bytes, hub: str) -> Request:
        topic = self._settings.base_url + document_path(one.path, one.format)
        headers = delivery_headers(document, body, topic=topic, hub=hub, secret=one.secret)
        return message_to(one.callback, body, headers, ("deliver", one, (document, self._publication)))

    def _message(self, tx: ReadTx, one: Subscription, document: Document) -> Request | None:
        """What a webhook is to be sent next; None where nothing of the document is news, or config has it no more."""
        hook, changes = self._hooks.get(one.callback), _changes(tx, document, one.delivered_sequence)
        message = next_message(document, changes_of(changes)) if hook is not None and changes is not None else None
        if hook is None or message is None:
            return None
        # What follows is due as soon as this has arrived: no document has the ETag "".
        sent = replace(document, sequence=message.sequence, etag=document.etag if message.last else "")
        headers, tag = message_headers(message.body, hook.secret), ("deliver", one, (sent, self._publication))
        return message_to(hook.url, message.body, headers, tag, as_is=False)

    def _ping(self, tx: ReadTx, one: Subscription, document: Document) -> Request | None:
        """What an outside hub is told; a search engine, the newest of what changed since it was told last."""
        settings, tag = self._settings, ("deliver", one, (document, self._publication))
        if one.callback not in settings.publish.indexnow:
            topic = settings.base_url + document_path(one.path, one.format)
            return request_to(one.callback, {"hub.mode": "publish", "hub.url": topic, "hub.topic": topic}, tag)
        changes = tx.sections.since(document.path, one.delivered_sequence, MOST_PAGES)
        uids = [one.uid for one in changes.articles] + [gone.uid for gone in changes.withdrawn if gone.retracted]
        return announcement(one.callback, settings.base_url, tx.configs.desk_id(), uids, tag) if uids else None

    def _delivered(self, tx: Any, one: Subscription, sent: tuple[Document, int], outcome: Answer | FetchError) -> None:
        now = self._clock()
        document, publication = sent
        self._delivering.discard(one.id)
        if publication != self._publication or not document.etag:  # something newer may be there already
            self._look = True
        kind = "ping" if one.ping else "webhook" if one.hook else "delivery"
        came = _became(kind, outcome)
        self._count(kind, came)
        if came == "delivered":
            if one.hook and one.failures:
                tx.events.close("webhook", _without_path(one.callback), now)
            rest_s = INDEXNOW_EVERY_S if one.callback in self._settings.publish.indexnow else 0
            tx.hubs.delivered([(one.id, document.etag, document.sequence)], now, rest_s)
        elif came == "gone":
            log.info("subscription ended by 410 topic=%s callback=%s", one.topic, _without_path(one.callback))
            tx.hubs.end(one.id)
        else:
            self._try_again(tx, one, document, outcome, now)

    def _try_again(
        self, tx: Any, one: Subscription, document: Document, outcome: Answer | FetchError, now: datetime
    ) -> None:
        """Note that a delivery failed, and when the next one is due; who failed for too long waits for a change."""
        error = _why_not(outcome)
        wait_s = min(FIRST_RETRY_S * 2.0**one.failures, LAST_RETRY_S) * random.uniform(0.8, 1.2)  # noqa: S311 -- spreads, hides nothing
        if isinstance(outcome, Answer):
            wait_s = max(wait_s, min(retry_after_s(outcome.headers, now) or 0.0, LAST_RETRY_S))
        over = one.failing_since is not None and now - one.failing_since > GIVE_UP
        log.log(
            logging.WARNING if over else logging.INFO,
            "not delivered topic=%s callback=%s failures=%d error=%r%s",
            one.topic or document.path,
            _without_path(one.callback),
            one.failures + 1,
            error,
            ", given up until the topic changes" if over else "",
        )
        if one.hook and one.failures + 1 >= ALARM_AFTER:
            place = _without_path(one.callback)
            remedy = "look at `notify:` in wiredesk.yaml, and at who is to answer there"
            tx.events.add("webhook", place, text=f"{place}: {error}", remedy=remedy, now=now)
        tx.hubs.failed(one.id, error, now, now + timedelta(seconds=wait_s), give_up=document.etag if over else "")

    # ------------------------------------------------------------------ verification of intent

    def _verify(self, now: datetime) -> None:
        with self._store.read() as tx:
            due = tx.hubs.requests_due(now, MOST_IN_FLIGHT, but=self._verifying)
        for request in due:
            challenge = secrets.token_urlsafe(32)
            self._verifying.add(request.id)
            self._fetcher.submit(
                message_to(question(request, challenge), None, (), ("verify", request, (challenge, now)))
            )

    def _verified(
        self, tx: Any, request: HubRequest, asked: tuple[str, datetime], outcome: Answer | FetchError
    ) -> None:
        self._verifying.discard(request.id)
        challenge, at = asked
        subject = f"mode={request.mode} topic={request.topic} callback={_without_path(request.callback)}"
        if isinstance(outcome, FetchError) and outcome.kind == "temporary" and request.tries + 1 < VERIFY_TRIES:
            tx.hubs.ask_again(request, self._clock() + timedelta(seconds=VERIFY_AGAIN_S * (request.tries + 1)))
            return
        refusal = _refusal(outcome, challenge)
        if request.mode == "denied" or refusal:
            tx.hubs.settled(request)
            if request.mode != "denied":
                log.info("not verified %s: %s", subject, refusal)
        # The lease runs from the moment of asking (§5.3).
        elif tx.hubs.verified(request, at, at + timedelta(seconds=request.lease_s)):
            log.info("verified %s lease_s=%d", subject, request.lease_s)

    # ------------------------------------------------------------------ our own subscriptions

    def _subscribe(self, now: datetime) -> None:
        with self._store.read() as tx:
            due = tx.hubs.to_ask(now, 50)
        if not due:
            return
        asking: list[Asking] = []
        with self._store.write() as tx:
            for one in due:
                judged = judge_hub(one, self._settings)
                if isinstance(judged, str):
                    tx.hubs.not_asked(one.source_id, judged, now + timedelta(hours=1))
                    continue
                tx.hubs.asked(one.source_id, now + timedelta(seconds=after(one.failures, asked=True)))
                asking.append(judged)
        for each in asking:
            self._fetcher.submit(each.request("ask"))

    def _asked(self, tx: Any, asking: Asking, outcome: Answer | FetchError) -> None:
        if isinstance(outcome, Answer):
            if 200 <= outcome.status < 300:
                return
            if outcome.status in (307, 308) and (further := asking.redirected(outcome.header("location"))):
                self._fetcher.submit(further.request("ask"))
                return
        why = _why_not(outcome)
        log.info("hub not asked source_id=%d hub=%s: %s", asking.ours.source_id, masked(asking.hub), why)
        again = self._clock() + timedelta(seconds=after(asking.ours.failures))
        tx.hubs.not_asked(asking.ours.source_id, f"its hub: {why}", again)

    # ------------------------------------------------------------------ the rest

    def _settle(self, outcomes: list[Answer | FetchError]) -> None:
        with self._store.write() as tx:
            for outcome in outcomes:
                tag: Any = outcome.request.tag
                match tag[0]:
                    case "deliver":
                        self._delivered(tx, tag[1], tag[2], outcome)
                    case "verify":
                        self._verified(tx, tag[1], tag[2], outcome)
                    case "ask":
                        self._asked(tx, tag[1], outcome)

    def _hook_rows(self) -> Iterator[tuple[str, str, str]]:
        for url, hook in self._hooks.items():
            yield from ((path, "json", url) for path in hook.sections or ("",))

    def _sweep(self, now: datetime) -> None:
        settings = self._settings
        outside = settings.publish.hubs if settings.publish.websub else ()
        self._look = self._look or bool(settings.publish.indexnow)  # what came while it rested
        with self._store.write() as tx:
            tx.hubs.sweep(now)
            tx.hubs.forget_sources()
            pings = [(*topic, hub) for topic in (sorted(tx.documents.topics()) if outside else ()) for hub in outside]
            pings += [(*INDEXNOW_TOPIC, engine) for engine in settings.publish.indexnow]
            tx.hubs.sync_told(PING, pings, now)
            tx.hubs.sync_told(HOOK, self._hook_rows(), now)
            off = settings.own_hub is None
            reason = "this desk is no hub any more" if off else "the topic is gone"
            tx.hubs.withdraw(now, MOST_IN_FLIGHT, all=off, reason=reason)


def _became(kind: str, outcome: Answer | FetchError) -> str:
    """What became of a delivery of this *kind*, as it is counted."""
    if isinstance(outcome, FetchError):
        return "failed"
    if 200 <= outcome.status < 300:
        return "delivered"
    return "gone" if outcome.status == 410 and kind == "delivery" else "refused"


def _changes(tx: Any, document: Document, sequence: int) -> Changes | None:
    try:
        changes: Changes = tx.sections.since(document.path, sequence, MOST_CHANGES)
    except DeskError:  # the section is gone, its document not yet
        return None
    return changes


def _news(tx: Any, document: Document, sequence: int) -> bytes | None:
    changes = _changes(tx, document, sequence)
    # What is not in the document yet comes with the next one.
    return news(document, changes) if changes is not None else None


def _why_not(outcome: Answer | FetchError) -> str:
    return outcome.cause if isinstance(outcome, FetchError) else f"answered {outcome.status}"


def _refusal(outcome: Answer | FetchError, challenge: str) -> str:
    """Why a callback's answer does not agree to what it was asked, "" where it does."""
    if isinstance(outcome, FetchError) or not 200 <= outcome.status < 300:
        return _why_not(outcome)
    return "" if outcome.body == challenge.encode() else "another text than the challenge"


def _without_path(url: str) -> str:
    """A callback without its path and query, which are as good as a password."""
    return masked(url).split("?")[0].rsplit("/", 1)[0] + "/…"
