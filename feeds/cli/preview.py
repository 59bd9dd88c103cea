"""`wiredesk preview`: what a source would bring, piece by piece. Stores nothing. I/O: asks the site.

A source of sources.yaml is shown as it stands there; with `--watch` again at each save, which is how selectors are
written. Any other address is looked at as a feed, a page of posts, or an article.
"""

from __future__ import annotations

import glob
import os
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from itertools import chain, islice
from pathlib import Path
from typing import Any

import click
import yaml
from msgspec import Struct, field
from msgspec.structs import replace
from watchfiles import watch as watch_files

from feeds import files
from feeds.cli.common import Places, counted, judged_files, show_table, table_width, with_places
from feeds.cli.discover import KINDS, as_config, asking, by_convention, lasting, offers_of, read_feed, visit
from feeds.cli.stored import has_run, usable_model
from feeds.configuration import DOCUMENTS, UNFILED, Settings, Source, SourceKind
from feeds.dates import rfc3339
from feeds.engine.startup import now_utc
from feeds.errors import DeskError, ParseError
from feeds.fetch.mailbox import fetch_letters, look_into_maildir
from feeds.filing import FilingRules
from feeds.ingest.reading import Job, Reader, Reading, read
from feeds.model import DROPPED, Entry, Placement
from feeds.parse import Picked, parse_listing, pick, picked_without, propose, propose_json
from feeds.parsed import Answer, Request, posting
from feeds.settings import Config, ConfigErrors, resolve_secrets
from feeds.settings.config import FILES
from feeds.settings.reports import first_lines
from feeds.store import Store
from feeds.urls import host_of, masked

MOST_WARNINGS = 12
EXAMPLES = 5
"""Links and feeds of a page that are named."""
PIECE_CHARS = 160
"""Characters of a piece that are shown."""
MOST_FILE_BYTES = 10_485_760


@click.command()
@with_places
@click.argument("what", metavar="URL|SOURCE|FILE")
@click.option("--section", metavar="PATH", help="File everything there, as `section:` in sources.yaml would.")
@click.option("--limit", type=click.IntRange(1, 200), default=12, show_default=True, help="Most articles to show.")
@click.option("--pieces", type=click.IntRange(0, 50), default=2, show_default=True, help="Articles to take to pieces.")
@click.option("--watch", is_flag=True, help="Show it again at each save of a config file; the page is asked for once.")
def preview(found: Places, what: str, section: str | None, limit: int, pieces: int, watch: bool) -> None:
    """Show what a source would bring: titles, dates, the sections they would be filed in and why, and what is odd.

    URL is a feed, a page or an article, SOURCE the name of one in sources.yaml, with its selectors, FILE a document.
    Each piece of the first articles is shown as it stands in the source, as it would be taken, and where it stands.
    """
    shown = _Shown(found, what, section, limit, pieces)
    if not watch:
        shown.show()
        return
    shown.show_or_say()
    click.echo("\nSave sources.yaml to see it again; Ctrl-C ends.")
    folder = shown.found.config
    for _ in watch_files(folder, watch_filter=lambda _, path: Path(path).name in FILES, debounce=200, step=50):
        click.clear()
        shown.show_or_say()


class _Shown(Struct):
    """One thing that is shown again and again; *answers* are kept, so that a site is asked once."""

    found: Places
    what: str
    section: str | None
    limit: int
    pieces: int
    answers: dict[Request, Answer] = field(default_factory=dict)

    def show_or_say(self) -> None:
        """Show it, or say in a line why that can't be."""
        try:
            self.show()
        except DeskError as error:
            click.secho(str(error), fg="red")

    def show(self) -> None:
        """Show it by the config as it stands now. Raises DeskError."""
        desk = self._desk()
        if self.section is not None and self.section not in {one.path for one in desk.sections}:
            raise DeskError(f"no section {self.section!r}", remedy="`wiredesk sections` lists them")
        source = self._source(desk)
        if source is not None and source.kind in DOCUMENTS:
            show_documents(source, desk, self.found, self.limit)
            return
        answer, source = self._asked(source, desk)
        source = replace(source, section=self.section or source.section)
        links = show(answer, source, desk, self.found, self.limit, self.pieces)
        if links and source.key != "preview":
            self._show_first(links[0], source, desk)

    def _source(self, desk: Config) -> Source | None:
        """The source of config that is meant, or the file; None for an address."""
        named = (one for one in desk.sources if self.what in (one.key, one.name, one.target))
        alike = (one for one in desk.sources if one.name.casefold() == self.what.casefold())
        if source := next(chain(named, alike), None):
            return source
        if Path(self.what).is_file():
            return Source(key="preview", name=self.what, kind="files", target=str(Path(self.what).absolute()))
        if self.what.startswith(("/", "~", "./", "../")):
            remedy = "name a file, a source of sources.yaml, or an address"
            raise DeskError(f"no plain file at {self.what}", remedy=remedy)
        if not set(self.what) & set(".:/"):
            remedy = "`wiredesk sources` lists them; if it is an address, type it as for a browser"
            raise DeskError(f"no source {self.what!r}, and no file of that name", remedy=remedy)
        return None

    def _asked(self, source: Source | None, desk: Config) -> tuple[Answer, Source]:
        """What *source* answers, or what is at the address, and what source that would be."""
        with asking(desk.settings) as fetcher:
            if source is not None:
                request = request_of(source)
                answer = self.answers.get(request) or fetcher.fetch(request)
            else:
                request = Request(source_id=0, url=self.what)
                url, known = by_convention(fetcher, self.what)
                answer = self.answers.get(request) or visit(fetcher, url)
                select = known.select if known else None
                kind: SourceKind = "page" if select else "feed"
                source = Source(key="preview", name="", kind=kind, target=answer.final_url, select=select)
        self.answers[request] = answer
        return answer, source

    def _show_first(self, link: str, source: Source, desk: Config) -> None:
        """Print what the first of the pages that *source* leads to would bring."""
        click.echo("\nThe first of them:")
        request = Request(source_id=0, url=link, accept="page")
        with asking(desk.settings) as fetcher:
            page = self.answers.get(request) or fetcher.fetch(request)
        self.answers[request] = page
        reading = _read(page.body, page.final_url, source, desk.settings, "page", page.content_type)
        if reading.error is not None:
            raise reading.error
        if reading.kind == "sitemap" and reading.links:  # of an index
            _show_links("that leads by", reading.links)
            self._show_first(reading.links[0], source, desk)
            return
        _show_pieces(reading.entries, None)
        _show_articles(reading.entries, source, _filing_rules(desk, self.found), 1)

    def _desk(self) -> Config:
        """The config as it stands; an empty one, with a note, where it has errors and is not needed."""
        if not self.found.config.is_dir():
            return Config()
        try:
            return judged_files(self.found)
        except ConfigErrors as errors:
            if not self.what.startswith(("http://", "https://")):
                raise DeskError("\n".join(first_lines(errors.errors))) from errors
            folder = self.found.config
            click.echo(f"note: {folder} has errors (`wiredesk check` tells them), so no sections are shown", err=True)
            return Config()


def request_of(source: Source) -> Request:
    """What is asked for *source*, its secrets put in: for asking alone. Raises ConfigError where one is missing."""
    secret = resolve_secrets(source, os.environ)
    request = Request(source_id=0, url=secret.target, headers=secret.headers, accept="any")
    return posting(request, secret.post) if secret.post else request


# --------------------------------------------------------------------------- what an answer brings


def show(answer: Answer, source: Source, desk: Config, found: Places, limit: int, pieces: int = 0) -> tuple[str, ...]:
    """Print what *answer* brings as one of *source*, with the sections of *desk*; gives the links that are followed.

    Raises ParseError.
    """
    reader = _reader_of(answer, source)
    reading = _read(answer.body, answer.final_url, source, desk.settings, reader, answer.content_type)
    picked = _picked(answer, source) if reader in ("selected", "listing") and not reading.links else None
    source = replace(source, name=source.name or reading.title or host_of(answer.final_url))
    if reading.error is None:
        _show_reading(reading, source, answer, is_page=reader == "page")
    if picked is not None:
        _show_selectors(picked)
    if reading.error is None:
        _show_pieces(reading.entries[:pieces], picked)
        _show_articles(reading.entries, source, _filing_rules(desk, found), limit)
        _show_warnings(reading)
    _show_other_ways(answer, source, reader, reading)
    if reading.error is not None:
        raise reading.error
    return reading.links


def _show_other_ways(answer: Answer, source: Source, reader: Reader, reading: Reading) -> None:
    """Print what else could be taken from what is there, and what is followed."""
    selected = reader == "selected"
    if reader in ("page", "listing") or (selected and source.kind == "page"):
        _show_page(answer, selected=selected)
    if reading.error is not None and selected:
        _show_proposal(answer, is_json=source.kind == "json")
    if reading.error is None and reader == "sitemap":
        _show_links("`sitemap:` follows", reading.links, "sitemap" if reading.kind == "sitemapindex" else "article")


def _show_proposal(answer: Answer, *, is_json: bool) -> None:
    """Print the selectors that `discover` would propose for what is there now."""
    if is_json:
        select = propose_json(answer.body)
    else:
        select = propose(answer.body, content_type=answer.content_type, now=now_utc())
    if select is not None:
        click.echo("  what repeats there now would be taken by:")
        text = yaml.safe_dump({"select": as_config(select, is_json=is_json)}, sort_keys=False, allow_unicode=True)
        click.echo(textwrap.indent(text.rstrip(), "    "))


def show_documents(source: Source, desk: Config, found: Places, limit: int) -> None:
    """Print what the documents of *source*, or its letters, bring. Raises DeskError where there is none."""
    reader: Reader = "document" if source.kind == "files" else "letter"
    entries: list[Entry] = []
    for name, body in islice(_documents(source, desk, found), limit):
        reading = _read(body, name, source, desk.settings, reader, None, name.removeprefix("file:"))
        outcome = str(reading.error) if reading.error else f"{reading.kind}, {counted(len(reading.entries), 'article')}"
        click.echo(f"{name}: {outcome}")
        _show_pieces(reading.entries[:1], None)
        entries += reading.entries
    if not entries:
        raise DeskError(f"{source.name} brings nothing", remedy=f"paths are relative to {found.config}")
    _show_articles(entries, source, _filing_rules(desk, found), limit)


def _documents(source: Source, desk: Config, found: Places) -> Iterator[tuple[str, bytes]]:
    """The files of *source*, or the letters of its mailbox, which stay unread there."""
    if source.kind == "files":
        for name in sorted(glob.glob(source.target, root_dir=found.config, recursive=True)):
            yield f"file:{name}", files.read_regular(found.config / name, most_bytes=MOST_FILE_BYTES)
    elif source.is_imap:
        url = resolve_secrets(source, os.environ).target
        for uid, body in fetch_letters(url, "", source.senders, settings=desk.settings.fetch).found:
            yield f"mail:{uid}", body
    else:
        later = now_utc() + timedelta(hours=1)  # what was put there a moment ago is shown too
        look = look_into_maildir(found.config, source.target, (), source.senders, mark_read=False, now=later)
        yield from ((f"file:{file.name}", file.body) for file in look.found)


def _reader_of(answer: Answer, source: Source) -> Reader:
    """How the answer is read: as config says; of an address alone, as what it is."""
    if source.select is not None:
        return "selected"
    if source.kind == "sitemap":
        return "sitemap"
    if source.kind == "page":
        return "listing"
    if read_feed(answer) is not None or source.key != "preview":
        return "feed"
    return "listing" if _picked(answer, source) is not None else "page"


def _picked(answer: Answer, source: Source) -> Picked | None:
    """The pieces that selectors of *source* find, or ours for what the page says itself; None where there are none."""
    kind = answer.content_type
    try:
        if source.select is None:
            listed = source.kind == "page"
            return picked_without(answer.body, url=answer.final_url, content_type=kind, listed=listed)
        is_json = source.kind == "json"
        return pick(answer.body, select=source.select, is_json=is_json, url=answer.final_url, content_type=kind)
    except ParseError:
        return None


def _read(
    body: bytes, url: str, source: Source, settings: Settings, reader: Reader, content_type: str | None, name: str = ""
) -> Reading:
    return read(
        Job(
            reader=reader,
            body=body,
            url=url,
            source=source,
            received_at=now_utc(),
            desk_language=settings.language,
            desk_timezone=settings.timezone,
            content_type=content_type,
            name=name,
        )
    )


def _filing_rules(desk: Config, found: Places) -> FilingRules:
    filing_rules = FilingRules(desk.sections, drops=desk.drops)
    if filing_rules.learning and has_run(found):
        with Store(found.database) as store:
            filing_rules = filing_rules.with_model(usable_model(store))
    return filing_rules


# --------------------------------------------------------------------------- pieces


def _show_selectors(picked: Picked) -> None:
    """Print what each selector finds: in how many articles, the first of it, and where that stands."""
    articles = picked.articles
    rows = [("part", "selector", "found in", "the first", "where")]
    rows.append(("item", picked.select.item, counted(picked.count, "article") if picked.count else "nothing", "", ""))
    for part in picked.parts:
        found = [article[part][0] for article in articles if article[part]]
        shown = (
            (f"{len(found)} of {len(articles)}", _cut(found[0].value), found[0].where) if found else ("nothing", "", "")
        )
        rows.append((part, getattr(picked.select, part), *shown))
    if picked.select.next:
        rows.append(("next", picked.select.next, "" if picked.next else "nothing", masked(picked.next or ""), ""))
    click.echo()
    show_table(rows, width=table_width())


def _show_pieces(entries: Sequence[Entry], picked: Picked | None) -> None:
    """Take *entries* to pieces: each as it stands in the document, as it is taken, and where it stands."""
    for entry in entries:
        click.echo()
        click.secho(entry.title, bold=True)
        rows: list[tuple[str, ...]] = [(part, _cut(taken)) for part, taken in _taken(entry).items() if taken]
        head: tuple[str, ...] = ("part", "as it is taken")
        if picked is not None:
            head, rows = (*head, "as it stands there", "where"), list(_beside(entry, picked.articles[entry.position]))
        show_table([head, *rows], width=table_width())
    if entries:
        click.echo()


def _taken(entry: Entry) -> dict[str, str]:
    """The parts of *entry* as they would be stored."""
    return {
        "id": entry.entry_id or "",
        "title": entry.title,
        "link": masked(entry.link or ""),
        "date": rfc3339(entry.published) if entry.published else "",
        "text": entry.text,
        "picture": masked(entry.image.url) if entry.image else "",
        "author": ", ".join(person.name for person in entry.authors),
        "category": ", ".join(category.term for category in entry.categories),
    }


def _cut(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= PIECE_CHARS else text[:PIECE_CHARS] + "…"


# --------------------------------------------------------------------------- articles


def _show_reading(reading: Reading, source: Source, answer: Answer, *, is_page: bool) -> None:
    click.secho(source.name, bold=True)
    kind = KINDS.get(reading.kind, reading.kind)
    click.echo(f"{masked(lasting(answer))}: {kind}, {counted(len(reading.entries), 'article')}")
    for note in _notes(answer, is_page):
        click.echo(f"  note: {note}")


def _beside(entry: Entry, article: Mapping[str, Sequence[Any]]) -> Iterator[tuple[str, ...]]:
    """The parts of *entry* as they are taken, beside the pieces of its *article* and their places."""
    for part, taken in _taken(entry).items():
        found = article.get(part, ())
        if taken or found:
            yield part, _cut(taken), _cut(" | ".join(piece.value for piece in found)), found[0].where if found else ""


def _show_articles(entries: Sequence[Entry], source: Source, filing_rules: FilingRules, limit: int) -> None:
    """Print a table of the first *limit* articles with their sections, and how many have none."""
    # Where it is filed by itself: not the whole desk, nor what shows the sections below it.
    placed = [
        [one for one in filing_rules.place(entry, source) if one.section and one.by != "child"] for entry in entries
    ]
    rows = [("Published", "Title", "Filed in, and why")]
    for entry, several in zip(entries[:limit], placed, strict=False):
        when = f"{entry.published:%d %b %H:%M}" if entry.published else "no date"
        rows.append((when, entry.title or "(no title)", _reasons(several)))
    if entries:
        show_table(rows, width=table_width())
    if len(entries) > limit:
        click.echo(f"and {len(entries) - limit} more (--limit shows them)")
    _show_unfiled(placed)


def _show_unfiled(placed: Sequence[Sequence[Placement]]) -> None:
    dropped = sum(map(_is_dropped, placed))
    unfiled = sum(any(one.section == UNFILED for one in several) for several in placed if not _is_dropped(several))
    if unfiled:
        click.echo(
            f"{counted(unfiled, 'article')} would be unfiled; `section:` in sources.yaml files them all somewhere."
        )
    if dropped:
        click.echo(f"{counted(dropped, 'article')} would never be published: `drop:` in sections.yaml.")


def _is_dropped(several: Sequence[Placement]) -> bool:
    return any(one.by == DROPPED for one in several)


def _reasons(several: Sequence[Placement]) -> str:
    """Where an article would be filed, and why; of one that is dropped the reason alone."""
    dropped = _is_dropped(several)
    return "\n".join(one.reason if dropped else f"{one.section}: {one.reason}" for one in several)


def _show_warnings(reading: Reading) -> None:
    warnings = dict.fromkeys(warning for entry in reading.entries for warning in entry.warnings)
    for warning in [*reading.notes, *warnings][:MOST_WARNINGS]:
        click.echo(f"  warning: {warning}")


def _show_page(answer: Answer, *, selected: bool) -> None:
    """Say what else a page is: `page:` without selectors follows its article links, and its head may name feeds."""
    try:
        links = parse_listing(answer.body, url=answer.final_url, content_type=answer.content_type).links
    except ParseError:
        links = ()
    _show_links("without `select:`, `page:` would follow" if selected else "as a source, `page:` would follow", links)
    for offer in [offer for offer in offers_of(answer) if offer.named and not offer.comments][:EXAMPLES]:
        click.echo(f"  its page names a feed: {masked(offer.url)} {offer.title}".rstrip())


def _show_links(how: str, links: Sequence[str], what: str = "article") -> None:
    if links:
        click.echo(f"  {how} its links to {counted(len(links), what)}:")
    for link in links[:EXAMPLES]:
        click.echo(f"    {masked(link)}")


def _notes(answer: Answer, page: bool) -> Iterator[str]:
    if lasting(answer) != answer.request.url:
        yield f"it has moved for good; write {masked(lasting(answer))}"
    if lasting(answer) != answer.final_url:
        yield f"it leads to {masked(answer.final_url)} for now; that is followed at each poll"
    if not page and not answer.validators:
        yield "its server gives no ETag and no Last-Modified, so every poll brings the whole feed"
    if page:
        yield "this is a page and no feed; `wiredesk discover` looks for its feeds"
    if answer.final_url.startswith("http://"):
        yield "it is not encrypted (http)"
