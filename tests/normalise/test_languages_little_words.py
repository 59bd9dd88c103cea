"""The language that the little words of a text tell, and when they say nothing."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as some

from feeds.normalise import languages

PLAIN = {
    "en": "The ferry from the outer islands was an hour late on Monday because of fog in the sound, the line said.",
    "de": "Die Fähre von den Inseln kam am Montag wegen Nebels im Sund eine Stunde zu spät an, sagte die Reederei.",
    "fr": "Le ferry des îles avait une heure de retard lundi à cause du brouillard, et la compagnie ne sait pas qui.",
    "es": "El transbordador de las islas llegó el lunes con una hora de retraso, pero los viajeros no se han quejado.",
    "ru": "Паром с островов пришёл на час позже, и это не из-за тумана, как он сказал, а потому что так было всегда.",
}


@pytest.mark.parametrize("language", PLAIN)
def test_a_plain_sentence_needs_no_model(language: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_model() -> None:
        raise AssertionError("the model was asked")

    monkeypatch.setattr(languages, "_model", no_model)
    assert languages.detected_language(PLAIN[language]) == language


@pytest.mark.parametrize(
    "text",
    [
        "O transbordador das illas chegou cunha hora de atraso o luns por mor da néboa na ría, dixo a empresa.",  # gl
        "Die veerboot van die eilande was ’n uur laat op Maandag as gevolg van mis in die see, het hulle gesê.",  # af
        "Færgen fra øerne var en time forsinket mandag på grund af tåge i sundet, sagde rederiet til avisen.",  # da
        "Trajekt z ostrovů měl v pondělí hodinu zpoždění kvůli mlze v úžině, řekla společnost, a ne na moři.",  # cs
        "The der die le la el und et of and",
        "Reuters AFP dpa",
        "",
    ],
)
def test_what_rivals_could_claim_is_left_to_the_model(text: str) -> None:
    assert languages.language_of(text) is None


def test_addresses_are_in_no_language() -> None:
    address = "https://www.video.example/the-ferry-was-late-because-of-the-fog-in-the-sound"
    assert languages.detected_language(f"Full video: {address}") is None


@given(some.text(max_size=200))
def test_any_text_is_taken(text: str) -> None:
    assert languages.language_of(text) in (None, *languages.TOLD)
