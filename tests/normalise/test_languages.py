"""The language of texts that do not name it."""

from __future__ import annotations

from collections import Counter
from functools import lru_cache

import pytest
from hypothesis import given
from hypothesis import strategies as some

pytest.importorskip("py3langid", reason="language detection needs py3langid")

from py3langid.langid import MODEL_FILE, LanguageIdentifier, visit_counts

from feeds.normalise import languages
from feeds.normalise.languages import detected_language

TEXTS = {
    "en": "The ferry from the outer islands was an hour late on Monday because of fog in the sound, the line said.",
    "de": "Die Fähre von den Inseln kam am Montag wegen Nebels im Sund eine Stunde zu spät an, sagte die Reederei.",
    "fr": "Le ferry des îles avait une heure de retard lundi à cause du brouillard, a annoncé la compagnie maritime.",
    "es": "El transbordador de las islas llegó con una hora de retraso el lunes a causa de la niebla, dijo la empresa.",
    "it": "Il traghetto delle isole è arrivato lunedì con un'ora di ritardo per la nebbia, ha detto la compagnia.",
    "pt": "A balsa das ilhas chegou na segunda-feira com uma hora de atraso por causa do nevoeiro, disse a empresa.",
    "ru": "Паром с островов в понедельник пришёл на час позже из-за тумана в проливе, сообщила судоходная компания.",
    "ja": "離島からのフェリーは月曜日、霧のため一時間遅れで到着したと運航会社が発表した。",
    "zh": "渡轮公司说，由于海峡大雾，来自外岛的渡轮星期一晚点了一个小时。",
    "ko": "섬에서 오는 여객선이 월요일 안개 때문에 한 시간 늦게 도착했다고 선사가 밝혔다.",
    "ar": "وصلت العبارة من الجزر يوم الاثنين متأخرة ساعة بسبب الضباب في المضيق، كما قالت الشركة المشغلة لها.",
}


@pytest.mark.parametrize("language", TEXTS)
def test_a_sentence_is_enough(language: str) -> None:
    assert detected_language(TEXTS[language]) == language


@pytest.mark.parametrize("text", ["", "Ferry late", "1234 5678 " * 30, "x" * 10, "!?" * 100])
def test_what_says_too_little_has_no_language(text: str) -> None:
    assert detected_language(text) is None


@given(some.text(max_size=200))
def test_any_text_is_taken(text: str) -> None:
    found = detected_language(text)
    assert found is None or 2 <= len(found) <= 3


def test_the_model_tells_what_the_library_tells() -> None:
    library, known = _library(), languages._model()
    for text in [*TEXTS.values(), "", "1234", "ФЕРРИ", "HEL\u0301LO WORLD", *" ".join(TEXTS.values()).split()]:
        (language, probability), (told, how) = known.classify(text), library.classify(text)
        assert (language, round(float(probability), 4)) == (told, round(float(how), 4)), text


@given(some.binary(max_size=60))
def test_any_bytes_have_the_features_that_the_library_finds(text: bytes) -> None:
    library, known = _library(), languages._model()
    visits = visit_counts(library.tk_nextmove, library._rowbase, library.tk_output, text)
    assert known.features_of(text) == (visits or Counter())


@lru_cache(maxsize=1)
def _library() -> LanguageIdentifier:
    library = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    library.set_languages(sorted(set(languages._LANGUAGES) & set(library.labels)))
    return library
