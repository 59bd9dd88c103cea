"""What a poll came to, told as a table: what came, what failed and what to do. I/O: standard output."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import click

from feeds.cli.tables import NARROW, console, counted, on_terminal, show, show_plainly
from feeds.ingest.endings import Late
from feeds.model import Source
from feeds.store.values import PollResult

FEW = 30
"""Up to so many sources all are listed, past that those with news or trouble."""
UNREACHED_FROM = 3
"""So many sources without any answer at all speak of this machine's network, not of them."""
OUTCOMES = {"not-modified": "nothing new", "same": "nothing new", "new": "looked at"}


def tell(ended: Sequence[PollResult], sources: Mapping[int, Source], late: Sequence[Late] = ()) -> None:
    """Print a line a source; of many only those that say something. *late* are documents that were read afterwards:
    what they brought counts for their source, and each that failed has a line.
    """
    ended = [_with_late(result, [one for one in late if one.source_id == result.source_id]) for result in ended]
    unreached = _unreached(ended, sources)
    without_answer = {id(result) for result in unreached}
    rest = [result for result in ended if id(result) not in without_answer]
    telling = [each for each in rest if each.error or each.new or each.copies or each.updated]
    shown = sorted(telling if len(rest) > FEW else rest, key=lambda each: (bool(each.error), -each.new))
    if shown:
        _table(shown, sources)
    if len(shown) < len(rest):
        click.echo(f"{counted(len(rest) - len(shown), 'other')}: nothing new.")
    for one in late:
        if one.error:
            click.echo(f"{one.name}: {one.document}: {one.error}" + (f"; {one.remedy}" if one.remedy else ""))
    if unreached:
        click.echo(
            f"None of {counted(len(unreached), 'source')} outside could be reached. Is this machine on the network?"
            " `wiredesk doctor` looks."
        )


def _with_late(result: PollResult, late: Sequence[Late]) -> PollResult:
    """*result* with what became of the documents that its poll found."""
    if not late:
        return result
    failed = sum(bool(one.error) for one in late)
    return replace(
        result,
        new=result.new + sum(one.new for one in late),
        copies=result.copies + sum(one.copies for one in late),
        updated=result.updated + sum(one.updated for one in late),
        error=result.error or (f"{failed} of {counted(len(late), 'document')} could not be read" if failed else ""),
    )


def _unreached(ended: Sequence[PollResult], sources: Mapping[int, Source]) -> list[PollResult]:
    """All that were asked over the network, where none of them answered anything; else none."""
    asked = [result for result in ended if sources[result.source_id].kind != "files"]
    silent = [result for result in asked if result.error and result.state.last_status is None]
    return silent if len(silent) == len(asked) >= UNREACHED_FROM else []


def _table(shown: Sequence[PollResult], sources: Mapping[int, Source]) -> None:
    counts = {name: [getattr(result, name) for result in shown] for name in ("new", "copies", "updated")}
    counts = {name: column for name, column in counts.items() if any(column)}  # a column of blanks tells nothing
    if on_terminal():
        _drawn(shown, sources, counts)
        return
    rows = [["source", *counts, "what to know"]]
    for number, result in enumerate(shown):
        came = [str(column[number] or "") for column in counts.values()]
        rows.append([sources[result.source_id].name, *came, _said(result) or ("" if any(came) else _quiet(result))])
    show_plainly(rows, numbers=range(1, 1 + len(counts)))


def _drawn(shown: Sequence[PollResult], sources: Mapping[int, Source], counts: Mapping[str, Sequence[int]]) -> None:
    # Here, for of many polls that bring nothing there is no table, and a pipe needs none of this.
    from rich.table import Table
    from rich.text import Text

    on = console()
    narrow = on.width < NARROW
    table = Table(box=None, pad_edge=False, header_style="bold", show_header=not narrow)
    table.add_column("source", overflow="fold", max_width=max(16, on.width // 3))
    if not narrow:
        for name in counts:
            table.add_column(name, justify="right")
    table.add_column("what to know", overflow="fold")
    for number, result in enumerate(shown):
        came = {name: column[number] for name, column in counts.items() if column[number]}
        if narrow:
            cells = [_said(result) or ", ".join(f"{count} {name}" for name, count in came.items()) or _quiet(result)]
        else:
            cells = [*(str(came.get(name, "")) for name in counts), _said(result) or ("" if came else _quiet(result))]
        row = (sources[result.source_id].name, *cells)
        table.add_row(*(Text(cell) for cell in row), style="red" if result.error else "")
    show(table, on)


def _said(result: PollResult) -> str:
    return f"{result.error}; {result.remedy}" if result.error and result.remedy else result.error or ""


def _quiet(result: PollResult) -> str:
    return OUTCOMES.get(result.outcome, result.outcome)
