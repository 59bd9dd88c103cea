"""The bytes of a document in UTF-8, whatever they were in. First step of `parse`. Pure.

The order is BOM, charset of the Content-Type, XML declaration (RFC 7303 §3), then UTF-8 and windows-1252. A label is
believed as long as the bytes allow it: Latin-1 is read as windows-1252 as browsers do, and a single-byte label on
bytes that are UTF-8 throughout is taken for a mistake. UTF-7 and codecs that are no charset are never used.
"""

from __future__ import annotations

import codecs
import re

_DECLARED = re.compile(rb"""^\s*<\?xml[^>]{0,200}?encoding\s*=\s*["']([A-Za-z0-9._:-]{1,40})["']""")
_CHARSET = re.compile(r"""charset\s*=\s*["']?\s*([A-Za-z0-9._:-]{1,40})""", re.IGNORECASE)

_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # before UTF-16, whose mark it begins with
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
# XML 1.0 appendix F: what "<?xm", "<" or "{" look like without a mark.
_SHAPES = (
    (re.compile(rb"[<{\[\s]\x00\x00\x00"), "utf-32-le"),
    (re.compile(rb"\x00\x00\x00[<{\[\s]"), "utf-32-be"),
    (re.compile(rb"[<{\[\s]\x00[^\x00]"), "utf-16-le"),
    (re.compile(rb"\x00[<{\[\s]\x00[^\x00]"), "utf-16-be"),
    (re.compile(rb"\x4c\x6f\xa7\x94"), "cp037"),
)
_SINGLE_BYTE = {
    "cp1250", "cp1251", "cp1252", "cp1253", "cp1254", "cp1255", "cp1256", "cp1257", "cp1258", "cp437", "cp850",
    "cp852", "cp855", "cp858", "cp866", "cp874", "koi8-r", "koi8-u", "mac-roman", "mac-cyrillic", "ptcp154",
    "iso8859-2", "iso8859-3", "iso8859-4", "iso8859-5", "iso8859-6", "iso8859-7", "iso8859-8", "iso8859-10",
    "iso8859-13", "iso8859-14", "iso8859-15", "iso8859-16", "tis-620",
}  # fmt: skip
_MULTI_BYTE = {
    "utf-8", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-32-be", "gb18030", "big5hkscs", "cp932",
    "euc_jp", "iso2022_jp", "cp949", "johab", "hz",
}  # fmt: skip
# As browsers read them: the vendors' supersets are what is meant (WHATWG Encoding §4.2).
_SUPERSETS = {
    "iso8859-1": "cp1252", "ascii": "cp1252", "iso8859-9": "cp1254", "iso8859-11": "cp874", "gb2312": "gb18030",
    "gbk": "gb18030", "big5": "big5hkscs", "shift_jis": "cp932", "euc_kr": "cp949",
}  # fmt: skip


# Labels of the web that Python does not know by itself.
_ALIASES = {
    "x-sjis": "cp932", "windows-31j": "cp932", "ms_kanji": "cp932", "windows-874": "cp874", "dos-874": "cp874",
    "x-mac-cyrillic": "mac-cyrillic", "x-mac-roman": "mac-roman", "gb_2312-80": "gb18030", "x-gbk": "gb18030",
    "x-euc-jp": "euc_jp", "iso-8859-8-i": "iso8859-8", "x-cp1250": "cp1250", "x-cp1251": "cp1251",
    "x-cp1252": "cp1252", "unicode-1-1-utf-8": "utf-8", "x-x-big5": "big5hkscs",
}  # fmt: skip


def to_utf8(body: bytes, content_type: str | None = None) -> bytes:
    """Return *body* in UTF-8 without a byte order mark; the XML declaration keeps what it said.

    Never fails: bytes that no label explains are UTF-8 where they can be, windows-1252 where not, byte by byte, so
    that one bad byte spoils one character.
    >>> to_utf8(b'<?xml version="1.0" encoding="koi8-r"?><a>\\xcd\\xc9\\xd2</a>')[-13:-4].decode()
    '<a>мир'
    """
    for mark, name in _BOMS:
        if body.startswith(mark):
            return _decoded(body[len(mark) :], name)
    for shape, name in _SHAPES:
        if shape.match(body):
            return _decoded(body, name)
    labels = _CHARSET.findall(content_type or "")[:1]
    labels += [label.decode("ascii") for label in _DECLARED.findall(body[:1024])]
    for label in labels:
        encoding = _known(label)
        if encoding is None or encoding.startswith(("utf-16", "utf-32")):
            continue  # not a charset, or one that the bytes above would have shown
        if encoding in _SINGLE_BYTE and _is_utf8(body):
            return body
        converted = _exactly(body, encoding)
        if converted is not None:
            return converted
    return _decoded(body, "utf-8")


def _known(label: str) -> str | None:
    """The codec that *label* names, as browsers understand it; None where it is no charset that is used for text."""
    try:
        name = codecs.lookup(_ALIASES.get(label.lower(), label)).name
    except (LookupError, ValueError):
        return None
    name = _SUPERSETS.get(name, name)
    return name if name in _SINGLE_BYTE or name in _MULTI_BYTE else None


def _is_utf8(body: bytes) -> bool:
    try:
        body.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _exactly(body: bytes, encoding: str) -> bytes | None:
    """*body* in UTF-8 if it is *encoding* throughout. The few gaps of windows-1252 do not count against it."""
    if encoding == "utf-8":
        return body if _is_utf8(body) else None
    if encoding == "cp1252":
        return body.decode("cp1252", "wiredesk-as-latin-1").encode("utf-8")
    try:
        return body.decode(encoding).encode("utf-8")
    except UnicodeError:
        return None


def _decoded(body: bytes, encoding: str) -> bytes:
    if encoding != "utf-8":
        return body.decode(encoding, "replace").encode("utf-8", "replace")
    if _is_utf8(body):
        return body
    return body.decode("utf-8", "wiredesk-as-windows-1252").encode("utf-8")


def _as_latin_1(error: UnicodeError) -> tuple[str, int]:
    assert isinstance(error, UnicodeDecodeError)
    return error.object[error.start : error.end].decode("latin-1"), error.end


def _as_windows_1252(error: UnicodeError) -> tuple[str, int]:
    assert isinstance(error, UnicodeDecodeError)
    return error.object[error.start : error.end].decode("cp1252", "replace"), error.end


codecs.register_error("wiredesk-as-latin-1", _as_latin_1)
codecs.register_error("wiredesk-as-windows-1252", _as_windows_1252)
