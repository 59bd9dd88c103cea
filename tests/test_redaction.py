"""What config says is a secret is starred wherever it turns up, in whatever spelling."""

from __future__ import annotations

import json
from urllib.parse import quote, quote_plus

import pytest

from feeds.redaction import Redaction

ODD = "p/w: 'q\" \\é%+=ü\t@#?&<>"


def _of(named: dict[str, str], *hidden: str) -> Redaction:
    made = Redaction()
    made.add(named, hidden)
    return made


@pytest.mark.parametrize(
    "spelled",
    [ODD, quote(ODD, safe=""), quote(ODD), repr(ODD), json.dumps(ODD), json.dumps(ODD, ensure_ascii=False)],
    ids=["plain", "escaped", "escaped but slashes", "repr", "JSON", "JSON in UTF-8"],
)
def test_a_secret_of_odd_characters_is_found_in_every_spelling(spelled: str) -> None:
    told = _of({"ODD": ODD}).redacted(f"it met {spelled} there")
    assert "p/w" not in told and "p%2F" not in told and "q" not in told
    assert "${ODD}" in told


def test_a_secret_in_a_form_or_in_a_host_is_found() -> None:
    redaction = _of({"WORD": "Light House+Keeper"})
    assert redaction.redacted(f"a={quote_plus('Light House+Keeper')}") == "a=${WORD}"
    assert redaction.redacted("no address for light house+keeper.example") == "no address for ${WORD}.example"


def test_of_two_secrets_the_longer_goes_first() -> None:
    assert _of({"A": "token", "B": "token-two"}).redacted("token-two token") == "${B} ${A}"


def test_what_is_written_into_config_is_starred_by_its_parts() -> None:
    redaction = _of(
        {},
        "Authorization: Bearer tok-7f3a9c1e",
        "Cookie: a=1; sessid=5590cafe12",
        "postgresql://desk:pass%2Fword1@db.example/desk",
        "Accept: text/html",
    )
    told = redaction.redacted("Bearer tok-7f3a9c1e, tok-7f3a9c1e, 5590cafe12, desk, pass%2Fword1 pass/word1 text/html")
    assert told == "***, ***, ***, desk, *** *** text/html"


def test_short_values_and_references_are_no_secrets() -> None:
    assert (
        _of({"SHORT": "abc"}, "Authorization: Bearer ${TOKEN}").redacted("abc Bearer ${TOKEN}") == "abc Bearer ${TOKEN}"
    )


def test_an_address_is_restored_for_asking() -> None:
    redaction = _of({"WORD": "light/house"})
    assert redaction.redacted("https://a.example/light%2Fhouse/x") == "https://a.example/${WORD}/x"
    assert redaction.restored("https://a.example/${WORD}/x") == "https://a.example/light%2Fhouse/x"
    assert redaction.restored(None) is None
