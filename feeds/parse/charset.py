"""The bytes of a document in UTF-8, whatever they were in. First step of `parse`. Pure.

The order is BOM, charset of the Content-Type, XML declaration (RFC 7303 §3), then UTF-8, a charset of another script
that the bytes plainly are in, and windows-1252. Labels are those of the WHATWG Encoding standard, read as browsers do
(Latin-1 is windows-1252), their common misspellings, and what else Python knows. A label is believed as long as the
bytes allow it: what is UTF-8, but for a slip, is UTF-8 whatever a label of single bytes says, and whatever one of
several where the document says so itself or is long enough.
UTF-7 and codecs that are no charset are never used.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable

from webencodings import lookup
from webencodings.labels import LABELS

from feeds.errors import ParseError
from feeds.files import tables
from feeds.parse.fields import MAX_LEAD_BYTES

_DECLARED = re.compile(rb"""<\?xml[^>]{0,200}?\sencoding\s*=\s*["']?\s*([A-Za-z0-9._:\- ]{1,40})""")
_CHARSET = re.compile(r"""charset\s*=\s*["']?\s*([A-Za-z0-9._:-]{1,40})""", re.IGNORECASE)

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # before UTF-16, whose mark it begins with
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
# XML 1.0 appendix F: what "<?xm" and other first characters of ASCII look like without a mark.
_SHAPES = (
    (re.compile(rb"[\x01-\x7f]\x00\x00\x00"), "utf-32-le"),
    (re.compile(rb"\x00\x00\x00[\x01-\x7f]"), "utf-32-be"),
    (re.compile(rb"[\x01-\x7f]\x00[^\x00]"), "utf-16-le"),
    (re.compile(rb"\x00[\x01-\x7f]\x00[^\x00]"), "utf-16-be"),
    (re.compile(rb"\x4c\x6f\xa7\x94"), "cp037"),
)
_MULTI_BYTE = {
    "gb18030", "big5hkscs", "cp932", "euc_jp", "iso2022_jp", "iso2022_kr", "cp949", "johab", "hz", "cp950",
}  # fmt: skip
_WIDE = {"utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-32-be"}
_NEVER = {"utf-7", "idna", "punycode", "raw-unicode-escape", "unicode-escape", "charmap", "undefined", "mbcs", "oem"}
_NUMBERED = re.compile(r"(?:x?(?:mswindows|mswin|windows|win|wincp|cp|ibm|ms|microsoftcp|dos|codepage)|)(\d{3,5})\Z")


def _by_name(rows: list[str]) -> dict[str, str]:
    return {name: codec for codec, names in (row.split(": ") for row in rows) for name in names.split()}


_TABLES = tables("parse/charsets.txt")
_SUPERSETS, _ALIASES = _by_name(_TABLES["supersets"]), _by_name(_TABLES["aliases"])
SLIPS = 20
"""A text with one byte in so many that is no UTF-8 is UTF-8 with a slip; text in another charset is almost never."""
ENOUGH_CHARACTERS = 30
"""Characters beyond ASCII after which it is no accident that a text in a charset of several bytes is UTF-8."""


def to_utf8(body: bytes, content_type: str | None = None) -> bytes:
    """Return *body* in UTF-8 without a byte order mark; the XML declaration keeps what it said.

    Never fails: bytes that no label explains are UTF-8 where they can be, windows-1252 where nothing tells, byte by
    byte, so that one bad byte spoils one character.
    >>> to_utf8(b'<?xml version="1.0" encoding="koi8-r"?><a>\\xcd\\xc9\\xd2</a>')[-13:-4].decode()
    '<a>мир'
    """
    if (text := _as_marked(body)) is not None:
        return text
    encodings = _named(body, content_type)
    as_utf8 = _as_utf8(body)
    if as_utf8 is not None and _is_meant(as_utf8, encodings):
        return as_utf8.encode("utf-8")
    # Many servers call all that they have Latin-1, which any bytes can be.
    if set(encodings) == {"cp1252"} and (script := _of_another_script(body)) is not None:
        return _decoded(body, script)
    for read in (_exactly, _nearly):
        for encoding in encodings:
            if (converted := read(body, encoding)) is not None:
                return converted
    return _decoded(body, _of_another_script(body) or "utf-8")


_SCRIPTS = "cp1251 koi8_r cp1253 cp1255 cp1256 cp874 euc_jp cp932 cp949 gb18030 big5hkscs".split()
_BEYOND = re.compile(rb"[\x80-\xff]+")
SAMPLE_BYTES, ENOUGH_BYTES = 65_536, 12


def _of_another_script(body: bytes) -> str | None:
    """The codec of *body*, which is not all UTF-8, where it is text in another script; None where nothing tells.

    Not where it is UTF-8 but for slips, or its letters beyond ASCII mostly stand alone, as Latin ones do: a wrong guess
    would spoil more than it mends there.
    """
    sample = body if len(body) <= SAMPLE_BYTES else body[:SAMPLE_BYTES].rstrip(bytes(range(0x80, 0x100)))
    runs, as_utf8 = _BEYOND.findall(sample), sample.decode("utf-8", "replace")
    beyond = len(as_utf8) - len(as_utf8.encode("ascii", "ignore"))
    if sum(map(len, runs)) < max(2 * len(runs), ENOUGH_BYTES) or 2 * as_utf8.count("\ufffd") < beyond:
        return None
    from charset_normalizer import from_bytes  # few documents need it

    best = from_bytes(sample, cp_isolation=_SCRIPTS).best()
    return None if best is None else best.encoding


def _as_marked(body: bytes) -> bytes | None:
    """*body* in UTF-8 by its byte order mark, or the shape of its first characters; None where it has neither."""
    for mark, name in _MARKS:
        if body.startswith(mark):
            return _decoded(body[len(mark) :], name)
    return next((_decoded(body, name) for shape, name in _SHAPES if shape.match(body)), None)


def _named(body: bytes, content_type: str | None) -> list[str]:
    """The codecs that the Content-Type and the XML declaration name."""
    labels: list[str] = _CHARSET.findall(content_type or "")[:1]
    labels += [label.decode("ascii") for label in _DECLARED.findall(body[:MAX_LEAD_BYTES])[:1]]
    return list(filter(None, map(_known, labels)))


def _known(label: str) -> str | None:
    """The codec that *label* names, as browsers understand it; None where it is no charset that is used for text.

    UTF-16 and UTF-32 are none here: the bytes would have shown them.
    """
    label = label.strip().lower()
    bare = re.sub(r"[^a-z0-9]", "", label)
    numbered = _NUMBERED.match(bare)
    guesses = [label, _ALIASES.get(bare, bare)]
    if numbered:
        guesses += [_ALIASES.get(numbered[1], f"windows-{numbered[1]}"), f"cp{numbered[1]}"]
    found = (_codec(_BARE_LABELS.get(guess, guess)) for guess in (*guesses, label.removeprefix("x-")))
    name = next(filter(None, found), None)
    return None if name in _WIDE else name


def _codec(label: str) -> str | None:
    standard = lookup(label)
    name = standard.codec_info.name if standard is not None else "replacement"
    if name in ("replacement", "x-user-defined"):
        try:
            found = codecs.lookup(label)
        except (LookupError, ValueError):
            return None
        if not getattr(found, "_is_text_encoding", True):
            return None
        name = found.name
    name = _SUPERSETS.get(name, name)
    return None if name in _NEVER else name


_BARE_LABELS = {re.sub(r"[^a-z0-9]", "", label): label for label in reversed(LABELS)}


def _as_utf8(body: bytes) -> str | None:
    """*body* as UTF-8, its slips read as windows-1252; None where they are too many for slips."""
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError:
        pass
    body = _paired(body)
    bad = body.decode("utf-8", "replace").count("\ufffd")
    begun = len(body.translate(None, bytes(range(0xC0))))
    return body.decode("utf-8", "wiredesk-as-windows-1252") if bad * SLIPS <= begun else None


def _is_meant(text: str, encodings: list[str]) -> bool:
    """Whether *text*, which could be read as UTF-8, is to be, though *encodings* were named."""
    if "utf-8" in encodings or not encodings or encodings[0] not in _MULTI_BYTE:
        return not text.isascii() or not encodings
    return len(text) - len(text.encode("ascii", "ignore")) >= ENOUGH_CHARACTERS


def _exactly(body: bytes, encoding: str) -> bytes | None:
    """*body* in UTF-8 if it is *encoding* throughout. The few gaps of windows-1252 do not count against it."""
    if encoding == "cp1252":
        return body.decode("cp1252", "wiredesk-as-latin-1").encode("utf-8")
    try:
        return body.decode(encoding).encode("utf-8")
    except UnicodeError:
        return None


def _nearly(body: bytes, encoding: str) -> bytes | None:
    """*body* in UTF-8 if it is *encoding* but for slips, which become U+FFFD."""
    if encoding == "utf-8":
        return None
    text = body.decode(encoding, "replace")
    beyond = len(text) - len(text.encode("ascii", "ignore"))
    return text.encode("utf-8") if text.count("\ufffd") * SLIPS <= beyond else None


def _paired(body: bytes) -> bytes:
    """*body* with characters whole that were written as two surrogates of three bytes each (CESU-8, as Java does)."""
    return _SURROGATES.sub(
        lambda pair: (
            pair[0].decode("utf-8", "surrogatepass").encode("utf-16", "surrogatepass").decode("utf-16").encode()
        ),
        body,
    )


_SURROGATES = re.compile(rb"\xed[\xa0-\xaf][\x80-\xbf]\xed[\xb0-\xbf][\x80-\xbf]")


def _decoded(body: bytes, encoding: str) -> bytes:
    if encoding != "utf-8":
        return body.decode(encoding, "replace").encode("utf-8", "replace")
    return _paired(body).decode("utf-8", "wiredesk-as-windows-1252").encode("utf-8")


def _bad_bytes_as(encoding: str) -> Callable[[UnicodeError], tuple[str, int]]:
    """A handler for `codecs.register_error` that reads what is no character in *encoding*."""

    def read(error: UnicodeError) -> tuple[str, int]:
        assert isinstance(error, UnicodeDecodeError)
        return error.object[error.start : error.end].decode(encoding, "replace"), error.end

    return read


codecs.register_error("wiredesk-as-latin-1", _bad_bytes_as("latin-1"))
codecs.register_error("wiredesk-as-windows-1252", _bad_bytes_as("cp1252"))


# ------------------------------------------------------------------------- documents and letters


_LINE_END = re.compile(r"\r\n|[\r\x0b\x0c\x85\u2028\u2029]")
_NO_TEXT = re.compile(r"[\x00-\x08\x0e-\x1f\x7f\u200b\u2060\ufeff\ufffe\uffff\ud800-\udfff]")
_NO_CHARACTER = re.compile(r"[\x00-\x08\x0e-\x19\x1c-\x1f\x7f-\x84\x86-\x9f\ufffd]")
BINARY = 20
"""Where more than one character in so many is none, and more than BINARY_LEAST are, the bytes are no text."""
BINARY_LEAST = 3
_BLANK = re.compile(r"[\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000\t]")


def decode(body: bytes, *, name: str = "the document") -> str:
    """Return the text of *body* with ``\\n`` line ends and plain blanks, whatever program wrote it.

    Raises ParseError where there is none.
    """
    text = to_utf8(body).decode()
    if BINARY_LEAST < (odd := len(_NO_CHARACTER.findall(text))) and odd * BINARY > len(text):
        raise ParseError(f"{name} is no text", remedy="save the article as plain text, Markdown or HTML")
    text = _NO_TEXT.sub("", _LINE_END.sub("\n", text))
    if not text.strip():
        raise ParseError(f"{name} is empty", remedy="write the article into it, or delete the file")
    return _BLANK.sub(" ", text)
