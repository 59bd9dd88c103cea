"""`wiredesk explain`: why an article is where it is, in words a newsroom understands.

With two addresses: why two entries are or are not one article, and one story.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta

import click

from feeds.cli.common import Places, counted, with_places
from feeds.cli.stored import find_article, opened, usable_model
from feeds.comparable import comparable_url
from feeds.configuration import DOCUMENTS
from feeds.dedupe import Stories, Window, compare, nearest, remember
from feeds.dedupe.window import DAYS
from feeds.errors import UrlError
from feeds.filing import FilingRules
from feeds.frames import archive_page, archive_path, document_path
from feeds.model import NEVER_SHOWN, Article, Evidence, Filing, Related
from feeds.settings import config_from_json
from feeds.store import ReadTx, Store
from feeds.store.relations import SIGNS
from feeds.store.values import Poll, StoredEntry

ALL = 1000
"""More polls of a source than are kept."""
MOST_BESIDE = 20
"""So many of a story's newest articles are looked at."""
EVIDENCE = SIGNS | {
    "lineage": "signs of who had it first",
    "story": "the event",
    "path": "the same title and path",
    "flood": "an archive that was issued again",
    "full-text": "the text of its page",
    "edit": "what changed",
    NEVER_SHOWN: "never shown",
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
        for line in explanation(store, article) if other is None else comparison(store, article, other):
            click.echo(line)


def explanation(store: Store, article: str) -> Iterator[str]:
    """Say in lines why the *article*, an address or an id, is where it is. Raises DeskError where none is stored."""
    with store.read() as tx:
        uid = find_article(tx, article)
        entries = tx.articles.entries_of(uid)
        stored = tx.configs.current()
        known = [*_state(tx, uid, entries), *_origins(tx, uid, entries), *_filings(tx, uid)]
    yield from known
    if stored is not None:
        config = config_from_json(stored.text)
        yield from _weighed(entries, FilingRules(config.sections, usable_model(store), drops=config.drops))


def _state(tx: ReadTx, uid: str, entries: Sequence[StoredEntry]) -> Iterator[str]:
    """Which article it is, and whether it is withheld."""
    shown = next((stored for stored in entries if stored.shown), entries[0] if entries else None)
    yield click.style(shown.entry.title if shown else uid, bold=True)
    yield f"  id {uid}"
    state = tx.articles.state(uid)
    if state is not None and state.kind == "retracted":
        yield click.style(f"  RETRACTED {_when(state.at)}: {state.reason or 'no reason given'}", fg="red")
    if aside := tx.documents.why_aside(uid):
        yield click.style(f"  SET ASIDE, published nowhere until it changes: {aside}", fg="red")
    if shown is not None:
        yield from _beginnings(shown, entries)


def _beginnings(shown: StoredEntry, entries: Sequence[StoredEntry]) -> Iterator[str]:
    """When the article was published and first seen, and whom it credits."""
    published = f"published {_when(shown.entry.published)}" if shown.entry.published else "no date of its own"
    yield f"  {published}, first seen {_when(min(stored.first_seen for stored in entries))}"
    if shown.entry.origin:
        yield f"  credits {shown.entry.origin.name} as its origin"


def _origins(tx: ReadTx, uid: str, entries: Sequence[StoredEntry]) -> Iterator[str]:
    """Which entries brought it, and which articles it is related to."""
    yield "\nBrought by"
    for stored in entries:
        polls = tx.sources.polls(stored.source.id, ALL)
        yield from _entry(stored, _poll_of(polls, stored.first_seen), alone=len(entries) == 1)
    article = tx.articles.get(uid)
    if article is None:
        return
    yield from _around("Contains", "its text stands in this one", article.contains)
    yield from _around("Contained in", "this text stands in it", article.contained_in)
    yield from _story(tx, article)


def _story(tx: ReadTx, article: Article) -> Iterator[str]:
    """Why the article is in its story: which of it is nearest, and by what words."""
    story = tx.stories.articles(article.story_uid, MOST_BESIDE, None) if article.story_uid else ()
    if beside := [one for one in story if one.uid != article.uid]:
        near, words = nearest(article, beside)
        others = counted(len(beside), "other article", "other articles")
        yield f"\nIn one story with {others}{' or more' if len(beside) == MOST_BESIDE - 1 else ''}"
        why = f"both speak of {', '.join(words)}" if words else "by what they have in common with the others"
        yield f"  nearest to “{near.title or 'Untitled'}” of {near.source_name or 'nobody named'}: {why}"


def _poll_of(polls: Sequence[Poll], seen: datetime) -> Poll | None:
    """The poll that brought what was first *seen* then: the last before it; None where that is no longer kept."""
    return next((poll for poll in polls if poll.at <= seen and poll.new + poll.copies + poll.updated), None)


def _around(heading: str, why: str, several: Sequence[Related]) -> Iterator[str]:
    """The articles that contain this one, or that it contains: they are no copies of it."""
    if several:
        yield f"\n{heading}"
    for other in several:
        yield f"  {other.title or 'Untitled'}: {why}, and both are articles of their own"
        yield f"    {other.link or other.uid}"


def _filings(tx: ReadTx, uid: str) -> Iterator[str]:
    """The sections that it is filed in, why, and where subscribers find it."""
    filings, state, dropped = tx.articles.filings_of(uid), tx.articles.state(uid), tx.articles.why_dropped(uid)
    yield "\nFiled in"
    if not filings and state is not None and state.kind == "retracted":
        yield "  no section: it is retracted; `wiredesk unretract` puts it back where it was"
    elif dropped:
        yield f"  no section, and published nowhere: {dropped}"
    elif not filings:
        yield "  no section: it came with a first import and was older than what that may bring"
    for filing in filings:
        yield click.style(f"  {filing.section or 'the whole desk'}", bold=True)
        if filing.section:
            yield f"    because: {filing.reason}"
        place = f"its place in the order is {_when(filing.rank_at)}"
        yield f"    filed {_when(filing.filed_at)}; {place}; change {filing.sequence} of the section"
        yield f"    {_document(tx, filing)}"


def _document(tx: ReadTx, filing: Filing) -> str:
    """Where subscribers of the section find the article."""
    address = document_path(filing.section, "rss")
    listing = tx.documents.listing(filing.section)
    if listing is None:
        return "no document of the section has been published yet"
    if filing.article_uid in listing.uids:
        place = listing.uids.index(filing.article_uid) + 1
        return f"in {address}, .atom and .json, number {place} of {len(listing.uids)}"
    page = archive_page(filing.number)
    section = tx.sections.get(filing.section)
    if section is not None and page <= section.rendered_filed:
        return f"no longer among the newest in {address}; on {archive_path(filing.section, page, 'atom')} for good"
    return f"not in {address}, which holds the newest; on an archive page of the section"


def _weighed(entries: Sequence[StoredEntry], filing_rules: FilingRules) -> Iterator[str]:
    """What filing weighs of every entry today: rules that hold or nearly do, names, the classifier's guesses."""
    weighed: dict[tuple[str, ...], list[str]] = {}
    for stored in entries:
        weighed.setdefault(filing_rules.explain(stored.entry, stored.source), []).append(stored.source.name)
    for lines, names in weighed.items():
        of = f", for what {' and '.join(names)} said" if len(weighed) > 1 else ""
        yield f"\nWeighed{of}, by the rules of today"
        for line in lines or ("no rule holds or nearly does",):
            yield f"  {line}"


def _entry(stored: StoredEntry, poll: Poll | None, *, alone: bool) -> Iterator[str]:
    """What one entry of the article is, when it came, and by which signs it belongs to it."""
    role = "a copy" if stored.copy else "the article is told in its words" if stored.shown else "also has it"
    yield f"  {stored.source.name}{'' if alone else f': {role}'}"
    if stored.entry.link:
        yield f"    {stored.entry.link}"
    changed = f", changed {_when(stored.changed_at)}" if stored.changed_at > stored.first_seen else ""
    yield f"    seen {_when(stored.first_seen)}{changed}, {_poll_in_words(stored, poll)}"
    for evidence in stored.evidence:
        yield f"    {_in_words(evidence)}"
    for warning in stored.entry.warnings:
        yield f"    note: {warning}"


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


def comparison(store: Store, one: str, other: str) -> Iterator[str]:
    """Give, as lines, every sign that dedupe looks at, and what stands in the store."""
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
        yield click.style(stored.entry.title or "Untitled", bold=True)
        yield f"  {stored.source.name}, seen {_when(stored.first_seen)}"
        if stored.entry.link:
            yield f"  {stored.entry.link}"
    yield "\nCompared"
    for sign in signs:
        if sign.kind in COMPARED:
            yield f"  {COMPARED[sign.kind]:<34} {_verdict(sign)}"
            yield f"  {'':<34} {sign.detail}"
    article, story = signs[-2].detail, signs[-1].detail
    yield f"\nBy these signs {article}, {story}."
    here = "one article" if uids[0] == uids[1] else "two articles"
    yield click.style(f"On this desk they are {here}, {_joined(uids, articles)}.", bold=True)
    if here != article:
        yield (
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
