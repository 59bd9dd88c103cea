"""WebSub's tables: subscriptions here and at sources' hubs, as frozen Structs. I/O: database."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from msgspec import Struct
from sqlalchemy import ColumnElement, and_, bindparam, delete, exists, func, insert, literal, select, update

from feeds.model import Format
from feeds.store.dialect import AnyRow, UtcDateTime, Verbs, change_in, how_many, one_of, row_of, upsert, value_of
from feeds.store.schema import FAILING, documents, hub_requests, hub_subscriptions, sections, source_hubs, sources

Mode = Literal["subscribe", "unsubscribe", "denied"]
PushState = Literal["wanted", "asked", "active", "denied"]
PING, HOOK = 1, 2
"""`hub_subscriptions.ping` of who did not subscribe: outside hubs, webhooks."""
_FAR = datetime(9000, 1, 1, tzinfo=UTC)
_KEY = ("path", "format", "callback")
_TOPIC = documents.c.path.not_in(select(sections.c.path).where(sections.c.private == 1))
_INACTIVE = source_hubs.c.state != "active"
_IN_CONFIG = exists().where(sources.c.id == source_hubs.c.source_id, sources.c.removed_at.is_(None))
_POLLED = _IN_CONFIG.where(sources.c.enabled == 1)

_TIMES = select(
    select(func.min(hub_requests.c.next_try_at)).scalar_subquery(),
    select(func.min(source_hubs.c.next_try_at)).where(_POLLED).scalar_subquery(),
    select(func.min(hub_subscriptions.c.next_try_at))
    .where(FAILING, hub_subscriptions.c.next_try_at > bindparam("of_now"))
    .scalar_subquery(),
)
_DUE = (
    select(hub_subscriptions)
    .join(
        documents,
        (documents.c.path == hub_subscriptions.c.path) & (documents.c.format == hub_subscriptions.c.format),
    )
    .where(
        documents.c.etag != hub_subscriptions.c.delivered_etag,
        documents.c.etag != hub_subscriptions.c.given_up_etag,
        _TOPIC | (hub_subscriptions.c.ping == HOOK),
        hub_subscriptions.c.next_try_at <= bindparam("of_now"),
        hub_subscriptions.c.expires_at > bindparam("of_now"),
        ~one_of(hub_subscriptions.c.id, "of_others"),
    )
    .order_by(hub_subscriptions.c.failures, hub_subscriptions.c.id)
    .limit(bindparam("of_limit"))
)
_FAILING_DUE = _DUE.where(FAILING)


class HubRequest(Struct, frozen=True, kw_only=True):
    """Something to be told to a callback: verify what was asked for it, or that it is denied. *secret*: never log."""

    id: int = 0
    mode: Mode
    path: str
    format: Format
    topic: str
    callback: str
    host: str
    secret: str | None = None
    lease_s: int = 0
    reason: str = ""
    tries: int = 0


class Subscription(Struct, frozen=True, kw_only=True):
    """A verified subscription, or with *ping* an outside hub, or with *hook* a webhook, whose address in config is
    *callback*. What has arrived there is *delivered_etag*'s document.

    *failures* counts failed deliveries in a row, *failing_since* is when they began.
    """

    id: int
    path: str
    format: Format
    topic: str
    callback: str
    ping: bool
    hook: bool
    secret: str | None
    expires_at: datetime
    delivered_etag: str
    delivered_sequence: int
    failures: int
    failing_since: datetime | None


class HubCounts(Struct, frozen=True, kw_only=True):
    """How many subscriptions there are: of one topic, of one callback host, of all; and requests that wait."""

    topic: int
    host: int
    total: int
    waiting: int
    waiting_host: int


class SourceHub(Struct, frozen=True, kw_only=True):
    """Our own subscription to a source's hub. *token* is the callback's last part; it and *secret*: never log."""

    source_id: int
    hub: str
    topic: str
    token: str
    secret: str
    state: PushState
    expires_at: datetime | None
    failures: int
    reason: str
    pushed_at: datetime | None


class Hubs(Verbs):
    """``tx.hubs``"""

    # ------------------------------------------------------------------ what subscribers ask

    def counts(self, path: str, format: Format, host: str) -> HubCounts:
        """What the limits are judged by."""
        real = hub_subscriptions.c.ping == 0
        here = (hub_subscriptions.c.path == path) & (hub_subscriptions.c.format == format)

        return HubCounts(
            topic=how_many(self._connection, hub_subscriptions, real, here),
            host=how_many(self._connection, hub_subscriptions, real, hub_subscriptions.c.host == host),
            total=how_many(self._connection, hub_subscriptions, real),
            waiting=how_many(self._connection, hub_requests),
            waiting_host=how_many(self._connection, hub_requests, hub_requests.c.host == host),
        )

    def subscribed(self, path: str, format: Format, callback: str) -> bool:
        """Whether *callback* has a subscription, so that a request is a renewal."""
        return self._execute(select(hub_subscriptions.c.id).where(_at(path, format, callback))).first() is not None

    def ask(self, request: HubRequest, now: datetime) -> None:
        """Keep *request* until its callback was asked; a newer one for the same topic and callback takes its place."""
        row = row_of(request, tries=0, next_try_at=now)
        del row["id"]  # it gets a new number: what is under way for the old one must not settle the new one
        gone = [getattr(hub_requests.c, name) == row[name] for name in _KEY]
        self._execute(delete(hub_requests).where(*gone))
        self._execute(insert(hub_requests), row)

    def requests_due(self, now: datetime, limit: int, but: Iterable[int] = ()) -> list[HubRequest]:
        """Requests whose callbacks are to be asked now, none of those numbered *but*."""
        statement = select(hub_requests).where(hub_requests.c.next_try_at <= now)
        statement = statement.where(hub_requests.c.id.not_in(list(but))).order_by(hub_requests.c.id).limit(limit)
        return [value_of(HubRequest, row) for row in self._execute(statement)]

    def next_at(self, now: datetime) -> datetime | None:
        """When a callback is to be asked, one of our own subscriptions, or a delivery that failed to be tried again:
        the first time of these, and for deliveries the first that is to come. None where nothing waits.
        """
        times = self._execute(_TIMES, {"of_now": now}).one()
        return min((time for time in times if time is not None), default=None)

    def verified(self, request: HubRequest, now: datetime, expires_at: datetime) -> bool:
        """Do what *request* asked, now that its callback agreed; False where a newer request has taken its place."""
        if not self.settled(request):
            return False
        here = _at(request.path, request.format, request.callback)
        if request.mode != "subscribe":
            self._execute(delete(hub_subscriptions).where(here))
            return True
        terms = {
            "topic": request.topic,
            "host": request.host,
            "secret": request.secret,
            "verified_at": now,
            "expires_at": expires_at,
        }
        if self._execute(update(hub_subscriptions).where(here).values(terms)).rowcount:
            return True
        there = select(documents.c.etag, documents.c.sequence).where(
            documents.c.path == request.path, documents.c.format == request.format
        )
        row = self._execute(there).one_or_none()
        self._execute(
            insert(hub_subscriptions),
            terms
            | {name: getattr(request, name) for name in _KEY}
            | {
                # What is published before the subscription begins is no news.
                "delivered_etag": row.etag if row else "",
                "delivered_sequence": row.sequence if row else 0,
                "next_try_at": now,
            },
        )
        return True

    def settled(self, request: HubRequest) -> bool:
        """Forget *request*; whether it was still there."""
        return bool(self._execute(delete(hub_requests).where(hub_requests.c.id == request.id)).rowcount)

    def ask_again(self, request: HubRequest, at: datetime) -> None:
        """Have the callback of *request* asked once more at *at*."""
        again = update(hub_requests).where(hub_requests.c.id == request.id)
        self._execute(again.values(tries=hub_requests.c.tries + 1, next_try_at=at))

    # ------------------------------------------------------------------ what is delivered

    def due(self, now: datetime, limit: int, *, failing: bool = False, but: Iterable[int] = ()) -> list[Subscription]:
        """Subscriptions that were not sent the present document of their topic; only those that *failing* before."""
        bound = {"of_now": now, "of_limit": limit, "of_others": list(but)}
        return [_subscription(row) for row in self._execute(_FAILING_DUE if failing else _DUE, bound)]

    def delivered(self, arrived: Sequence[tuple[int, str, int]], now: datetime, rest_s: float = 0) -> None:
        """Note of each subscription which document (its ETag, its sequence) has arrived there; the next is due after
        *rest_s*.
        """
        for id, etag, sequence in arrived:
            self._execute(
                update(hub_subscriptions)
                .where(hub_subscriptions.c.id == id)
                .values(
                    delivered_etag=etag,
                    delivered_sequence=sequence,
                    delivered_at=now,
                    given_up_etag="",
                    failures=0,
                    failing_since=None,
                    next_try_at=now + timedelta(seconds=rest_s),
                    last_error="",
                )
            )

    def failed(self, id: int, error: str, now: datetime, again: datetime, *, give_up: str = "") -> None:
        """Note that a delivery did not arrive: to be tried *again*, or with *give_up* when another document is there.

        What is given up is not lost: the next delivery brings all that came after the last that arrived.
        """
        self._execute(
            update(hub_subscriptions)
            .where(hub_subscriptions.c.id == id)
            .values(
                failures=hub_subscriptions.c.failures + 1,
                failing_since=None
                if give_up
                else func.coalesce(hub_subscriptions.c.failing_since, literal(now, UtcDateTime())),
                next_try_at=again,
                last_error=error[:500],
                given_up_etag=give_up,
            )
        )

    def end(self, id: int) -> None:
        """Forget a subscription: its callback answered 410."""
        self._execute(delete(hub_subscriptions).where(hub_subscriptions.c.id == id))

    def sweep(self, now: datetime) -> int:
        """Forget subscriptions whose lease has ended; how many."""
        over = hub_subscriptions.c.expires_at <= now
        return self._execute(delete(hub_subscriptions).where(over)).rowcount

    def withdraw(self, now: datetime, limit: int, *, all: bool = False, reason: str) -> int:
        """End subscriptions to topics that are no more, or *all*, and have their callbacks told; how many."""
        there = exists().where(
            _TOPIC, documents.c.path == hub_subscriptions.c.path, documents.c.format == hub_subscriptions.c.format
        )
        statement = select(hub_subscriptions).where(hub_subscriptions.c.ping == 0).limit(limit)
        rows = self._execute(statement if all else statement.where(~there)).all()
        for row in rows:
            self.end(row.id)
            denial = value_of(HubRequest, row, id=0, mode="denied", secret=None, lease_s=0, reason=reason, tries=0)
            self.ask(denial, now)
        return len(rows)

    def sync_told(self, kind: int, told: Iterable[tuple[str, str, str]], now: datetime) -> None:
        """Have just those *told* of changes as `PING` or `HOOK`, each by path and format of a topic and its address.

        A new outside hub is told at once; a webhook of what comes from now on.
        """
        ours, wanted = hub_subscriptions.c.ping == kind, set(told)
        statement = select(hub_subscriptions.c.id, *(hub_subscriptions.c[name] for name in _KEY)).where(ours)
        present = {(row.path, row.format, row.callback): row.id for row in self._execute(statement)}
        gone = [id for key, id in present.items() if key not in wanted]
        change_in(self._connection, delete(hub_subscriptions), hub_subscriptions.c.id, gone)
        here = select(documents.c.path, documents.c.format, documents.c.etag, documents.c.sequence)
        known = {(row.path, row.format): row for row in self._execute(here)} if kind == HOOK else {}
        rows = []
        for path, format, callback in sorted(wanted - present.keys()):
            row = known.get((path, format))
            rows.append(
                dict(zip(_KEY, (path, format, callback), strict=True))
                | {
                    "topic": "",
                    "host": "",
                    "ping": kind,
                    "verified_at": now,
                    "expires_at": _FAR,
                    "next_try_at": now,
                    "delivered_etag": row.etag if row is not None else "",
                    "delivered_sequence": row.sequence if row is not None else 0,
                }
            )
        upsert(self._connection, hub_subscriptions, rows, _KEY)

    def subscriptions(self, limit: int = 1000) -> list[Subscription]:
        """Subscriptions as they stand, outside hubs among them, in the order of their making."""
        statement = select(hub_subscriptions).order_by(hub_subscriptions.c.id).limit(limit)
        return [_subscription(row) for row in self._execute(statement)]

    # ------------------------------------------------------------------ our own subscriptions

    def found(self, source_id: int, hub: str, topic: str, now: datetime, *, token: str, secret: str) -> bool:
        """Note the hub that a source names; whether it is another than before. Then *token* and *secret* are taken."""
        here = source_hubs.c.source_id == source_id
        row = self._execute(select(source_hubs).where(here)).one_or_none()
        if row is not None and (row.hub, row.topic) == (hub, topic):
            return False
        self._execute(delete(source_hubs).where(here))
        new = {
            "source_id": source_id,
            "hub": hub,
            "topic": topic,
            "token": token,
            "secret": secret,
            "state": "wanted",
            "next_try_at": now,
        }
        self._execute(insert(source_hubs), new)
        return True

    def to_ask(self, now: datetime, limit: int) -> list[SourceHub]:
        """Subscriptions of ours to be asked for, or renewed, now; of sources that are polled."""
        statement = select(source_hubs).where(source_hubs.c.next_try_at <= now, _POLLED)
        rows = self._execute(statement.order_by(source_hubs.c.next_try_at).limit(limit))
        return [value_of(SourceHub, row) for row in rows]

    def asked(self, source_id: int, again: datetime) -> None:
        """Note that the hub is being asked; where no verification comes it is asked *again*."""
        self._note(source_id, next_try_at=again, failures=source_hubs.c.failures + 1)
        self._note(source_id, _INACTIVE, state="asked", reason="")

    def not_asked(self, source_id: int, reason: str, again: datetime) -> None:
        """Note why the hub could not be asked; a running subscription goes on until its lease ends."""
        self._note(source_id, reason=reason[:500], next_try_at=again)
        self._note(source_id, _INACTIVE, state="wanted")

    def by_token(self, token: str) -> SourceHub | None:
        """The subscription that has this callback; None where there is none, or its source is polled no more."""
        row = self._execute(select(source_hubs).where(source_hubs.c.token == token, _POLLED)).one_or_none()
        return None if row is None else value_of(SourceHub, row)

    def confirmed(self, source_id: int, expires_at: datetime, renew_at: datetime) -> None:
        """Note that the hub has verified: content comes until *expires_at*; to be renewed at *renew_at*."""
        self._note(source_id, state="active", expires_at=expires_at, next_try_at=renew_at, failures=0, reason="")

    def denied(self, source_id: int, reason: str, again: datetime) -> None:
        """Note that the hub has denied the subscription; it is asked *again* much later."""
        self._note(source_id, state="denied", expires_at=None, reason=reason[:500], next_try_at=again)

    def pushed(self, source_id: int, now: datetime) -> None:
        """Note that content has come from the source's hub."""
        self._note(source_id, pushed_at=now)

    def _note(self, source_id: int, *where: ColumnElement[bool], **values: Any) -> None:
        theirs = update(source_hubs).where(source_hubs.c.source_id == source_id, *where)
        self._execute(theirs.values(values))

    def source_hubs(self) -> list[SourceHub]:
        """Our subscriptions as they stand, for `/status`."""
        rows = self._execute(select(source_hubs).order_by(source_hubs.c.source_id))
        return [value_of(SourceHub, row) for row in rows]

    def forget_sources(self) -> int:
        """Forget subscriptions of sources that config has no more; how many. Their hubs get 410 and end them."""
        return self._execute(delete(source_hubs).where(~_IN_CONFIG)).rowcount


def _at(path: str, format: str, callback: str) -> Any:
    return and_(
        hub_subscriptions.c.path == path,
        hub_subscriptions.c.format == format,
        hub_subscriptions.c.callback == callback,
    )


def _subscription(row: AnyRow) -> Subscription:
    return value_of(Subscription, row, ping=row.ping == PING, hook=row.ping == HOOK)
