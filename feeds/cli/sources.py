"""`wiredesk sources`: how each source does, when it is asked next and why; one of them tested. I/O: store, network."""

from __future__ import annotations

from datetime import datetime, timedelta

import click

from feeds.cli.common import PIPED_WIDTH, counted, need_running_config, show_table, terminal_width
from feeds.cli.discover import asking
from feeds.cli.places import Places, need_database, places, with_places
from feeds.cli.preview import ask_source, show, show_documents
from feeds.condition import ago, condition, span
from feeds.configuration import DOCUMENTS, Source
from feeds.engine.startup import now_utc
from feeds.errors import DeskError
from feeds.settings import Config
from feeds.settings.reports import did_you_mean
from feeds.store import Store, open_store
from feeds.store.values import Poll, SourceState
from feeds.urls import masked

POLLS_SHOWN = 10
TESTED = 12
"""Articles that a test shows at most."""


@click.command()
@with_places
@click.argument("name", required=False, metavar="[SOURCE]")
@click.option("--test", is_flag=True, help="Ask SOURCE now and show what it would bring; stores nothing.")
def sources(config: str | None, data: str | None, name: str | None, test: bool) -> None:
    """List the sources: how each does, when it is asked next, and why then.

    \b
      wiredesk sources                         all of them
      wiredesk sources "Example World"         this one, with its last polls
      wiredesk sources "Example World" --test  asks it now, stores nothing
    """
    if test and name is None:
        raise click.UsageError("name the SOURCE to --test")
    found = places(config, data)
    need_database(found)
    now = now_utc()
    with open_store(found.database, create=False) as store:
        running = need_running_config(store)
        with store.read() as tx:
            states = tx.sources.all_states()
            if name is not None:
                source, state = _named(name, states)
                polls = tx.sources.polls(source.id, POLLS_SHOWN)
    if name is None:
        _list(states, now)
    elif test:
        _test(next(one for one in running.sources if one.key == source.key), running, found)
    else:
        _show_one(source, state, polls, now)


def named_source(store: Store, name: str) -> Source:
    """The source of this name or id, in whatever case. Raises DeskError, with a guess at what was meant."""
    with store.read() as tx:
        return _named(name, tx.sources.all_states())[0]


def show_source(store: Store, name: str) -> None:
    """Print how the source of this name does, with its last polls."""
    with store.read() as tx:
        source, state = _named(name, tx.sources.all_states())
        polls = tx.sources.polls(source.id, POLLS_SHOWN)
    _show_one(source, state, polls, now_utc())


def _named(name: str, states: list[tuple[Source, SourceState]]) -> tuple[Source, SourceState]:
    """The source of this name or id, in whatever case. Raises DeskError, with a guess at what was meant."""
    wanted = name.casefold()
    for source, state in states:
        if wanted in (source.name.casefold(), source.key.casefold()):
            return source, state
    hint = did_you_mean(name, [source.name for source, _ in states])
    raise DeskError(f"no source {name!r}", remedy=hint or "`wiredesk sources` lists them")


def _list(states: list[tuple[Source, SourceState]], now: datetime) -> None:
    rows = [("source", "how it does", "next poll", "why then")]
    colours = [""]
    for source, state in states:
        how = condition(source, state, now=now)
        text = how.word if how.word in ("fine", "new") else masked(how.text)
        rows.append((source.name, text, _next(source, state, now), masked(state.reason)))
        colours.append("yellow" if how.trouble else "")
    if not states:
        click.echo("No sources yet: `wiredesk discover URL` prints lines for sources.yaml.")
        return
    show_table(rows, width=terminal_width() or PIPED_WIDTH, colours=colours)
    click.echo(f"{counted(len(states), 'source')}. `wiredesk sources NAME` shows one, --test asks it.")


def _show_one(source: Source, state: SourceState, polls: list[Poll], now: datetime) -> None:
    how = condition(source, state, now=now)
    click.secho(source.name, bold=True)
    facts = {
        "address": masked(source.target),
        "section": source.section or "by rules and by what the publisher says",
        "state": masked(how.text),
        "what to do": how.remedy,
        "last poll": ago(state.last_poll_at, now),
        "next poll": _next(source, state, now),
        "why then": masked(state.reason),
        "last article": ago(state.last_new_at, now),
    }
    width = terminal_width() or PIPED_WIDTH
    show_table([(word, text) for word, text in facts.items() if text], width=width, head=False)
    if polls:
        rows = [("poll", "outcome", "new", "copies", "what to know")]
        rows += [
            (f"{one.at:%d %b %H:%M}", one.outcome, str(one.new), str(one.copies), masked(one.error)) for one in polls
        ]
        click.echo()
        show_table(rows, width=width, numbers=(2, 3))


def _next(source: Source, state: SourceState, now: datetime) -> str:
    if not source.enabled:
        return "never"
    due = state.next_poll_at
    when = "now" if due is None or due <= now else f"in {span(due - now)}"
    return f"{when}, every {span(timedelta(seconds=state.interval_s))}" if state.interval_s else when


def _test(source: Source, running: Config, found: Places) -> None:
    """Ask *source* as the desk would, with its headers, and print what that brings."""
    if source.kind in DOCUMENTS:
        show_documents(source, running, found, TESTED)
        return
    with asking(running.settings) as fetcher:
        answer = ask_source(fetcher, source)
    show(answer, source, running, found, TESTED)
