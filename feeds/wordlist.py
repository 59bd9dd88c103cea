"""How common words are at large, by language: a table that comes with the desk. I/O: reads that file.

`wordlist.zip` is made by `bench/wordlist.py` from the data of the library wordfreq 3.1.1 by Robyn Speer and others,
whose licence it keeps: Creative Commons Attribution-ShareAlike 4.0 (`wordlist.LICENSE.txt` beside it).
"""

from __future__ import annotations

import re
import zipfile
from pathlib import Path

PLACE = Path(__file__).with_name("wordlist.zip")
STEP = 0.05
"""How fine frequencies are told, as a logarithm to base 10."""

# How many letters a word shares with the one before it, and what comes behind them.
_WORD = re.compile("([\0-\x1f])([^\0-\x1f]*)")


def frequencies(language: str) -> dict[str, float]:
    """Folded word → its part of all words in *language* (a primary subtag); empty for a language without a table.

    Words rarer than two in a million have none.
    """
    with zipfile.ZipFile(PLACE) as tables:
        try:
            body = tables.read(language)
        except KeyError:
            return {}
    count = int.from_bytes(body[:4], "big")
    table: dict[str, float] = {}
    word = ""
    for rarity, match in zip(body[4 : 4 + count], _WORD.finditer(body[4 + count :].decode()), strict=True):
        word = word[: ord(match[1])] + match[2]
        table[word] = 10 ** (-STEP * rarity)
    return table
