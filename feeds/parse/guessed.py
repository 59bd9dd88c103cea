"""The charset of a text that names none and is no UTF-8, by what stands in it in each. Part of `parse`. Pure.

Only charsets of scripts that are not Latin are guessed: there the letters beyond ASCII stand together and make whole
words, so that a wrong charset shows at once, in capitals within words, rare characters or bytes that are none. A Latin
text keeps to windows-1252 (`charset`), where a wrong guess would spoil more than it mends.
"""

from __future__ import annotations

import codecs
import re
from functools import cache

SAMPLE_BYTES = 65_536
FEWEST_CHARACTERS = 6
TYPICAL = 0.9
"""The part of the characters beyond ASCII that must be typical of the charset's script."""
_KANA = 0.15
"""Of Japanese so much is kana at least: Chinese has none."""

_BEYOND = re.compile(rb"[\x80-\xff]+")
_OTHER = "\u3000-\u303f\uff01-\uff5e‘’“”—…·"
_JAPANESE = re.compile(f"[{_OTHER}\u3041-\u30fe\u4e00-\u9fff]")


def _cased(upper: str, lower: str) -> re.Pattern[str]:
    """Words as they are written: a capital stands at their beginning, if anywhere."""
    return re.compile(f"(?<![{upper}{lower}])[{upper}]?[{lower}]+(?![{upper}{lower}])|[«»„{_OTHER}]")


_SCRIPTS: dict[str, re.Pattern[str] | None] = {
    "euc_jp": _JAPANESE,
    "cp932": _JAPANESE,
    "cp949": re.compile(f"[{_OTHER}\uac00-\ud7a3]"),
    "gb18030": None,
    "big5hkscs": None,
    "cp1255": re.compile("[\u05d0-\u05ea„‘’“”–—]"),
    "cp1251": _cased("А-ЯЁЂЃЄІЇЎҐЉЊЋЏ", "а-яёђѓєіїўґљњћџ"),
    "koi8_r": _cased("А-ЯЁ", "а-яё"),
    "cp1253": _cased("Α-ΫΆΈΉΊΌΎΏ", "ά-ώΐ"),
    "cp1256": re.compile("[\u060c-\u06d2«»„‘’“”–—]"),
    "cp874": re.compile("[\u0e01-\u0e5b‘’“”–—]"),
}
"""What is typical of each charset; of two that fit as well the first is taken. None: what `_common` says."""
_COMMON_ROWS = {"gb18030": ("gb2312", range(0xB0, 0xD8)), "big5hkscs": ("big5", range(0xA4, 0xC7))}
"""The rows in which the standards of Chinese have the characters that are in daily use."""


def guessed(body: bytes) -> str | None:
    """The codec of *body*, which is not all UTF-8; None where it is that but for slips, may be a Latin one, or nothing
    tells.

    >>> guessed("Паром из Мальмё".encode("koi8-r")), guessed("déjà vu à l’été".encode("cp1252"))
    ('koi8_r', None)
    """
    sample = body[:SAMPLE_BYTES]
    runs = _BEYOND.findall(sample)
    as_utf8 = sample.decode("utf-8", "replace")
    if sum(map(len, runs)) < 2 * len(runs) or 2 * as_utf8.count("\ufffd") < _beyond(as_utf8):
        return None
    scores = {codec: _score(sample, codec, is_whole=len(body) <= SAMPLE_BYTES) for codec in _SCRIPTS}
    best = max(scores, key=lambda codec: scores[codec])
    return best if scores[best] >= TYPICAL else None


def _score(sample: bytes, codec: str, *, is_whole: bool) -> float:
    """The part of the characters beyond ASCII that are typical of *codec*'s script; 0 where some are none at all."""
    try:
        text = codecs.getincrementaldecoder(codec)().decode(sample, is_whole)
    except UnicodeDecodeError:
        return 0.0
    beyond = _beyond(text)
    if beyond < FEWEST_CHARACTERS:
        return 0.0
    script = _SCRIPTS[codec] or _common(codec)
    if script is _JAPANESE and len(re.findall("[\u3041-\u30fe]", text)) < _KANA * beyond:
        return 0.0
    return sum(map(len, script.findall(text))) / beyond


def _beyond(text: str) -> int:
    return len(text) - len(text.encode("ascii", "ignore"))


@cache
def _common(codec: str) -> re.Pattern[str]:
    """The characters of Chinese in daily use, as the older standard below *codec* has them in order."""
    standard, rows = _COMMON_ROWS[codec]
    pairs = b"".join(bytes((row, cell)) for row in rows for cell in (*range(0x40, 0x7F), *range(0xA1, 0xFF)))
    found = pairs.decode(standard, "ignore").encode().translate(None, bytes(range(0x80))).decode()
    return re.compile(f"[{_OTHER}{found}]")
