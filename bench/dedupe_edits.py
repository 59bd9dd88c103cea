"""Kinds of edits that no tuning has seen: copies made from labelled articles, for `bench/dedupe.py`. Pure, seeded.

Each kind is one thing that desks, scanners and aggregators do to a text; `held_out` puts one to three of them
together. They were written before the thresholds were chosen and are only ever reported on.
"""

from __future__ import annotations

import random
import re
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


KINDS: dict[str, Edit] = {
    edit.__name__: edit
    for edit in (
        added_paragraphs, background_first, reordered, new_lead, middle_excerpt, scanned, typed_again, tightened,
        other_words, hyphenated, interleaved, in_capitals, other_marks, two_sentences, page_of_site,
    )
}  # fmt: skip


def held_out(rows: Sequence[dict[str, object]], *, seed: int = 20_26) -> list[dict[str, object]]:
    """The originals among *rows*, each with up to three copies in kinds of edits of `KINDS`, shuffled."""
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
            kinds = dice.sample(sorted(KINDS), dice.choice((1, 1, 2)))
            title, text = str(row["title"]), str(row["text"])
            for kind in kinds:
                title, text = KINDS[kind](dice, title, text, texts)
            made.append({**row, "id": f"{row['id']}+{number}", "title": title, "text": text, "kinds": kinds})
    dice.shuffle(made)
    return made
