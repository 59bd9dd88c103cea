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
    _text("digest"),
    _text("text"),
    _text("brief"),  # the same without most sources
    _time("accepted_at"),
    sqlite_autoincrement=True,
)

sources = Table(
    "sources",
    metadata,
    Column("id", Id, primary_key=True),
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
    sqlite_with_rowid=False,
)

inbox = Table(
    "inbox",
    metadata,
    Column("id", Id, primary_key=True),
    Column("source_id", Id, ForeignKey("sources.id"), nullable=False, index=True),
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
    sqlite_autoincrement=True,
)
_partial("ix_inbox_next_try_at", inbox.c.next_try_at, where=text("next_try_at IS NOT NULL"))

raw_answers = Table(
    "raw_answers",
    metadata,
    Column("id", Id, primary_key=True),
    Column("source_id", Id, ForeignKey("sources.id"), nullable=False),
    _time("received_at"),
    _text("final_url"),
    Column("asked_url", Text),
    Column("status", Integer, nullable=False),
    _text("headers"),
    _flag("polled"),
    _flag("pushed"),
    _number("size"),
    _blob("body"),
    sqlite_autoincrement=True,
)
Index("ix_raw_answers_source_id", raw_answers.c.source_id, raw_answers.c.id)

page_queue = Table(
    "page_queue",
    metadata,
    Column("id", Id, primary_key=True),
    Column("source_id", Id, ForeignKey("sources.id"), nullable=False),
    Column("link_hash", BigInteger, nullable=False),
    _text("url"),
    UniqueConstraint("source_id", "link_hash"),
    sqlite_autoincrement=True,
)

models = Table(
    "models",
    metadata,
    Column("name", Text, primary_key=True),
    _number("version"),
    _blob("body"),
    _time("learned_at"),
)

folder_files = Table(
    "folder_files",
    metadata,
    Column("source_id", Id, ForeignKey("sources.id"), primary_key=True, autoincrement=False),
    Column("name_hash", BigInteger, primary_key=True, autoincrement=False),
    Column("key", Text, primary_key=True),  # of an entry that the file brought
    Column("gone_at", UtcDateTime),
    sqlite_with_rowid=False,
)

furniture = Table(
    "furniture",
    metadata,
    Column("scope", Text, primary_key=True),  # a source or a site, see furniture.py
    _blob("state"),
    _time("changed_at", index=True),
    sqlite_with_rowid=False,
)

articles = Table(
    "articles",
    metadata,
    Column("id", Id, primary_key=True),
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
    _text("uid"),
    _time("moved_at"),
)

entries = Table(
    "entries",
    metadata,
    Column("id", Id, primary_key=True),
    Column("source_id", Id, ForeignKey("sources.id"), nullable=False),
    _text("key"),
    Column("article_id", Id, ForeignKey("articles.id"), nullable=False, index=True),
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

article_edits = Table(
    "article_edits",
    metadata,
    Column("article_id", Id, primary_key=True, autoincrement=False),
    _time("at"),
    _blob("before"),  # title and text before the last significant change, see hydrate.py
    sqlite_with_rowid=False,
)

tombstones = Table(
    "tombstones",
    metadata,
    Column("mark", BigInteger, primary_key=True, autoincrement=False),  # see marks.py
    _time("met_at"),
    _flag("forever"),
    sqlite_with_rowid=False,
)

MORTAL = text("forever = 0")
_partial("ix_tombstones_mortal", tombstones.c.met_at, where=MORTAL)

sections = Table(
    "sections",
    metadata,
    Column("id", Id, primary_key=True),
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
    sqlite_autoincrement=True,
)

NEXT_REVISION = update(articles).values(revision=articles.c.revision + 1)
"""Has articles rendered again."""
STALE = text(
    "sections.removed_at IS NULL AND (sections.sequence <> sections.rendered_sequence"
    " OR sections.touched <> sections.rendered_touched)"
)
"""What makes the documents of a section out of date."""

access_tokens = Table(
    "access_tokens",
    metadata,
    Column("id", Id, primary_key=True),
    Column("section_id", Id, ForeignKey("sections.id"), nullable=False),
    _text("name"),
    _blob("digest"),  # of the token, which is kept nowhere
    _time("created_at"),
    Column("expires_at", UtcDateTime),
    UniqueConstraint("section_id", "name"),
    sqlite_autoincrement=True,
)

reader_days = Table(
    "reader_days",
    metadata,
    Column("day", Integer, primary_key=True, autoincrement=False),
    Column("name", Text, primary_key=True),
    Column("document", Text, primary_key=True),
    *(_number(name) for name in ("answers", "same", "parts", "sent", "wasted", "hasty", "declared")),
    sqlite_with_rowid=False,
)

section_moves = Table(
    "section_moves",
    metadata,
    Column("old_path", Text, primary_key=True),
    _text("path"),
    _time("moved_at"),
)

filings = Table(
    "filings",
    metadata,
    Column("section_id", Id, ForeignKey("sections.id"), primary_key=True, autoincrement=False),
    Column("article_id", Id, ForeignKey("articles.id"), primary_key=True, autoincrement=False, index=True),
    _flag("state"),
    _time("rank_at"),
    Column("sequence", BigInteger, nullable=False),
    Column("number", BigInteger, nullable=False),
    _text("filed_by"),
    _text("reason"),
    Column("probability", Float),
    _time("filed_at"),
    _time("changed_at"),
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
BY_SEQUENCE = "INDEXED BY ix_filings_sequence"
"""Hints for SQLite, which without statistics goes through a whole section by its primary key and sorts it."""

sitemap_months = Table(
    "sitemap_months",
    metadata,
    Column("month", BigInteger, primary_key=True, autoincrement=False),  # 202611
    Column("first", BigInteger, nullable=False),  # numbers of filings of the whole desk
    Column("last", BigInteger, nullable=False),
    _time("changed_at"),
    sqlite_with_rowid=False,
)

fragments = Table(
    "fragments",
    metadata,
    Column("article_id", Id, ForeignKey("articles.id"), primary_key=True, autoincrement=False),
    Column("format", Text, primary_key=True),
    Column("version", BigInteger, nullable=False),
    Column("revision", BigInteger, nullable=False),
    _time("updated_at"),
    _blob("body"),
    sqlite_with_rowid=False,
)

SERVABLE = text("fragments.revision >= articles.least_revision")

story_fragments = Table(
    "story_fragments",
    metadata,
    Column("story_uid", Text, primary_key=True),
    Column("format", Text, primary_key=True),
    Column("version", BigInteger, nullable=False),
    _text("made_of"),  # its articles and their revisions, as a hash
    _time("updated_at"),
    _blob("body"),
    sqlite_with_rowid=False,
)

documents = Table(
    "documents",
    metadata,
    Column("path", Text, primary_key=True),
    Column("format", Text, primary_key=True),
    _text("media_type"),
    Column("sequence", BigInteger, nullable=False),
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
    Column("path", Text, primary_key=True),
    Column("format", Text, primary_key=True),
    _blob("head"),
    _blob("tail"),
    _blob("separator"),
)

events = Table(
    "events",
    metadata,
    Column("id", Id, primary_key=True),
    _text("uid", unique=True),
    _text("kind"),
    _text("subject"),
    _text("text"),
    _words("remedy"),
    _time("at", index=True),
    Column("closed_at", UtcDateTime),
    sqlite_autoincrement=True,
)
_OPEN = text("closed_at IS NULL")
_partial("ix_events_open", events.c.kind, events.c.subject, where=_OPEN, unique=True)

hub_requests = Table(
    "hub_requests",
    metadata,
    Column("id", Id, primary_key=True),
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
    sqlite_autoincrement=True,
)

hub_subscriptions = Table(
    "hub_subscriptions",
    metadata,
    Column("id", Id, primary_key=True),
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
    sqlite_autoincrement=True,
)
FAILING = text("hub_subscriptions.failures > 0")
_FAILING = text("failures > 0")
_partial("ix_hub_subscriptions_failing", hub_subscriptions.c.next_try_at, where=_FAILING)

source_hubs = Table(
    "source_hubs",
    metadata,
    Column("source_id", Id, primary_key=True, autoincrement=False),
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
