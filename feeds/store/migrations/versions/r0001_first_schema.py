"""The first schema. I/O: database."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "article_texts",
        sa.Column("text_hash", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("article_id", ID, nullable=False),
        sa.PrimaryKeyConstraint("text_hash", name="pk_article_texts"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "article_urls",
        sa.Column("comparable", sa.Text(), nullable=False),
        sa.Column("article_id", ID, nullable=False),
        sa.PrimaryKeyConstraint("comparable", name="pk_article_urls"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "articles",
        sa.Column("id", ID, nullable=False),
        sa.Column("uid", sa.Text(), nullable=False),
        sa.Column("story_uid", sa.Text(), nullable=True),
        sa.Column("published_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.Column("rank_at", sa.BigInteger(), nullable=False),
        sa.Column("seen_at", sa.BigInteger(), nullable=False),
        sa.Column("revision", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("rendered_revision", sa.BigInteger(), server_default=sa.text("-1"), nullable=False),
        sa.Column("least_revision", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("set_aside", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("retracted_at", sa.BigInteger(), nullable=True),
        sa.Column("retracted_reason", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_articles"),
        sa.UniqueConstraint("uid", name="uq_articles_uid"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_articles_seen_at", "articles", ["seen_at"], unique=False)
    op.create_index("ix_articles_story_uid", "articles", ["story_uid"], unique=False)
    for name, condition in (
        ("ix_articles_set_aside", "set_aside <> '' AND rendered_revision = revision"),
        ("ix_articles_unrendered", "rendered_revision <> revision AND retracted_at IS NULL"),
    ):
        op.create_index(
            name,
            "articles",
            ["id"],
            unique=False,
            sqlite_where=sa.text(condition),
            postgresql_where=sa.text(condition),
        )
    op.create_table(
        "configs",
        sa.Column("version", ID, nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("brief", sa.Text(), nullable=False),
        sa.Column("accepted_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("version", name="pk_configs"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "counters",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("value", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_counters"),
    )
    op.create_table(
        "documents",
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("format", sa.Text(), nullable=False),
        sa.Column("media_type", sa.Text(), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.Column("etag", sa.Text(), nullable=False),
        sa.Column("last_modified", sa.BigInteger(), nullable=False),
        sa.Column("publication", sa.BigInteger(), nullable=False),
        sa.Column("article_uids", sa.Text(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("gzip", sa.LargeBinary(), nullable=True),
        sa.Column("brotli", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("path", "format", name="pk_documents"),
    )
    op.create_index("ix_documents_publication", "documents", ["publication"], unique=False)
    op.create_table(
        "events",
        sa.Column("id", ID, nullable=False),
        sa.Column("uid", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("remedy", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("closed_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_events"),
        sa.UniqueConstraint("uid", name="uq_events_uid"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_events_at", "events", ["at"], unique=False)
    op.create_index(
        "ix_events_open",
        "events",
        ["kind", "subject"],
        unique=True,
        sqlite_where=sa.text("closed_at IS NULL"),
        postgresql_where=sa.text("closed_at IS NULL"),
    )
    op.create_table(
        "frames",
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("format", sa.Text(), nullable=False),
        sa.Column("head", sa.LargeBinary(), nullable=False),
        sa.Column("tail", sa.LargeBinary(), nullable=False),
        sa.Column("separator", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("path", "format", name="pk_frames"),
    )
    op.create_table(
        "story_moves",
        sa.Column("old_uid", sa.Text(), nullable=False),
        sa.Column("uid", sa.Text(), nullable=False),
        sa.Column("moved_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("old_uid", name="pk_story_moves"),
    )
    op.create_table(
        "section_moves",
        sa.Column("old_path", sa.Text(), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("moved_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("old_path", name="pk_section_moves"),
    )
    op.create_table(
        "sections",
        sa.Column("id", ID, nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("position", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("sequence", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("filed", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("touched", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("rendered_sequence", sa.BigInteger(), server_default=sa.text("(-1)"), nullable=False),
        sa.Column("rendered_touched", sa.BigInteger(), server_default=sa.text("(-1)"), nullable=False),
        sa.Column("rendered_filed", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("removed_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_sections"),
        sa.UniqueConstraint("path", name="uq_sections_path"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "sources",
        sa.Column("id", ID, nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("target", sa.Text(), nullable=False),
        sa.Column("section", sa.Text(), nullable=True),
        sa.Column("enabled", sa.SmallInteger(), server_default=sa.text("1"), nullable=False),
        sa.Column("fixed_interval_s", sa.Float(), nullable=True),
        sa.Column("full_text", sa.Text(), nullable=True),
        sa.Column("rights", sa.Text(), nullable=False),
        sa.Column("language", sa.Text(), nullable=True),
        sa.Column("timezone", sa.Text(), nullable=True),
        sa.Column("priority", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("ignore_validators", sa.SmallInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("line", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("added_at", sa.BigInteger(), nullable=False),
        sa.Column("removed_at", sa.BigInteger(), nullable=True),
        sa.Column("next_poll_at", sa.BigInteger(), nullable=False),
        sa.Column("due_at", sa.BigInteger(), nullable=False),
        sa.Column("claim_id", sa.Text(), nullable=True),
        sa.Column("polled", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("etag", sa.Text(), nullable=True),
        sa.Column("last_modified", sa.Text(), nullable=True),
        sa.Column("validators_url", sa.Text(), nullable=True),
        sa.Column("body_hash", sa.Text(), nullable=True),
        sa.Column("item_hashes", sa.LargeBinary(), nullable=True),
        sa.Column("interval_s", sa.Float(), nullable=True),
        sa.Column("failures", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("first_poll_done", sa.SmallInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("last_poll_at", sa.BigInteger(), nullable=True),
        sa.Column("last_ok_at", sa.BigInteger(), nullable=True),
        sa.Column("last_new_at", sa.BigInteger(), nullable=True),
        sa.Column("last_full_at", sa.BigInteger(), nullable=True),
        sa.Column("last_status", sa.Integer(), nullable=True),
        sa.Column("last_outcome", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("last_error", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("last_remedy", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("reason", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("retry_after_until", sa.BigInteger(), nullable=True),
        sa.Column("gone_at", sa.BigInteger(), nullable=True),
        sa.Column("adopted_url", sa.Text(), nullable=True),
        sa.Column("redirect_target", sa.Text(), nullable=True),
        sa.Column("redirect_first_seen", sa.BigInteger(), nullable=True),
        sa.Column("redirect_count", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("distrusted_at", sa.BigInteger(), nullable=True),
        sa.Column("rhythm", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("title", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("site_url", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_sources"),
        sa.UniqueConstraint("key", name="uq_sources_key"),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "ix_sources_due",
        "sources",
        ["next_poll_at"],
        unique=False,
        sqlite_where=sa.text("enabled = 1 AND removed_at IS NULL"),
        postgresql_where=sa.text("enabled = 1 AND removed_at IS NULL"),
    )
    op.create_table(
        "tombstones",
        sa.Column("mark", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("met_at", sa.BigInteger(), nullable=False),
        sa.Column("forever", sa.SmallInteger(), server_default=sa.text("0"), nullable=False),
        sa.PrimaryKeyConstraint("mark", name="pk_tombstones"),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "ix_tombstones_mortal",
        "tombstones",
        ["met_at"],
        unique=False,
        sqlite_where=sa.text("forever = 0"),
        postgresql_where=sa.text("forever = 0"),
    )
    op.create_table(
        "entries",
        sa.Column("id", ID, nullable=False),
        sa.Column("source_id", ID, nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("article_id", ID, nullable=False),
        sa.Column("shown", sa.SmallInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("copy", sa.SmallInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("entry_id", sa.Text(), nullable=True),
        sa.Column("comparable", sa.Text(), nullable=True),
        sa.Column("link", sa.Text(), nullable=True),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("text_hash", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("content_hash", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("published_at", sa.BigInteger(), nullable=True),
        sa.Column("first_seen", sa.BigInteger(), nullable=False),
        sa.Column("changed_at", sa.BigInteger(), nullable=False),
        sa.Column("evidence", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("payload", sa.LargeBinary(), nullable=False),
        sa.Column("signature", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(["article_id"], ["articles.id"], name="fk_entries_article_id"),
        sa.ForeignKeyConstraint(["source_id"], ["sources.id"], name="fk_entries_source_id"),
        sa.PrimaryKeyConstraint("id", name="pk_entries"),
        sa.UniqueConstraint("key", "source_id", name="uq_entries_key"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_entries_article_id", "entries", ["article_id"], unique=False)
    op.create_index("ix_entries_first_seen", "entries", ["first_seen"], unique=False)
    op.create_index("ix_entries_newest", "entries", ["source_id", "id"], unique=False)
    op.create_table(
        "filings",
        sa.Column("section_id", ID, autoincrement=False, nullable=False),
        sa.Column("article_id", ID, autoincrement=False, nullable=False),
        sa.Column("state", sa.SmallInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("rank_at", sa.BigInteger(), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("filed_by", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("probability", sa.Float(), nullable=True),
        sa.Column("filed_at", sa.BigInteger(), nullable=False),
        sa.Column("changed_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["article_id"], ["articles.id"], name="fk_filings_article_id"),
        sa.ForeignKeyConstraint(["section_id"], ["sections.id"], name="fk_filings_section_id"),
        sa.PrimaryKeyConstraint("section_id", "article_id", name="pk_filings"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_filings_article_id", "filings", ["article_id"], unique=False)
    op.create_index("ix_filings_number", "filings", ["section_id", "number"], unique=False)
    op.create_index("ix_filings_sequence", "filings", ["section_id", "sequence"], unique=False)
    op.create_index(
        "ix_filings_top",
        "filings",
        ["section_id", "rank_at", "article_id"],
        unique=False,
        sqlite_where=sa.text("state = 0"),
        postgresql_where=sa.text("state = 0"),
    )
    op.create_table(
        "story_fragments",
        sa.Column("story_uid", sa.Text(), nullable=False),
        sa.Column("format", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("made_of", sa.Text(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("story_uid", "format", name="pk_story_fragments"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "fragments",
        sa.Column("article_id", ID, autoincrement=False, nullable=False),
        sa.Column("format", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["article_id"], ["articles.id"], name="fk_fragments_article_id"),
        sa.PrimaryKeyConstraint("article_id", "format", name="pk_fragments"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "inbox",
        sa.Column("id", ID, nullable=False),
        sa.Column("source_id", ID, nullable=False),
        sa.Column("claim_id", sa.Text(), nullable=True),
        sa.Column("received_at", sa.BigInteger(), nullable=False),
        sa.Column("final_url", sa.Text(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("headers", sa.Text(), nullable=False),
        sa.Column("etag", sa.Text(), nullable=True),
        sa.Column("last_modified", sa.Text(), nullable=True),
        sa.Column("pushed", sa.SmallInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["source_id"], ["sources.id"], name="fk_inbox_source_id"),
        sa.PrimaryKeyConstraint("id", name="pk_inbox"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_inbox_source_id", "inbox", ["source_id"], unique=False)
    op.create_table(
        "polls",
        sa.Column("source_id", ID, autoincrement=False, nullable=False),
        sa.Column("slot", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.Column("new_entries", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("copies", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("updated", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("wire_bytes", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("seconds", sa.Float(), nullable=False),
        sa.Column("error", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("remedy", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("next_poll_at", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.ForeignKeyConstraint(["source_id"], ["sources.id"], name="fk_polls_source_id"),
        sa.PrimaryKeyConstraint("source_id", "slot", name="pk_polls"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "hub_requests",
        sa.Column("id", ID, nullable=False),
        sa.Column("mode", sa.Text(), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("format", sa.Text(), nullable=False),
        sa.Column("callback", sa.Text(), nullable=False),
        sa.Column("topic", sa.Text(), nullable=False),
        sa.Column("host", sa.Text(), nullable=False),
        sa.Column("secret", sa.Text(), nullable=True),
        sa.Column("lease_s", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("reason", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("tries", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("next_try_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_hub_requests"),
        sa.UniqueConstraint("path", "format", "callback", name="uq_hub_requests_path"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_hub_requests_host", "hub_requests", ["host"], unique=False)
    op.create_index("ix_hub_requests_next_try_at", "hub_requests", ["next_try_at"], unique=False)
    op.create_table(
        "hub_subscriptions",
        sa.Column("id", ID, nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("format", sa.Text(), nullable=False),
        sa.Column("callback", sa.Text(), nullable=False),
        sa.Column("topic", sa.Text(), nullable=False),
        sa.Column("host", sa.Text(), nullable=False),
        sa.Column("ping", sa.SmallInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("secret", sa.Text(), nullable=True),
        sa.Column("verified_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("delivered_etag", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("delivered_sequence", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("given_up_etag", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("delivered_at", sa.BigInteger(), nullable=True),
        sa.Column("failures", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("failing_since", sa.BigInteger(), nullable=True),
        sa.Column("next_try_at", sa.BigInteger(), nullable=False),
        sa.Column("last_error", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_hub_subscriptions"),
        sa.UniqueConstraint("path", "format", "callback", name="uq_hub_subscriptions_path"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_hub_subscriptions_host", "hub_subscriptions", ["host"], unique=False)
    op.create_index(
        "ix_hub_subscriptions_failing",
        "hub_subscriptions",
        ["next_try_at"],
        unique=False,
        sqlite_where=sa.text("failures > 0"),
        postgresql_where=sa.text("failures > 0"),
    )
    op.create_table(
        "source_hubs",
        sa.Column("source_id", ID, autoincrement=False, nullable=False),
        sa.Column("hub", sa.Text(), nullable=False),
        sa.Column("topic", sa.Text(), nullable=False),
        sa.Column("token", sa.Text(), nullable=False),
        sa.Column("secret", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=True),
        sa.Column("next_try_at", sa.BigInteger(), nullable=False),
        sa.Column("failures", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("reason", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("pushed_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("source_id", name="pk_source_hubs"),
        sa.UniqueConstraint("token", name="uq_source_hubs_token"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_source_hubs_next_try_at", "source_hubs", ["next_try_at"], unique=False)
    if op.get_bind().dialect.name == "sqlite":
        tokens = "unicode61 remove_diacritics 0 categories 'L* N* Co M*'"
        op.execute(f'CREATE VIRTUAL TABLE search_words USING fts5(words, tokenize = "{tokens}")')
    else:
        op.execute(
            "CREATE TABLE search_words (article_id bigint PRIMARY KEY REFERENCES articles (id) ON DELETE CASCADE,"
            " words tsvector NOT NULL)"
        )
        op.execute("CREATE INDEX ix_search_words ON search_words USING gin (words)")
