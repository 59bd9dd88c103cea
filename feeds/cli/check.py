"""`wiredesk init` and `check`: config files to start from, and what is wrong with those that are there."""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import click

import feeds
from feeds.cli.common import Places, counted, judged_files, need_config, with_places
from feeds.configuration import Section, terms_of
from feeds.errors import ConfigError, DeskError
from feeds.files import read_regular, replace_text
from feeds.filing import FilingRules
from feeds.filing.rules import term_in_words
from feeds.settings import ConfigErrors, ConfigWarning, first_lines, load_config
from feeds.settings.config import FILES, MAX_CONFIG_BYTES
from feeds.settings.judging import write_schemas

PACKAGE = Path(feeds.__file__).parent
SHIPPED = next(
    (folder for folder in (PACKAGE / "starting", PACKAGE.parent / "config") if folder.is_dir()), PACKAGE / "starting"
)
"""Within the package where it is installed from a wheel, beside it in a checkout."""
SCHEMAS = "$schema=../docs/schema/", "$schema=schema/"
"""Where the first line of a shipped file leads editors to, and where its copy does."""


@click.command()
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path, file_okay=False))
def init(folder: Path) -> None:
    """Write config files to start from into DIR/config: a desk, a tree of sections, some public feeds.

    Refuses where DIR/config is there already. DIR is made where it is not there.

    \b
      wiredesk init wire
      cd wire && wiredesk run
    """
    if not SHIPPED.is_dir():
        raise DeskError(f"{SHIPPED} is not there", remedy="install the package anew; docs/config.md shows all files")
    target = folder / "config"
    if target.exists():
        raise DeskError(f"{target} is there already", remedy="name another folder, or move that one away")
    shutil.copytree(SHIPPED, target, ignore=shutil.ignore_patterns(".*", "__pycache__"))
    for file in target.glob("*.yaml"):
        file.write_text(file.read_text(encoding="utf-8").replace(*SCHEMAS), encoding="utf-8")
    write_schemas(target / "schema")
    click.echo(f"Wrote {target}. Go on with: cd {folder} && wiredesk run")


COMMON = 0.5
"""A word that more than this share of all articles holds tells nothing apart."""
COMMON_OF = 50
"""From so many stored articles on it is worth saying what stands in most of them."""
LOOKED_AT = 1000
"""The newest articles are enough for `check` to see what is common."""


@click.command()
@with_places
@click.option("--fix", is_flag=True, help="Mend what has one sure remedy; shows the difference first, and asks.")
@click.option("--yes", is_flag=True, help="With --fix: write without asking.")
def check(found: Places, fix: bool, yes: bool) -> None:
    """Judge the config files: every error at once, with file, line, column and remedy.

    Nothing is changed, no database is needed; where a desk has run, keywords are held against what it stores. Exits
    with 0 when they hold (warnings are told), with 78 when not.

    \b
      wiredesk check
      wiredesk check --config /etc/wiredesk
      wiredesk check --fix                     tabs, curly quotes, misspelt keys
    """
    need_config(found)
    if fix:
        _fix(found, sure=yes)
    try:
        judged = judged_files(found)
    except ConfigErrors as errors:
        for line in first_lines(errors.errors):
            click.echo(line)
        _warn(errors.warnings)
        click.echo(f"{counted(len(errors.errors), 'error')}: a running desk keeps its last good config.", err=True)
        sys.exit(78)
    warnings = [*judged.warnings, *common_warnings(found, judged.sections)]
    _warn(warnings)
    sections, sources = counted(len(judged.sections), "section"), counted(len(judged.sources), "source")
    click.echo(f"{found.config} is valid: {sections}, {sources}, {counted(len(warnings), 'warning')}.")


def _fix(found: Places, *, sure: bool) -> None:
    """Mend the files where that is wanted, once the difference was seen."""
    from feeds.settings.yamltext import difference, mended  # no other check needs it

    texts = _texts(found.config)
    better = mended(texts, lambda now: _errors(found, now))
    changed = {name: text for name, text in better.items() if text != texts[name]}
    for name, text in changed.items():
        for line in difference(name, texts[name], text):
            click.secho(line, fg={"+": "green", "-": "red"}.get(line[:1]))
    if not changed:
        click.echo("Nothing can be mended by itself.")
    elif sure or (sys.stdin.isatty() and click.confirm("Write this?")):
        for name, text in changed.items():
            replace_text(found.config / name, text)
        click.echo(f"Wrote {', '.join(changed)}.")
    else:
        click.echo("Nothing was written: `wiredesk check --fix --yes` does.")


def _texts(folder: Path) -> dict[str, str]:
    """The config files that can be read, by name; what is the matter with others the check itself says."""
    texts = {}
    for name in FILES:
        with suppress(OSError, UnicodeDecodeError):
            texts[name] = read_regular(folder / name, most_bytes=MAX_CONFIG_BYTES).decode()
    return texts


def _errors(found: Places, texts: Mapping[str, str]) -> Sequence[ConfigError]:
    """The errors of the config folder, were *texts* in the place of its files."""
    with tempfile.TemporaryDirectory() as copy:
        for path in found.config.iterdir():
            if path.name not in texts:
                (Path(copy) / path.name).symlink_to(path)
        for name, text in texts.items():
            (Path(copy) / name).write_text(text, encoding="utf-8", newline="")
        try:
            load_config(Path(copy), found.environ())
        except ConfigErrors as errors:
            return errors.errors
    return ()


def _warn(warnings: Sequence[ConfigWarning]) -> None:
    """Warnings apart: they keep nothing back."""
    if warnings:
        click.secho("Warnings (the config is valid; look whether this is what you want):", bold=True)
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
    if found.missing or not any(section.match for section in sections):
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
    lines = _lines_of(sections)
    warnings = []
    for term, words in common_terms(filing_rules.terms, counts, len(articles)):
        path, line = lines[term]
        cause = f"in the rule of {path!r} {term} {words}"
        warnings.append(ConfigWarning(file="sections.yaml", line=line, column=1, cause=cause, remedy="take it out"))
    return warnings


def _lines_of(sections: Sequence[Section]) -> dict[str, tuple[str, int]]:
    """Each value of a term in words → the section and the line where it stands; the last of several."""
    return {
        term_in_words(term.field, value): (section.path, term.line)
        for section in sections
        if section.match is not None
        for term in reversed([*terms_of(section.match)])
        for value in term.values
    }
