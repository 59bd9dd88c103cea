"""Makes `feeds/wordlist.zip`: how common words are, by language, from the data of the library wordfreq.

    pip install wordfreq==3.1.1
    python bench/wordlist.py [--check]

Words are folded as the desk folds text, and those rarer than `LEAST` left out: to the desk they are no other than words
that no table knows. With --check nothing is written, and the table that is there is compared with what would be.
"""

from __future__ import annotations

import argparse
import math
import sys
import zipfile
from os.path import commonprefix
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from feeds.text import WORDLIST, WORDLIST_STEP, fold

LEAST = 1.6e-6
"""Of all words; a text of sixty holds a word as rare as this less often than one in ten thousand."""
MOST_SHARED = 31  # a control character tells how many letters two words share


def table(language: str) -> bytes:
    """The table of *language*: count, a byte of rarity for each word, and the words, each by what is new in it."""
    import wordfreq  # not needed to say how this is used

    found = wordfreq.get_frequency_dict(language, wordlist="small")
    folded = fold("\n".join(found)).replace("'", "").split("\n")
    frequencies: dict[str, float] = {}
    for word, frequency in zip(folded, found.values(), strict=True):
        frequencies[word] = frequencies.get(word, 0.0) + frequency
    words = sorted(word for word, frequency in frequencies.items() if word and frequency >= LEAST)
    rarities = bytes(round(-math.log10(frequencies[word]) / WORDLIST_STEP) for word in words)
    told, before = [], ""
    for word in words:
        shared = min(len(commonprefix((before, word))), MOST_SHARED)
        told.append(chr(shared) + word[shared:])
        before = word
    return len(words).to_bytes(4, "big") + rarities + "".join(told).encode()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="write nothing, compare")
    options = parser.parse_args()
    import wordfreq

    languages = sorted(wordfreq.available_languages("small"))
    if options.check:
        with zipfile.ZipFile(WORDLIST) as kept:
            same = kept.namelist() == languages and all(kept.read(one) == table(one) for one in languages)
        print("the same" if same else "another")
        return 0 if same else 1
    with zipfile.ZipFile(WORDLIST, "w", zipfile.ZIP_LZMA) as tables:
        for language in languages:
            tables.writestr(zipfile.ZipInfo(language, (2026, 1, 1, 0, 0, 0)), table(language), zipfile.ZIP_LZMA)
    print(f"{len(languages)} languages, {WORDLIST.stat().st_size:,} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
