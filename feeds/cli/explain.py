"""`wiredesk explain`: why an article is where it is, in words a newsroom understands.

With two addresses: why two entries are or are not one article, and one story.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import click

from feeds.cli.common import Places, counted, find_article, opened, usable_model, with_places
from feeds.comparable import comparable_url
from feeds.configuration import DOCUMENTS
from feeds.dedupe import Stories, Window, compare, nearest, remember
from feeds.dedupe.window import DAYS
from feeds.errors import UrlError
from feeds.filing import FilingRules
from feeds.filing.learned.text_model import Model
from feeds.frames import archive_page, archive_path
from feeds.model import Article, Evidence, Filing, Related
from feeds.settings import Config, config_from_json
from feeds.store import ReadTx, Store
from feeds.store.values import ArticleState, Poll, StoredEntry

ALL = 1000
"""More polls of a source than are kept."""
MOST_BESIDE = 20
"""So many of a story's newest articles are looked at."""
EVIDENCE = {
    "entry-id": "the same entry id",
    "url": "the same address",
    "text": "the same text, word for word",
    "near": "nearly the same text",
    "title": "the same headline",
    "lineage": "signs of who had it first",
    "story": "the event",
    "path": "the same title and path",
    "flood": "an archive that was issued again",
    "full-text": "the text of its page",
    "edit": "what changed",
}


MOST_REMEMBERED = 20_000
"""So many of the newest entries tell what is common on this desk: enough to weigh words, and read in two seconds."""

COMPARED = {
    "entry-id": "entry id",
    "url": "address",
    "text": "text, word for word",
    "near": "text, by its telling word triples",
    "contains": "which contains which",
    "title": "headline, by its letters",
    "story": "story, by its telling words",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """All that is stored of an article; *polls* are those that brought its *entries*, filings have their document.

    *beside* are the newest other articles of its story.
    """

    uid: str
    state: ArticleState
    entries: list[StoredEntry]
    polls: list[Poll | None]
    filings: list[tuple[Filing, str]]
    article: Article | None
    beside: list[Article]
    aside: str
    dropped: str
    config: Config | None


@click.command()
@with_places
@click.argument("article", metavar="URL")
@click.argument("other", metavar="[URL]", required=False)
def explain(found: Places, article: str, other: str | None) -> None:
    """Say why an article is where it is: which copies brought it, which rule filed it.

    URL is the article's address at any of its sources, its address on this desk, or its id. Of two, say why they are
    or are not one article and one story.
    """
    with opened(found, create=True) as store:
        if other is not None:
            tell_apart(store, article, other)
            return
        tell(store, article)


def tell(store: Store, article: str) -> None:
    """Print why the *article*, an address or an id, is where it is. Raises DeskError where none is stored."""
    with store.read() as tx:
        known = _look_up(tx, article)
    _tell_article(known)
    if known.config is not None:
        _tell_weighed(known, known.config, usable_model(store))


def _look_up(tx: ReadTx, url: str) -> Known:
    uid = find_article(tx, url)
    entries = tx.articles.entries_of(uid)
    stored = tx.configs.current()
    article = tx.articles.get(uid)
    story = (
        tx.stories.articles(article.story_uid, MOST_BESIDE, None) if article is not None and article.story_uid else ()
    )
    state = tx.articles.state(uid)
    assert state is not None
    return Known(
        uid=uid,
        state=state,
        entries=entries,
        polls=[_poll_of(tx.sources.polls(each.source.id, ALL), each.first_seen) for each in entries],
        filings=[(filing, _document(tx, filing)) for filing in tx.articles.filings_of(uid)],
        article=article,
        beside=[one for one in story if one.uid != uid],
        aside=tx.documents.why_aside(uid),
        dropped=tx.articles.why_dropped(uid),
        config=config_from_json(stored.text) if stored else None,
    )


def _poll_of(polls: Sequence[Poll], seen: datetime) -> Poll | None:
    """The poll that brought what was first *seen* then: the last before it; None where that is no longer kept."""
    return next((poll for poll in polls if poll.at <= seen and poll.new + poll.copies + poll.updated), None)


def _document(tx: ReadTx, filing: Filing) -> str:
    """Where subscribers of the section find the article."""
    address = document_address(filing.section)
    listing = tx.documents.listing(filing.section)
    if listing is None:
        return "no document of the section has been published yet"
    if filing.article_uid in listing.uids:
        place = listing.uids.index(filing.article_uid) + 1
        return f"in {address}.rss, .atom and .json, number {place} of {len(listing.uids)}"
    page = archive_page(filing.number)
    section = tx.sections.get(filing.section)
    if section is not None and page <= section.rendered_filed:
        return f"no longer among the newest in {address}.rss; on {archive_path(filing.section, page, 'atom')} for good"
    return f"not in {address}.rss, which holds the newest; on an archive page of the section"


def document_address(path: str) -> str:
    """The address of a section's documents without the ending.

    >>> document_address("news/world"), document_address("")
    ('/news/world', '/index')
    """
    return f"/{path}" if path else "/index"


def _tell_article(known: Known) -> None:
    _tell_state(known)
    click.echo("\nBrought by")
    for stored, poll in zip(known.entries, known.polls, strict=True):
        _tell_entry(stored, poll, alone=len(known.entries) == 1)
    if known.article is not None:
        _tell_around("Contains", "its text stands in this one", known.article.contains)
        _tell_around("Contained in", "this text stands in it", known.article.contained_in)
        if known.beside:
            _tell_story(known.article, known.beside)
    _tell_filings(known)


def _tell_state(known: Known) -> None:
    shown = next((stored for stored in known.entries if stored.shown), known.entries[0] if known.entries else None)
    click.secho(shown.entry.title if shown else known.uid, bold=True)
    click.echo(f"  id {known.uid}")
    if known.state.kind == "retracted":
        click.secho(f"  RETRACTED {_when(known.state.at)}: {known.state.reason or 'no reason given'}", fg="red")
    if known.aside:
        click.secho(f"  SET ASIDE, published nowhere until it changes: {known.aside}", fg="red")
    if shown is None:
        return
    published = f"published {_when(shown.entry.published)}" if shown.entry.published else "no date of its own"
    click.echo(f"  {published}, first seen {_when(min(stored.first_seen for stored in known.entries))}")
    if shown.entry.origin:
        click.echo(f"  credits {shown.entry.origin.name} as its origin")


def _tell_filings(known: Known) -> None:
    click.echo("\nFiled in")
    if not known.filings and known.state.kind == "retracted":
        click.echo("  no section: it is retracted; `wiredesk unretract` puts it back where it was")
    elif known.dropped:
        click.echo(f"  no section, and published nowhere: {known.dropped}")
    elif not known.filings:
        click.echo("  no section: it came with a first import and was older than what that may bring")
    for filing, document in known.filings:
        click.secho(f"  {filing.section or 'the whole desk'}", bold=True)
        if filing.section:
            click.echo(f"    because: {filing.reason}")
        place = f"its place in the order is {_when(filing.rank_at)}"
        click.echo(f"    filed {_when(filing.filed_at)}; {place}; change {filing.sequence} of the section")
        click.echo(f"    {document}")


def _tell_around(heading: str, why: str, several: Sequence[Related]) -> None:
    """Print the articles that contain this one, or that it contains: they are no copies of it."""
    if several:
        click.echo(f"\n{heading}")
    for other in several:
        click.echo(f"  {other.title or 'Untitled'}: {why}, and both are articles of their own")
        click.echo(f"    {other.link or other.uid}")


def _tell_story(article: Article, beside: Sequence[Article]) -> None:
    """Print in one sentence why the article is in its story: which of it is nearest, and by what words."""
    near, words = nearest(article, beside)
    others = counted(len(beside), "other article", "other articles")
    click.echo(f"\nIn one story with {others}{' or more' if len(beside) == MOST_BESIDE - 1 else ''}")
    why = f"both speak of {', '.join(words)}" if words else "by what they have in common with the others"
    click.echo(f"  nearest to “{near.title or 'Untitled'}” of {near.source_name or 'nobody named'}: {why}")


def _tell_weighed(known: Known, config: Config, model: Model | None) -> None:
    """Print what filing weighs of every entry today: rules that hold or nearly do, names, the classifier's guesses."""
    filing_rules = FilingRules(config.sections, model, drops=config.drops)
    weighed: dict[tuple[str, ...], list[str]] = {}
    for stored in known.entries:
        weighed.setdefault(filing_rules.explain(stored.entry, stored.source), []).append(stored.source.name)
    for lines, names in weighed.items():
        of = f", for what {' and '.join(names)} said" if len(weighed) > 1 else ""
        click.echo(f"\nWeighed{of}, by the rules of today")
        for line in lines or ("no rule holds or nearly does",):
            click.echo(f"  {line}")


def _tell_entry(stored: StoredEntry, poll: Poll | None, *, alone: bool) -> None:
    role = "a copy" if stored.copy else "the article is told in its words" if stored.shown else "also has it"
    click.echo(f"  {stored.source.name}{'' if alone else f': {role}'}")
    if stored.entry.link:
        click.echo(f"    {stored.entry.link}")
    changed = f", changed {_when(stored.changed_at)}" if stored.changed_at > stored.first_seen else ""
    click.echo(f"    seen {_when(stored.first_seen)}{changed}, {_poll_in_words(stored, poll)}")
    for evidence in stored.evidence:
        click.echo(f"    {_in_words(evidence)}")
    for warning in stored.entry.warnings:
        click.echo(f"    note: {warning}")


def _poll_in_words(stored: StoredEntry, poll: Poll | None) -> str:
    if stored.source.kind in DOCUMENTS:
        return "in its folder"
    if poll is None:
        return "by a poll longer ago than this source's polls are kept"
    counts = (f"{poll.new} new", counted(poll.copies, "copy", "copies"), f"{poll.updated} updated")
    brought = ", ".join(words for words in counts if not words.startswith("0 "))
    status = f"answered {poll.status}, " if poll.status else ""
    return f"by the poll of {poll.at:%d %b %H:%M:%S} UTC ({status}{brought})"


def _in_words(evidence: Evidence) -> str:
    sign = EVIDENCE.get(evidence.kind, evidence.kind)
    detail = f": {evidence.detail}" if evidence.detail else ""
    score = "" if evidence.score is None else f" ({evidence.score:.2f}"
    if score:
        score += f", needed {evidence.threshold:.2f})" if evidence.threshold is not None else ")"
    return f"{sign}{detail}{score}"


def _when(at: datetime | None) -> str:
    return f"{at:%d %b %Y %H:%M} UTC" if at else "at an unknown time"


# --------------------------------------------------------------------------- two addresses


def tell_apart(store: Store, one: str, other: str) -> None:
    """Print every sign that dedupe looks at, and what stands in the store."""
    window, stories = Window(), Stories()
    with store.read() as tx:
        uids = [find_article(tx, url) for url in (one, other)]
        first, second = (_meant(tx, uid, url) for uid, url in zip(uids, (one, other), strict=True))
        articles = tx.articles.several(uids)
        since = datetime.now(UTC) - timedelta(days=DAYS)
        oldest = max(0, tx.articles.newest_entry() - MOST_REMEMBERED)
        remember(tx.articles.signatures(oldest, since, MOST_REMEMBERED), window, stories)
    same_source = first.source.id == second.source.id
    signs = compare(first.entry, second.entry, same_source=same_source, window=window, stories=stories)
    for stored in (first, second):
        click.secho(stored.entry.title or "Untitled", bold=True)
        click.echo(f"  {stored.source.name}, seen {stored.first_seen:%d %b %Y %H:%M} UTC")
        if stored.entry.link:
            click.echo(f"  {stored.entry.link}")
    click.echo("\nCompared")
    for sign in signs:
        if sign.kind in COMPARED:
            click.echo(f"  {COMPARED[sign.kind]:<34} {_verdict(sign)}")
            click.echo(f"  {'':<34} {sign.detail}")
    article, story = signs[-2].detail, signs[-1].detail
    click.echo(f"\nBy these signs {article}, {story}.")
    here = "one article" if uids[0] == uids[1] else "two articles"
    click.secho(f"On this desk they are {here}, {_joined(uids, articles)}.", bold=True)
    if here != article:
        click.echo(
            "What one more sign tells is missing above: the likeness that decided was to another copy, or texts, titles"
            " and what is common have changed since."
        )


def _joined(uids: Sequence[str], articles: Mapping[str, Article]) -> str:
    first, second = (articles[uid].story_uid if uid in articles else None for uid in uids)
    return "one story" if uids[0] == uids[1] or (first and first == second) else "two stories"


def _meant(tx: ReadTx, uid: str, url: str) -> StoredEntry:
    """The entry with this very address, else the one that is shown."""
    entries = tx.articles.entries_of(uid)
    try:
        address = comparable_url(url)
    except UrlError:
        address = ""
    by_address = (stored for stored in entries if address and stored.entry.comparable == address)
    shown = (stored for stored in entries if stored.shown)
    return next(by_address, None) or next(shown, None) or entries[0]


def _verdict(sign: Evidence) -> str:
    """What a sign came to, with its score and the score it needed."""
    if sign.kind == "contains":
        return "yes"
    if sign.score is None:
        return ""
    if sign.threshold is None:
        return f"{sign.score:.2f}, decides nothing alone"
    if sign.threshold > 1.0:
        return f"{sign.score:.2f}, could never suffice here"
    return f"{sign.score:.2f}, needed {sign.threshold:.2f}: {'yes' if sign.score >= sign.threshold else 'no'}"
