"""Text: plain, folded, in words, hashed."""

import zipfile

import pytest
import xxhash
from hypothesis import given
from hypothesis import strategies as st

from feeds import text as text_module
from feeds.text import (
    DOCUMENTS_KEPT,
    LINES_KEPT,
    MIN_HASH_WORDS,
    WORDLIST,
    Recurring,
    Shown,
    fold,
    frequencies,
    line_hash,
    mark_of,
    of_blob,
    plain,
    spelled,
    text_hash,
    words,
)

LETTERS = st.text(alphabet="abzÄßéœłжλ ’'‘“£…•-_.\n3東タกา็हिन्\u0301\u200b\u00ad", max_size=60)


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("no markup at all", "no markup at all"),
        ("<p>one</p><p>two</p>", "one\ntwo"),
        ("a<br/>b<br>c", "a\nb\nc"),
        ("<b>bo</b>ld", "bold"),
        ("<td>1</td><td>2</td>", "1 2"),
        ("fish &amp; chips &#8212; &euro;5", "fish & chips — €5"),
        ("x<script>alert('</p>')</script>y", "x y"),
        ("x<style>p{}</style >y", "x y"),
        ("x<!-- <p>no</p> -->y", "xy"),
        ("x<script>never closed", "x"),
        ("3 < 5 and 5 > 3", "3 < 5 and 5 > 3"),
        ("a<b <p>c>d", "ad"),
        ("one<TD class='x'>two<Hr/>three", "one two\nthree"),
        ("soft\u00adhyphen zero\u200bwidth", "softhyphen zerowidth"),
        ("  many \n\n blanks\u00a0here ", "many\nblanks here"),
        ("", ""),
    ],
)
def test_plain_gives_what_a_reader_sees(html, text):
    assert plain(html) == text


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("ÀÉÎ", "aei"),
        ("ｆｕｌｌ", "full"),
        ("Straße", "STRASSE"),
        ("ﬁn", "fin"),
        ("“x”", '"x"'),
        ("й", "Й"),
        ("ё", "е"),
    ],
)
def test_fold_leaves_out_case_accents_and_width(one, other):
    assert fold(one) == fold(other)


def test_fold_keeps_marks_that_are_letters_elsewhere():
    assert fold("की") != fold("कु")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("It's the U.N.'s", ["its", "the", "u", "n", "s"]),
        ("it’s", ["its"]),
        ("it''s 'quoted'", ["it", "s", "quoted"]),
        ("नमस्ते दुनिया", ["नमस्ते", "दुनिया"]),
        ("東京2024", ["東", "京", "2024"]),
        ("snake_case-word", ["snake", "case", "word"]),
        ("…!?", []),
    ],
)
def test_words_of_several_scripts(text, found):
    assert words(text) == found


@given(st.text(max_size=200))
def test_fold_and_words_take_any_text_and_are_stable(text):
    assert fold(fold(text)) == fold(text)
    assert words(" ".join(words(text))) == words(text)


@given(st.one_of(LETTERS, st.text(max_size=80)))
def test_every_short_way_to_the_words_gives_the_same(text):
    found = [word.replace("'", "") for word in text_module._word_patterns()[1].findall(fold(text))]
    assert words(text) == found
    assert spelled(text) == " ".join(found)
    joined = " ".join(found).encode("utf-8", "surrogatepass")
    assert text_hash(text) == (xxhash.xxh3_64_intdigest(joined) if len(found) >= MIN_HASH_WORDS else 0)


def test_words_are_the_same_beside_letters_of_any_script() -> None:
    text = "naïve ½ price → now, x² 5×5 Straße′s ﬁnal ☕️ don’t"  # noqa: RUF001
    assert words(text) == "naive 1 2 price now x2 5 5 strasse s final dont".split()
    assert words(f"{text} 東") == [*words(text), "東"]
    assert words(f"{text} на") == [*words(text), "на"]


def test_the_hash_is_of_the_words_alone():
    one = "The quick brown fox jumps over the lazy dog, twice."
    other = "the QUICK brown fox — jumps over\nthe lazy dog twice"
    assert text_hash(one) == text_hash(other) != 0
    assert text_hash(one) != text_hash(one + " more")
    assert 0 <= text_hash(one) < 1 << 64


def test_too_few_words_have_no_hash():
    assert text_hash(" ".join(["word"] * (MIN_HASH_WORDS - 1))) == 0
    assert text_hash(" ".join(["word"] * MIN_HASH_WORDS)) != 0


def shown(number: int, *lines: int) -> Shown:
    return Shown(number, lines)


def test_it_is_kept_as_bytes() -> None:
    known = Recurring().with_([shown(1, 7, 8), shown(2), shown(3, (1 << 64) - 1)])
    assert of_blob(known.blob()) == known
    assert of_blob(b"") == Recurring()


def test_damaged_bytes_are_learnt_again() -> None:
    blob = Recurring().with_([shown(1, 7, 8)]).blob()
    assert of_blob(blob[:-3]) == of_blob(b"x") == Recurring()
    assert of_blob(blob + b"\xff" * 16).documents == (shown(1, 7, 8),)


def test_it_is_bounded_and_forgets_the_oldest() -> None:
    known = Recurring()
    for number in range(100):
        known = known.with_([shown(number, *range(500))])
    assert len(known.documents) == DOCUMENTS_KEPT
    assert known.documents[-1].mark == 99
    assert len(known.blob()) <= DOCUMENTS_KEPT * (LINES_KEPT + 2) * 8


def test_a_document_that_comes_again_counts_once() -> None:
    known = Recurring().with_([shown(1, 7), shown(1, 7), shown(2, 7, 7)])
    assert known.counts[7] == 2


def test_lines_are_the_same_by_their_words_at_one_place() -> None:
    assert line_hash("Read  more!", "end") == line_hash("read more", "end") != line_hash("read more", "begin")
    assert mark_of("a", "b") != mark_of("ab", "")


def languages() -> list[str]:
    with zipfile.ZipFile(WORDLIST) as tables:
        return tables.namelist()


@pytest.mark.parametrize("language", languages())
def test_each_table_has_folded_words_with_their_part_of_all_words(language: str) -> None:
    table = frequencies(language)
    assert len(table) > 5000
    assert all(1e-6 < part < 0.2 for part in table.values())
    assert 0.4 < sum(table.values()) < 1.2
    some = list(table)[::500]
    assert [fold(word) for word in some] == some


def test_common_words_are_common() -> None:
    english = frequencies("en")
    assert english["the"] > english["house"] > english["harbour"] > english.get("zeppelin", 0)
    assert frequencies("de")["strasse"] > 1e-5


@pytest.mark.parametrize("language", ["", "tlh", "../en", "EN"])
def test_a_language_without_a_table_has_no_words(language: str) -> None:
    assert frequencies(language) == {}


@pytest.mark.parametrize(
    "text",
    [
        "Café ﬁnal: ½ ø",
        "“Øre”—l’été… 5 €",
        "e\u0301te\u0301 ❤\ufe0f →soft\u00adly",
        "Ελλάδα №1",
        "東京 ｶﾞ",
        "नमस्ते",
        "rock’’n",
    ],
)
def test_words_are_the_same_among_few_and_among_many_characters_beyond_ascii(text):
    assert words(f"{text} {'plain words ' * 40}") == [*words(text), *["plain", "words"] * 40]
