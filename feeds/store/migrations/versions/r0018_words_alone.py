"""The index of words keeps no text. I/O: database.

A million articles take some minutes, a desk of forty thousand some seconds.
"""

from alembic import op

revision = "0018"
down_revision = "0017"


def upgrade() -> None:
    if op.get_bind().dialect.name != "sqlite":
        return
    tokens = "unicode61 remove_diacritics 0 categories 'L* N* Co M*'"
    op.execute(f"CREATE VIRTUAL TABLE found_words USING fts5(words, content = '', tokenize = \"{tokens}\")")
    op.execute("INSERT INTO found_words (rowid, words) SELECT rowid, words FROM search_words ORDER BY rowid")
    op.execute("DROP TABLE search_words")
    op.execute("ALTER TABLE found_words RENAME TO search_words")
