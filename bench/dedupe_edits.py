"""Kinds of edits that no tuning has seen: copies made from labelled articles, for `bench/dedupe.py`. Pure, seeded.

Each kind is one thing that desks, scanners and aggregators do to a text; `held_out` puts one to three of them
together. They were written before the thresholds were chosen and are only ever reported on.
"""

from __future__ import annotations

import random
import re
import zlib
from collections.abc import Callable, Sequence

Edit = Callable[[random.Random, str, str, Sequence[str]], tuple[str, str]]
"""(random, title, text, other texts) → (title, text)."""

_SENTENCE = re.compile(r"(?<=[.!?][\"”'’]) +|(?<=[.!?]) +(?=[A-Z\"“])|\n+")


def _sentences(text: str) -> list[str]:
    return [one.strip() for one in _SENTENCE.split(text) if one.strip()]


def _paragraphs(text: str) -> list[str]:
    sentences = _sentences(text)
    return [" ".join(sentences[start : start + 2]) for start in range(0, len(sentences), 2)]


def added_paragraphs(dice: random.Random, title: str, text: str, others: Sequence[str]) -> tuple[str, str]:
    """A desk adds background of its own: a quarter of the length, anywhere."""
    own = _paragraphs(text)
    strange = _paragraphs(dice.choice(others))
    for one in strange[: max(1, len(own) // 4)]:
        own.insert(dice.randrange(len(own) + 1), one)
    return title, "\n\n".join(own)


def background_first(dice: random.Random, title: str, text: str, others: Sequence[str]) -> tuple[str, str]:
    """Two paragraphs of the desk's own before the agency's text."""
    return title, "\n\n".join([*_paragraphs(dice.choice(others))[:2], text])


def reordered(dice: random.Random, title: str, text: str, others: Sequence[str]) -> tuple[str, str]:
    """The same paragraphs in another order."""
    own = _paragraphs(text)
    dice.shuffle(own)
    return title, "\n\n".join(own)


def new_lead(dice: random.Random, title: str, text: str, others: Sequence[str]) -> tuple[str, str]:
    """The first sentence told anew: two in five words gone, the rest turned round."""
    sentences = _sentences(text)
    words = [word for word in sentences[0].split() if dice.random() > 0.4]
    half = len(words) // 2
    sentences[0] = " ".join(words[half:] + words[:half])
    return title, " ".join(sentences)


def middle_excerpt(dice: random.Random, title: str, text: str, others: Sequence[str]) -> tuple[str, str]:
    """A teaser cut from further down."""
    sentences = _sentences(text)
    start = dice.randrange(1, max(2, len(sentences) // 2))
    return title, " ".join(sentences[start : start + 4])


def scanned(dice: random.Random, title: str, text: str, others: Sequence[str]) -> tuple[str, str]:
    """Characters misread in one word of twelve."""
    misread = {"l": "1", "m": "rn", "e": "c", "o": "0", "h": "b", "i": "l", "u": "n"}

    def read(word: str) -> str:
        hits = [at for at, char in enumerate(word) if char in misread]
        if not hits or dice.random() > 1 / 12:
            return word
        at = dice.choice(hits)
        return word[:at] + misread[word[at]] + word[at + 1 :]

    return title, " ".join(read(word) for word in text.split())


def typed_again(dice: random.Random, title: str, text: str, others: Sequence[str]) -> tuple[str, str]:
    """Neighbouring letters swapped in one word of fifteen."""

    def typed(word: str) -> str:
        if len(word) < 5 or dice.random() > 1 / 15:
            return word
        at = dice.randrange(1, len(word) - 2)
        return word[:at] + word[at + 1] + word[at] + word[at + 2 :]

    return title, " ".join(typed(word) for word in text.split())


def tightened(dice: random.Random, title: str, text: str, others: Sequence[str]) -> tuple[str, str]:
    """A sub-editor strikes one word of twelve."""
    return title, " ".join(word for word in text.split() if dice.random() > 1 / 12)


def other_words(dice: random.Random, title: str, text: str, others: Sequence[str]) -> tuple[str, str]:
    """One word of twelve exchanged for another."""
    pool = dice.choice(others).split() or ["so"]
    return title, " ".join(dice.choice(pool) if dice.random() < 1 / 12 else word for word in text.split())


def hyphenated(dice: random.Random, title: str, text: str, others: Sequence[str]) -> tuple[str, str]:
    """Set in narrow columns: long words broken at line ends."""

    def broken(word: str) -> str:
        return (
            word[: len(word) // 2] + "-\n" + word[len(word) // 2 :] if len(word) > 7 and dice.random() < 0.2 else word
        )

    return title, " ".join(broken(word) for word in text.split())


def interleaved(dice: random.Random, title: str, text: str, others: Sequence[str]) -> tuple[str, str]:
    """Something of the site's between all paragraphs."""
    line = dice.choice(
        ["Advertisement", "Article continues after this message from our sponsors", "Read also: our guide"]
    )
    return title, f"\n\n{line}\n\n".join(_paragraphs(text))


def in_capitals(dice: random.Random, title: str, text: str, others: Sequence[str]) -> tuple[str, str]:
    return title.upper(), text.upper()


def other_marks(dice: random.Random, title: str, text: str, others: Sequence[str]) -> tuple[str, str]:
    """Typographic marks and full-width letters of another system."""
    table = str.maketrans({"'": "’", '"': "“", "-": "–", ".": "．", ",": "，", "?": "？"})
    return title.translate(table), text.translate(table)


def two_sentences(dice: random.Random, title: str, text: str, others: Sequence[str]) -> tuple[str, str]:
    """Another headline over the first two sentences."""
    sentences = _sentences(text)
    words = title.split()
    dice.shuffle(words)
    return " ".join(words[: max(2, len(words) // 2)]), " ".join(sentences[:2])


def page_of_site(dice: random.Random, title: str, text: str, others: Sequence[str]) -> tuple[str, str]:
    """Extracted with the menu and the comments."""
    menu = "Home News Sport Business Opinion Culture Weather Login Register Search"
    comments = "\n".join(f"reader{dice.randrange(99)}: {one}" for one in _sentences(dice.choice(others))[:3])
    return title, f"{menu}\n{text}\nComments (3)\n{comments}"


# ------------------------------------------------------------- harder ones, written after the thresholds stood still


def sentences_shuffled(dice: random.Random, title: str, text: str, others: Sequence[str]) -> tuple[str, str]:
    sentences = _sentences(text)
    dice.shuffle(sentences)
    return title, " ".join(sentences)


def synonyms(dice: random.Random, title: str, text: str, others: Sequence[str]) -> tuple[str, str]:
    """What a rewriting tool exchanges, everywhere: the same word always for the same other one."""
    table = dict(pair.split(":") for pair in _SYNONYMS.split())
    return title, " ".join(table.get(word, word) for word in text.split())


_SYNONYMS = (
    "said:stated told:informed people:persons also:too about:around after:following company:firm new:fresh "
    "government:administration last:previous first:initial year:twelvemonth years:twelvemonths but:however "
    "because:since will:shall would:might could:might than:then over:above made:created make:create good:fine bad:poor "
    "big:large many:numerous more:further only:merely some:certain other:further two:2 three:3 four:4 five:5 six:6 "
    "seven:7 found:discovered"
)


def translated_credit(dice: random.Random, title: str, text: str, others: Sequence[str]) -> tuple[str, str]:
    """An agency's line before and a rights notice behind, in the language of the site."""
    before = dice.choice(["BERLIN (dpa) -", "PARIS (AFP) —", "МОСКВА, ТАСС /", "MADRID, EFE.-", "(本報訊)"])
    rights = "Alle Rechte vorbehalten.|© Tous droits réservés.|Todos los derechos reservados.|版权所有"
    behind = dice.choice(rights.split("|"))
    return title, f"{before} {text}\n{behind}"


def numbers_updated(dice: random.Random, title: str, text: str, others: Sequence[str]) -> tuple[str, str]:
    """A toll or a price moves between two editions: every second number is another one."""
    return title, re.sub(
        r"\d+", lambda found: str(int(found[0][:9]) + dice.randrange(1, 9)) if dice.random() < 0.5 else found[0], text
    )


def quotes_changed(dice: random.Random, title: str, text: str, others: Sequence[str]) -> tuple[str, str]:
    table = {
        '"': dice.choice(["«", "„", "''", ""]),
        "'": dice.choice(["’", ""]),
        "%": " percent",
        "$": "US$",
        "&": "and",
    }
    for mark, other in table.items():
        text, title = text.replace(mark, other), title.replace(mark, other)
    return title, text


def local_lead(dice: random.Random, title: str, text: str, others: Sequence[str]) -> tuple[str, str]:
    """A paragraph for the readers of one town before, and a headline of its own."""
    strange = _sentences(dice.choice(others))
    start = dice.randrange(max(1, len(strange) - 1))
    lead = strange[start : start + 2]
    return " ".join(lead[0].split()[:8]), " ".join(lead) + "\n\n" + text


def cut_to_a_third(dice: random.Random, title: str, text: str, others: Sequence[str]) -> tuple[str, str]:
    words = text.split()
    return title, " ".join(words[: max(30, len(words) * 3 // 10)])


def two_on_one_page(dice: random.Random, title: str, text: str, others: Sequence[str]) -> tuple[str, str]:
    """A page with a second story below the first, as long as it."""
    strange, length = dice.choice(others).split(), len(text.split())
    start = dice.randrange(max(1, len(strange) - length))
    return title, f"{text}\n\n{' '.join(strange[start : start + length])}"


def badly_scanned(dice: random.Random, title: str, text: str, others: Sequence[str]) -> tuple[str, str]:
    """One word of ten misread, one blank of twenty-five lost."""
    _, text = scanned(dice, title, text, others)
    return title, re.sub(" ", lambda _: "" if dice.random() < 0.04 else " ", text)


def initials_and_names(dice: random.Random, title: str, text: str, others: Sequence[str]) -> tuple[str, str]:
    """House style: months and titles written out, "U.S." as "US", -ise as -ize."""
    for one, other in (("U.S.", "US"), ("U.N.", "UN"), ("Mr ", "Mr. "), ("per cent", "percent"), ("isation", "ization"),
                       ("ise ", "ize "), ("our ", "or "), ("Jan.", "January"), ("Feb.", "February"), ("bn", " billion"),
                       ("m ", " million ")):  # fmt: skip
        text = text.replace(one, other)
    return title, text


STRESSES: dict[str, Edit] = {
    edit.__name__: edit
    for edit in (
        sentences_shuffled, synonyms, translated_credit, numbers_updated, quotes_changed, local_lead, cut_to_a_third,
        two_on_one_page, badly_scanned, initials_and_names,
    )
}  # fmt: skip


def in_han(text: str) -> str:
    """*text* as if written in a script without blanks: every word one or two of its characters, always the same."""

    def written(found: re.Match[str]) -> str:
        number = zlib.crc32(found[0].lower().encode())
        first = chr(0x4E00 + number % 3000)
        return first if len(found[0]) < 4 else first + chr(0x4E00 + number // 3000 % 3000)

    return re.sub(r" +", "", re.sub(r"[^\W\d_]+", written, text))


KINDS: dict[str, Edit] = {
    edit.__name__: edit
    for edit in (
        added_paragraphs, background_first, reordered, new_lead, middle_excerpt, scanned, typed_again, tightened,
        other_words, hyphenated, interleaved, in_capitals, other_marks, two_sentences, page_of_site,
    )
}  # fmt: skip


def held_out(
    rows: Sequence[dict[str, object]], *, seed: int = 20_26, edits: dict[str, Edit] = KINDS
) -> list[dict[str, object]]:
    """The originals among *rows*, each with up to three copies in kinds of *edits*, shuffled."""
    dice = random.Random(seed)
    originals = [row for row in rows if not row["ops"]]
    dice.shuffle(originals)
    # What desks add is their own writing: a tenth of the articles give it, and are not among those judged.
    donors, originals = originals[: len(originals) // 10], originals[len(originals) // 10 :]
    texts = [str(row["text"]) for row in donors if len(str(row["text"])) > 300]
    made: list[dict[str, object]] = []
    for row in originals:
        made.append({**row, "kinds": []})
        if row["source"] == "reuters-template" or len(str(row["text"]).split()) < 40 or dice.random() < 0.5:
            continue
        for number in range(dice.choice((1, 1, 2, 3))):
            kinds = dice.sample(sorted(edits), dice.choice((1, 1, 2)))
            title, text = str(row["title"]), str(row["text"])
            for kind in kinds:
                title, text = edits[kind](dice, title, text, texts)
            made.append({**row, "id": f"{row['id']}+{number}", "title": title, "text": text, "kinds": kinds})
    dice.shuffle(made)
    return made
