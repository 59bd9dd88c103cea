"""`wiredesk check`: judge the config files, and look for words of rules that stand nearly everywhere."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

import click

from feeds.cli.common import counted
from feeds.cli.places import Places, need_config, places, with_places
from feeds.errors import DeskError
from feeds.filing import FilingRules
from feeds.model import Match, Section, Term
from feeds.settings import ConfigErrors, ConfigWarning, first_lines, load_config

COMMON = 0.5
"""A word that more than this share of all articles holds tells nothing apart."""
COMMON_OF = 50
"""From so many stored articles on it is worth saying what stands in most of them."""
LOOKED_AT = 1000
"""The newest articles are enough for `check` to see what is common."""


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
    found = places(config, data)
    need_config(found)
    try:
        judged = load_config(found.config, found.environ())
    except ConfigErrors as errors:
        for line in first_lines(errors.errors):
            click.echo(line)
        _warn(errors.warnings)
        click.echo(f"{counted(len(errors.errors), 'error')}: a running desk keeps its last good config.", err=True)
        sys.exit(78)
    warnings = [*judged.warnings, *common_warnings(found, judged.sections)]
    _warn(warnings)
    sections, sources = counted(len(judged.sections), "section"), counted(len(judged.sources), "source")
    click.echo(f"{found.config} holds: {sections}, {sources}, {counted(len(warnings), 'warning')}.")


def _warn(warnings: Sequence[ConfigWarning]) -> None:
    """Warnings apart: they keep nothing back."""
    if warnings:
        click.secho("Allowed, but hardly meant:", bold=True)
        for line in first_lines(warnings):
            click.echo(f"  {line}")


def common_terms(terms: Sequence[str], counts: Mapping[int, int], articles: int) -> Iterator[tuple[str, str]]:
    """Keywords and regular expressions that hold of more than half of *articles*, and that said in words.

    *terms* and the numbers in *counts* are those of a `FilingRules`.
    """
    if articles < COMMON_OF:
        return
    for number, count in sorted(counts.items(), key=lambda pair: -pair[1]):
        if count > COMMON * articles and terms[number].startswith(("keyword", "regex")):
            yield terms[number], f"holds of {count / articles:.0%} of all that is stored: it tells nothing apart"


def common_warnings(found: Places, sections: Sequence[Section]) -> list[ConfigWarning]:
    """A warning for each of *sections*' terms that most of the newest stored articles hold; none where no desk ran."""
    rules = [(section.path, section.match) for section in sections if section.match is not None]
    if not rules or (found.file is not None and not found.file.exists()):
        return []
    from feeds.store import open_store  # half of the start, and a check of files alone needs no database

    filing_rules = FilingRules(sections)
    counts: Counter[int] = Counter()
    try:
        with open_store(found.database, create=False) as store, store.read() as tx:
            articles = tx.articles.filed(None, LOOKED_AT)
    except DeskError:
        return []  # of another release, or broken: `doctor` says so
    for article in articles:
        counts.update(filing_rules.place_again(article.entries, article.placed)[1])
    stands_at = {term: place for path, match in rules for term, place in _terms(path, match)}
    warnings = []
    for term, words in common_terms(filing_rules.terms, counts, len(articles)):
        path, line = stands_at[term]
        cause = f"in the rule of {path!r} {term} {words}"
        warnings.append(ConfigWarning(file="sections.yaml", line=line, column=1, cause=cause, remedy="take it out"))
    return warnings


def _terms(path: str, match: Match) -> Iterator[tuple[str, tuple[str, int]]]:
    """Each keyword and regular expression as FilingRules tells it, with the section and the line where it stands."""
    for part in (*match.any, *match.all, *match.none):
        if not isinstance(part, Term):
            yield from _terms(path, part)
        elif part.field in ("keywords", "regex"):
            name = part.field.removesuffix("s") if part.field == "keywords" else part.field
            for value in part.values:
                yield f"{name} {value!r}", (path, part.line)
