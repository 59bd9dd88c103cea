"""Times, hashes and keys as columns and indexes keep them."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.exc import StatementError

from feeds.codec import micros, moment
from feeds.store.dialect import (
    LONGEST,
    article_mark,
    chunks,
    entry_mark,
    indexable,
    insert_many,
    rows_in,
    signed,
    storable,
    text_mark,
    unsigned,
    url_mark,
)
from feeds.store.schema import counters, tombstones

from .conftest import NOW


@given(st.datetimes(timezones=st.sampled_from([UTC, timezone(timedelta(hours=-9, minutes=-30))])))
def test_a_time_comes_back_exactly_and_in_utc(time):
    back = moment(micros(time))
    assert back == time
    assert back.utcoffset() == timedelta(0)


@given(st.integers(0, 2**64 - 1))
def test_an_unsigned_hash_fits_a_signed_column_and_comes_back(number):
    assert -(2**63) <= signed(number) < 2**63
    assert unsigned(signed(number)) == number


def test_a_naive_time_is_refused(store):
    naive = datetime(2026, 11, 1)  # noqa: DTZ001
    with pytest.raises(ValueError, match="without a zone"):
        micros(naive)
    with pytest.raises(StatementError, match="without a zone"), store.write() as tx:
        tx.configs.accept("{}", "d", naive)
    with store.read() as tx:
        assert tx.configs.current() is None


def test_a_stored_time_comes_back_aware(store):
    east = NOW.astimezone(timezone(timedelta(hours=5)))
    with store.write() as tx:
        tx.configs.accept("{}", "d", east)
    with store.read() as tx:
        accepted = tx.configs.current().accepted_at
    assert accepted == NOW
    assert accepted.utcoffset() == timedelta(0)


@given(st.text(st.characters()))
def test_stored_text_has_nothing_that_a_database_refuses(text):
    stored = storable(text)
    assert "\0" not in stored
    stored.encode()
    assert storable(stored) == stored


@given(st.text(max_size=2000) | st.text(min_size=LONGEST, max_size=2000).map(lambda text: text * 3))
def test_an_indexed_key_is_short_and_cutting_twice_is_as_once(text):
    assert len(indexable(text)) <= LONGEST
    assert indexable(indexable(text)) == indexable(text)


def test_long_keys_with_the_same_beginning_stay_apart():
    assert indexable("a" * 5000 + "x") != indexable("a" * 5000 + "y")


def test_marks_of_different_things_differ():
    marks = {entry_mark(1, "x"), entry_mark(2, "x"), url_mark("x"), text_mark(1), article_mark("x")}
    assert len(marks) == 5
    assert all(-(2**63) <= mark < 2**63 for mark in marks)


def test_chunks_leave_nothing_out():
    assert [list(some) for some in chunks([1, 2, 3, 4, 5], 2)] == [[1, 2], [3, 4], [5]]
    assert list(chunks([])) == []


def test_many_rows_are_written_and_found_by_a_list_of_any_length(store):
    names = ["plain", "o'clock", 'a "quoted" \\ name', "tide, ebb", "{brace}", "Grüße, 潮", *map(str, range(900))]
    marks = [-(2**63), 2**63 - 1, *range(500)]
    with store.unfenced() as connection:
        rows = [{"name": name, "value": at} for at, name in enumerate(names)]
        insert_many(connection, counters, rows)
        again = [{"name": "plain", "value": 7}, {"name": "new", "value": 7}]
        insert_many(connection, counters, again, unless=("name",))
        insert_many(connection, tombstones, [{"mark": mark, "met_at": NOW, "forever": 0} for mark in marks])
        found = rows_in(connection, select(counters), counters.c.name, [*names, "nobody's"])
        assert {row.name: row.value for row in found} == {name: at for at, name in enumerate(names)}
        assert next(rows_in(connection, select(counters.c.value), counters.c.name, ["new"])).value == 7
        assert {row.mark for row in rows_in(connection, select(tombstones), tombstones.c.mark, marks)} == set(marks)
        assert not list(rows_in(connection, select(counters), counters.c.name, []))
