"""The months of the sitemaps follow what was filed, and nothing reads more of a large desk than it has to."""

from datetime import timedelta

from sqlalchemy import text

from feeds.store import documents
from feeds.store.documents import changed_filings, listed_filings
from feeds.store.values import Replacement

from .conftest import NOW, new, save, uid_of


def published(desk):
    with desk.write() as tx:
        state = tx.sections.get("")
        tx.documents.replace([Replacement(path="", sequence=state.sequence, filed=state.filed)])
        return tx.sitemaps.note()


def months(desk):
    with desk.read() as tx:
        return [(one.month, one.first, one.last) for one in tx.sitemaps.months()]


def test_months_are_noted_from_what_changed_alone(desk, monkeypatch):
    monkeypatch.setattr(documents, "NOTED_AT_ONCE", 2)
    assert months(desk) == [] and published(desk) == 0
    save(desk, [new(name, 1) for name in "abc"], "")
    assert [published(desk) for _ in range(3)] == [2, 1, 0]
    save(desk, [new(name, 1) for name in "de"], "", now=NOW + timedelta(days=40))
    assert published(desk) == 2
    assert months(desk) == [(202611, 1, 3), (202612, 4, 5)]
    with desk.write() as tx:
        tx.articles.retract(uid_of("a"), "asked for", NOW + timedelta(days=50))
    assert published(desk) == 1  # the change alone, in the month of its filing
    with desk.read() as tx:
        assert tx.sitemaps.months()[0].changed_at == NOW + timedelta(days=50)
        assert [one.uid for one in tx.sitemaps.listed(1, 3)] == [uid_of("b"), uid_of("c")]


def test_what_is_filed_and_not_published_yet_waits(desk):
    save(desk, [new("a", 1)], "")
    published(desk)
    save(desk, [new("b", 1)], "")
    with desk.read() as tx:
        assert [one.uid for one in tx.sitemaps.listed(1, 9)] == [uid_of("a")]


def test_no_question_goes_through_all_filings(desk):
    save(desk, [new("a", 1)], "")
    with desk.write() as tx:
        connection = tx._connection
        sqlite = connection.dialect.name == "sqlite"
        asked = {"ix_filings_sequence": changed_filings(2, 5), "ix_filings_number": listed_filings(2, 1, 9)}
        for index, statement in asked.items():
            if not sqlite:
                connection.execute(text("SET LOCAL enable_seqscan = off"))
                connection.execute(text("SET LOCAL enable_bitmapscan = off"))
            words = str(statement.compile(dialect=connection.dialect, compile_kwargs={"literal_binds": True}))
            plan = connection.execute(text(f"EXPLAIN {'QUERY PLAN ' if sqlite else ''}{words}"))
            told = " ".join(str(row) for row in plan)
            assert index in told and "SCAN filings" not in told and "Seq Scan" not in told
