"""Text made plain and made comparable: tags out, case and accents folded, words, a hash of them.

Also lines that recur in what one source or one site shows: counted over its last documents, forgotten with them.
Whoever looks for furniture (`normalise` at the ends of entries, `parse` in article pages) says which lines a document
has; how often a line may stand there and still be its text is theirs to say.

Pure, but for `frequencies` and `agencies`, which read tables of the package.
"""

from __future__ import annotations

import re
import struct
import unicodedata
import zipfile
from collections import Counter
from collections.abc import Iterable
from functools import cached_property, lru_cache
from html import unescape
from pathlib import Path

import xxhash
from msgspec import Struct

from feeds.files import tables

MIN_HASH_WORDS = 8
"""With fewer words than this two texts are too easily equal by chance ("Subscribe to continue")."""

_SKIPPED = re.compile(r"<(script|style|template|noscript|svg)\b.*?(?:</\1\s*>|\Z)", re.IGNORECASE | re.DOTALL)
_COMMENT = re.compile(r"<!--.*?(?:-->|\Z)|<!\[CDATA\[|\]\]>", re.DOTALL)
_BLOCKS = (
    "p div br hr h1 h2 h3 h4 h5 h6 li ul ol dl dt dd tr table thead tbody blockquote pre section article header footer"
    " aside figure figcaption address main nav form option summary details"
).split()
_PARTING = dict.fromkeys(_BLOCKS, "\n") | {"td": " ", "th": " "}
_BREAK = re.compile(rf"</?(?:{'|'.join(_BLOCKS)})\b[^>]*>", re.IGNORECASE)
_CELL = re.compile(r"</?t[dh]\b[^>]*>", re.IGNORECASE)
_TAG = re.compile(r"<(?:/?([a-zA-Z]\w*+)|[!?])[^>]*>")
_INVISIBLE = re.compile(r"[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
# Scripts written without blanks: every character is a word of its own there.
_UNSPACED = (
    r"\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff"  # Thai, Lao, Burmese, Khmer
    r"\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"  # Kana, Han
)
UNSPACED = re.compile(f"[{_UNSPACED}]")
"""A character that `words` takes for a word: about half of one, where scripts are compared."""
FEW = 8
"""Where not one character in so many is beyond ASCII, each kind of them is looked at once: most texts hold some."""
_ASCII = bytes(range(128))
# Of ASCII letters as their small ones, digits as they are, all else a blank; what is not ASCII stays.
_FOLDED = bytes(code if code > 127 else ord(chr(code).lower()) if chr(code).isalnum() else 32 for code in range(256))


def plain(html: str) -> str:
    """The text that a reader of *html* sees, one line for each block; text without markup passes through.

    For comparing, searching and matching, never for output: what comes out may hold ``<`` again.
    >>> plain("<p>Tide &amp; time<br>wait</p><script>x()</script> for   no one")
    'Tide & time\\nwait\\nfor no one'
    """
    text = html
    if "<" in text:
        if "<!" in text or "]]>" in text:
            text = _COMMENT.sub("", text)
        text = _without_tags(_SKIPPED.sub(" ", text))
    if "&" in text:
        text = unescape(text)
    return "\n".join(filter(None, map(_one_line, text.split("\n"))))


def _without_tags(text: str) -> str:
    parts = _TAG.split(text)
    parting = {name: _PARTING.get(name.lower(), "") if name else "" for name in set(parts[1::2])}
    parts[1::2] = map(parting.__getitem__, parts[1::2])
    shown = "".join(parts)
    if shown.count("<") + len(parts) // 2 == text.count("<"):
        return shown
    # A tag within a tag: then it matters which kind is taken out first.
    return _TAG.sub("", _CELL.sub(" ", _BREAK.sub("\n", text)))


def _one_line(text: str) -> str:
    """*text* without what is invisible, and one blank for all that are beside each other."""
    if not text.isprintable():  # such as other blanks
        text = _INVISIBLE.sub("", text)
    elif "  " not in text:
        return text.strip()
    return " ".join(text.split())


def mend_references(markup: str) -> str:
    """Return *markup* with numeric references that name characters alone.

    A pair of surrogates becomes the one character that it means; what is no character of XML (§2.2) is left out.
    >>> mend_references("&#55357;&#56832; &#xD83D; &#38 &#0;")
    '&#128512;  &#38; '
    """
    return _NUMBERS.sub(_as_characters, markup) if "&#" in markup else markup


def _as_characters(numbers: re.Match[str]) -> str:
    codes = [
        int(digits, 16 if hexadecimal else 10)
        for hexadecimal, digits in _NUMBER.findall(numbers[0])
        if len(digits) <= 7  # more name nothing, and many take long
    ]
    # UTF-16 puts a pair together, and leaves out what has no partner; so written numbers go through it.
    units = b"".join(
        code.to_bytes(2, "little") if code < 0x10000 else chr(code).encode("utf-16-le")
        for code in codes
        if code <= 0x10FFFF
    )
    text = _NO_CHARACTER.sub("", units.decode("utf-16-le", "ignore"))
    return "".join(f"&#{ord(character)};" for character in text)


_HEX = "[0-9A-Fa-f]"
_FOR_CERTAIN = rf"0?(?:3[2-9]|[4-9]\d|[1-9]\d\d{{1,2}}|[1-4]\d{{4}});|x(?:[2-9A-Fa-f]|[1-9A-Ca-c]{_HEX}{{1,2}}){_HEX};"
"""References to characters below the surrogates, which need no mending."""
_MENDED = rf"&#(?!{_FOR_CERTAIN})(?:\d+|[xX]{_HEX}+);?"
_NUMBERS = re.compile(rf"{_MENDED}(?:{_MENDED})*", re.ASCII)
_NUMBER = re.compile(r"&#(?:([xX])0*|0*)([0-9a-fA-F]+)", re.ASCII)
_NO_CHARACTER = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")


def fold(text: str) -> str:
    """*text* without what does not distinguish: case, accents, width, ligatures, invisible characters.

    >>> fold("Ｃafé ﬁnal STRASSE straße")
    'cafe final strasse strasse'
    """
    if text.isascii():
        return text.lower()
    # `str.translate` looks every character up; most texts hold one or two of these.
    for typographic, ascii_sign in _TYPOGRAPHIC:
        if typographic in text:
            text = text.replace(typographic, ascii_sign)
    if text.isascii():
        return text.lower()
    decomposed = unicodedata.normalize("NFKD", _INVISIBLE.sub("", text).casefold())
    if decomposed.isascii():
        return decomposed.lower()
    # Marks carry meaning in Indic and Semitic scripts; only those on Latin, Greek and Cyrillic letters are dropped.
    return unicodedata.normalize("NFC", _ACCENT.sub("", decomposed)).casefold()


_TYPOGRAPHIC = (
    *zip("‘’‚ʼ“”„–—\u00a0\u2009\u202f", "'" * 4 + '"' * 3 + "--" + "   ", strict=True),
    *((invisible, "") for invisible in "\u00ad\u200b\ufeff"),
)
_ACCENT = re.compile(r"[\u0300-\u036f]")


def words(text: str) -> list[str]:
    """The folded words of *text*, in order; in scripts without blanks each character is one.

    >>> words("Don't stop: U.S. GDP +3.5%, 東京")
    ['dont', 'stop', 'u', 's', 'gdp', '3', '5', '東', '京']
    """
    return spelled(text).split()


def spelled(text: str) -> str:
    """The `words` of *text* with a blank between them, in less time than it takes to list them.

    >>> spelled("Don't stop: U.S. GDP")
    'dont stop u s gdp'
    """
    return b" ".join(encoded_words(text)).decode("utf-8")


def encoded_words(text: str) -> list[bytes]:
    """The `words` of *text* in UTF-8, as they are hashed: the fastest way to them."""
    prepared = _prepared(text)
    if isinstance(prepared, bytes):
        return prepared.split()
    return [word.replace("'", "").encode("utf-8") for word in _word_patterns()[1].findall(prepared)]


def _prepared(text: str) -> bytes | str:
    """The words of *text* with blanks between them; or *text* folded, where `_word_patterns` must look for them."""
    folded = text
    if not text.isascii():
        folded = _with_few_made_plain(text)
        if not folded.isascii():
            folded = fold(folded)
        if not folded.isascii():
            characters = set(folded)
            if _word_patterns()[0].search("".join(characters)):
                return folded
            for character in characters:
                if character > "\x7f" and not character.isalnum():
                    folded = folded.replace(character, " ")
    if "''" in folded:
        return fold(folded)
    return folded.encode("utf-8").translate(_FOLDED, b"'")


def _with_few_made_plain(text: str) -> str:
    """*text*, where few characters are beyond ASCII: of them only letters and marks that ASCII has nothing for."""
    beyond = text.encode("utf-8", "surrogatepass").translate(None, _ASCII).decode("utf-8", "surrogatepass")
    if FEW * len(beyond) < len(text):
        for character in set(beyond):
            text = text.replace(character, _made_plain(character))
    return text


@lru_cache(maxsize=1024)
def _made_plain(character: str) -> str:
    """*character* folded where that is ASCII, a blank for what is of no word; else as it is."""
    folded = fold(character)
    if folded.isascii():
        return folded
    combines = unicodedata.combining(character) or _word_patterns()[0].search(folded)
    return character if combines or any(map(str.isalnum, folded)) else " "


@lru_cache(maxsize=1)
def _word_patterns() -> tuple[re.Pattern[str], re.Pattern[str]]:
    """What tells a text in which words need care, and the words of any text; expensive to compile."""
    # Vowel signs and other marks belong to their letter, which `\w` does not know.
    marks = "".join(chr(code) for code in range(0x0300, 0x1E00) if unicodedata.category(chr(code)) in ("Mn", "Mc"))
    letter = rf"(?:(?![{_UNSPACED}_])[\w{marks}])"
    word = re.compile(rf"[{_UNSPACED}]|{letter}+(?:'{letter}+)*")
    return re.compile(f"[{_UNSPACED}{marks}]"), word


def short_hash(kind: str, text: str) -> int:
    """32 bits of *text*, others for each *kind* of text; 0 for none."""
    return xxhash.xxh3_64_intdigest(f"{kind}\n{text}".encode("utf-8", "surrogatepass")) & 0xFFFF_FFFF if text else 0


def text_hash(text: str) -> int:
    """A hash (unsigned 64 bit) equal for texts with the same words; 0 where fewer than MIN_HASH_WORDS are.

    >>> text_hash("too short")
    0
    >>> text_hash("One two three four five six seven EIGHT!") == text_hash("one two three four five six seven eight")
    True
    """
    found = encoded_words(text)
    return (xxhash.xxh3_64_intdigest(b" ".join(found)) or 1) if len(found) >= MIN_HASH_WORDS else 0


DOCUMENTS_KEPT = 24
LINES_KEPT = 96
"""Of one document; with 24 of them at most 19 kB, for entries a tenth of that."""


class Shown(Struct, frozen=True):
    """One document: by what it is known, and the hashes of its lines."""

    mark: int
    lines: tuple[int, ...]


class Recurring(Struct, frozen=True, dict=True):
    """The last documents of a source or a site, the newest last."""

    documents: tuple[Shown, ...] = ()

    @cached_property
    def counts(self) -> Counter[int]:
        """How many documents have each line."""
        return Counter(line for document in self.documents for line in set(document.lines))

    def with_(self, shown: Iterable[Shown]) -> Recurring:
        """Return what is known after *shown* was seen too; a document that comes again is counted once."""
        last = {document.mark: document for document in self.documents}
        for document in shown:
            last.pop(document.mark, None)
            last[document.mark] = Shown(document.mark, document.lines[:LINES_KEPT])
        return Recurring(tuple(last.values())[-DOCUMENTS_KEPT:])

    def blob(self) -> bytes:
        """Return this as bytes, for `of_blob`."""
        words: list[int] = []
        for document in self.documents:
            words += (document.mark, len(document.lines), *document.lines)
        return struct.pack(f"<{len(words)}Q", *words)


def of_blob(blob: bytes) -> Recurring:
    """Return what `Recurring.blob` wrote; nothing where *blob* is damaged, for it is learnt again."""
    if len(blob) % 8:
        return Recurring()
    words = struct.unpack(f"<{len(blob) // 8}Q", blob)
    documents: list[Shown] = []
    at = 0
    while at + 2 <= len(words) and at + 2 + words[at + 1] <= len(words):
        documents.append(Shown(words[at], words[at + 2 : at + 2 + words[at + 1]]))
        at += 2 + words[at + 1]
    return Recurring(tuple(documents))


def mark_of(*texts: str) -> int:
    """Return by what a document is known: the words of *texts*."""
    return xxhash.xxh3_64_intdigest("\0".join(map(spelled, texts)).encode("utf-8", "surrogatepass"))


def line_hash(line: str, place: str = "") -> int:
    """Return the hash (unsigned 64 bit) of the words of a *line* that stands in *place*."""
    return xxhash.xxh3_64_intdigest(f"{place}\0{spelled(line)}".encode("utf-8", "surrogatepass"))


def agencies(use: str) -> dict[str, str]:
    """Agencies' names in small letters → the name to show: those for *use*, a letter that `agencies.txt` explains.

    >>> agencies("c")["press association"]
    'PA Media'
    """
    found = {}
    for row in tables("agencies.txt")["agencies"]:
        shown, _, names = row.partition("  ")
        for named in names.split(", "):
            name, uses = named.split(":")
            if use in uses:
                found[name] = shown
    return found


OF_PICTURES = re.compile(r"/.*/|getty images|shutterstock|(?:ap|afp) photo|picture.alliance", re.IGNORECASE)
"""What stands in the credit of a picture alone: a person between slashes and agencies, or an agency of pictures."""


WORDLIST = Path(__file__).with_name("wordlist.zip")
"""How common words are at large. `bench/wordlist.py` makes it from the data of the library wordfreq 3.1.1 by
Robyn Speer and others, whose licence it keeps: Creative Commons Attribution-ShareAlike 4.0 (`wordlist.LICENSE.txt`).
"""
WORDLIST_STEP = 0.05
"""How fine frequencies are told, as a logarithm to base 10."""

# How many letters a word shares with the one before it, and what comes behind them.
_SHARED = re.compile("([\0-\x1f])([^\0-\x1f]*)")


def frequencies(language: str) -> dict[str, float]:
    """Folded word → its part of all words in *language* (a primary subtag); empty for a language without a table.

    Words rarer than two in a million have none.
    """
    with zipfile.ZipFile(WORDLIST) as tables:
        try:
            body = tables.read(language)
        except KeyError:
            return {}
    count = int.from_bytes(body[:4], "big")
    table: dict[str, float] = {}
    word = ""
    for rarity, match in zip(body[4 : 4 + count], _SHARED.finditer(body[4 + count :].decode()), strict=True):
        word = word[: ord(match[1])] + match[2]
        table[word] = 10 ** (-WORDLIST_STEP * rarity)
    return table
