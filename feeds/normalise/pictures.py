"""Which address of a picture is the real one, and which picture an article shows. Part of `normalise`. Pure.

Scripts fill pictures in when they are scrolled to; until then the real address stands in an attribute of the script's
own choosing. There is no list of such names: an attribute is judged by what its name says and its value looks like.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from itertools import islice
from typing import Literal

Attributes = Mapping[str, str | None]

LEAST_SHOWN_PX = 50
"""A picture that states less than this in either direction is an icon, a badge or a button, and no article's."""

_PLAIN = frozenset(
    "src srcset sizes alt title width height class style id loading decoding border align hspace vspace role rel"
    " itemprop fetchpriority referrerpolicy crossorigin usemap ismap longdesc name lang dir tabindex type media poster"
    " controls preload autoplay muted loop playsinline".split()
)
_EXTENSION = re.compile(
    r"\.(?:jpe?g|jfif|png|gif|webp|avif|svg|bmp|tiff?|heic)(?:[?#!@:;_/&].*)?\Z", re.IGNORECASE | re.DOTALL
)
_TEMPLATE = re.compile(r"[{}<>\[\]\"\\`|]|%7b|\$\(", re.IGNORECASE)
_NO_ADDRESS = re.compile(
    r"(?:data|about|blob|javascript|vbscript|file|cid|mailto|chrome|ms-\w+)\s*:|#|\Z", re.IGNORECASE
)
_LOOKS_LIKE_ONE = re.compile(
    r"(?:https?:)?//[^/\s]+\.[^/\s]+|\.{0,2}/[^\s/]|[^\s/:]+(?:/[^\s/:]+)*\.\w{2,5}(?:[?#]|\Z)", re.IGNORECASE
)
# What stands in a picture's place until its script runs.
_PLACEHOLDER = re.compile(
    r"(?:\A|[_.=-])(?:(?:place-?holder|blank|spacer|1x1|1px|shim|lazy-?load(?:er|ing)?|preload(?:er)?|spinner|loading|loader)"
    r"(?:[_.-]?\d{0,4}(?:x\d{1,4})?)\.(?:gif|png|svg|jpe?g|webp)|(?:transparent|trans|pixel|gr[ea]y|white|lazy|dummy|empty|clear"
    r"|fallback|default-?image|no-?image)(?:[_.-]?\d{0,4}(?:x\d{1,4})?)\.(?:gif|png|svg)|\A(?:ph|[abpstx])\.gif)(?:#|\Z)",
    re.IGNORECASE,
)
# Attributes from which a script takes what it puts into ``src``.
_LAZY_NAME = re.compile(
    r"src|lazy|original(?!-?(?:title|alt|width|height))|echo|defer|unveil|cfsrc|actual|-real|\Afile\Z",
    re.IGNORECASE,
)
_OTHER_NAME = re.compile(
    r"fallback|place-?holder|error|default|small|low|lqip|preview|icon|avatar|poster|blank|loading|spinner|width|height|ratio"
    r"|title|caption|alt|descr|credit|class|style|permalink|link|href|share|id\Z|script|avif|mobile",
    re.IGNORECASE,
)
_SET_NAME = re.compile(r"srcset|src-?set|bgset|sources?-?set", re.IGNORECASE)
_CANDIDATE = re.compile(r"[\s,]*(\S*[^\s,])(?:\s+([^,]*))?(?:,|\Z)|[\s,]+\Z")
_STRONG_SIZE = re.compile(r"([0-9]*\.?[0-9]+)\s*([wx])\b")
MAX_CANDIDATES = 60
MAX_ADDRESS_CHARS = 4000


def is_address(value: str | None) -> bool:
    """Tell whether *value* can be the address of a file: not empty, packed into itself, templated, or JSON."""
    if not value or len(value) > MAX_ADDRESS_CHARS:
        return False
    return _NO_ADDRESS.match(value) is None and _TEMPLATE.search(value) is None


def is_placeholder(address: str) -> bool:
    """Tell whether *address* names a file that only keeps a picture's place."""
    place, _, name = address.partition("?")[0].rpartition("/")
    return _PLACEHOLDER.search(name) is not None or "placeholder" in place


def largest(srcset: str | None) -> str | None:
    """Return the address in a ``srcset`` for the widest or densest screen (HTML, 4.8.4.2.1); None where it has none.

    >>> largest("a-480.jpg 480w, a-960.jpg 960w"), largest("b.jpg, b@2x.jpg 2x"), largest("[]")
    ('a-960.jpg', 'b@2x.jpg', None)
    """
    if not srcset or "{" in srcset:
        return None
    candidates = islice(_CANDIDATE.finditer(srcset), MAX_CANDIDATES + 1)
    pictures = (found for found in candidates if _is_picture(found[1]))
    return max(pictures, key=_stated_size, default=(None, None))[1]


def _is_picture(address: str | None) -> bool:
    return _has_a_path(address) and is_address(address) and not is_placeholder(address or "")


def _has_a_path(value: str | None) -> bool:
    return value is not None and ("." in value or "/" in value)


def _stated_size(candidate: re.Match[str]) -> float:
    stated = _STRONG_SIZE.search(candidate[2] or "")
    return float(stated[1]) if stated else 1.0


def real_address(attributes: Attributes, *, sets: Iterable[str | None] = ()) -> tuple[str | None, bool]:
    """Return where the picture, film or frame with these *attributes* is, and whether a script was to put it there.

    What a script would put into ``src`` goes before what stands there, if it is an address. Then ``src``, the other
    attributes that hold a picture's address, ``srcset``, and last the *sets* of sources around it. Of a set the
    largest. None where nothing is an address.
    """
    src = (attributes.get("src") or "").strip()
    src_is_good = is_address(src) and not is_placeholder(src)
    if len(attributes) > 1 or not src:
        lazy, other = _elsewhere(attributes)
        if elsewhere := lazy or (None if src_is_good else other):
            return elsewhere, True
    if src_is_good:
        return src, False
    from_set = next(filter(None, map(largest, (attributes.get("srcset"), *sets))), None)
    return from_set or (src if is_address(src) else None), False


def _elsewhere(attributes: Attributes) -> tuple[str | None, str | None]:
    """The address of the attributes that a script reads, and of those that name a picture for another end."""
    found: dict[str, str] = {}
    for name, value in attributes.items():
        kind: str = _kind_of(name) if value else "none"
        if kind == "none" or value is None:
            continue
        if kind == "set":
            address = largest(value)
        elif not _has_a_path(value):
            continue
        else:
            address = value.strip()
            kind = _kind_of_address(address, kind, found)
        if address and kind:
            found.setdefault(kind, address)
    return found.get("set") or found.get("lazy"), found.get("other")


def _kind_of_address(address: str, kind: str, found: Mapping[str, str]) -> str:
    """As what *address* counts in an attribute of this *kind*, "" for nothing: one is kept of each."""
    if not is_address(address) or is_placeholder(address) or not _one_word(address):
        return ""
    if kind == "lazy" and "lazy" not in found and _LOOKS_LIKE_ONE.match(address):
        return "lazy"
    return "other" if _EXTENSION.search(address) else ""


@lru_cache(maxsize=1024)
def _kind_of(name: str) -> Literal["none", "set", "lazy", "other"]:
    """What an attribute of this *name* can hold: no picture, several sizes, what a script fills in, or another size."""
    if name in _PLAIN or name.startswith(("aria-", "on", "xmlns")):
        return "none"
    if _SET_NAME.search(name):
        return "set"
    if _OTHER_NAME.search(name):
        return "none"
    return "lazy" if _LAZY_NAME.search(name) else "other"


def _one_word(value: str) -> bool:
    """Blanks stand in names of files, not in what is a text."""
    return " " not in value or _EXTENSION.search(value) is not None and value.count(" ") < 10


def pixels(value: str | None) -> int | None:
    """Return a stated width or height in pixels: ``600``, ``600px``; None where it is none or relative."""
    match = re.match(r"\s*(\d{1,5})(?:\.\d+)?\s*(?:px)?\s*\Z", value or "")
    return int(match[1]) if match else None


def sizes_of(attributes: Attributes) -> tuple[int | None, int | None]:
    """Return the width and the height that are stated, in pixels."""
    return pixels(attributes.get("width")), pixels(attributes.get("height"))


_HIDDEN = re.compile(
    r"display\s*:\s*none|visibility\s*:\s*hidden|(?<![\w-])(?:width|height)\s*:\s*[01](?:px)?\s*(?:;|!|\Z)",
    re.IGNORECASE,
)
_BEACONS = re.compile(
    r"//(?:feeds\.feedburner\.com/~r/|feeds\.wordpress\.com/1\.0/|pixel\.wp\.com|stats\.wordpress\.com|[^/]*\.doubleclick\.net/"
    r"|www\.google-analytics\.com|rss\.feedsportal\.com|pi\.feedsportal\.com|da\.feedsportal\.com|b\.scorecardresearch\.com"
    r"|pixel\.quantserve\.com|counter\.theconversation\.com|blogger\.googleusercontent\.com/tracker"
    r"|(?:www\.)?facebook\.com/tr[/?]|sb\.scorecardresearch\.com|medium\.com/_/stat)|/b\.gif\?|/(?:pixel|beacon|blank|spacer)\.gif",
    re.IGNORECASE,
)


def is_unseen(attributes: Attributes, address: str) -> bool:
    """Tell whether nobody is to see it: a point in size, hidden by its style, or at an address that only counts."""
    if not {0, 1}.isdisjoint(sizes_of(attributes)):
        return True
    style = attributes.get("style")
    return bool(_BEACONS.search(address)) or bool(style and _HIDDEN.search(style))


_DECORATION_CLASS = re.compile(
    r"(?:\A|[\s_-])(?:emoji|emoticons?|smil(?:ey|ies?|eys)|avatars?|gravatars?|icons?|badges?|buttons?|btn|sprites?|bullets?|share"
    r"|sharing|spacer|pixel|tracker|tracking|counter|latex|userpics?|headshots?|adverts?|sponsor)(?:\Z|[\s_-]|\d)"
    r"|profile-?(?:pic|photo|image)|author-?(?:image|photo|pic|bio)",
    re.IGNORECASE,
)
# Of files the beginning or the end of the name alone: "share-price-falls.jpg" is a picture of the news.
_DECORATION_FILE = re.compile(
    r"\A(?:emoji|smiley|avatar|gravatar|favicon|icon|badge|btn|button|sprite|spacer)s?(?:[_.\d-]|\Z)"
    r"|\A(?:share|arrow|bullet|rss|pixel|feed)s?\d*\.\w+\Z"
    r"|[_.-](?:emoji|smiley|avatar|gravatar|favicon|icon|badge|btn|button|sprite|spacer|pixel)\d*\.\w+\Z"
    r"|(?:\A|[_.-])(?:468|728|970|234|320)[x-](?:60|90|50)(?:[_.-]|\Z)",
    re.IGNORECASE,
)
_DECORATION_FOLDER = re.compile(
    r"/(?:smil(?:ies|eys?)|emoticons?|emojis?|icons?|badges?|buttons?|style_images|avatars?|gravatars?|favicons?|ads|adserver|adverts?"
    r"|banners?|display-ads?|userpics?|social-icons?)/",
    re.IGNORECASE,
)
_DECORATION_HOST = re.compile(
    r"//(?:[\w-]+\.)*(?:s\.w\.org/images/core/emoji|twemoji\.|gravatar\.com|img\.shields\.io|badge\.fury\.io|badgen\.net|badges\."
    r"|travis-ci\.|codecov\.io|github\.githubassets\.com/images/icons|s0\.wp\.com/(?:latex|wp-content/mu-plugins)|latex\.codecogs"
    r"|assets\.pinterest\.com|feedburner\.com|feedsportal\.com|feedads\.|addtoany\.com|addthis\.com|stats?\.|pixel\."
    r"|track(?:er|ing)?\.|buymeacoffee\.com|ko-?fi\.com|paypalobjects\.com|patreon\.com|impactradius-\w+\.com|doubleclick\.net"
    r"|googlesyndication\.com|amazon-adsystem\.com|assoc-amazon\.\w+|awin1\.com|shareasale\.com|linksynergy\.com|tradedoubler\.com)",
    re.IGNORECASE,
)
_OWN_NETWORK = re.compile(
    r"https?://(?:localhost|127\.|10\.|192\.168\.|172\.(?:1[6-9]|2\d|3[01])\.|[^./?#:@]+(?:[:/?#]|\Z)|\[)",
    re.IGNORECASE,
)
_SHARE_LINK = re.compile(
    r"//(?:[\w-]+\.)*(?:facebook\.com/(?:sharer?|dialog)|(?:twitter|x)\.com/(?:intent|share|home\?status)|pinterest\.\w+/pin/create|linkedin\.com/share"
    r"|reddit\.com/submit|feeds\.(?:feedburner|wordpress)\.com|addtoany\.com|api\.whatsapp\.com|t\.me/share|getpocket\.com|buymeacoffee\.com"
    r"|ko-?fi\.com|patreon\.com|paypal\.)|\Amailto:",
    re.IGNORECASE,
)


def is_never_shown(address: str, home: str = "") -> bool:
    """Tell whether nothing at *address* is an article's picture: hosts of faces, badges, counters, advertisements.

    Nor what lies on the machine or in the network of whoever wrote it, unless *home*, where it comes from, does too.
    """
    if _DECORATION_HOST.search(address) is not None:
        return True
    return _OWN_NETWORK.match(address) is not None and bool(home) and _OWN_NETWORK.match(home) is None


def is_shown(attributes: Attributes, address: str, link: str | None = None, home: str = "") -> bool:
    """Tell whether a picture at *address*, within a link to *link*, can stand for its article, which is at *home*.

    Not icons, badges, buttons, smileys, faces of authors and counters, as far as size, name, class, host and link tell.
    """
    if any(size is not None and size < LEAST_SHOWN_PX for size in sizes_of(attributes)):
        return False
    if is_never_shown(address, home) or (link and _SHARE_LINK.search(link)):
        return False
    return _says_something(attributes) and not _is_decoration(attributes, address)


def _says_something(attributes: Attributes) -> bool:
    """Tell whether what stands for the picture is more than a smiley."""
    alt = (attributes.get("alt") or "").strip()
    return not alt or len(alt) > 3 or any(map(str.isalnum, alt))


def _is_decoration(attributes: Attributes, address: str) -> bool:
    """Tell whether the name, the folder or the class of a picture is that of an icon, a badge, a button, a face."""
    folder, _, name = address.partition("?")[0].rstrip("/").rpartition("/")
    if _DECORATION_FILE.search(name) or _DECORATION_FOLDER.search(folder + "/"):
        return True
    described = f"{attributes.get('class') or ''} {attributes.get('id') or ''}"
    return bool(described.strip()) and _DECORATION_CLASS.search(described) is not None
