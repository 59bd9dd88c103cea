"""What the pages say in ten languages: complete, as in the code, with plurals and dates as people write them."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta

import pytest
from babel.dates import format_date, get_month_names
from babel.messages.catalog import Message
from msgspec.structs import replace

from feeds.configuration import Section
from feeds.serve.app import EXPLANATIONS
from feeds.serve.wording import LANGUAGES, SAID_ELSEWHERE, direction, wording
from feeds.store.relations import SIGNS as WHY_A_COPY
from tests.serve.catalogues import SERVE, compiled, extracted, po_of, read
from tests.serve.conftest import NOW, MemoryReader, application, make_article
from tests.serve.wsgi import ask

OTHERS = LANGUAGES[1:]
PLACES = re.compile(r"%\(\w+\)s|\{\w+\}")


def forms_of(message: Message) -> tuple[str, ...]:
    return tuple(message.string) if isinstance(message.string, list | tuple) else (message.string or "",)


def key_of(message: Message) -> tuple[object, str | None]:
    return message.id, message.context


@pytest.mark.parametrize("language", OTHERS)
def test_a_catalogue_has_all_that_code_and_templates_say_and_nothing_else(language):
    known = {key_of(message): message for message in read(language) if message.id}
    assert set(known) == {key_of(message) for message in extracted() if message.id}, "run bin/translate"
    for (said, _), message in known.items():
        assert all(form.strip() or form.isspace() for form in forms_of(message)), said
        assert not message.fuzzy, said


@pytest.mark.parametrize("language", OTHERS)
def test_what_is_put_into_a_message_is_put_into_its_translation(language):
    for message in read(language):
        said = message.id if isinstance(message.id, tuple) else (message.id,)
        if not message.id:
            continue
        for form in forms_of(message):
            # A form for one or two may say so in a word.
            assert set(PLACES.findall(form)) <= set(PLACES.findall(said[-1])), form
        assert set(PLACES.findall(forms_of(message)[-1])) == set(PLACES.findall(said[-1])), said


@pytest.mark.parametrize("language", OTHERS)
def test_what_is_compiled_is_what_people_edit(language):
    assert po_of(language).with_suffix(".mo").read_bytes() == compiled(read(language)), "run bin/translate"


def test_what_is_said_elsewhere_is_known_to_the_catalogues():
    said = {message.id for message in extracted()}
    assert {*WHY_A_COPY.values(), *EXPLANATIONS.values(), *SAID_ELSEWHERE} <= said


@pytest.mark.parametrize("language", LANGUAGES)
def test_days_are_written_as_the_language_writes_them(language):
    day = date(2026, 11, 3)
    assert wording(language).day(day) == format_date(day, "long", locale="en_GB" if language == "en" else language)
    months = list(get_month_names("abbreviated", locale=language).values())
    for number, month in enumerate(months, 1):
        told = wording(language).moment(datetime(2026, number, 9, 7, 5, tzinfo=UTC), UTC)
        assert month in told and "07:05" in told and "9" in told


@pytest.mark.parametrize(
    ("language", "number", "told"),
    [
        ("en", 1, "1 article"), ("en", 2, "2 articles"), ("en", 1200, "1,200 articles"), ("fr", 0, "0 article"),
        ("pl", 1, "1 artykuł"), ("pl", 3, "3 artykuły"), ("pl", 5, "5 artykułów"), ("pl", 22, "22 artykuły"),
        ("ar", 2, "مقالان"), ("ar", 5, "5 مقالات"), ("ar", 11, "11 مقالًا"), ("ar", 100, "100 مقال"),
        ("hi", 2, "2 लेख"), ("de", 2000, "2.000 Artikel"), ("nl", 1, "1 artikel"),
    ],
)  # fmt: skip
def test_numbers_take_the_form_of_the_language(language, number, told):
    assert wording(language).ngettext("%(num)s article", "%(num)s articles", number) == told


def test_how_long_ago_is_told_in_the_language():
    ago = NOW - timedelta(minutes=125)
    assert [wording(language).since(ago, NOW) for language in ("de", "ar", "pl")] == [
        "vor 2 Std.", "قبل ساعتين", "2 godz. temu",
    ]  # fmt: skip


def test_a_page_speaks_the_language_of_its_section_else_the_desk_s(make_reader):
    reader = make_reader(language="de")
    arabic = Section(path="arabic", title="العربية", language="ar")
    reader.accepted = replace(reader.accepted, sections=(*reader.accepted.sections, arabic))
    reader.publish("arabic", [make_article(60, language="ar", sections=("", "arabic"))], 1)
    desk = application(reader)
    assert '<html lang="de" dir="ltr">' in ask(desk, "/").text and "Abonnieren" in ask(desk, "/news").text
    section = ask(desk, "/arabic").text
    assert '<html lang="ar" dir="rtl">' in section and "اشترك" in section and "نوفمبر 2026" in section
    article = ask(desk, f"/article/{make_article(60).id}").text
    assert '<html lang="ar" dir="rtl">' in article and "اقرأ المقال" in article
    assert "Nicht gefunden" in ask(desk, "/nowhere", accept="text/html").text
    assert "404 Not Found" in ask(desk, "/nowhere").text  # what programs get stays as it was


def test_a_language_without_a_catalogue_has_english_words_and_its_own_side(make_reader):
    reader: MemoryReader = make_reader(language="he")
    page = ask(application(reader), "/news").text
    assert '<html lang="en" dir="rtl">' in page and "Subscribe" in page
    assert direction("he") == "rtl"


BARE = re.compile(r"[A-Za-z]{2,}")
SAID_AS_IT_IS = {"OPML", "sections", "opml", "doctype", "html", "Status"}
"""Names, and the link to a page that is for admins and in English."""
FOR_ADMINS = re.compile(r'<section class="welcome".*?</section>', re.DOTALL)
"""What a desk without articles says: its admin reads that."""


@pytest.mark.parametrize("template", sorted(path.name for path in (SERVE / "templates").glob("*.html")))
def test_no_template_says_a_word_past_the_catalogues(template):
    if template.startswith("status"):
        return  # these are for admins
    text = FOR_ADMINS.sub("", (SERVE / "templates" / template).read_text(encoding="utf-8"))
    text = re.sub(r"{% set \w+ %}.*?{% endset %}|{#.*?#}|{%.*?%}|{{.*?}}", "", text, flags=re.DOTALL)
    shown = re.findall(r'(?:placeholder|aria-label|title|alt)="([^"]*)"', text) + [re.sub(r"<[^>]*>", " ", text)]
    bare = {word for part in shown for word in BARE.findall(part)} - SAID_AS_IT_IS
    assert not bare, f"{template}: {bare}"
