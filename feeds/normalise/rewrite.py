"""Foreign HTML rewritten as what a reader was meant to see, on a parsed tree. Part of `normalise`. Pure.

What a script would have filled in is filled in, what was embedded is a link, addresses are absolute, and the first true
picture is found while the tree is there. What comes out is not safe yet: `texts.clean` sees to that.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import chain

from msgspec import Struct
from selectolax.lexbor import LexborHTMLParser, LexborNode

from feeds.normalise.embeds import (
    PREFIXED,
    Embed,
    is_own_element,
    keep_formulas,
    keep_words_of_drawings,
    readable,
    replace_embeds,
    replace_own_elements,
    unprefixed,
)
from feeds.normalise.pictures import Attributes, is_placeholder, is_shown, is_unseen, largest, pixels, real_address
from feeds.normalise.scalars import is_clean, resolved
from feeds.parsed import Image

ID_PREFIX = "text-"
"""What names of places in a text begin with, so that none is the name of anything on a page of ours."""

MAX_PLACES = 1000

# Elements that are looked at, each kind together; most texts have of them links and pictures alone.
_LINKED = frozenset(("a", "blockquote", "q", "del", "ins"))
_SHOWN = frozenset(("img", "picture", "source"))
_FILMS = frozenset(("video", "audio"))
_FORMULAS = frozenset(("math", "mjx-container"))
_DROPPED = frozenset(
    "script style template title textarea select option noembed noframes applet iframe object embed".split()
)
_OWN = "others' own elements"
_PREFIXED = "MathML under a prefix"
_REPLACED = _FORMULAS | _DROPPED | {"svg", "noscript", _OWN}
_SEEN = _LINKED | _SHOWN | _FILMS | _REPLACED
_OWN_MACHINE = re.compile(r"http://localhost(?::\d+)?(?=/)")
_ODD_NAME = re.compile(r"[\s\"'<>&`]")
_NAGGING = re.compile(r"java\s?script", re.IGNORECASE)
_SIZE_IN_NAME = re.compile(r"[-_]\d{2,4}x\d{2,4}(?=\.\w+\Z)|-scaled(?=\.\w+\Z)")
_CREDIT = re.compile(
    r"(?:\A|[\s.|(\[–—-]+)(?:(?:photo|picture|image|foto|bild|illustration|video|graphic)(?:graph)?s?(?:\s+credits?)?\s*(?:by\s+|[:/©]\s*)"
    r"|(?:credits?|copyright)\s*[:/©]\s*|(?:(?:photo|image|picture)\s+)?courtesy(?:\s+of\s+|\s*:\s*)|©\s*(?:\d{4}\s+)?)"
    r"(?P<who>[^()\[\]|]{2,100}?)\s*[)\].]*\Z",
    re.IGNORECASE,
)
_CREDITS = "[class*='credit' i], [class*='copyright' i], [class*='photographer' i], cite, small"
_CAPTIONS = "figcaption, .wp-caption-text, [class*='caption' i]"


class Rewritten(Struct, frozen=True):
    """*html* as it is to be read, its first true *picture*, and the *embeds* that became links, in their order.

    *named* where places of the text have names, for its links lead to them.
    """

    html: str
    picture: Image | None = None
    embeds: tuple[Embed, ...] = ()
    named: bool = False


def rewrite(html: str, base: str, page: str | None) -> Rewritten:
    """Return *html* without what needs a script or another browser; links against *base*.

    *page* is the article's address, to which a link within the text leads (``#fn1``); None: such a link leads nowhere.
    Without a *base* what is relative goes.
    """
    tree, found = _read(html)
    places = _places(found["a"], html, base, page) if "a" in found and "#" in html else {}
    if places:
        _name_places(tree, places)
    for node in chain.from_iterable(found[tag] for tag in _LINKED & found.keys()):
        _lead(node, base, page)
    embeds: list[Embed] = []
    if not _REPLACED.isdisjoint(found) or _has_posts(found, html):
        embeds = _replace(tree, found, base)
        found = _found(tree)
    if not _FILMS.isdisjoint(found):
        _films(tree, base)
        found = _found(tree)
    picture = None if _SHOWN.isdisjoint(found) else _pictures(tree, found, base, embeds)
    picture = picture or _still(found.get("video", ()))
    return Rewritten(tree.html or "", picture, tuple(dict.fromkeys(embeds)), bool(places))


def _read(html: str) -> tuple[LexborHTMLParser, dict[str, list[LexborNode]]]:
    """The tree of *html*, and the elements in it that are looked at."""
    tree = LexborHTMLParser(readable(html), is_fragment=True)
    found = _found(tree)
    if _PREFIXED in found:
        tree = LexborHTMLParser(unprefixed(html), is_fragment=True)
        found = _found(tree)
    return tree, found


def _still(films: Iterable[LexborNode]) -> Image | None:
    """The first still of *films*."""
    stills = filter(None, (film.attributes.get("poster") for film in films))
    return next((Image(url=still) for still in stills), None)


def _has_posts(found: dict[str, list[LexborNode]], html: str) -> bool:
    """Tell whether posts of networks may stand there that a script draws."""
    return "fb-" in html or any("class" in quoted.attributes for quoted in found.get("blockquote", ()))


def _replace(tree: LexborHTMLParser, found: dict[str, list[LexborNode]], base: str) -> list[Embed]:
    """Put what HTML alone can show where something else stood, and return what was embedded."""
    embeds: list[Embed] = []
    if _OWN in found:
        embeds += replace_own_elements(found[_OWN], base)
    if not _FORMULAS.isdisjoint(found) or "script" in found:
        keep_formulas(tree)
    if "svg" in found:
        keep_words_of_drawings(tree)
    if "noscript" in found:
        _noscripts(tree)
    embeds += replace_embeds(tree, base)
    for node in tree.css(_DROPPED_SELECTOR):
        node.decompose()
    return embeds


_DROPPED_SELECTOR = ", ".join(sorted(_DROPPED))


def _found(tree: LexborHTMLParser) -> dict[str, list[LexborNode]]:
    """The elements of a text that are looked at, by their tags, in their order."""
    found: dict[str, list[LexborNode]] = {}
    if tree.root is not None:
        for node in tree.root.traverse():
            if (tag := node.tag or "") in _SEEN:
                found.setdefault(tag, []).append(node)
            elif "-" in tag and is_own_element(tag) or tag == "portal":
                found.setdefault(_OWN, []).append(node)
            elif tag in PREFIXED:
                found.setdefault(_PREFIXED, []).append(node)
    return found


# --------------------------------------------------------------------------- what stands there for want of scripts


def _noscripts(tree: LexborHTMLParser) -> None:
    """Let what was meant for readers without scripts stand as it is; a picture that is there already, once."""
    nodes = tree.css("noscript")
    inside = {picture.mem_id for node in nodes for picture in node.css("img")}
    shown = {_name(real_address(node.attributes)[0]) for node in tree.css("img") if node.mem_id not in inside}
    for node in nodes:
        pictures = node.css("img")
        words = node.text(deep=True).strip()
        if not pictures and len(words) < 300 and _NAGGING.search(words):
            node.decompose()
        elif len(pictures) == 1 and not words and _stands_in_for(node, pictures[0], shown):
            node.decompose()
        else:
            node.unwrap(delete_empty=True)


def _stands_in_for(noscript: LexborNode, picture: LexborNode, shown: set[str]) -> bool:
    """Tell whether *picture* is one that the text has. A neighbour that only keeps its place is taken out for it."""
    for neighbour in (_sibling(noscript, forward=False), _sibling(noscript, forward=True)):
        other = _only_picture(neighbour)
        if neighbour is None or other is None:
            continue
        address, lazy = _address_of(other, other.attributes)
        if address is None or is_placeholder(address):
            (neighbour if neighbour.tag == "picture" else other).decompose()
            return False
        if lazy:
            if not other.attributes.get("alt") and picture.attributes.get("alt"):
                other.attrs["alt"] = picture.attributes["alt"]
            return True
    return _name(picture.attributes.get("src")) in shown


def _sibling(node: LexborNode, *, forward: bool) -> LexborNode | None:
    near = node.next if forward else node.prev
    while near is not None and near.tag in ("-text", "-comment") and not near.text().strip():
        near = near.next if forward else near.prev
    return near


def _only_picture(node: LexborNode | None) -> LexborNode | None:
    if node is None or not node.is_element_node:
        return None
    if node.tag == "img":
        return node
    if node.tag == "noscript":
        return None
    pictures = node.css("img")
    return pictures[0] if len(pictures) == 1 and not node.text(deep=True).strip() else None


def _name(address: str | None) -> str:
    """The name by which a picture is the same in another size."""
    plain = (address or "").partition("?")[0]
    return _SIZE_IN_NAME.sub("", plain.partition("//")[2] or plain) or "-"


def _films(tree: LexborHTMLParser, base: str) -> None:
    """Give films and sounds their real addresses; what has none leaves its words.

    The words within others ("Your browser does not support …") are for browsers that can't show them; links stay.
    """
    for node in tree.css("video > source, audio > source"):
        url = resolved(base, real_address(node.attributes)[0])
        _put_address(node, url)
        if url is None:
            node.decompose()
    for node in tree.css("video, audio"):
        _put_address(node, resolved(base, node.attributes.get("poster")), "poster")
        _put_address(node, resolved(base, real_address(node.attributes)[0]))
        if "src" not in node.attributes and not any(child.tag == "source" for child in node.iter()):
            if poster := node.attributes.get("poster"):
                node.insert_before(_image_at(tree, poster), move=True)
            node.unwrap(delete_empty=True)
            continue
        if "controls" not in node.attributes:  # without them nobody can play it
            node.attrs["controls"] = ""
        for child in list(node.iter(include_text=True)):
            if child.tag not in ("source", "a") and (child.is_text_node or child.css_first("a[href]") is None):
                child.decompose()


def _image_at(tree: LexborHTMLParser, address: str) -> LexborNode:
    image = tree.create_node("img")
    image.attrs["src"] = address
    return image


def _put_address(node: LexborNode, address: str | None, name: str = "src") -> None:
    if address is None:
        if name in node.attributes:
            del node.attrs[name]
    elif node.attributes.get(name) != address:
        node.attrs[name] = address


# --------------------------------------------------------------------------- pictures


def _pictures(
    tree: LexborHTMLParser, found: dict[str, list[LexborNode]], base: str, embeds: list[Embed]
) -> Image | None:
    """Give each picture its real address, take out those that nobody sees, and return the first true one, else the
    first still of a film.
    """
    stills = {embed.still: embed for embed in embeds if embed.still}
    first: Image | None = None
    for node in _images(tree, found):
        attributes = node.attributes
        url = _settled(node, attributes, base)
        if not first and url and url not in stills and not is_placeholder(url):
            first = _as_image(node, attributes, url, base)
    for source in found.get("source", ()):
        if source.parent is None or source.parent.tag not in ("video", "audio"):
            source.decompose()
    if first is None and stills:
        still, film = next(iter(stills.items()))
        return Image(url=still, alt=film.title)
    return first


def _images(tree: LexborHTMLParser, found: dict[str, list[LexborNode]]) -> list[LexborNode]:
    """The pictures of the text; one is put into each ``picture`` that has none."""
    empty = [
        node
        for node in found.get("picture", ())
        if node.css_first("img") is None and node.css_first("source") is not None
    ]
    for node in empty:
        node.insert_child(tree.create_node("img"), move=True)
    return tree.css("img") if empty else found.get("img", [])


def _settled(node: LexborNode, attributes: Attributes, base: str) -> str | None:
    """Give a picture its real address and return that; take it out and return None where nobody can see it."""
    address, lazy = _address_of(node, attributes)
    url = _resolved(base, address)
    if url is None or is_unseen({**attributes, "style": None} if lazy else attributes, url):
        node.decompose()
        return None
    if attributes.get("src") != url:
        node.attrs["src"] = url
    return url


def _address_of(node: LexborNode, attributes: Attributes) -> tuple[str | None, bool]:
    """The real address of a picture, that of the sources around it where it has none; and whether a script was to put
    it there."""
    around = node.parent
    if around is None or around.tag != "picture" or around.css_first("img") != node:
        return real_address(attributes)
    sources = [source.attributes for source in around.css("source")]
    # What every reader can show goes first.
    sources.sort(
        key=lambda source: (source.get("type") or "image/jpeg") not in ("image/jpeg", "image/png", "image/gif")
    )
    sets = [value for source in sources for name, value in source.items() if "src" in name and largest(value)]
    return real_address(attributes, sets=sets)


def _as_image(node: LexborNode, attributes: Attributes, url: str, base: str) -> Image | None:
    link = figure = None
    above, steps = node.parent, 0
    while above is not None and steps < 8:
        if above.tag == "a":
            link = above.attributes.get("href")
        elif above.tag == "figure" or "caption" in (above.attributes.get("class") or ""):
            figure = above
            break
        above, steps = above.parent, steps + 1
    if not is_shown(attributes, url, link, base):
        return None
    caption, credit = _told_below(figure) if figure is not None else ("", "")
    return Image(
        url=url,
        width=pixels(attributes.get("width")),
        height=pixels(attributes.get("height")),
        alt=attributes.get("alt") or "",
        caption=caption,
        credit=credit,
    )


def _told_below(figure: LexborNode) -> tuple[str, str]:
    """The caption of a figure, and whom it credits, each without the other."""
    below = figure.css_first(_CAPTIONS)
    if below is None:
        return "", ""
    caption = _words(below)
    if (named := below.css_first(_CREDITS)) is not None and (credit := _words(named)):
        rest = caption.replace(credit, "", 1).strip(" |–—-()") if credit != caption else ""
        match = _CREDIT.match(credit)
        return rest, match["who"] if match else credit
    if match := _CREDIT.search(caption):
        return caption[: match.start()].rstrip(" |–—-(["), match["who"].strip()
    return caption, ""


def _words(node: LexborNode) -> str:
    return " ".join(node.text(deep=True, separator="").split())


# --------------------------------------------------------------------------- addresses and places


def _lead(node: LexborNode, base: str, page: str | None) -> None:
    """Make the address of a link or quotation absolute and clean; one that leads nowhere goes."""
    name = "href" if node.tag == "a" else "cite"
    raw = node.attrs.get(name)
    if raw is None:
        if name in node.attributes:
            del node.attrs[name]
        return
    if is_clean(raw):
        return
    _put_address(node, _target(raw.strip(), name, base, page), name)


def _target(raw: str, name: str, base: str, page: str | None) -> str | None:
    """Where the attribute *name* leads that holds *raw*; None for nowhere."""
    if raw[:7].lower() == "mailto:":
        return raw if name == "href" and "\n" not in raw else None
    if raw.startswith("#"):
        return resolved(page, raw) if page else None
    return _resolved(base, raw)


def _resolved(base: str, ref: str | None) -> str | None:
    """Return *ref* as an absolute address; what a site's generator wrote for its author's machine is on the site."""
    if ref is not None and base and ref.startswith("http://l") and not _OWN_MACHINE.match(base):
        ref = _OWN_MACHINE.sub("", ref)
    return resolved(base, ref)


def _places(links: Iterable[LexborNode], html: str, base: str, page: str | None) -> dict[str, set[int]]:
    """The names of places of the same text that *links* lead to, and which links do."""
    wanted: dict[str, set[int]] = {}
    here = {base, (page or "").partition("#")[0]}
    again = f'id="{ID_PREFIX}' in html
    for link in links:
        place, _, name = (link.attrs.get("href") or "").partition("#")
        if not name or len(wanted) > MAX_PLACES or _ODD_NAME.search(name):
            continue
        if place in here if place else page:
            wanted.setdefault(name, set()).add(link.mem_id)
        if again and place:  # a text that was rewritten before
            wanted.setdefault(ID_PREFIX + name, set()).add(link.mem_id)
    return wanted


def _name_places(tree: LexborHTMLParser, wanted: dict[str, set[int]]) -> None:
    """Keep the names of the places *wanted*, under a prefix; no other name."""
    saying = {link.mem_id for link in tree.css("a[href*='#']") if _says(link)}
    for node in tree.css("[id], a[name]"):
        attributes = node.attributes
        name = attributes.get("id") or (attributes.get("name") if node.tag == "a" else None) or ""
        # A heading with a link to itself is no footnote.
        if (links := wanted.get(name, set()) & saying) and links - _within(node):
            node.attrs["id"] = name if name.startswith(ID_PREFIX) else ID_PREFIX + name
        elif "id" in attributes:
            del node.attrs["id"]


def _within(node: LexborNode) -> set[int]:
    return {link.mem_id for link in node.css("a")}


def _says(link: LexborNode) -> bool:
    return bool(link.text(deep=True).strip()) or link.css_first("img") is not None
