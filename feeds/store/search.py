"""Search over what is stored: SQLite's FTS5 and PostgreSQL's text search behind one verb. I/O: database.

Both keep the same words (`search_index.py`), so that the same question finds the same articles on either. What came
last is found first: the index gives its hits in that order, one after the other is looked at until there are
enough, and what was found is put in order here. Where few articles can be meant, of a source or a small section, SQLite
looks at those hits alone that are among them, and PostgreSQL at those articles alone.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from msgspec import Struct
from msgspec.structs import replace
from sqlalchemy import select, text

from feeds.codec import micros
from feeds.model import Article, Format, Fragment
from feeds.store import dialect
from feeds.store.dialect import AnyRow, Verbs, rows_in, storable
from feeds.store.hydrate import hydrate
from feeds.store.schema import SEARCH as TABLE
from feeds.store.schema import SERVABLE, articles, entries, fragments, sections, sources
from feeds.store.selections import PUBLIC, fragment_of, holding
from feeds.text import words

MOST_QUERY_CHARS = 200
MOST_TERMS = 12
MOST_FOUND = 500
"""Articles that one question finds at most; filters find others."""
MOST_HITS = 50_000
"""Hits of the words that are looked at, the last that came. Only of a word in very many articles there are more."""
MOST_OF_SOURCE = 5000
"""Entries of a source that are searched, the last that came."""
FEW_FILINGS = 10_000
FEW_OF_SEVERAL = {"sqlite": 100_000, "postgresql": FEW_FILINGS}
"""Filings of the section that is asked for, or of several, up to which it is known beforehand which articles can be
meant: SQLite reads them in a row, PostgreSQL looks each of their articles up. Whether a hit is in one section of more
costs SQLite a tenth of what it costs for several.
"""
MONTH = timedelta(days=30)
PREFIX_FROM = 3
"""A word of so many letters finds longer words that begin with it: flood, floods, flooding. But not one that is in
`MOST_FOUND` articles: to put together all that begins with a frequent word takes longer than all else.
"""

_PLANNING = text("SELECT set_config('jit', 'off', true), set_config('plan_cache_mode', 'force_custom_plan', true)")
"""For a transaction of PostgreSQL: compiling takes longer than a search, and a plan that does not know the words reads
all that have them.
"""
_TERM = re.compile(r'(-?)(?:"([^"]*)"?|(\S+))')


class Question(Struct, frozen=True, kw_only=True):
    """What is looked for: *words* as `terms` reads them, in a *section* (its path), of a *source* (its key), published
    *since* a time; "" and None: any. Of private sections only those *within* are looked at.
    """

    words: str
    within: tuple[str, ...] = PUBLIC
    section: str = ""
    source: str = ""
    since: datetime | None = None


class Hits(Struct, frozen=True, kw_only=True):
    """Some of what was found. *count* is how many there are, `MOST_FOUND` where there may be more."""

    articles: tuple[Article, ...] = ()
    count: int = 0


class Term(Struct, frozen=True):
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

    def find(self, question: Question, limit: int, offset: int = 0, *, by_date: bool = False) -> Hits:
        """*limit* of the published articles that *question* asks for, behind the first *offset* of them.

        Of very many the `MOST_FOUND` that came last are looked at, the most relevant first: see `_relevance`. *by_date*
        the newest first, as they are dated.
        """
        asked = self._terms(question.words)
        facts = select(articles.c.id, articles.c.published_at, entries.c.title).join_from(articles, entries)
        ids = self._ids(asked, question, MOST_FOUND)
        rows = list(rows_in(self._connection, facts.where(entries.c.shown == 1), articles.c.id, ids))
        score = _relevance(asked, rows)
        order = sorted(rows, key=lambda row: (0.0 if by_date else score(row), row.published_at, row.id), reverse=True)
        chosen = [row.id for row in order[offset : offset + limit]]
        found = hydrate(self._connection, chosen)
        return Hits(articles=tuple(found[each] for each in chosen if each in found), count=len(order))

    def fragments(self, question: Question, format: Format, limit: int) -> tuple[Fragment, ...]:
        """The fragments of what is asked for and came last, the last first; those not made yet are left out."""
        ids = self._ids(self._terms(question.words), question, limit)
        statement = select(fragments, articles.c.uid, articles.c.updated_at.label("changed_at"))
        statement = statement.join_from(fragments, articles).where(fragments.c.format.in_(holding(format)), SERVABLE)
        made = {
            row.article_id: fragment_of(row, format, article_uid=row.uid, updated=row.changed_at)
            for row in rows_in(self._connection, statement, fragments.c.article_id, ids)
        }
        return tuple(made[each] for each in ids if each in made)

    def _terms(self, query: str) -> list[Term]:
        """The terms of *query*; words that many articles have find no longer ones."""
        if dialect.is_postgres(self._connection):
            self._execute(_PLANNING)
        some = f"SELECT 1 FROM {TABLE} WHERE {self._match()} LIMIT {MOST_FOUND}"
        counted = text(f"SELECT count(*) FROM ({some}) AS enough")
        found = []
        for term in terms(query):
            exact = replace(term, prefix=False)
            if term.prefix and self._execute(counted, {"asked": self._query([exact])}).scalar_one() >= MOST_FOUND:
                term = exact
            found.append(term)
        return found

    def _match(self) -> str:
        postgres = dialect.is_postgres(self._connection)
        return "words @@ CAST(:asked AS tsquery)" if postgres else f"{TABLE} MATCH :asked"

    def _query(self, asked: Sequence[Term]) -> str:
        return _postgres(asked) if dialect.is_postgres(self._connection) else _fts5(asked)

    def _ids(self, asked: Sequence[Term], question: Question, limit: int) -> list[int]:
        """The articles that came last of those asked for, by their row, the last first."""
        if not any(term.wanted for term in asked):
            return []
        postgres = dialect.is_postgres(self._connection)
        row = "article_id" if postgres else "rowid"
        values: dict[str, object] = {"asked": self._query(asked), "most": limit}
        last, published = "", "retracted_at IS NULL AND NOT (set_aside <> '' AND rendered_revision = revision)"
        if question.since is not None:
            # What came before that time was published before it, too: so much of the index need not be looked at.
            last = f" AND {row} >= (SELECT id FROM articles WHERE seen_at >= :since ORDER BY seen_at, id LIMIT 1)"
            published += " AND published_at >= :since"
            values["since"] = micros(question.since)
        # CASE: asked of one hit after the other, in this order. PostgreSQL would join what it may put in another order.
        few, filed = self._narrowed(question)
        wanted = f"CASE WHEN {filed} THEN (SELECT 1 FROM articles WHERE id = hit AND {published}) IS NOT NULL END"
        if few and postgres:
            last += f" AND {row} = ANY(ARRAY({few}))"
        elif few:
            wanted = f"CASE WHEN hit IN ({few}) THEN {wanted} END"
        hits = f"SELECT {row} AS hit FROM {TABLE} WHERE {self._match()}{last} ORDER BY {row} DESC LIMIT {MOST_HITS}"
        # The hits keep their order, and none is looked at behind the last that counts: another ORDER BY would need all.
        statement = text(f"SELECT hit FROM ({hits}) AS hits WHERE {wanted} LIMIT :most")
        return list(self._connection.scalars(statement, values))

    def _narrowed(self, question: Question) -> tuple[str, str]:
        """What selects the few articles that can be meant, "" where they are many; and the condition that a hit is
        filed where it is asked for and may be seen.
        """
        public = (sections.c.private == 0) & (sections.c.path != "")
        seen = select(sections.c.id, sections.c.filed).where(sections.c.removed_at.is_(None))
        seen = seen.where(public | sections.c.path.in_(question.within))
        if question.section:
            seen = seen.where(sections.c.path == question.section)
        rows = self._execute(seen).all()
        # Numbers of rows stand in the statement, so that PostgreSQL knows how many articles belong to them.
        ids = ", ".join(str(row.id) for row in rows) or "NULL"
        few, one = "", len(rows) == 1
        if question.source:
            source_id = self._connection.scalar(select(sources.c.id).where(sources.c.key == question.source))
            theirs = f"SELECT article_id FROM entries WHERE source_id = {source_id or 0}"
            few = f"{theirs} ORDER BY id DESC LIMIT {MOST_OF_SOURCE}"
        elif sum(row.filed for row in rows) <= (FEW_FILINGS if one else FEW_OF_SEVERAL[self._connection.dialect.name]):
            few = f"SELECT article_id FROM filings WHERE section_id IN ({ids}) AND state = 0"
        # The sign keeps SQLite from trying each of thousands of sections: an article is in few.
        here = f"article_id = hit AND state = 0 AND {'' if one else '+'}section_id IN ({ids})"
        return few, f"(SELECT 1 FROM filings WHERE {here} LIMIT 1) IS NOT NULL"


def _relevance(asked: Sequence[Term], rows: Sequence[AnyRow]) -> Callable[[AnyRow], float]:
    """How relevant one of *rows* is: 1 for all terms in its title, up to a half for being new, which halves in a month.

    Neither database's own measure is asked: both look at all that was ever found, a tenth of a second of a million.
    """
    wanted = [term for term in asked if term.wanted]
    newest = max((row.published_at for row in rows), default=None)

    def score(row: AnyRow) -> float:
        months = (newest - row.published_at) / MONTH if newest else 0.0
        return float(_in_title(words(row.title), wanted) / len(wanted) + 0.5 * 0.5**months)

    return score


def _in_title(title: Sequence[str], wanted: Sequence[Term]) -> int:
    """How many of the terms *wanted* stand in a title, given as its words."""
    return sum(any(_stands_at(title, at, term) for at in range(len(title))) for term in wanted)


def _stands_at(title: Sequence[str], at: int, term: Term) -> bool:
    part = title[at : at + len(term.words)]
    if len(part) < len(term.words) or tuple(part[:-1]) != term.words[:-1]:
        return False
    return part[-1].startswith(term.words[-1]) if term.prefix else part[-1] == term.words[-1]


def _fts5(asked: Sequence[Term]) -> str:
    """Words are letters and digits alone, so that quotes around them are all the escaping there is."""

    def one(term: Term) -> str:
        return '"' + " ".join(term.words) + '"' + ("*" if term.prefix else "")

    wanted = " AND ".join(one(term) for term in asked if term.wanted)
    return f"({wanted})" + "".join(f" NOT {one(term)}" for term in asked if not term.wanted)


def _postgres(asked: Sequence[Term]) -> str:
    def one(term: Term) -> str:
        quoted = [f"'{word}'" for word in term.words]
        return "(" + " <-> ".join(quoted) + (":*" if term.prefix else "") + ")"

    return " & ".join(("" if term.wanted else "!") + one(term) for term in asked)
