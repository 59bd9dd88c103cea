"""What of a page is no text, taken out before its text is looked for: figures aside, boxes away. Part of `parse`. Pure.

An extractor of text drops what is no text, and takes a caption for a paragraph. So each picture with its caption, each
frame and each formula leaves one sign in the page, and comes back where the sign came out.

Teasers of other articles, calls to subscribe, share rows, advertising: an extractor knows some of these names; these
are the others that templates use. A box goes only where it is a small part of the page and holds no headline.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import lru_cache, partial
from html import escape
from itertools import islice
from typing import Any

from lxml import etree

from feeds.urls import host_of

MAX_FIGURES = 300
MAX_FIGURE_CHARS = 30_000
MAX_CAPTION_CHARS = 600
SHORT_CAPTION_CHARS = 160
"""Text of at most so many characters beside a picture, in what is called its box, is its caption by its place."""

_FIRST = 0x10600
"""Linear A, 341 signs: letters to every library, and on no page of news."""
SIGNS = re.compile(f"[{chr(_FIRST)}-{chr(_FIRST + MAX_FIGURES - 1)}]")

_PICTURES = ("img", "picture", "amp-img", "amp-anim")
_PLAYERS = ("iframe", "video", "audio", "embed", "object", "amp-iframe", "amp-video", "amp-audio", "amp-youtube")
_MEDIA = (*_PICTURES, *_PLAYERS)
_TEXTUAL = ("table", "pre", "math", "ul", "ol")
"""A ``figure`` of these is text; one of a quotation repeats what the text says."""
_CAPTIONED = re.compile(
    r"[Cc]aption|(?:^|[\s_-])(?:image|picture|photo|figure|foto|bild|img|pic)(?:$|s?[\s_-]|[A-Z]|modul|box)"
)
_CAPTION = re.compile(r"caption|legende|credit|copyright|unterschrift|bu-text|didascalia|pie-?de", re.IGNORECASE)
_SMALL = re.compile(
    r"avatar|gravatar|emoji|\bicons?\b|(?:^|[\s_-])icons?(?:$|[\s_-])|\blogo\b|smil(?:ey|ie)|spinner|sprite|pixel|placeholder",
    re.IGNORECASE,
)
_SMALL_FILE = re.compile(r"gravatar|/(?:emoji|icons?|sprites?|smilies)/|pixel\.|1x1|spacer|blank\.gif", re.IGNORECASE)
_PIXELS = re.compile(r"\s*(\d{1,5})(?:px)?\s*$")
_LEAST_SIDE = 60
"""Pixels: a picture that says to be smaller is an icon or a face beside a name."""
_NO_CAPTION = ("h1", "h2", "h3", "ul")
_TEXT_BOXES = ("div", "section", "article", "main", "body", "td", "center")
_CONTAINERS = ("div", "aside", "section", "p", "span", "dl", "center", "table")
# Where a frame is no part of an article: advertising, tag managers, share buttons, forms.
_IDLE_FRAMES = re.compile(
    r"doubleclick|googletagmanager|googlesyndication|/ads?[/.?]|adserver|amazon-adsystem|facebook\.com/plugins/(?:like|"
    r"share|page|comments)|platform\.twitter\.com/widgets/(?:follow|tweet_button)|recaptcha|newsletter|disqus|taboola|"
    r"outbrain|about:blank|consent|cookie|/comments?/",
    re.IGNORECASE,
)


def set_aside(tree: Any) -> list[str]:
    """Take pictures, frames and formulas out of the page *tree*, each for a sign; return their HTML by number.

    A page that uses the signs itself goes without pictures. What no reader would miss (icons, pixels, advertising)
    is left for the extractor to drop.
    """
    if SIGNS.search("".join(tree.itertext())):
        return []
    kept: list[str] = []
    _unmask_texts(tree)
    for figure in _outer_elements(tree, "figure"):
        if _has(figure, *_MEDIA):
            _keep(figure, _figure, kept)
    for picture in _outer_elements(tree, *_MEDIA):
        holder = _holder(picture) if len(kept) < MAX_FIGURES else None
        if holder is not None:
            _keep(holder, partial(_captioned, picture=picture), kept)
        else:
            _keep(picture, _shown, kept)
    for formula in _outer_elements(tree, "math"):
        _keep(formula, _html, kept)
    return kept


def _has(element: Any, *tags: str) -> bool:
    return next(element.iter(*tags), None) is not None


def put_back(html: str, kept: list[str]) -> str:
    """Return *html* with each sign as what it stands for; a paragraph that is nothing else gives way to it."""
    if not kept:
        return html

    def paragraph(match: re.Match[str]) -> str:
        shown = [_kept(sign[0], kept) for sign in SIGNS.finditer(match[0])]
        return "\n".join(one if one.startswith("<figure") else f"<p>{one}</p>" for one in shown if one)

    alone = re.compile(rf"<(p|h[1-6]|div)>(?:\s|<br>|{SIGNS.pattern})*{SIGNS.pattern}(?:\s|<br>|{SIGNS.pattern})*</\1>")
    return SIGNS.sub(lambda match: _inline(_kept(match[0], kept)), alone.sub(paragraph, html))


def without_signs(text: str) -> str:
    """Return *text* without the signs of figures."""
    return SIGNS.sub("", text)


def squashed(text: str) -> str:
    """Return the letters and digits of *text* alone, case folded: by which lines of a page are compared."""
    return "".join(re.findall(r"\w", without_signs(text).casefold()))


def _kept(sign: str, kept: list[str]) -> str:
    number = ord(sign) - _FIRST
    return kept[number] if number < len(kept) else ""


def _inline(html: str) -> str:
    """A figure within a line of text is its picture alone."""
    if not html.startswith("<figure"):
        return html
    return "".join(re.findall(r"<(?:img|amp-img|iframe)\b[^>]*>", html)[:1])


def _outer_elements(tree: Any, *tags: str) -> Iterator[Any]:
    """Elements with one of *tags* that are in none of them."""
    for element in list(tree.iter(*tags)):
        if next(element.iterancestors(*tags), None) is None and element.getparent() is not None:
            yield element


def _keep(element: Any, show: Callable[[Any], str], kept: list[str]) -> None:
    """Leave a sign where *element* was, with the text behind it; nothing where *show* gives nothing to show."""
    if len(kept) >= MAX_FIGURES:
        return
    html, sign = show(element), ""
    if html and len(html) <= MAX_FIGURE_CHARS:
        sign = chr(_FIRST + len(kept))
        kept.append(html)
    while _holds_nothing_else(element.getparent(), element):
        element = element.getparent()
    if sign and html.startswith("<figure") and element.getparent().tag in _TEXT_BOXES:
        paragraph = etree.Element("p")
        paragraph.text, paragraph.tail = sign, element.tail or ""
        element.tail = None
        element.getparent().replace(element, paragraph)
    else:
        _put_text(element, sign)


def _put_text(element: Any, text: str) -> None:
    """Let *text* stand where *element* was."""
    text += element.tail or ""
    parent, before = element.getparent(), element.getprevious()
    element.tail = None
    parent.remove(element)
    if before is not None:
        before.tail = (before.tail or "") + text
    else:
        parent.text = (parent.text or "") + text


def _unmask_texts(tree: Any) -> None:
    """Let figures that hold text and no picture be plain boxes."""
    for figure in list(tree.iter("figure")):
        if not _has(figure, *_MEDIA) and _has(figure, *_TEXTUAL):
            figure.tag = "div"


def _holds_nothing_else(parent: Any, element: Any) -> bool:
    """Tell whether *parent* is there for *element* alone: a link to the larger picture, a box for a player."""
    return (
        parent.tag in ("a", *_CONTAINERS)
        and len(parent) == 1
        and not (parent.text or "").strip()
        and not (element.tail or "").strip()
        and parent.getparent() is not None
    )


def _figure(figure: Any) -> str:
    """A ``figure`` as the page has it, its caption apart; ``""`` where it shows nothing of use."""
    shown = [html for media in figure.iter(*_MEDIA) if _is_outermost(media, figure) and (html := _shown(media))]
    if not shown:
        return ""
    captions = " ".join(map(_line, figure.iter("figcaption"))).strip()
    return _assembled(shown, captions or _line(figure))


def _captioned(holder: Any, picture: Any) -> str:
    shown = _shown(picture)
    return _assembled([shown], _line(holder)) if shown else ""


def _line(element: Any) -> str:
    return " ".join(" ".join(element.itertext()).split())


def _assembled(shown: list[str], caption: str) -> str:
    caption = SIGNS.sub("", caption).strip()
    if len(caption) > MAX_CAPTION_CHARS:
        caption = caption[:MAX_CAPTION_CHARS].rpartition(" ")[0] + "…"
    figcaption = f"<figcaption>{escape(caption, quote=False)}</figcaption>" if caption else ""
    if not figcaption and all(not html.startswith(("<img", "<picture", "<amp-img", "<amp-anim")) for html in shown):
        return "".join(shown)  # a player is a line of its own
    return f"<figure>{''.join(shown)}{figcaption}</figure>"


def _is_outermost(media: Any, figure: Any) -> bool:
    for ancestor in media.iterancestors():
        if ancestor is figure:
            return True
        if ancestor.tag in _MEDIA or ancestor.tag == "noscript":
            # What stands for browsers without scripts counts where nothing else does.
            return ancestor.tag == "noscript" and not any(
                next(other.iterancestors("noscript"), None) is None for other in figure.iter(*_PICTURES)
            )
    return False


def _holder(picture: Any) -> Any:
    """The element that holds *picture* and its caption and nothing else; None where there is none such.

    A page without ``figure`` says so in the names of classes.
    """
    if picture.tag not in _PICTURES:
        return None
    found = None
    for ancestor in islice(picture.iterancestors(), 5):
        text = " ".join("".join(ancestor.itertext()).split())
        if not _is_of_one_picture(ancestor) or len(text) > MAX_CAPTION_CHARS:
            break
        named = ancestor.tag != "a" and _CAPTIONED.search(ancestor.get("class") or "")
        if named and (len(text) <= SHORT_CAPTION_CHARS or _has_caption(ancestor)):
            found = ancestor
    return found


def _is_of_one_picture(element: Any) -> bool:
    """Tell whether *element* is a box that can hold a picture, its link and its caption, and holds no more."""
    if element.tag not in (*_CONTAINERS, "a") or element.getparent() is None:
        return False
    several = next(islice(element.iter("img", "amp-img"), 1, None), None) is not None
    return not several and not _has(element, *_NO_CAPTION)


def _has_caption(holder: Any) -> bool:
    """Tell whether all text in *holder* stands in elements that are captions by name."""
    named = [element for element in holder.iter(etree.Element) if _CAPTION.search(element.get("class") or "")]
    if holder in named:
        return True
    outer = [element for element in named if not any(above in named for above in element.iterancestors())]
    chars = sum(len("".join(element.itertext()).strip()) for element in outer)
    return chars > 0 and chars >= 0.8 * len("".join(holder.itertext()).strip())


def _shown(media: Any) -> str:
    """A picture or frame as markup, as the page has it; ``""`` where no reader would miss it."""
    if media.tag in _PICTURES:
        picture = media if media.tag != "picture" else next(media.iter("img", "amp-img"), media)
        if _is_small(picture):
            return ""
        following = media.getnext()
        html = _html(media)
        if following is not None and following.tag == "noscript" and next(following.iter("img"), None) is not None:
            html += _html(following)  # the address that a script would have put in
        return html
    return "" if media.tag in ("iframe", "amp-iframe") and _is_idle(media) else _html(media)


def _is_idle(frame: Any) -> bool:
    """Tell whether a frame is no part of an article, or has no address."""
    source = next(filter(None, map(frame.get, ("src", "data-src", "data-lazy-src"))), "")
    address = f"https:{source}" if source.startswith("//") else source
    return not host_of(address) or _IDLE_FRAMES.search(source) is not None


def _is_small(picture: Any) -> bool:
    alt = picture.get("alt", "")
    names = f"{picture.get('class', '')} {picture.get('id', '')} {alt if len(alt) < 12 else ''}"
    if _SMALL.search(names) or _SMALL_FILE.search(picture.get("src") or ""):
        return True
    stated = filter(None, (_PIXELS.match(picture.get(side) or "") for side in ("width", "height")))
    return any(int(side[1]) < _LEAST_SIDE for side in stated) or not _has_address(picture)


def _has_address(picture: Any) -> bool:
    """Tell whether an attribute for an address holds what could be one."""
    return any("/" in value or "." in value for name, value in picture.items() if "src" in name)


def _html(element: Any) -> str:
    tail, element.tail = element.tail, None
    try:
        return etree.tostring(element, encoding="unicode", method="html").strip()
    finally:
        element.tail = tail


# --------------------------------------------------------------------------------------------- boxes


_BOX = re.compile(
    r"(?:^|[\s_-])(?:"
    r"related|recirc(?:ulation)?|recommend(?:ed|ations?)?|also-?read|read-?(?:more|also|next)|more-?(?:stories|articles|on|from)|"
    r"you-?may-?(?:also-?)?like|most-?(?:read|viewed|popular|shared)|popular|trending|onward|"
    r"teaser-?(?:list|group|box|row|container|grid)|teasers|(?:article|in-?text|inline|content)-?teaser|promo(?:tion)?(?:-?box|s)?|"
    r"newsletter\w*|subscri(?:be|ption)\w*|sign-?up|paywall|piano|abo-?box|advert\w*|ads?|sponsor\w*|affiliate\w*|taboola|outbrain|"
    r"share|sharing|share-?(?:bar|buttons?|links?|tools?|this)|social(?:-?(?:media|links?|icons?|share|sharing|bar|buttons?))?|follow-?(?:us|button|box)|"
    r"comments|comment-?(?:form|list|section|area)|respond|disqus|"
    r"author-?(?:box|bio|info|card|profile|description)|about-?(?:the-?)?author|"
    r"donat\w+|spenden?|support-?us|survey|poll|rating|feedback|app-?(?:banner|promo)|cookie\w*|consent|"
    r"breadcrumbs?|pagination|pager|post-?navigation|nav(?:igation)?|toc|skip-?link|print-?only|sr-only|visually-?hidden|"
    r"screen-?reader\w*"
    r")(?:$|[\s_-])|(?:^|\s)hidden(?:$|\s)",
    re.IGNORECASE,
)
_SENTENCE = re.compile(r"[.!?…。！？।][\"'”’»)\]]*(?:\s|$)")
_TAGS = ("div", "section", "aside", "ul", "ol", "li", "p", "span", "header", "figure", "details", "table")
_HIDDEN = re.compile(r"display\s*:\s*none", re.IGNORECASE)


def drop_boxes(tree: Any, *, text_chars: int) -> None:
    """Take out of the page *tree*, which has so many characters of text, the boxes that are none of its article.

    Where they hold most of its paragraphs, the names mean something else: then only those without any go.
    """
    written = prose(tree)
    boxes = [(element, prose(element)) for element in tree.iter(*_TAGS) if _is_box(element, text_chars)]
    boxes = [(element, chars) for element, chars in boxes if chars * 5 <= written]
    outer = _outer_boxes(boxes)
    if 2 * sum(chars for _, chars in outer) > written:
        outer = [(element, chars) for element, chars in boxes if not chars]
    for element, _ in outer:
        if element.getparent() is not None:
            element.drop_tree()


def _is_box(element: Any, text_chars: int) -> bool:
    """Tell whether *element* is called a box, or hidden; and is small, without a headline."""
    name = element.get("class") or element.get("id")
    if not (name and _names_a_box(name)) and not _is_hidden(element):
        return False
    return len("".join(element.itertext())) * 5 <= text_chars and not _has(element, "h1")


def chars_by_parent(tree: Any, measure: Callable[[Any], int]) -> dict[Any, int]:
    """Return how many characters each element of *tree* holds in its own paragraphs, as *measure* counts them."""
    chars: dict[Any, int] = {}
    for paragraph in tree.iter("p"):
        parent = paragraph.getparent()
        if parent is not None and (length := measure(paragraph)):
            chars[parent] = chars.get(parent, 0) + length
    return chars


def _outer_boxes(boxes: list[tuple[Any, int]]) -> list[tuple[Any, int]]:
    """Those of *boxes*, in document order, that are in none of the others."""
    found: list[tuple[Any, int]] = []
    inside: set[Any] = set()
    for element, chars in boxes:
        if element not in inside:
            found.append((element, chars))
            inside.update(element.iter())
    return found


def _is_hidden(element: Any) -> bool:
    return element.get("hidden") is not None or _HIDDEN.search(element.get("style") or "") is not None


def prose(element: Any) -> int:
    """Return how many characters in *element* stand in paragraphs that are sentences."""
    return sum(map(prose_in, element.iter("p")))


def prose_in(paragraph: Any) -> int:
    """Return how many characters *paragraph* has, 0 where it is no sentence of some length."""
    text = "".join(paragraph.itertext())
    return len(text) if len(text) >= 80 and _SENTENCE.search(text) else 0


@lru_cache(maxsize=8192)
def _names_a_box(name: str) -> bool:
    return len(name) < 300 and bool(_BOX.search(name))
