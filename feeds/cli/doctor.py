"""`wiredesk doctor`: what is wrong around the desk, and what to do about it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

import click
from rich.table import Table
from rich.text import Text

from feeds.cli import checkup
from feeds.cli.checkup import Finding
from feeds.cli.places import Places, places, with_places
from feeds.cli.tables import console, show
from feeds.errors import DeskError

Mark = Literal["ok", "look", "bad"]
STYLES = {"ok": "green", "look": "yellow", "bad": "bold red"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One thing that is looked at: *name* for people, *look* gives what was found."""

    name: str
    look: Callable[[Places], Iterator[Finding]]


CHECKS = (
    Check(name="program", look=checkup.program),
    Check(name="folders", look=checkup.folders),
    Check(name="disk", look=checkup.disk),
    Check(name="clock", look=checkup.clock),
    Check(name="config", look=checkup.config),
    Check(name="database", look=checkup.database),
    Check(name="sources", look=checkup.sources),
    Check(name="classifier", look=checkup.classifier),
)
ASKING = (Check(name="network", look=checkup.network), Check(name="base_url", look=checkup.base_url))


@click.command()
@with_places
@click.option("--offline", is_flag=True, help="Ask nothing of the network.")
def doctor(config: str | None, data: str | None, offline: bool) -> None:
    """Look at everything around the desk: what is wrong, and what to do.

    Program, folders, disk, clock, config, database, sources, classifier, network, base_url. Works beside a running
    desk and changes nothing. Exits with 1 when something is bad; "look" alone is worth a look and no fault.
    """
    found = places(config, data)
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 1))
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    bad = looks = 0
    for check in CHECKS if offline else CHECKS + ASKING:
        try:
            findings = list(check.look(found))
        except DeskError as error:
            findings = [Finding("bad", error.cause, error.remedy)]
        for number, finding in enumerate(findings):
            bad += finding.mark == "bad"
            looks += finding.mark == "look"
            said = Text(finding.text)
            if finding.remedy and finding.mark != "ok":
                said.append(f"\n→ {finding.remedy}")
            table.add_row(Text(finding.mark, style=STYLES[finding.mark]), "" if number else check.name, said)
    show(table, console())
    if bad:
        click.echo(f"\n{bad} bad, {looks} worth a look.")
        sys.exit(1)
    click.echo("\nAll is well." if not looks else f"\nNothing is bad, {looks} worth a look.")
