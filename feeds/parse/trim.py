"""An extracted article without what stands around and between its text, and with its standfirst. Part of `parse`. Pure.

**Around the text.** Blocks are those of the extractor, in its own element names. A block is known by being nothing else
than what a page prints of the article besides its text, or nothing else than links to other pages of its site.

**The standfirst.** An extractor looks for the container of most paragraphs; a standfirst stands above it, in the
article's head. It is known by what the page gives as its description, or by its place and the name of its class.

**What the pages of a site share.** A template shows the same lines beside every article. What stands on three pages of
a site is furniture; a paragraph, which papers use again as background, must stand on half of the last ones. No page
loses the most of its text by that. The place of the text is the element that held it on most of the last pages. Both
are learnt from the last pages alone (`feeds.text`), so a redesign is forgotten with them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import dropwhile, groupby, islice
from typing import Any

from lxml import etree

from feeds.dates import month_named
from feeds.parse import line_kinds
from feeds.parse.figures import chars_by_parent, prose_in, squashed, without_signs
from feeds.parse.line_kinds import furniture
from feeds.parse.metadata import PageFacts
from feeds.text import Recurring, Shown, line_hash, mark_of
from feeds.urls import host_of

# ----------------------------------------------------------------------------------- around the text


MAX_LINE_CHARS = 200
LOOKED_AT = 8
"""Blocks at the beginning among which a headline, a byline or a date may stand."""
LEAST_TEASER_CHARS = 25
"""Of a block that is nothing but a link; a shorter one may be a name in a list."""

_BULLET = re.compile(r"\s*[•‣◦▪▫●○■□►▸➤∙⁃·]\s*(?=\S)")
_LINES = frozenset(("p", "head", "hi", "quote", "ab", "ref"))
_TIMES = re.compile(
    r"\d[\d.:/,h-]*|\b(?:uhr|am|pm|gmt|utc|cet|cest|ist|est|edt|bst|min(?:ute[ns]?|uti|utos|s)?|hours?|hrs?|days?|ago|stunden?|tage?n?|"
    r"vor|heute|gestern|today|yesterday|lesezeit|reading|time|read|von|by|par|por|di|da|af|av|door|at|on|le|el|il|um|the|"
    r"updated?|published|posted|aktualisiert|veröffentlicht|stand|publié|modifié|mis|jour|publicado|actualizado|pubblicato|"
    r"aggiornato|güncelleme|opublikowano|aktualizacja|oppdatert|publisert|"
    r"mon|tue|wed|thu|fri|sat|sun|(?:mon|tues|wednes|thurs|fri|satur|sun)day|\w+tag|mittwoch)\b",
    re.IGNORECASE,
)
_LETTERS = re.compile(r"[^\W\d_]")
_WORD = re.compile(r"[^\W\d_]+")
_MARKED = re.compile(
    r"^(?:tags?|keywords?|topics?|themen|schlag(?:worte|wörter)|stichworte|etiketler|etiquetas|temas|mots-clés|tagi|теги)"
    r"\s*:?\s*",
    re.IGNORECASE,
)


def trimmed(blocks: list[Any], facts: PageFacts, *, heads: list[str], url: str) -> list[Any]:
    """Return the blocks of an article without what is none of its text; *heads* are the page's h1, squashed."""
    lines = [" ".join(without_signs("".join(block.itertext())).split()) for block in blocks]
    dropped = _beginning(blocks, lines, facts, heads) | _end(blocks, lines, facts) | _ways_on(blocks, lines)
    site = _site(url)
    kept = [
        block
        for number, (block, line) in enumerate(zip(blocks, lines, strict=True))
        if number not in dropped and not (_is_line(block, line) and furniture(line)) and not _leads_away(block, site)
    ]
    return _lists(kept)


def _is_line(block: Any, line: str) -> bool:
    return block.tag in _LINES and 0 < len(line) <= MAX_LINE_CHARS


def _beginning(blocks: list[Any], lines: list[str], facts: PageFacts, heads: list[str]) -> set[int]:
    """The numbers of the blocks before the first paragraph that repeat headline, place, byline or date."""
    title = squashed(facts.title)
    dropped: set[int] = set()
    for number, (block, line) in enumerate(zip(blocks[:LOOKED_AT], lines, strict=False)):
        text = squashed(line)
        repeats = bool(text) and text in (*heads, title)
        if not repeats and (len(line) > MAX_LINE_CHARS or prose_in(block)):
            break
        if block.tag in (*_LINES, "list") and (repeats or _is_of_the_head(line, facts)):
            dropped.add(number)
            if text and text == title:
                dropped |= _above(number, blocks, lines)
    return dropped if len(dropped) < len(blocks) else set()


def _above(headline: int, blocks: list[Any], lines: list[str]) -> set[int]:
    """The numbers of the few blocks above the headline: a kicker, or the way to its section."""
    above = range(headline if headline <= 3 else 0)
    return {number for number in above if lines[number] and blocks[number].tag != "head"}


def _is_of_the_head(line: str, facts: PageFacts) -> bool:
    """Tell whether *line* is a byline, a date, the way to the article's section, or furniture."""
    if line_kinds.stated(line) or furniture(line) or _is_known(line, facts):
        return True
    return line_kinds.breadcrumb(line) == facts.entry.breadcrumb != ()


def _is_known(line: str, facts: PageFacts) -> bool:
    """Tell whether *line* names the article's authors, section, site or date and says nothing besides."""
    if len(line) > 120:
        return False
    left = line.casefold()
    entry = facts.entry
    names = [facts.site, entry.publisher, *entry.breadcrumb, *(person.name for person in entry.authors)]
    names += [category.label or category.term for category in entry.categories]
    for name in sorted(filter(None, names), key=len, reverse=True):
        left = left.replace(name.casefold(), " ")
    left = _TIMES.sub(" ", left)
    words = [word for word in _WORD.findall(left) if not month_named(word)]
    unknown, letters = sum(map(len, words)), len(_LETTERS.findall(line))
    return letters >= 4 and unknown <= 3 and 4 * unknown <= letters


def _end(blocks: list[Any], lines: list[str], facts: PageFacts) -> set[int]:
    """The numbers of the blocks behind the last paragraph that are credits, dates, tags, or page furniture."""
    dropped: set[int] = set()
    for number in range(len(blocks) - 1, 0, -1):
        block, line = blocks[number], lines[number]
        if not line:
            continue  # a picture
        if not _is_line(block, line):
            break
        is_publisher = line_kinds.is_name(line) and line_kinds.credit(lines[number - 1]) is not None
        heads_nothing = block.tag == "head" and number + 1 in dropped  # it headed what has gone
        if not (is_publisher or heads_nothing or _is_of_the_tail(line, facts)):
            break
        dropped.add(number)
    return dropped


def _is_of_the_tail(line: str, facts: PageFacts) -> bool:
    """Tell whether *line* is a credit, a copyright notice, a byline, a date, tags, or furniture."""
    return bool(
        line_kinds.credit(line)
        or line_kinds.rights(line)
        or furniture(line)
        or line_kinds.stated(line)
        or _is_known(_MARKED.sub("", line), facts)
    )


def _ways_on(blocks: list[Any], lines: list[str]) -> set[int]:
    """The numbers of the blocks behind the last paragraph, from a heading on, where they are mostly links."""
    last = max((number for number, block in enumerate(blocks) if _says_something(block)), default=-1)
    first = next((number for number in range(last + 1, len(blocks)) if blocks[number].tag == "head"), None)
    if last < 0 or first is None or not _are_mostly_links(blocks[first:], lines[first:]):
        return set()
    return {number for number in range(first, len(blocks)) if lines[number]}


def _are_mostly_links(blocks: list[Any], lines: list[str]) -> bool:
    letters = sum(len(_LETTERS.findall(line)) for line in lines)
    linked = sum(_letters(link) for block in blocks for link in block.iter("ref", "a"))
    return 2 * linked >= letters


def _says_something(block: Any) -> bool:
    return any(prose_in(part) for part in block.iter("p", "item", "quote", "cell", "ab", "hi"))


def _leads_away(block: Any, site: str) -> bool:
    """Tell whether *block* is nothing but links to other pages of *site*, each perhaps behind a word in bold."""
    letters = _letters(block)
    if letters < LEAST_TEASER_CHARS - 5:
        return False
    links = [link for link in block.iter("ref", "a") if link.get("target") or link.get("href")]
    if not links or any(_leads_elsewhere(link, site) for link in links):
        return False
    linked = sum(map(_letters, links))
    bold = sum(map(_letters, filter(_is_bold_alone, block.iter("hi"))))
    return linked > 0 and 2 * linked >= letters and linked + bold >= 0.9 * letters


def _letters(element: Any) -> int:
    return len(_LETTERS.findall("".join(element.itertext())))


def _leads_elsewhere(link: Any, site: str) -> bool:
    """Tell whether *link* leads to another site, shows its address, or leads to a place of the page."""
    target = link.get("target") or link.get("href")
    if "".join(link.itertext()).strip().startswith(("http", "www.")) or target.startswith("#"):
        return True
    return target.startswith(("http", "//")) and _site(target) != site


def _is_bold_alone(element: Any) -> bool:
    """Tell whether *element* is in bold and in no link, and no link in it."""
    links = (*element.iterancestors("ref"), *element.iter("ref"))
    return element.get("rend") == "#b" and not links


def _site(url: str) -> str:
    return host_of(url if not url.startswith("//") else f"https:{url}").removeprefix("www.")


def _lists(children: list[Any]) -> list[Any]:
    """Paragraphs that begin with a bullet, two or more in a row, made the list that they stand for."""
    made: list[Any] = []
    for is_bulleted, group in groupby(children, key=_is_bulleted):
        some = list(group)
        if not is_bulleted or len(some) == 1:
            made += some
            continue
        made.append(etree.Element("list"))
        for child in some:
            child.tag, child.text = "item", _BULLET.sub("", child.text, count=1)
            made[-1].append(child)
    return made


def _is_bulleted(element: Any) -> bool:
    return element.tag == "p" and _BULLET.match(element.text or "") is not None


# ------------------------------------------------------------------------------------ the standfirst


LEAST_CHARS, MOST_CHARS = 40, 900
NEAR = 12
LINES_LOOKED_AT = 60
"""Lines behind the headline among which a standfirst is looked for."""

Line = tuple[str, str]
"""A line of the page, and the names of its classes."""

_TAGS = ("p", "div", "h2", "h3", "h4", "span", "strong", "section", "em", "b", "header", "li", "summary")
_INLINE = set("a span b strong em i small br u time cite sup sub font abbr mark q".split())
_NAMED = re.compile(
    r"stand-?first|(?:^|[\s_-])(?:lead|lede|leader|dek|deck|intro|introduction|ingress|chapo|chapeau|entradilla|bajada|"
    r"vorspann|anrei(?:ss|ß)er|sub-?title|sub-?headline|sub-?heading|subline|sub-?hed|excerpt|abstract|preamble|"
    r"sommario|occhiello|synopsis|kurzfassung|teaser-?text|(?:article|post|story|page|head|header|entry)(?:__|--|-|_)?(?:lead|intro|teaser|summary|"
    r"description|subtitle|excerpt|abstract|text-?lead))(?:$|[\s_-])|articleIntro|articleLead|articleTeaser|articleSummary|"
    r"[a-z](?:Lead|Intro|Standfirst|Subtitle|Summary|Excerpt|Dek)(?:$|[\s_-])",
    re.IGNORECASE,
)
_SITE = re.compile(r"site|blog|logo|tagline|footer|sidebar|widget", re.IGNORECASE)
_WORDS = re.compile(r"\w+")
_SENTENCE = re.compile(r"""[.!?…。！？।][\"'”’»)\]]*$""")


def _says_again(text: str, title: str) -> bool:
    return text in title or title in text[: len(title) + 10]


def standfirst(lines: Sequence[Line], facts: PageFacts, first: str) -> str:
    """Return the standfirst among the *lines* behind a page's headline, ``""`` where there is none.

    *first* is the first paragraph of the article: a standfirst stands before it.
    """
    descriptions = [_bag(text) for text in facts.descriptions if len(text) >= LEAST_CHARS]
    title = squashed(facts.title)
    for text, names in lines[: _place_of(first, lines)]:
        is_other = len(text) > MOST_CHARS or any(
            kind(text) for kind in (furniture, line_kinds.stated, line_kinds.credit)
        )
        if is_other or (title and _says_again(squashed(text), title)):
            continue
        if _is_described(text, descriptions) or _is_called_one(text, names):
            return text
    return ""


def _is_described(text: str, descriptions: list[frozenset[str]]) -> bool:
    bag = _bag(text)
    return any(_alike(bag, other) for other in descriptions)


def _is_called_one(text: str, names: str) -> bool:
    """Tell whether the classes of a line call it a standfirst, and it is a sentence, or long."""
    called = _NAMED.search(names) is not None and _SITE.search(names) is None
    return called and (len(text) >= 2 * LEAST_CHARS or _SENTENCE.search(text) is not None)


def _place_of(first: str, lines: Sequence[Line]) -> int:
    """How many of *lines* stand before the paragraph *first*; a dozen where it is none of them."""
    begins = squashed(first)[:60]
    found = (number for number, (text, _) in enumerate(lines) if squashed(text)[:60] == begins)
    return next(found, NEAR)


def lines_behind_headline(tree: Any) -> list[Line]:
    """Return the lines after the headline of the page *tree*, each with the names of its classes; without a headline,
    of the whole page.
    """
    return list(islice(_lines(tree), LINES_LOOKED_AT))


def _lines(tree: Any) -> Iterator[Line]:
    headline = next((head for head in tree.iter("h1") if head.text_content().strip()), None)
    elements = tree.iter()
    if headline is not None:
        elements = islice(dropwhile(lambda element: element is not headline, elements), 1, None)
    for element in elements:
        if element.tag in _TAGS and _is_one_line(element, headline):
            text = " ".join(without_signs(element.text_content()).split())
            linked = sum(len(link.text_content()) for link in element.iter("a"))
            if len(text) >= LEAST_CHARS and linked * 2 <= len(text):
                yield text, _names(element)


def _is_one_line(element: Any, headline: Any) -> bool:
    """Tell whether *element* is one line of the page: no block is in it, and it is in none."""
    if any(child.tag not in _INLINE for child in element) or headline in element.iterancestors("h1"):
        return False
    if element.tag not in ("span", "strong", "em", "b"):
        return True
    parent = element.getparent()
    alone = parent is not None and len(parent) == 1
    return alone and not (parent.text or "").strip() and not (element.tail or "").strip()


def _names(element: Any) -> str:
    parent = element.getparent()
    own = " ".join(filter(None, map(element.get, ("class", "id", "itemprop", "data-testid"))))
    if parent is not None and len(parent) <= 2:
        own += f" {parent.get('class') or ''} {parent.get('id') or ''}"
    return own


def _bag(text: str) -> frozenset[str]:
    return frozenset(_WORDS.findall(text.casefold()))


def _alike(shown: frozenset[str], described: frozenset[str]) -> bool:
    """Tell whether a line says what the description does, which may be its beginning or go on behind it."""
    common, (fewer, more) = len(shown & described), sorted((len(shown), len(described)))
    return bool(shown) and common >= 0.8 * fewer and common >= 0.55 * more


# ---------------------------------------------------------------------- what pages of one site share


LEAST_PAGES = 3
PROSE_PART = 0.5
"""Of the last pages, on which a whole paragraph stands before it counts as furniture."""
MOST_TAKEN = 0.5
"""Of a page's text; where more of it is shared, the pages are parts of one article."""
MOST_PLACES = 3
NOTHING_SHOWN = Shown(0, ())


def seen(blocks: list[Any], tree: Any, title: str) -> Shown:
    """Return what is to be remembered of a page: its *blocks*, and the place of its text in *tree*."""
    texts = [_text(block) for block in blocks]
    place = _place(tree, squashed("".join(texts)))
    hashes = [line_hash(place, "place")] if place else []
    hashes += [_hash(text, title) for text in texts if text]
    return Shown(mark_of(title, " ".join(texts)[:200]), tuple(hashes))


def without_shared(blocks: list[Any], title: str, known: Recurring) -> tuple[list[Any], tuple[str, ...]]:
    """Return *blocks* without those that other pages have too, and in words what was taken."""
    if len(known.documents) < LEAST_PAGES:
        return blocks, ()
    kept, taken = [], []
    for block in blocks:
        text = _text(block)
        needed = max(LEAST_PAGES, PROSE_PART * len(known.documents)) if prose_in(block) else LEAST_PAGES
        if text and known.counts[_hash(text, title)] >= needed:
            taken.append(text)
        else:
            kept.append(block)
    if sum(map(len, taken)) > MOST_TAKEN * sum(len(_text(block)) for block in blocks):
        return blocks, ()
    return kept, tuple(f"on other pages of the site as well, taken out: “{text[:120]}”" for text in taken)


def places_of_text(tree: Any, learnt: Recurring) -> list[Any]:
    """Return the elements of *tree* that are named as those which held the text of most of the site's last pages."""
    if len(learnt.documents) < LEAST_PAGES:
        return []
    needed = max(LEAST_PAGES, len(learnt.documents) / 2)
    places: dict[str, list[Any]] = {}
    for element in tree.iter("div", "article", "section", "main", "td"):
        if element.get("class") or element.get("id"):
            places.setdefault(_name(element), []).append(element)
    found = [held for name, held in places.items() if learnt.counts[line_hash(name, "place")] >= needed]
    return [element for held in found if len(held) <= MOST_PLACES for element in held]


def _text(block: Any) -> str:
    return " ".join(without_signs("".join(block.itertext())).split())


def _hash(text: str, title: str) -> int:
    return line_hash(text.replace(title, "\u25a1") if len(title) >= 4 else text, "page")


def _place(tree: Any, text: str) -> str:
    """The name of the element that holds most of the paragraphs in *text*, ``""`` where it has none."""

    def measure(paragraph: Any) -> int:
        length = prose_in(paragraph)
        return length if length and squashed("".join(paragraph.itertext()))[:60] in text else 0

    chars = chars_by_parent(tree, measure)
    if not chars:
        return ""
    holder = max(chars, key=lambda element: chars[element])
    return _name(holder) if holder.get("class") or holder.get("id") else ""


def _name(element: Any) -> str:
    """The tag, classes and id of *element*; numbers in them are those of the article."""
    classes = sorted((element.get("class") or "").split())
    return re.sub(r"\d+", "0", f"{element.tag}.{'.'.join(classes)}#{element.get('id') or ''}")
