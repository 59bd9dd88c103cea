"""The tables, as declared; `migrations/` gets a database here, and a test holds both equal. Pure.

Times are integer microseconds (`UtcDateTime`), flags small integers, hashes signed 64 bit, so that both databases
keep the same numbers. Literal conditions of partial indexes must stand in queries as literals too, or they go unused.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    DDL,
    BigInteger,
    Column,
    Connection,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    Table,
    Text,
    TextClause,
    UniqueConstraint,
    event,
    text,
    update,
)

from feeds.store.dialect import Id, UtcDateTime

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_name)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)

LIVE, WITHDRAWN, RETRACTED = 0, 1, 2
"""`filings.state`: in the section; out of it by a changed rule; out of it with its article."""


def _text(name: str, **how: Any) -> Column[str]:
    return Column(name, Text, nullable=False, **how)


def _time(name: str, **how: Any) -> Column[Any]:
    return Column(name, UtcDateTime, nullable=False, **how)


def _blob(name: str) -> Column[bytes]:
    return Column(name, LargeBinary, nullable=False)


def _flag(name: str, default: int = 0) -> Column[int]:
    return Column(name, SmallInteger, nullable=False, server_default=text(str(default)))


def _number(name: str, default: int = 0) -> Column[int]:
    return Column(name, BigInteger, nullable=False, server_default=text(str(default)))


def _words(name: str) -> Column[str]:
    return Column(name, Text, nullable=False, server_default=text("''"))


def _given(name: str) -> Column[int]:
    return Column(name, BigInteger, nullable=False)


def _key(name: str, type: Any, **how: Any) -> Column[Any]:
    return Column(name, type, primary_key=True, autoincrement=False, **how)


def _of(table: Table, **how: Any) -> Column[int]:
    """The number of a row of *table*, called after it: ``source_id`` of `sources`."""
    return Column(f"{table.name[:-1]}_id", Id, ForeignKey(table.c.id), nullable=False, autoincrement=False, **how)


def _numbered(name: str, *columns: Any) -> Table:
    """A table whose rows get an ``id``, which does not come again when its row is gone."""
    return Table(name, metadata, Column("id", Id, primary_key=True), *columns, sqlite_autoincrement=True)


def _keyed(name: str, *columns: Any) -> Table:
    """A table that lies in the order of its key."""
    return Table(name, metadata, *columns, sqlite_with_rowid=False)


def _partial(name: str, *columns: Column[Any], where: TextClause, unique: bool = False) -> None:
    """An index over the rows for which *where* holds.

    What PostgreSQL is to know of it is added when it is made there: SQLAlchemy loads a dialect to check its options,
    which would be a tenth of a second at every start of a desk on SQLite.
    """
    Index(name, *columns, unique=unique, sqlite_where=where, info={"where": where})


@event.listens_for(metadata, "before_create")
def _on_postgres(target: MetaData, connection: Connection, **_: Any) -> None:
    if connection.dialect.name == "postgresql":
        for index in [index for table in target.tables.values() for index in table.indexes if "where" in index.info]:
            index.dialect_options["postgresql"]["where"] = index.info["where"]


counters = Table(
    "counters",
    metadata,
    _key("name", Text),
    _number("value"),
)

leases = Table(
    "leases",
    metadata,
    _key("name", Text),
    Column("owner", Text, nullable=False),
    _given("epoch"),
    _given("until"),  # microseconds by the database's clock
)
"""Rights that one process has at a time (`feeds.store.lease`)."""

configs = Table(
    "configs",
    metadata,
    Column("version", Id, primary_key=True),
    _text("digest"),
    _text("text"),
    _text("brief"),  # the same without most sources
    _time("accepted_at"),
    sqlite_autoincrement=True,
)

sources = _numbered(
    "sources",
    _text("key", unique=True),
    # as configured
    _text("name"),
    _text("kind"),
    _text("target"),
    Column("section", Text),
    _flag("enabled", 1),
    Column("fixed_interval_s", Float),
    Column("full_text", Text),
    _text("rights"),  # own full_text, else the desk's
    Column("language", Text),
    Column("timezone", Text),
    _number("priority"),
    _flag("ignore_validators"),
    _number("line"),
    _time("added_at"),
    Column("removed_at", UtcDateTime),
    # the schedule: due time and lease are one column
    _time("next_poll_at"),
    _time("due_at"),
    Column("claim_id", Text),
    _number("polled"),
    # what is remembered between polls
    Column("etag", Text),
    Column("last_modified", Text),
    Column("validators_url", Text),
    Column("body_hash", Text),
    Column("item_hashes", LargeBinary),
    Column("interval_s", Float),
    _number("failures"),
    _flag("first_poll_done"),
    Column("last_poll_at", UtcDateTime),
    Column("last_ok_at", UtcDateTime),
    Column("last_new_at", UtcDateTime),
    Column("last_full_at", UtcDateTime),
    Column("last_status", Integer),
    _words("last_outcome"),
    _words("last_error"),
    _words("last_remedy"),
    _words("reason"),
    Column("retry_after_until", UtcDateTime),
    Column("gone_at", UtcDateTime),
    Column("adopted_url", Text),
    Column("redirect_target", Text),
    Column("redirect_first_seen", UtcDateTime),
    _number("redirect_count"),
    Column("distrusted_at", UtcDateTime),
    _words("rhythm"),
    _words("title"),
    Column("site_url", Text),
    Column("item_marks", LargeBinary),
    _flag("shard"),
    _words("selectors"),
)
POLLABLE = text("sources.enabled = 1 AND sources.removed_at IS NULL")
_POLLABLE = text("enabled = 1 AND removed_at IS NULL")
_partial("ix_sources_due", sources.c.next_poll_at, where=_POLLABLE)

POLLS_KEPT = 32
"""How many polls of a source its history holds: a ring, so that it is bounded without housekeeping."""

polls = _keyed(
    "polls",
    _of(sources, primary_key=True),
    _key("slot", Integer),
    _time("at"),
    _text("outcome"),
    Column("status", Integer),
    _number("new_entries"),
    _number("copies"),
    _number("updated"),
    _number("wire_bytes"),
    Column("seconds", Float, nullable=False),
    _words("error"),
    _words("remedy"),
    _time("next_poll_at"),
    _words("reason"),
)

inbox = _numbered(
    "inbox",
    _of(sources, index=True),
    Column("claim_id", Text),
    _time("received_at"),
    _text("final_url"),
    Column("status", Integer, nullable=False),
    _text("headers"),
    Column("etag", Text),
    Column("last_modified", Text),
    _flag("pushed"),
    _blob("body"),
    _number("tries"),
    Column("next_try_at", UtcDateTime),
    Column("reading", LargeBinary),  # what a hand read in the body; it waits for who decides
    Column("asked_url", Text),  # of an article page
)
_partial("ix_inbox_next_try_at", inbox.c.next_try_at, where=text("next_try_at IS NOT NULL"))

raw_answers = _numbered(
    "raw_answers",
    _of(sources),
    _time("received_at"),
    _text("final_url"),
    Column("asked_url", Text),
    Column("status", Integer, nullable=False),
    _text("headers"),
    _flag("polled"),
    _flag("pushed"),
    _number("size"),
    _blob("body"),
)
Index("ix_raw_answers_source_id", raw_answers.c.source_id, raw_answers.c.id)

page_queue = _numbered(
    "page_queue",
    _of(sources),
    _given("link_hash"),
    _text("url"),
    UniqueConstraint("source_id", "link_hash"),
)

models = Table(
    "models",
    metadata,
    _key("name", Text),
    _number("version"),
    _blob("body"),
    _time("learned_at"),
)

folder_files = _keyed(
    "folder_files",
    _of(sources, primary_key=True),
    _key("name_hash", BigInteger),
    _key("key", Text),  # of an entry that the file brought
    Column("gone_at", UtcDateTime),
)

furniture = _keyed(
    "furniture",
    _key("scope", Text),  # a source or a site, see furniture.py
    _blob("state"),
    _time("changed_at", index=True),
)

articles = _numbered(
    "articles",
    _text("uid", unique=True),
    Column("story_uid", Text, index=True),
    _time("published_at"),
    _time("updated_at"),
    _time("rank_at"),
    _time("seen_at", index=True),
    _number("revision"),  # counts every change of what is shown; says whether a fragment is current
    _number("rendered_revision", -1),  # that of which there are fragments, or which was set aside
    _number("least_revision"),  # no older fragment is served: it holds what rights do not allow any more
    _words("set_aside"),  # why this revision is published nowhere
    Column("retracted_at", UtcDateTime),
    _words("retracted_reason"),
)
UNRENDERED = text("articles.rendered_revision <> articles.revision AND articles.retracted_at IS NULL")
_UNRENDERED = text("rendered_revision <> revision AND retracted_at IS NULL")
_partial("ix_articles_unrendered", articles.c.id, where=_UNRENDERED)
SET_ASIDE = text("articles.set_aside <> '' AND articles.rendered_revision = articles.revision")
NOT_ASIDE = text("(articles.set_aside = '' OR articles.rendered_revision <> articles.revision)")
_SET_ASIDE = text("set_aside <> '' AND rendered_revision = revision")
_partial("ix_articles_set_aside", articles.c.id, where=_SET_ASIDE)

story_moves = Table(
    "story_moves",
    metadata,
    _key("old_uid", Text),
    _text("uid"),
    _time("moved_at"),
)

entries = _numbered(
    "entries",
    _of(sources),
    _text("key"),
    _of(articles, index=True),
    _flag("shown"),
    _flag("copy"),
    Column("entry_id", Text),
    Column("comparable", Text),
    Column("link", Text),
    _text("title"),
    _number("text_hash"),
    _number("content_hash"),
    Column("published_at", UtcDateTime),
    _time("first_seen", index=True),
    _time("changed_at"),
    _words("evidence"),
    _blob("payload"),
    Column("signature", LargeBinary),
    UniqueConstraint("key", "source_id"),
)
Index("ix_entries_newest", entries.c.source_id, entries.c.id)

article_urls = _keyed(
    "article_urls",
    _key("comparable", Text),
    Column("article_id", Id, nullable=False),
)

article_texts = _keyed(
    "article_texts",
    _key("text_hash", BigInteger),
    Column("article_id", Id, nullable=False),
)

containments = _keyed(
    "containments",
    _key("whole_id", Id),
    _key("part_id", Id, index=True),
)

article_edits = _keyed(
    "article_edits",
    _key("article_id", Id),
    _time("at"),
    _blob("before"),  # title and text before the last significant change, see hydrate.py
)

tombstones = _keyed(
    "tombstones",
    _key("mark", BigInteger),  # see marks.py
    _time("met_at"),
    _flag("forever"),
)

MORTAL = text("forever = 0")
_partial("ix_tombstones_mortal", tombstones.c.met_at, where=MORTAL)

sections = _numbered(
    "sections",
    _text("path", unique=True),
    _text("title"),
    _number("position"),
    _number("sequence"),
    _number("filed"),  # counts filings ever made: a filing's number, by which archive pages are cut
    _number("touched"),  # counts changes that leave the sequence alone
    _number("rendered_sequence", -1),
    _number("rendered_touched", -1),
    _number("rendered_filed"),  # up to which filing the section is published: what is held, or just came, lies behind
    _time("created_at"),
    Column("removed_at", UtcDateTime),
    _flag("private"),  # read with a token alone
)

NEXT_REVISION = update(articles).values(revision=articles.c.revision + 1)
"""Has articles rendered again."""
STALE = text(
    "sections.removed_at IS NULL AND (sections.sequence <> sections.rendered_sequence"
    " OR sections.touched <> sections.rendered_touched)"
)
"""What makes the documents of a section out of date."""

access_tokens = _numbered(
    "access_tokens",
    _of(sections),
    _text("name"),
    _blob("digest"),  # of the token, which is kept nowhere
    _time("created_at"),
    Column("expires_at", UtcDateTime),
    UniqueConstraint("section_id", "name"),
)

reader_days = _keyed(
    "reader_days",
    _key("day", Integer),
    _key("name", Text),
    _key("document", Text),
    *(_number(name) for name in ("answers", "same", "parts", "sent", "wasted", "hasty", "declared")),
)

section_moves = Table(
    "section_moves",
    metadata,
    _key("old_path", Text),
    _text("path"),
    _time("moved_at"),
)

filings = _keyed(
    "filings",
    _of(sections, primary_key=True),
    _of(articles, primary_key=True, index=True),
    _flag("state"),
    _time("rank_at"),
    _given("sequence"),
    _given("number"),
    _text("filed_by"),
    _text("reason"),
    Column("probability", Float),
    _time("filed_at"),
    _time("changed_at"),
)
IN_SECTION = text("filings.state = 0")
_IN_SECTION = text("state = 0")
FILED = text("EXISTS (SELECT 1 FROM filings WHERE filings.article_id = articles.id AND filings.state = 0)")
"""Of articles: in a section at all. What a first import leaves out is in none, and published nowhere."""
_partial("ix_filings_top", filings.c.section_id, filings.c.rank_at, filings.c.article_id, where=_IN_SECTION)
Index("ix_filings_sequence", filings.c.section_id, filings.c.sequence)
Index("ix_filings_number", filings.c.section_id, filings.c.number)
BY_RANK, BY_NUMBER = "INDEXED BY ix_filings_top", "INDEXED BY ix_filings_number"
BY_SEQUENCE, BY_SEEN = "INDEXED BY ix_filings_sequence", "INDEXED BY ix_articles_seen_at"
"""Hints for SQLite, which without statistics goes through a whole section by its primary key and sorts it, and through
all that was ever filed for what came lately.
"""

sitemap_months = _keyed(
    "sitemap_months",
    _key("month", BigInteger),  # 202611
    _given("first"),  # numbers of filings of the whole desk
    _given("last"),
    _time("changed_at"),
)

ALL_FORMATS = ""
"""The `format` of a row that holds all of them. Release 0.1.0 wrote a row for each; on PostgreSQL those of what has not
changed since are still there.
"""
fragments = Table(
    "fragments",
    metadata,
    _of(articles, primary_key=True),
    _key("format", Text),
    _given("version"),
    _given("revision"),
    _time("updated_at"),
    _blob("body"),
)

SERVABLE = text("fragments.revision >= articles.least_revision")

story_fragments = Table(
    "story_fragments",
    metadata,
    _key("story_uid", Text),
    _key("format", Text),
    _given("version"),
    _text("made_of"),  # its articles and their revisions, as a hash
    _time("updated_at"),
    _blob("body"),
)

documents = Table(
    "documents",
    metadata,
    _key("path", Text),
    _key("format", Text),
    _text("media_type"),
    _given("sequence"),
    _text("etag"),
    _time("last_modified"),
    Column("publication", BigInteger, nullable=False, index=True),
    _text("article_uids"),
    _blob("body"),
    Column("gzip", LargeBinary),
    Column("brotli", LargeBinary),
)

frames = Table(
    "frames",
    metadata,
    _key("path", Text),
    _key("format", Text),
    _blob("head"),
    _blob("tail"),
    _blob("separator"),
)

events = _numbered(
    "events",
    _text("uid", unique=True),
    _text("kind"),
    _text("subject"),
    _text("text"),
    _words("remedy"),
    _time("at", index=True),
    Column("closed_at", UtcDateTime),
)
_OPEN = text("closed_at IS NULL")
_partial("ix_events_open", events.c.kind, events.c.subject, where=_OPEN, unique=True)

hub_requests = _numbered(
    "hub_requests",
    _text("mode"),  # subscribe, unsubscribe, denied
    _text("path"),
    _text("format"),
    _text("callback"),
    _text("topic"),
    _text("host", index=True),
    Column("secret", Text),
    _number("lease_s"),
    _words("reason"),
    _number("tries"),
    _time("next_try_at", index=True),
    UniqueConstraint("path", "format", "callback"),
)

hub_subscriptions = _numbered(
    "hub_subscriptions",
    _text("path"),
    _text("format"),
    _text("callback"),
    _text("topic"),
    _text("host", index=True),
    _flag("ping"),  # an outside hub, told that the topic has changed
    Column("secret", Text),
    _time("verified_at"),
    _time("expires_at"),
    # what of the topic has arrived there, and what was given up until the topic changes again
    _words("delivered_etag"),
    _number("delivered_sequence"),
    _words("given_up_etag"),
    Column("delivered_at", UtcDateTime),
    _number("failures"),
    Column("failing_since", UtcDateTime),
    _time("next_try_at"),
    _words("last_error"),
    UniqueConstraint("path", "format", "callback"),
)
FAILING = text("hub_subscriptions.failures > 0")
_FAILING = text("failures > 0")
_partial("ix_hub_subscriptions_failing", hub_subscriptions.c.next_try_at, where=_FAILING)

source_hubs = _keyed(
    "source_hubs",
    _key("source_id", Id),
    _text("hub"),
    _text("topic"),
    _text("token", unique=True),
    _text("secret"),
    _text("state"),  # wanted, asked, active, denied
    Column("expires_at", UtcDateTime),
    _time("next_try_at", index=True),
    _number("failures"),
    _words("reason"),
    Column("pushed_at", UtcDateTime),
)

SEARCH = "search_words"
"""What is found by words. No table that SQLAlchemy knows: a virtual one on SQLite, a tsvector on PostgreSQL."""
SEARCH_TABLES = {
    "sqlite": (
        f"CREATE VIRTUAL TABLE {SEARCH} USING fts5"
        "(words, content = '', tokenize = \"unicode61 remove_diacritics 0 categories 'L* N* Co M*'\")",
    ),
    "postgresql": (
        f"CREATE TABLE {SEARCH} (article_id bigint PRIMARY KEY REFERENCES articles (id) ON DELETE CASCADE,"
        " words tsvector NOT NULL)",
        f"CREATE INDEX ix_{SEARCH} ON {SEARCH} USING gin (words)",
    ),
}
for _dialect, _statements in SEARCH_TABLES.items():
    for _statement in _statements:
        event.listen(metadata, "after_create", DDL(_statement).execute_if(dialect=_dialect))  # type: ignore[no-untyped-call]
