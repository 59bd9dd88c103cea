"""`wiredesk check`: judge the config files, and look for words of rules that stand nearly everywhere."""

from __future__ import annotations

import os
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

import click

from feeds.cli.common import counted, need_config, places, with_places
from feeds.errors import DeskError

if TYPE_CHECKING:
    from feeds.cli.common import Places
    from feeds.model import Match, Section
    from feeds.settings import ConfigWarning


@click.command()
@with_places
def check(config: str | None, data: str | None) -> None:
    """Judge the config files: every error at once, with file, line, column and remedy.

    Nothing is changed, no database is needed; where a desk has run, keywords are held against what it stores. Exits
    with 0 when they hold (warnings are told), with 78 when not.

    \b
      wiredesk check
      wiredesk check --config /etc/wiredesk
    """
    from feeds.settings import ConfigErrors, first_lines, load_config

    found = places(config, data)
    need_config(found)
    try:
        judged = load_config(found.config, os.environ)
    except ConfigErrors as errors:
        for line in first_lines(errors.errors):
            click.echo(line)
        _warn(errors.warnings)
        click.echo(f"{counted(len(errors.errors), 'error')}: a running desk keeps its last good config.", err=True)
        sys.exit(78)
    warnings = [*judged.warnings, *common_warnings(found, judged.sections)]
    _warn(warnings)
    told = (
        counted(len(judged.sections), "section"),
        counted(len(judged.sources), "source"),
        counted(len(warnings), "warning"),
    )
    click.echo(f"{found.config} holds: {', '.join(told)}.")


def _warn(warnings: Sequence[ConfigWarning]) -> None:
    """Warnings apart: they keep nothing back."""
    if warnings:
        click.secho("Allowed, but hardly meant:", bold=True)
        from feeds.settings import first_lines

        for line in first_lines(warnings):
            click.echo(f"  {line}")


COMMON = 0.5
COMMON_OF = 50
"""From so many stored articles on it is worth saying what stands in most of them."""
LOOKED_AT = 1000
"""The newest articles are enough for `check` to see what is common."""


def common_terms(terms: Sequence[str], counts: Mapping[int, int], articles: int) -> Iterator[tuple[str, str]]:
    """Keywords and regular expressions that hold of more than half of *articles*, and that said in words.

    *terms* and the numbers in *counts* are those of a `FilingRules`.
    """
    if articles < COMMON_OF:
        return
    for number, count in sorted(counts.items(), key=lambda told: -told[1]):
        if count > COMMON * articles and terms[number].startswith(("keyword", "regex")):
            yield terms[number], f"holds of {count / articles:.0%} of all that is stored: it tells nothing apart"


def common_warnings(found: Places, sections: Sequence[Section]) -> list[ConfigWarning]:
    """A warning for each of *sections*' terms that most of the newest stored articles hold; none where no desk ran."""
    from feeds.filing import FilingRules
    from feeds.settings import ConfigWarning
    from feeds.store import open_store

    if (found.file is not None and not found.file.exists()) or not any(section.match for section in sections):
        return []
    filing_rules = FilingRules(sections)
    counts: Counter[int] = Counter()
    try:
        with open_store(found.database, create=False) as store, store.read() as tx:
            articles = tx.articles.filed(None, LOOKED_AT)
    except DeskError:
        return []  # of another release, or broken: `doctor` says so
    for article in articles:
        counts.update(filing_rules.place_again(article.entries, article.placed)[1])
    places = {
        told: place for section in sections if section.match for told, place in _places(section.path, section.match)
    }
    warnings = []
    for told, words in common_terms(filing_rules.terms, counts, len(articles)):
        path, line = places[told]
        cause = f"in the rule of {path!r} {told} {words}"
        warnings.append(ConfigWarning(file="sections.yaml", line=line, column=1, cause=cause, remedy="take it out"))
    return warnings


def _places(path: str, match: Match) -> Iterator[tuple[str, tuple[str, int]]]:
    """Each keyword and regular expression as a FilingRules tells it, with the section and the line where it stands."""
    from feeds.model import Term

    for part in (*match.any, *match.all, *match.none):
        if not isinstance(part, Term):
            yield from _places(path, part)
        elif part.field in ("keywords", "regex"):
            name = part.field.removesuffix("s") if part.field == "keywords" else part.field
            for value in part.values:
                yield f"{name} {value!r}", (path, part.line)
