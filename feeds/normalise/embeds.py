"""What was embedded becomes a link with a still, and what needs a script to show becomes plain HTML. Pure.

Part of `normalise`. Frames, objects, AMP's and others' own elements: none of them runs for a reader, and each leads to
what it held. Of MathML Core what shows a formula stays (W3C MathML Core, 3): its leaves hold text alone, so that
nothing of HTML can begin within one. What only says what a formula means, or links and acts, is left out.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from html import escape

from msgspec import Struct
from selectolax.lexbor import LexborHTMLParser, LexborNode

from feeds.normalise.pictures import Attributes, is_address, is_unseen, real_address
from feeds.normalise.scalars import resolved
from feeds.players import Player, player_of, youtube

_RENAMED = re.compile(r"<(/?)frame(?=[\s/>])", re.IGNORECASE)
_OWN_ELEMENT = re.compile(r"(?:amp-[a-z-]+|lite-(?:youtube|vimeo)|youtube-[a-z]+|bluesky-post|portal|fencedframe)\Z")
_POSTS = (
    "blockquote[data-instgrm-permalink], blockquote.tiktok-embed[cite], .fb-post[data-href], .fb-video[data-href],"
    " blockquote[data-bluesky-uri], .twitter-tweet[data-tweet-id], blockquote.mastodon-embed[data-embed-url]"
)
_POST_ADDRESSES = ("data-instgrm-permalink", "data-href", "cite", "data-bluesky-uri", "data-embed-url")
# Frames that hold nothing to read: counters, tag managers, buttons, advertisements.
_NOTHING_IN_IT = re.compile(
    r"//(?:[\w-]+\.)*(?:googletagmanager\.com|doubleclick\.net|googlesyndication\.com|google-analytics\.com|adservice\.google\.\w+"
    r"|amazon-adsystem\.com|facebook\.com/plugins/(?:like|share|follow|page|comments)|platform\.twitter\.com/widgets|recaptcha\.net"
    r"|google\.com/recaptcha|disqus\.com|outbrain\.com|taboola\.com|addthis\.com|scorecardresearch\.com|quantserve\.com)",
    re.IGNORECASE,
)
_NO_TITLE = re.compile(
    r"(?:(?:embed(?:ded)?|youtube|vimeo|spotify|soundcloud|video|audio|dailymotion|tiktok|twitter|instagram|facebook|bluesky|mastodon|post|tweet"
    r"|podcast|media|content|player|iframe|widget|external|frame|x|untitled|null|undefined|object|interactive)\b[\s:.-]*)+\Z",
    re.IGNORECASE,
)
_TITLE_HEAD = re.compile(
    r"\A(?:spotify embed|youtube video|embedded (?:video|post|content)|video)\s*:\s*", re.IGNORECASE
)
_IMAGE_FILE = re.compile(r"\.(?:jpe?g|png|gif|webp|avif)(?:[?#]|\Z)", re.IGNORECASE)
_SOUNDS = frozenset(("mp3", "m4a", "aac", "ogg", "oga", "opus", "wav", "flac"))
_PLAYED_FILE = re.compile(r"\.(mp4|webm|ogv|m4v|mov|mp3|m4a|aac|og[ag]|opus|wav|flac)(?:[?#]|\Z)", re.IGNORECASE)
MOST_TITLE_CHARS = 200


class Embed(Struct, frozen=True):
    """What stood in a frame: its address for people, its *title* where it had one, a *still* where one is known."""

    link: str
    title: str = ""
    still: str | None = None

    def html(self) -> str:
        """The link, beneath the still where there is one."""
        link, words = escape(self.link), escape(self.title or self.link, quote=False)
        if self.still is None:
            return f'<p><a href="{link}">{words}</a></p>'
        picture = f'<a href="{link}"><img src="{escape(self.still)}" alt="{escape(self.title)}"></a>'
        return f'<figure>{picture}<figcaption><a href="{link}">{words}</a></figcaption></figure>'


def readable(html: str) -> str:
    """Return *html* with frames under the one name that a parser knows within a body."""
    return _RENAMED.sub(r"<\1iframe", html) if "<fra" in html or "<FRA" in html else html


def is_own_element(tag: str) -> bool:
    """Tell whether *tag*, which is none of HTML, may hold a picture, a film or a player."""
    return _OWN_ELEMENT.match(tag) is not None


def replace_embeds(tree: LexborHTMLParser, base: str) -> list[Embed]:
    """Put a link where each frame, object and post stood, and return what they held, in their order."""
    found: list[Embed] = []
    nodes = tree.css("iframe, object, embed, script[src*='gist.github.com/'], " + _POSTS)
    of_objects = {node.mem_id for node in tree.css("object object, object embed")}
    for node in reversed(nodes):  # those within others first
        if node.mem_id in of_objects:
            continue
        if node.tag in ("iframe", "object", "embed", "script"):
            _replace(node, _BY_TAG[node.tag or ""](node, base), found)
        else:
            _add_link(node, base, found)
    return found[::-1]


def replace_own_elements(nodes: list[LexborNode], base: str) -> list[Embed]:
    """Put what HTML has for it where each of *nodes* stood (AMP and the like); return what players showed."""
    found: list[Embed] = []
    for node in reversed(nodes):  # those within others first
        tag = node.tag or ""
        if tag in _AS_HTML:
            _put(node, _as_html(_AS_HTML[tag], node))
        elif embed := _own_player(tag, node.attributes, base):
            _replace(node, embed, found)
    return found[::-1]


def _as_html(name: str, node: LexborNode) -> str:
    attributes = "".join(
        f' {key}="{escape(value or "")}"' for key, value in node.attributes.items() if not key.startswith("on")
    )
    # AMP puts what is shown meanwhile and instead within the element.
    inner = "".join(child.html or "" for child in node.iter() if child.tag == "source")
    return f"<{name}{attributes}>" + (f"{inner}</{name}>" if name != "img" else "")


_AS_HTML = {"amp-img": "img", "amp-anim": "img", "amp-video": "video", "amp-audio": "audio"}


def _own_player(tag: str, attributes: Attributes, base: str) -> Embed | None:
    title = title_of(_first(attributes, ("title", "playlabel", "videotitle")))
    number = _first(attributes, _NUMBERS)
    if re.fullmatch(r"[\w-]{3,40}", number, re.ASCII):
        player = youtube(number) if "youtube" in tag else _player(tag, number)
        return Embed(player.watch, title, player.still) if player else None
    for name in ("src", "data-src", "data-href", "data-url", "data-bluesky-uri", "data-media-url", "href"):
        if is_address(attributes.get(name)) and (embed := _embed(attributes[name], base, title)):
            return embed
    return None


def _player(tag: str, number: str) -> Player | None:
    service = tag.removeprefix("amp-").removeprefix("lite-")
    address = _ADDRESSES.get(service, "").format(number)
    return player_of(address) or (Player(service, address) if address else None)


def _first(attributes: Attributes, names: Iterable[str]) -> str:
    """The first of these attributes that has a value."""
    return next(filter(None, map(attributes.get, names)), "")


_NUMBERS = (
    "data-videoid", "videoid", "video-id", "data-tweetid", "data-shortcode", "data-trackid", "data-live-channelid",
)  # fmt: skip
"""Attributes in which players have the number of what they show."""
_ADDRESSES = {
    "vimeo": "https://vimeo.com/{}",
    "dailymotion": "https://www.dailymotion.com/video/{}",
    "twitter": "https://x.com/i/status/{}",
    "instagram": "https://www.instagram.com/p/{}/",
    "soundcloud": "https://w.soundcloud.com/player/?url=https%3A//api.soundcloud.com/tracks/{}",
    "tiktok": "https://www.tiktok.com/embed/{}",
    "gfycat": "https://gfycat.com/{}",
    "imgur": "https://imgur.com/{}",
    "vine": "https://vine.co/v/{}",
}


def _frame(node: LexborNode, base: str) -> Embed | None:
    attributes = node.attributes
    address, lazy = real_address(attributes)
    # A post of WordPress quotes itself, with its link, before the frame that shows it.
    if address is None or "wp-embedded-content" in (attributes.get("class") or ""):
        return None
    if is_unseen(attributes if not lazy else {**attributes, "style": None}, address) or _NOTHING_IN_IT.search(address):
        return None
    return _embed(address, base, title_of(attributes.get("title") or attributes.get("aria-label")))


def _object(node: LexborNode, base: str) -> Embed | str | None:
    attributes = node.attributes
    found = list(filter(is_address, _object_addresses(node)))
    images = found if (attributes.get("type") or "").startswith("image/") else filter(_IMAGE_FILE.search, found)
    for place in images:
        return f'<img src="{escape(place)}" alt="{escape(" ".join(node.text(deep=True).split()))}">'
    title = title_of(attributes.get("title"))
    embeds = [embed for place in found if (embed := _embed(place, base, title))]
    known = next((embed for embed in embeds if player_of(embed.link)), None)
    if known is None and node.css_first("img, a[href], iframe, video, audio, p") is not None:
        return _instead_of(node)
    return known or next(iter(embeds), None)


def _instead_of(node: LexborNode) -> str:
    """What stands within an ``object`` for those who cannot see it."""
    for part in node.css("object"):
        if part != node:
            part.unwrap(delete_empty=True)
    return node.inner_html or ""


def _object_addresses(node: LexborNode) -> Iterator[str]:
    """All that an ``object`` may name for what it shows."""
    yield (node.attributes.get("data") or "").strip()
    for part in node.css("embed, object"):
        yield _first(part.attributes, ("src", "data")).strip()
    for parameter in node.css("param"):
        if (parameter.attributes.get("name") or "").lower() in ("movie", "src", "url", "filename"):
            yield (parameter.attributes.get("value") or "").strip()


def _embedded(node: LexborNode, base: str) -> Embed | str | None:
    address, _ = real_address(node.attributes)
    if address is None:
        return None
    if (node.attributes.get("type") or "").startswith("image/") or _IMAGE_FILE.search(address):
        return f'<img src="{escape(address)}" alt="">'
    if is_unseen(node.attributes, address):
        return None
    return _embed(address, base, title_of(node.attributes.get("title")))


def _gist(node: LexborNode, base: str) -> Embed | None:
    return _embed((node.attributes.get("src") or "").partition("?")[0].removesuffix(".js"), base, "")


_BY_TAG: dict[str, Callable[[LexborNode, str], Embed | str | None]] = {
    "iframe": _frame,
    "object": _object,
    "embed": _embedded,
    "script": _gist,
}


def _embed(address: str | None, base: str, title: str) -> Embed | None:
    url = _of_bluesky(address or "") or resolved(base, address)
    if url is None:
        return None
    player = player_of(url)
    if player is None:
        return Embed(url, title)
    watch = resolved("", player.watch)
    return Embed(watch, title, player.still) if watch else None


def _of_bluesky(address: str) -> str | None:
    post = re.fullmatch(r"at://([\w:.%-]+)/app\.bsky\.feed\.post/(\w+)", address, re.ASCII)
    return f"https://bsky.app/profile/{post[1]}/post/{post[2]}" if post else None


def title_of(text: str | None) -> str:
    """Return a frame's title where it names what is in it, not what kind of thing a frame is."""
    title = _TITLE_HEAD.sub("", " ".join((text or "").split()))[:MOST_TITLE_CHARS]
    return "" if _NO_TITLE.match(title) else title


def _add_link(post: LexborNode, base: str, found: list[Embed]) -> None:
    """Put the address of a post, that a script would draw, below its words, where none of its links has it."""
    address = _first(post.attributes, _POST_ADDRESSES)
    number = post.attributes.get("data-tweet-id") or ""
    if not address and number.isdigit():
        address = f"https://x.com/i/status/{number}"
    embed = _embed(address, base, "")
    if embed is None:
        return
    plain = embed.link.partition("?")[0]
    if not any((link.attributes.get("href") or "").partition("?")[0] == plain for link in post.css("a[href]")):
        for part in _parts(f'<p><a href="{escape(plain)}">{escape(plain)}</a></p>'):
            post.insert_after(part)
        found.append(embed)


def _replace(node: LexborNode, by: Embed | str | None, found: list[Embed]) -> None:
    if isinstance(by, Embed):
        found.append(by)
        if played := _PLAYED_FILE.search(by.link):
            kind = "audio" if played[1].lower() in _SOUNDS else "video"
            _put(node, f'<{kind} src="{escape(by.link)}" controls></{kind}>')
        else:
            _put(node, by.html())
    else:
        _put(node, by or "")


def _put(node: LexborNode, html: str) -> None:
    for part in _parts(html):
        node.insert_before(part)
    node.decompose()


def _parts(html: str) -> list[LexborNode]:
    root = LexborHTMLParser(html, is_fragment=True).root if html else None
    return list(root.iter(include_text=True)) if root is not None else []


# ----------------------------------------------------------------------------- formulas and drawings


LEAVES = frozenset("mi mn mo ms mtext mspace".split())
MATHML = LEAVES | frozenset(
    "math mrow mfrac msqrt mroot msub msup msubsup munder mover munderover mmultiscripts mprescripts none mtable mtr"
    " mtd mstyle mpadded mphantom menclose merror".split()
)
MATHML_ATTRIBUTES = frozenset(
    "display displaystyle scriptlevel mathvariant stretchy symmetric fence separator largeop movablelimits accent"
    " accentunder linethickness columnalign rowalign columnspan rowspan notation form".split()
)

PREFIXED = frozenset(("m:math", "mml:math", "mathml:math"))
_PREFIXED = re.compile(r"<(/?)(?:m|mml|mathml):(?=m[a-z])")
_TEX_SCRIPT = "script[type^='math/']"


def unprefixed(html: str) -> str:
    """Return *html* with MathML under a prefix, as XHTML may have it, under the names that parsers of HTML know."""
    return _PREFIXED.sub(r"<\1", html)


def keep_formulas(tree: LexborHTMLParser) -> None:
    """Leave of each formula what shows it; where that is not MathML to be shown, its TeX or its words as text."""
    for script in tree.css(_TEX_SCRIPT):
        _replace_by_text(script, rf" \({(script.text() or '').strip()}\) ")
    for drawing in tree.css(".katex-html, mjx-container > svg, .MathJax_Preview, .mwe-math-fallback-image-inline"):
        if _is_drawn_beside(drawing):
            drawing.decompose()
    for formula in tree.css("math"):
        if formula.parent is None or formula.parent.tag not in LEAVES:
            _keep(formula)


def _is_drawn_beside(drawing: LexborNode) -> bool:
    """Tell whether *drawing* stands beside MathML of the same formula."""
    parent, behind = drawing.parent, drawing.next
    if parent is None:
        return False
    return parent.css_first("math") is not None or (behind is not None and behind.tag == "script")


def _keep(formula: LexborNode) -> None:
    words = _in_words(formula)
    for meaning in formula.css("annotation, annotation-xml, maction > * ~ *"):
        meaning.decompose()
    for wrapper in formula.css("semantics, maction"):
        wrapper.unwrap(delete_empty=True)
    parts = formula.css("*")
    leaves = [part for part in parts if part.tag in LEAVES]
    shown = any(leaf.text(deep=True).strip() for leaf in leaves)
    if not shown or any(part.tag not in MATHML and not _in_leaf(part) for part in parts):
        _replace_by_text(formula, words)
        return
    for part in leaves:
        if part.child is not None:
            text = part.text(deep=True)
            part.inner_html = ""
            if text:
                part.insert_child(text)


def _in_leaf(part: LexborNode) -> bool:
    above = part.parent
    while above is not None and above.tag != "math":
        if above.tag in LEAVES:
            return True
        above = above.parent
    return False


def _in_words(formula: LexborNode) -> str:
    tex = formula.css_first("annotation[encoding*='tex' i]")
    stated = formula.attributes.get("alttext") or (tex.text(deep=True) if tex else "")
    return " ".join((stated or formula.text(deep=True, separator=" ")).split())


def keep_words_of_drawings(tree: LexborHTMLParser) -> None:
    """Put the words written in each SVG where it stood; its title names an icon more often than it tells anything."""
    for drawing in tree.css("svg"):
        words = " ".join(
            text
            for part in drawing.css("text, foreignObject")
            if (text := " ".join(part.text(deep=True, separator=" ").split()))
        )
        _replace_by_text(drawing, f" {words} " if words else "")


def _replace_by_text(node: LexborNode, text: str) -> None:
    if node.parent is None and node.prev is None and node.next is None and not text:
        node.decompose()
        return
    if text:
        node.insert_before(text)
    node.decompose()
