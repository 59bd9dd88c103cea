"""Times and hashes as columns keep them."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.exc import StatementError

from feeds.codec import micros, moment
from feeds.store.columns import signed, unsigned

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
