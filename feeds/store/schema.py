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

from feeds.store.columns import Id, UtcDateTime

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


def _flag(name: str, default: int = 0) -> Column[int]:
    return Column(name, SmallInteger, nullable=False, server_default=text(str(default)))


def _number(name: str, default: int = 0) -> Column[int]:
    return Column(name, BigInteger, nullable=False, server_default=text(str(default)))


def _words(name: str) -> Column[str]:
    return Column(name, Text, nullable=False, server_default=text("''"))


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
    Column("name", Text, primary_key=True),
    _number("value"),
)

leases = Table(
    "leases",
    metadata,
    Column("name", Text, primary_key=True),
    Column("owner", Text, nullable=False),
    Column("epoch", BigInteger, nullable=False),
    Column("until", BigInteger, nullable=False),  # microseconds by the database's clock
)
"""Rights that one process has at a time (`feeds.store.lease`)."""

configs = Table(
    "configs",
    metadata,
    Column("version", Id, primary_key=True),
    Column("digest", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("brief", Text, nullable=False),  # the same without most sources
    Column("accepted_at", UtcDateTime, nullable=False),
    sqlite_autoincrement=True,
)

sources = Table(
    "sources",
    metadata,
    Column("id", Id, primary_key=True),
    Column("key", Text, nullable=False, unique=True),
    # as configured
    Column("name", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("target", Text, nullable=False),
    Column("section", Text),
    _flag("enabled", 1),
    Column("fixed_interval_s", Float),
    Column("full_text", Text),
    Column("rights", Text, nullable=False),  # own full_text, else the desk's
    Column("language", Text),
    Column("timezone", Text),
    _number("priority"),
    _flag("ignore_validators"),
    _number("line"),
    Column("added_at", UtcDateTime, nullable=False),
    Column("removed_at", UtcDateTime),
    # the schedule: due time and lease are one column
    Column("next_poll_at", UtcDateTime, nullable=False),
    Column("due_at", UtcDateTime, nullable=False),
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
    sqlite_autoincrement=True,
)
POLLABLE = text("sources.enabled = 1 AND sources.removed_at IS NULL")
_POLLABLE = text("enabled = 1 AND removed_at IS NULL")
_partial("ix_sources_due", sources.c.next_poll_at, where=_POLLABLE)

POLLS_KEPT = 32
"""How many polls of a source its history holds: a ring, so that it is bounded without housekeeping."""

polls = Table(
    "polls",
    metadata,
    Column("source_id", Id, ForeignKey("sources.id"), primary_key=True, autoincrement=False),
    Column("slot", Integer, primary_key=True, autoincrement=False),
    Column("at", UtcDateTime, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("status", Integer),
    _number("new_entries"),
    _number("copies"),
    _number("updated"),
    _number("wire_bytes"),
    Column("seconds", Float, nullable=False),
    _words("error"),
    _words("remedy"),
    Column("next_poll_at", UtcDateTime, nullable=False),
    _words("reason"),
    sqlite_with_rowid=False,
)

inbox = Table(
    "inbox",
    metadata,
    Column("id", Id, primary_key=True),
    Column("source_id", Id, ForeignKey("sources.id"), nullable=False, index=True),
    Column("claim_id", Text),
    Column("received_at", UtcDateTime, nullable=False),
    Column("final_url", Text, nullable=False),
    Column("status", Integer, nullable=False),
    Column("headers", Text, nullable=False),
    Column("etag", Text),
    Column("last_modified", Text),
    _flag("pushed"),
    Column("body", LargeBinary, nullable=False),
    _number("tries"),
    Column("next_try_at", UtcDateTime),
    Column("reading", LargeBinary),  # what a hand read in the body; it waits for who decides
    sqlite_autoincrement=True,
)
_partial("ix_inbox_next_try_at", inbox.c.next_try_at, where=text("next_try_at IS NOT NULL"))

page_queue = Table(
    "page_queue",
    metadata,
    Column("id", Id, primary_key=True),
    Column("source_id", Id, ForeignKey("sources.id"), nullable=False),
    Column("link_hash", BigInteger, nullable=False),
    Column("url", Text, nullable=False),
    UniqueConstraint("source_id", "link_hash"),
    sqlite_autoincrement=True,
)

furniture = Table(
    "furniture",
    metadata,
    Column("scope", Text, primary_key=True),  # a source or a site, see furniture.py
    Column("state", LargeBinary, nullable=False),
    Column("changed_at", UtcDateTime, nullable=False, index=True),
    sqlite_with_rowid=False,
)

articles = Table(
    "articles",
    metadata,
    Column("id", Id, primary_key=True),
    Column("uid", Text, nullable=False, unique=True),
    Column("story_uid", Text, index=True),
    Column("published_at", UtcDateTime, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
    Column("rank_at", UtcDateTime, nullable=False),
    Column("seen_at", UtcDateTime, nullable=False, index=True),
    _number("revision"),  # counts every change of what is shown; says whether a fragment is current
    _number("rendered_revision", -1),  # that of which there are fragments, or which was set aside
    _number("least_revision"),  # no older fragment is served: it holds what rights do not allow any more
    _words("set_aside"),  # why this revision is published nowhere
    Column("retracted_at", UtcDateTime),
    _words("retracted_reason"),
    sqlite_autoincrement=True,
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
    Column("old_uid", Text, primary_key=True),
    Column("uid", Text, nullable=False),
    Column("moved_at", UtcDateTime, nullable=False),
)

entries = Table(
    "entries",
    metadata,
    Column("id", Id, primary_key=True),
    Column("source_id", Id, ForeignKey("sources.id"), nullable=False),
    Column("key", Text, nullable=False),
    Column("article_id", Id, ForeignKey("articles.id"), nullable=False, index=True),
    _flag("shown"),
    _flag("copy"),
    Column("entry_id", Text),
    Column("comparable", Text),
    Column("link", Text),
    Column("title", Text, nullable=False),
    _number("text_hash"),
    _number("content_hash"),
    Column("published_at", UtcDateTime),
    Column("first_seen", UtcDateTime, nullable=False, index=True),
    Column("changed_at", UtcDateTime, nullable=False),
    _words("evidence"),
    Column("payload", LargeBinary, nullable=False),
    Column("signature", LargeBinary),
    UniqueConstraint("key", "source_id"),
    sqlite_autoincrement=True,
)
Index("ix_entries_newest", entries.c.source_id, entries.c.id)

article_urls = Table(
    "article_urls",
    metadata,
    Column("comparable", Text, primary_key=True),
    Column("article_id", Id, nullable=False),
    sqlite_with_rowid=False,
)

article_texts = Table(
    "article_texts",
    metadata,
    Column("text_hash", BigInteger, primary_key=True, autoincrement=False),
    Column("article_id", Id, nullable=False),
    sqlite_with_rowid=False,
)

containments = Table(
    "containments",
    metadata,
    Column("whole_id", Id, primary_key=True, autoincrement=False),
    Column("part_id", Id, primary_key=True, autoincrement=False, index=True),
    sqlite_with_rowid=False,
)

tombstones = Table(
    "tombstones",
    metadata,
    Column("mark", BigInteger, primary_key=True, autoincrement=False),  # see marks.py
    Column("met_at", UtcDateTime, nullable=False),
    _flag("forever"),
    sqlite_with_rowid=False,
)

MORTAL = text("forever = 0")
_partial("ix_tombstones_mortal", tombstones.c.met_at, where=MORTAL)

sections = Table(
    "sections",
    metadata,
    Column("id", Id, primary_key=True),
    Column("path", Text, nullable=False, unique=True),
    Column("title", Text, nullable=False),
    _number("position"),
    _number("sequence"),
    _number("filed"),  # counts filings ever made: a filing's number, by which archive pages are cut
    _number("touched"),  # counts changes that leave the sequence alone
    _number("rendered_sequence", -1),
    _number("rendered_touched", -1),
    _number("rendered_filed"),  # up to which filing the section is published: what is held, or just came, lies behind
    Column("created_at", UtcDateTime, nullable=False),
    Column("removed_at", UtcDateTime),
    sqlite_autoincrement=True,
)

NEXT_REVISION = update(articles).values(revision=articles.c.revision + 1)
"""Has articles rendered again."""
STALE = text(
    "sections.removed_at IS NULL AND (sections.sequence <> sections.rendered_sequence"
    " OR sections.touched <> sections.rendered_touched)"
)
"""What makes the documents of a section out of date."""

section_moves = Table(
    "section_moves",
    metadata,
    Column("old_path", Text, primary_key=True),
    Column("path", Text, nullable=False),
    Column("moved_at", UtcDateTime, nullable=False),
)

filings = Table(
    "filings",
    metadata,
    Column("section_id", Id, ForeignKey("sections.id"), primary_key=True, autoincrement=False),
    Column("article_id", Id, ForeignKey("articles.id"), primary_key=True, autoincrement=False, index=True),
    _flag("state"),
    Column("rank_at", UtcDateTime, nullable=False),
    Column("sequence", BigInteger, nullable=False),
    Column("number", BigInteger, nullable=False),
    Column("filed_by", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("probability", Float),
    Column("filed_at", UtcDateTime, nullable=False),
    Column("changed_at", UtcDateTime, nullable=False),
    sqlite_with_rowid=False,
)
IN_SECTION = text("filings.state = 0")
_IN_SECTION = text("state = 0")
FILED = text("EXISTS (SELECT 1 FROM filings WHERE filings.article_id = articles.id AND filings.state = 0)")
"""Of articles: in a section at all. What a first import leaves out is in none, and published nowhere."""
_partial("ix_filings_top", filings.c.section_id, filings.c.rank_at, filings.c.article_id, where=_IN_SECTION)
Index("ix_filings_sequence", filings.c.section_id, filings.c.sequence)
Index("ix_filings_number", filings.c.section_id, filings.c.number)
BY_RANK, BY_NUMBER = "INDEXED BY ix_filings_top", "INDEXED BY ix_filings_number"
"""Hints for SQLite, which without statistics goes through a whole section by its primary key and sorts it."""

fragments = Table(
    "fragments",
    metadata,
    Column("article_id", Id, ForeignKey("articles.id"), primary_key=True, autoincrement=False),
    Column("format", Text, primary_key=True),
    Column("version", BigInteger, nullable=False),
    Column("revision", BigInteger, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
    Column("body", LargeBinary, nullable=False),
    sqlite_with_rowid=False,
)

SERVABLE = text("fragments.revision >= articles.least_revision")

story_fragments = Table(
    "story_fragments",
    metadata,
    Column("story_uid", Text, primary_key=True),
    Column("format", Text, primary_key=True),
    Column("version", BigInteger, nullable=False),
    Column("made_of", Text, nullable=False),  # its articles and their revisions, as a hash
    Column("updated_at", UtcDateTime, nullable=False),
    Column("body", LargeBinary, nullable=False),
    sqlite_with_rowid=False,
)

documents = Table(
    "documents",
    metadata,
    Column("path", Text, primary_key=True),
    Column("format", Text, primary_key=True),
    Column("media_type", Text, nullable=False),
    Column("sequence", BigInteger, nullable=False),
    Column("etag", Text, nullable=False),
    Column("last_modified", UtcDateTime, nullable=False),
    Column("publication", BigInteger, nullable=False, index=True),
    Column("article_uids", Text, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("gzip", LargeBinary),
    Column("brotli", LargeBinary),
)

frames = Table(
    "frames",
    metadata,
    Column("path", Text, primary_key=True),
    Column("format", Text, primary_key=True),
    Column("head", LargeBinary, nullable=False),
    Column("tail", LargeBinary, nullable=False),
    Column("separator", LargeBinary, nullable=False),
)

events = Table(
    "events",
    metadata,
    Column("id", Id, primary_key=True),
    Column("uid", Text, nullable=False, unique=True),
    Column("kind", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("text", Text, nullable=False),
    _words("remedy"),
    Column("at", UtcDateTime, nullable=False, index=True),
    Column("closed_at", UtcDateTime),
    sqlite_autoincrement=True,
)
_OPEN = text("closed_at IS NULL")
_partial("ix_events_open", events.c.kind, events.c.subject, where=_OPEN, unique=True)

hub_requests = Table(
    "hub_requests",
    metadata,
    Column("id", Id, primary_key=True),
    Column("mode", Text, nullable=False),  # subscribe, unsubscribe, denied
    Column("path", Text, nullable=False),
    Column("format", Text, nullable=False),
    Column("callback", Text, nullable=False),
    Column("topic", Text, nullable=False),
    Column("host", Text, nullable=False, index=True),
    Column("secret", Text),
    _number("lease_s"),
    _words("reason"),
    _number("tries"),
    Column("next_try_at", UtcDateTime, nullable=False, index=True),
    UniqueConstraint("path", "format", "callback"),
    sqlite_autoincrement=True,
)

hub_subscriptions = Table(
    "hub_subscriptions",
    metadata,
    Column("id", Id, primary_key=True),
    Column("path", Text, nullable=False),
    Column("format", Text, nullable=False),
    Column("callback", Text, nullable=False),
    Column("topic", Text, nullable=False),
    Column("host", Text, nullable=False, index=True),
    _flag("ping"),  # an outside hub, told that the topic has changed
    Column("secret", Text),
    Column("verified_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False),
    # what of the topic has arrived there, and what was given up until the topic changes again
    _words("delivered_etag"),
    _number("delivered_sequence"),
    _words("given_up_etag"),
    Column("delivered_at", UtcDateTime),
    _number("failures"),
    Column("failing_since", UtcDateTime),
    Column("next_try_at", UtcDateTime, nullable=False),
    _words("last_error"),
    UniqueConstraint("path", "format", "callback"),
    sqlite_autoincrement=True,
)
FAILING = text("hub_subscriptions.failures > 0")
_FAILING = text("failures > 0")
_partial("ix_hub_subscriptions_failing", hub_subscriptions.c.next_try_at, where=_FAILING)

source_hubs = Table(
    "source_hubs",
    metadata,
    Column("source_id", Id, primary_key=True, autoincrement=False),
    Column("hub", Text, nullable=False),
    Column("topic", Text, nullable=False),
    Column("token", Text, nullable=False, unique=True),
    Column("secret", Text, nullable=False),
    Column("state", Text, nullable=False),  # wanted, asked, active, denied
    Column("expires_at", UtcDateTime),
    Column("next_try_at", UtcDateTime, nullable=False, index=True),
    _number("failures"),
    _words("reason"),
    Column("pushed_at", UtcDateTime),
    sqlite_with_rowid=False,
)

SEARCH = "search_words"
"""What is found by words. No table that SQLAlchemy knows: a virtual one on SQLite, a tsvector on PostgreSQL."""
SEARCH_TABLES = {
    "sqlite": (
        f"CREATE VIRTUAL TABLE {SEARCH} USING fts5"
        "(words, tokenize = \"unicode61 remove_diacritics 0 categories 'L* N* Co M*'\")",
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
