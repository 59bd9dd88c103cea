"""`wiredesk token` and `readers`: who may read the private sections, and who reads at all. I/O: the store."""

from __future__ import annotations

import json
import re
from datetime import UTC, date, datetime, time, timedelta

import click
from msgspec.structs import asdict

from feeds.cli.common import Places, show_table, terminal_width, with_json, with_places
from feeds.cli.stored import need_running_config, opened
from feeds.dates import zone_of
from feeds.engine.startup import now_utc
from feeds.errors import DeskError
from feeds.frames import document_path
from feeds.model import FORMATS
from feeds.serve.addresses import Addresses
from feeds.serve.admin_views import bytes_words
from feeds.serve.admission import digest_of, new_secret
from feeds.serve.readership import Reader, Report, report, share
from feeds.settings import Config
from feeds.store import Store
from feeds.store.overview import day_of
from feeds.store.small_tables import READERS_KEPT_DAYS

LONGEST_NAME = 100
_DAYS = re.compile(r"([1-9][0-9]{0,4})d")


@click.group()
def token() -> None:
    """Give subscribers tokens for the sections that say `access: tokens`, list them, take them back."""


@token.command()
@with_places
@click.argument("section")
@click.argument("name")
@click.option("--expires", metavar="WHEN", help="The last day, such as 2027-01-31, or a number of days: 30d.")
def add(found: Places, section: str, name: str, expires: str | None) -> None:
    """Give NAME a token for SECTION and the sections below it; print its addresses, which nobody can print again.

    \b
      wiredesk token add news/paid "Harbour Library" --expires 30d
    """
    with opened(found, create=True) as store:
        running = need_running_config(store)
        path, name, now = section.strip("/"), name.strip(), now_utc()
        number, secret = _section_row(store, running, path, name), new_secret()
        with store.write() as tx:
            made = tx.tokens.add(number, name, digest_of(secret), now, _end(expires, running, now))
    if made is None:
        raise DeskError(f"{name!r} has a token for {path} already", remedy="revoke it first, or say another name")
    given = f"{made}-{secret}"
    addresses = Addresses.of(running.settings.base_url, running.sections)
    click.echo(f"{name} may read {path}. Shown this once; these addresses are as good as a password:")
    for format in FORMATS:
        click.echo("  " + addresses.public(document_path(path, format), f"token={given}"))
    click.echo(f"In readers that ask for a name and a password: {name}, {given}")


def _section_row(store: Store, running: Config, path: str, name: str) -> int:
    """The row of the section at *path*. Raises DeskError where a token for it makes no sense."""
    if not name or len(name) > LONGEST_NAME or not name.isprintable():
        raise DeskError("that is no name", remedy=f"say one of 1 to {LONGEST_NAME} printable characters")
    found = next((one for one in running.sections if one.path == path), None)
    with store.read() as tx:
        state = tx.sections.get(path)
    if found is None or state is None:
        raise DeskError(f"there is no section {path!r}", remedy="`wiredesk sections` lists them")
    if not found.private:
        raise DeskError(f"everybody may read {path}", remedy="say `access: tokens` there in sections.yaml, and save")
    return state.id


def _end(expires: str | None, running: Config, now: datetime) -> datetime | None:
    """When a token ends: at the end of the day that *expires* names, by the desk's zone. Raises DeskError."""
    if expires is None:
        return None
    if days := _DAYS.fullmatch(expires.strip()):
        return now + timedelta(days=int(days[1]))
    try:
        last = date.fromisoformat(expires.strip())
        end = datetime.combine(last + timedelta(days=1), time(), zone_of(running.settings.timezone)).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise DeskError(f"--expires {expires!r} is no day", remedy="say a day such as 2027-01-31, or 30d") from error
    if end <= now:
        raise DeskError(f"--expires {expires} is over", remedy="say a day to come")
    return end


@token.command(name="list")
@with_places
@click.argument("section", required=False)
def list_(found: Places, section: str | None) -> None:
    """List the tokens of SECTION, or of all: for whom they are, and until when. Tokens themselves are kept nowhere."""
    path = None if section is None else section.strip("/")
    with opened(found, create=True) as store, store.read() as tx:
        tokens = [one for one in tx.tokens.all() if path in (None, one.path)]
        is_known = path is None or tx.sections.get(path) is not None
    if not tokens and not is_known:
        raise DeskError(f"there is no section {path!r}", remedy="`wiredesk sections` lists them")
    if not tokens:
        click.echo("No tokens. `wiredesk token add SECTION NAME` makes one.")
        return
    now = now_utc()
    rows = [("section", "name", "given", "until")]
    for one in tokens:
        until = "" if one.expires_at is None else f"{one.expires_at:%Y-%m-%d}"
        over = one.expires_at is not None and one.expires_at <= now
        rows.append((one.path, one.name, f"{one.created_at:%Y-%m-%d}", f"{until} (over)" if over else until))
    show_table(rows, width=terminal_width())


@token.command()
@with_places
@click.argument("section")
@click.argument("name")
def revoke(found: Places, section: str, name: str) -> None:
    """Take NAME's token for SECTION back: it opens nothing from now on, in a running desk too."""
    path = section.strip("/")
    with opened(found, create=True) as store, store.write() as tx:
        given = next((one for one in tx.tokens.all() if (one.path, one.name) == (path, name.strip())), None)
        if given is None:
            raise DeskError(f"{name.strip()!r} has no token for {path}", remedy="`wiredesk token list` shows all")
        tx.tokens.revoke(given.id)
    click.echo(f"{name.strip()} can't read {path} any more.")


@click.command()
@with_places
@click.option("--days", type=click.IntRange(1, READERS_KEPT_DAYS), default=7, show_default=True, help="So many days.")
@with_json
def readers(found: Places, days: int, as_json: bool) -> None:
    """Say who reads the feeds, by what programs say of themselves; who wastes bytes, and who asks too often.

    A running desk saves what it counts once a minute. Nobody's address is kept.
    """
    with opened(found, create=True) as store, store.read() as tx:
        known = report(tx.readers.since(day_of(now_utc()) - days + 1))
    if as_json:
        click.echo(json.dumps({"readers": [asdict(one) for one in known.readers], "subscribers": known.subscribers}))
    elif known.readers:
        _show_readers(known)
    else:
        click.echo("Nobody has asked for a feed yet.")


def _show_readers(known: Report) -> None:
    rows: list[tuple[str, ...]] = [("reader", "subscribers", "answers", "304", "226", "sent", "wasted", "too soon")]
    rows += map(_row, (*known.readers, known.total))
    show_table(rows, width=terminal_width(), numbers=range(1, 8))
    for path, services in sorted(known.subscribers.items()):
        declared = ", ".join(f"{name} {count:,}" for name, count in services.items())
        click.echo(f"{path or 'the whole desk'}: {sum(services.values()):,} subscribers ({declared})")
    if slowed := [one.slowed for one in known.readers if one.impolite and one.slowed]:
        click.echo("Too often, for the map of readers to be slowed (docs/status.md):\n  " + "\n  ".join(slowed))


def _row(one: Reader) -> tuple[str, ...]:
    shares = [share(part, one.answers) for part in (one.same, one.parts, one.hasty)]
    sent, wasted = (bytes_words(number) if number else "" for number in (one.sent, one.wasted))
    return (one.name, str(one.declared or ""), f"{one.answers:,}", *shares[:2], sent, wasted, shares[2])
