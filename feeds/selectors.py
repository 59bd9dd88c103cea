"""Selectors as config writes them, as XPath; and those by which pages say themselves what they list. Pure.

Ground floor of `settings`, which refuses what does not compile, and of `parse`, which looks by them.
"""

from __future__ import annotations

import re

from cssselect import HTMLTranslator, SelectorError

from feeds.configuration import Select

_ATTRIBUTE = re.compile(r"(?P<css>.*?)@(?P<name>[A-Za-z_][\w:.-]*)\s*\Z", re.DOTALL)
_XPATH = "xpath:"
_TRANSLATOR = HTMLTranslator()


def xpath_of(selector: str, axis: str = "descendant::") -> str:
    """Return the XPath 1.0 of *selector*: CSS, CSS with ``@attribute`` behind it, or ``xpath:`` and an XPath.

    CSS is of what stands below the element that is looked in, as in `querySelectorAll`; ``:scope > a`` begins at the
    element itself, ``@href`` alone is an attribute of it. Raises ValueError, in words, for what is no selector.

    >>> xpath_of("time@datetime"), xpath_of("@href"), xpath_of("xpath: ../h2")
    ('(descendant::time)/@datetime', '@href', '../h2')
    """
    selector = selector.strip()
    if selector.startswith(_XPATH):
        return selector.removeprefix(_XPATH).strip()
    if found := _ATTRIBUTE.match(selector):
        css, attribute = found["css"].strip(), found["name"].lower()
        return f"({_translated(css, axis)})/@{attribute}" if css else f"@{attribute}"
    return _translated(selector, axis)


def _translated(css: str, axis: str) -> str:
    if css.startswith(("/", "./", "(")):
        raise ValueError("an XPath begins with xpath:")
    try:
        return _TRANSLATOR.css_to_xpath(css, prefix="self::" if css.startswith(":scope") else axis)
    except SelectorError as error:
        if "::" in css:
            raise ValueError("for an attribute write a@href, for the text of an element the element alone") from error
        raise ValueError(str(error)) from error


def _named(*names: str) -> str:
    """The test of an element that has one of the classes *names*."""
    return " or ".join(f"contains(concat(' ', normalize-space(@class), ' '), ' {name} ')" for name in names)


def _property(*names: str) -> str:
    """The microformats properties *names* of an entry, not those of a person or of a quotation within it."""
    return f"{_XPATH}.//*[{_named(*names)}][not(ancestor::*[{_named('h-card', 'h-cite', 'h-adr')}])]"


H_ENTRY = Select(
    item=f"{_XPATH}//*[{_named('h-entry')}][not(ancestor::*[{_named('h-entry')}])]",
    title=_property("p-name"),
    link=_property("u-url"),
    date=_property("dt-published"),
    text=_property("e-content", "p-summary"),
    picture=_property("u-photo", "u-featured"),
    author=".p-author",
    category=_property("p-category"),
)
"""The posts of a page that marks them (microformats.org/wiki/h-entry)."""

ITEM_LIST = Select(
    item="@",
    title="name || headline",
    link='url || "@id" || item',
    date="datePublished || startDate || dateModified || uploadDate",
    text="description || articleBody || abstract",
    picture="image.url || image[0].url || image[0] || image || thumbnailUrl",
    author="author[].name || author.name || author",
    category="articleSection || keywords || genre",
)
"""The members of an ItemList or of a Blog in JSON-LD (schema.org), by JMESPath."""
