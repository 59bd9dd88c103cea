"""Formulas and drawings that no script is needed to read: MathML kept, words out of SVG. Part of `normalise`. Pure.

Of MathML Core what shows a formula stays (W3C MathML Core, 3): its leaves hold text alone, so that nothing of HTML can
begin within one. What only says what a formula means, or links and acts, is left out.
"""

from __future__ import annotations

import re

from selectolax.lexbor import LexborHTMLParser, LexborNode

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
    for twin in tree.css(".katex-html, mjx-container > svg, .MathJax_Preview, .mwe-math-fallback-image-inline"):
        # What is drawn beside MathML of the same formula.
        parent = twin.parent
        if parent is not None and (parent.css_first("math") or twin.next and twin.next.tag == "script"):
            twin.decompose()
    for formula in tree.css("math"):
        if (parent := formula.parent) is not None and parent.tag in LEAVES:
            continue
        _keep(formula)


def _keep(formula: LexborNode) -> None:
    words = _in_words(formula)
    for meaning in formula.css("annotation, annotation-xml, maction > * ~ *"):
        meaning.decompose()
    for wrapper in formula.css("semantics, maction"):
        wrapper.unwrap(delete_empty=True)
    parts = formula.css("*")
    shown = any((part.tag or "") in LEAVES and part.text(deep=True).strip() for part in parts)
    if not shown or any((part.tag or "") not in MATHML and not _in_leaf(part) for part in parts):
        _replace_by_text(formula, words)
        return
    for part in (formula, *parts):
        if part.tag in LEAVES and part.child is not None:
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
