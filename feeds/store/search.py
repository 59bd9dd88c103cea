"""Search over what is stored: SQLite's FTS5 and PostgreSQL's text search behind one verb. I/O: database.

Both keep the folded words of `feeds.text.words`, so that the same question finds the same articles on either. What is
found comes newest first, as feeds want it, which both databases walk without looking at every match.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, text

from feeds.codec import moment
from feeds.model import Article, Entry, Format, Fragment
from feeds.store import dialect
from feeds.store.columns import storable
from feeds.store.dialect import Verbs
from feeds.store.hydrate import hydrate
from feeds.store.schema import SEARCH as TABLE
from feeds.store.selections import PUBLIC, fragment_of
from feeds.text import spelled, words

MOST_TEXT_CHARS = 6000
"""How much of an article's text can be found; what it is about stands in its beginning."""
MOST_QUERY_CHARS = 200
MOST_TERMS = 12
PREFIX_FROM = 3
"""A word of so many letters finds longer words that begin with it: flood, floods, flooding."""

_TERM = re.compile(r'(-?)(?:"([^"]*)"?|(\S+))')


@dataclass(frozen=True, slots=True, kw_only=True)
class Hits:
    """What was found, newest first; pass *next* as ``before`` for those behind, None at the end."""

    articles: tuple[Article, ...] = ()
    next: int | None = None


@dataclass(frozen=True, slots=True)
class Term:
    """Words that have to stand beside each other, or must not be there at all. *prefix*: the last may go on."""

    words: tuple[str, ...]
    wanted: bool = True
    prefix: bool = False


def terms(query: str) -> tuple[Term, ...]:
    """Return what *query* asks for: every word, each ``"phrase"``, and nothing of what stands after a ``-``.

    >>> terms('flood "tide gauge" -sport')
    (Term(words=('flood',), wanted=True, prefix=True), Term(words=('tide', 'gauge'), wanted=True, prefix=False), \
Term(words=('sport',), wanted=False, prefix=False))
    """
    found = []
    for minus, phrase, word in _TERM.findall(storable(query[:MOST_QUERY_CHARS])):
        said = tuple(words(phrase or word))
        if said:
            prefix = bool(word) and not minus and len(said[-1]) >= PREFIX_FROM
            found.append(Term(said, wanted=not minus, prefix=prefix))
    return tuple(found[:MOST_TERMS])


class Search(Verbs):
    """``tx.search``"""

    def find(self, query: str, limit: int, before: int | None = None, within: Collection[str] = PUBLIC) -> Hits:
        """The newest *limit* articles of public sections, and private ones *within*, that hold *query* (`terms`)."""
        rows = self._rows(query, limit + 1, before, within)
        ids, more = rows[:limit], len(rows) > limit
        found = hydrate(self._connection, ids)
        return Hits(articles=tuple(found[each] for each in ids if each in found), next=ids[-1] if more else None)

    def fragments(
        self, query: str, format: Format, limit: int, within: Collection[str] = PUBLIC
    ) -> tuple[Fragment, ...]:
        """The fragments of what `find` gives, in its order; those that are not made yet are left out."""
        ids = self._rows(query, limit, None, within)
        if not ids:
            return ()
        marks = ", ".join(f":i{number}" for number in range(len(ids)))
        rows = self._execute(
            text(
                "SELECT f.article_id, a.uid, f.version, f.revision, f.body, a.updated_at"
                " FROM fragments f JOIN articles a ON a.id = f.article_id"
                f" WHERE f.format = :format AND f.revision >= a.least_revision AND f.article_id IN ({marks})"
            ),
            {"format": format} | {f"i{number}": each for number, each in enumerate(ids)},
        )
        made = {
            row.article_id: fragment_of(row, article_uid=row.uid, format=format, updated=moment(row.updated_at))
            for row in rows
        }
        return tuple(made[each] for each in ids if each in made)

    def _rows(self, query: str, limit: int, before: int | None, within: Collection[str]) -> list[int]:
        asked = terms(query)
        if not any(term.wanted for term in asked):
            return []
        postgres = dialect.is_postgres(self._connection)
        if postgres:
            number, match = "s.article_id", "s.words @@ CAST(:asked AS tsquery)"
        else:
            number, match = "s.rowid", f"{TABLE} MATCH :asked"
        paths = {f"path_{place}": path for place, path in enumerate(within)}
        named = ", ".join(f":{each}" for each in paths) or "NULL"
        behind = f" AND {number} < :before" if before is not None else ""
        statement = (
            f"SELECT {number} FROM {TABLE} s WHERE {match}{behind}"
            f" AND EXISTS (SELECT 1 FROM articles a WHERE a.id = {number} AND a.retracted_at IS NULL"
            " AND NOT (a.set_aside <> '' AND a.rendered_revision = a.revision))"
            f" AND EXISTS (SELECT 1 FROM filings f WHERE f.article_id = {number} AND f.state = 0 AND f.section_id IN"
            " (SELECT id FROM sections WHERE removed_at IS NULL"
            f" AND (private = 0 AND path <> '' OR path IN ({named}))))"
            f" ORDER BY {number} DESC LIMIT :most"
        )
        values: dict[str, object] = {"asked": _postgres(asked) if postgres else _fts5(asked), "most": limit}
        values |= paths
        if before is not None:
            values["before"] = before
        return [int(row[0]) for row in self._execute(text(statement), values)]


def index(connection: Connection, shown: Mapping[int, Entry]) -> None:
    """Let articles be found by the words of these entries, and by no others."""
    if not shown:
        return
    rows = [{"number": each, "words": _words(entry)} for each, entry in shown.items()]
    if dialect.is_postgres(connection):
        statement = (
            f"INSERT INTO {TABLE} (article_id, words) VALUES (:number, to_tsvector('simple', :words))"
            " ON CONFLICT (article_id) DO UPDATE SET words = excluded.words"
        )
        connection.execute(text(statement), rows)
        return
    connection.execute(text(f"DELETE FROM {TABLE} WHERE rowid = :number"), rows)
    connection.execute(text(f"INSERT INTO {TABLE} (rowid, words) VALUES (:number, :words)"), rows)


def forget(connection: Connection, ids: list[int]) -> None:
    """Take articles out of what can be found; PostgreSQL does so when their rows go."""
    if ids and not dialect.is_postgres(connection):
        connection.execute(text(f"DELETE FROM {TABLE} WHERE rowid = :number"), [{"number": each} for each in ids])


def tidy(connection: Connection, pages: int) -> None:
    """Merge up to *pages* of the index: FTS5 only notes what is deleted, and drops it when it merges by itself, which
    for the oldest words is never. PostgreSQL's autovacuum does so.
    """
    if not dialect.is_postgres(connection):
        # A negative number makes one merge of all segments, and goes on with that one the next time.
        connection.execute(text(f"INSERT INTO {TABLE} ({TABLE}, rank) VALUES ('merge', :pages)"), {"pages": -pages})


def _words(entry: Entry) -> str:
    names = " ".join(person.name for person in entry.authors)
    terms_ = " ".join(category.label or category.term for category in entry.categories)
    # A blank line of nothing findable keeps a phrase from reaching over the end of a title.
    parts = (entry.title, names, terms_, entry.text[:MOST_TEXT_CHARS])
    return storable(" \n ".join(spelled(part) for part in parts if part))


def _fts5(asked: tuple[Term, ...]) -> str:
    """Words are letters and digits alone, so that quotes around them are all the escaping there is."""

    def one(term: Term) -> str:
        return '"' + " ".join(term.words) + '"' + ("*" if term.prefix else "")

    wanted = " AND ".join(one(term) for term in asked if term.wanted)
    return f"({wanted})" + "".join(f" NOT {one(term)}" for term in asked if not term.wanted)


def _postgres(asked: tuple[Term, ...]) -> str:
    def one(term: Term) -> str:
        quoted = [f"'{word}'" for word in term.words]
        return "(" + " <-> ".join(quoted) + (":*" if term.prefix else "") + ")"

    return " & ".join(("" if term.wanted else "!") + one(term) for term in asked)
