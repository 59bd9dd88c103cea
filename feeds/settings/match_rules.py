"""Match rules: `match:` and `lists:` of `sections.yaml` → Match, and what of rules can never hold. Pure.

A rule is a mapping whose keys are terms (`category: [World, International]`) and the joints `any`, `all`, `none`;
several keys of one rule must all hold. Under a joint stands a list of rules, or a mapping whose every key is a
rule of its own. A term's value `$name` stands for the values of the list `name`.
"""

from __future__ import annotations

import re
import typing
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import re2
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from feeds.configuration import Drop, Match, Section, Term, TermField
from feeds.settings.forms import judge_language
from feeds.settings.reports import Report, Wrong, listing, quote
from feeds.settings.types import Schema, is_empty, pairs, text_of

TERMS: tuple[TermField, ...] = typing.get_args(TermField)
JOINTS = ("any", "all", "none")
TERM_SAYS: dict[str, str] = {
    "source": "the name or id of a source",
    "category": "a category that the publisher gave, whole, case aside",
    "breadcrumb": "a breadcrumb such as 'News > World', or its beginning",
    "path": "segments of the article's address, such as /world/asia",
    "keywords": "words or phrases in title or text, case and accents aside",
    "title": "words or phrases in the title alone, case and accents aside",
    "author": "an author's name",
    "language": "the article's language, such as en or pt-BR",
    "origin": "whom the article credits as its first publisher",
    "regex": "a regular expression (RE2 syntax) found in title or text",
}
_JOINT_SAYS = {
    "any": "at least one of these holds",
    "all": "each of these holds",
    "none": "none of these holds",
}
_LISTED = frozenset({"source", "category", "keywords", "title", "author", "language", "origin"})
"""Terms whose values are easily written with commas between them, which would make one odd value of them."""
_PHRASES = frozenset({"keywords", "title"})
_DEEPEST = 16
_LONGEST_REGEX = 1000
_REFERENCE = re.compile(r"\$[a-z_][a-z0-9_-]*")
_LIST_NAME = re.compile(r"[a-z_][a-z0-9_-]*")

Lists = Mapping[str, tuple[str, ...]]


def judge_lists(node: Node, report: Report) -> dict[str, tuple[str, ...]]:
    """Give the named lists under `lists:`; a list may use those above it. What is wrong goes to *report*."""
    lists: dict[str, tuple[str, ...]] = {}
    try:
        found = pairs(node, report)
    except Wrong as wrong:
        report.error(node, f"lists: {wrong.cause}", "write `name: [value, value]` lines")
        return lists
    for name, key, value in found:
        if isinstance(value, MappingNode):
            report.error(
                key, f"the list {quote(name)} holds keys", "`lists` is no section: write a list of values, or rename it"
            )
        elif not _LIST_NAME.fullmatch(name):
            report.error(key, f"{quote(name)} is no name for a list", "write lower-case letters, digits and _")
        else:
            lists[name] = _values(value, lists, report)
    return lists


def judge_match(node: Node, lists: Lists, report: Report) -> Match | None:
    """Give the rule of a section; None where nothing of it holds. What is wrong goes to *report*."""
    if is_empty(node):
        report.error(node, "an empty rule", f"write a term ({listing(TERMS)}) or a joint ({listing(JOINTS)})")
        return None
    if isinstance(node, SequenceNode):
        rules = _rules(node, lists, report, 1)
        return Match(any=rules) if rules else None
    rule = _rule(node, lists, report, 0)
    return Match(all=(rule,)) if isinstance(rule, Term) else rule


def judge_drop(node: Node, lists: Lists, report: Report, source: str | None = None) -> Drop | None:
    """Give what is never to be published, of *source* alone where there is one; None where nothing of it holds."""
    match = judge_match(node, lists, report)
    if match is None:
        return None
    if not (match.any or match.all):
        report.error(node, "drop: only says what to keep", "everything else would go: write what is to be dropped")
        return None
    return Drop(match=match, source=source, line=node.start_mark.line + 1)


def _rule(node: Node, lists: Lists, report: Report, depth: int) -> Term | Match | None:
    if _too_deep(node, report, depth):
        return None
    try:
        found = pairs(node, report)
    except Wrong as wrong:
        report.error(node, wrong.cause, "write a term such as `keywords: [election]`")
        return None
    if not found:
        report.error(node, "an empty rule", f"write a term: {listing(TERMS)}")
        return None
    joints: dict[str, tuple[Term | Match, ...]] = {}
    terms: list[Term | Match] = []
    for name, key, value in found:
        if name in JOINTS:
            joints[name] = _rules(value, lists, report, depth + 1)
        elif (term := _term(name, key, value, lists, report)) is not None:
            terms.append(term)
    return _joined(terms, joints)


def _joined(terms: Sequence[Term | Match], joints: Mapping[str, tuple[Term | Match, ...]]) -> Term | Match | None:
    if len(terms) == 1 and not joints:
        return terms[0]
    if not terms and not any(joints.values()):
        return None
    return Match(any=joints.get("any", ()), all=(*terms, *joints.get("all", ())), none=joints.get("none", ()))


def _rules(node: Node, lists: Lists, report: Report, depth: int) -> tuple[Term | Match, ...]:
    if _too_deep(node, report, depth):
        return ()
    if is_empty(node) or (isinstance(node, SequenceNode) and not node.value):
        report.error(node, "a joint without rules", f"write a list of terms ({listing(TERMS)})")
        return ()
    rules = [_rule(item, lists, report, depth) for item in _alternatives(node, report)]
    return tuple(rule for rule in rules if rule is not None)


def _alternatives(node: Node, report: Report) -> list[Node]:
    """The rules under a joint: the items of a list, or each key of a mapping by itself."""
    if isinstance(node, MappingNode):
        pairs(node, report)  # for keys that stand twice
        return [MappingNode(node.tag, [pair], pair[0].start_mark) for pair in node.value]
    return node.value if isinstance(node, SequenceNode) else [node]


def _too_deep(node: Node, report: Report, depth: int) -> bool:
    if depth > _DEEPEST:
        report.error(node, f"a rule nested more than {_DEEPEST} deep", "name parts of it as lists, or flatten it")
    return depth > _DEEPEST


def _term(name: str, key: Node, value: Node, lists: Lists, report: Report) -> Term | None:
    if name not in TERMS:
        hint = report.did_you_mean(name, (*TERMS, *JOINTS))
        report.error(key, f"unknown term {quote(name)}", hint or f"allowed are {listing((*TERMS, *JOINTS))}")
        return None
    if isinstance(value, MappingNode):
        report.error(value, f"{name}: a mapping where values belong", f"write `{name}: [value, value]`")
        return None
    values = _values(value, lists, report, name)
    return Term(field=name, values=values, line=key.start_mark.line + 1) if values else None


def _values(node: Node, lists: Lists, report: Report, term: str = "") -> tuple[str, ...]:
    """The values of a term, or of a list where there is no *term*; each once."""
    values: dict[str, None] = {}
    items: list[Node] = node.value if isinstance(node, SequenceNode) else [node]
    if not items:
        report.error(node, "a list without values", "write at least one")
    for item in items:
        try:
            if item is node and not term:
                judge_commas(node, text_of(node))
            for value in _meant(item, lists, report, term):
                if term:
                    judge_term(term, value)
                values[value] = None
        except Wrong as wrong:
            report.error(item, f"{term}: {wrong.cause}" if term else wrong.cause, wrong.remedy)
    return tuple(values)


def _meant(node: Node, lists: Lists, report: Report, term: str) -> tuple[str, ...]:
    """The text of *node*; of `$name` the values of that list."""
    text = text_of(node).strip()
    if term in _LISTED:
        judge_commas(node, text)
    if term in _PHRASES and "," in text:
        parts = [part.strip() for part in text.split(",")]
        report.warn(node, f"{term}: {quote(text)} is one phrase", f"for any of its words write [{', '.join(parts)}]")
    if not (isinstance(node, ScalarNode) and _REFERENCE.fullmatch(text)):
        return (text[1:] if text.startswith("$$") else text,)
    if text[1:] not in lists:
        hint = report.did_you_mean(text[1:], lists)
        raise Wrong(
            f"no list is called {quote(text[1:])}",
            hint or f"define it above, under `lists:`; for the text itself write ${text}",
        )
    return lists[text[1:]]


def judge_commas(node: Node, text: str) -> None:
    """Raise Wrong where *text* is a list that was written without brackets; in quotes a comma belongs to the value."""
    if "," in text and isinstance(node, ScalarNode) and not node.style:
        parts = [part.strip() for part in text.split(",") if part.strip()]
        raise Wrong(
            f"{quote(text)} is one value with a comma in it",
            f"write a list: [{', '.join(parts)}]; or put it in quotes, if the comma belongs to it",
        )


def judge_term(term: str, value: str) -> None:
    """Raise Wrong where *value* makes no sense for the term *term*."""
    if not value:
        raise Wrong("an empty text", "write a value, or take it out")
    if judge := _JUDGES.get(term):
        judge(value)


def _judge_path(value: str) -> None:
    if "://" in value or "?" in value or "#" in value:
        raise Wrong(f"{quote(value)} is more than a path", "write its segments alone, such as /world/asia")
    if not value.strip("/"):
        raise Wrong(f"{quote(value)} has no segment", "write one such as /world")


def _judge_words(value: str) -> None:
    if not any(map(str.isalnum, value)):
        raise Wrong(f"{quote(value)} holds no letter or digit", "write words, or use `regex:`")


def judge_regex(pattern: str) -> None:
    """Raise Wrong where *pattern* is no regular expression of RE2, whose search takes linear time."""
    if len(pattern) > _LONGEST_REGEX:
        raise Wrong(f"a regular expression of {len(pattern)} characters", f"write at most {_LONGEST_REGEX}")
    options = re2.Options()
    options.log_errors = False
    options.max_mem = 8 << 20
    try:
        compiled = re2.compile(pattern, options)
    except re2.error as error:
        words = error.args[0].decode("utf-8", "replace") if isinstance(error.args[0], bytes) else str(error)
        remedy = "mend it (RE2 syntax)"
        if "perl operator" in words or "escape sequence: \\" in words:
            remedy = "look-around and back-references are not allowed, so that a search takes linear time"
        raise Wrong(f"{quote(pattern)} is no regular expression: {words}", remedy) from None
    if compiled.search("") is not None:
        raise Wrong(f"{quote(pattern)} matches an empty text, and so everything", "let it ask for something")


_JUDGES: dict[str, Callable[[str], object]] = {
    "regex": judge_regex,
    "language": judge_language,
    "path": _judge_path,
    "keywords": _judge_words,
    "title": _judge_words,
    "breadcrumb": _judge_words,
}


_ONE_EACH = frozenset({"source", "language"})
"""Terms of which an article has one value only: two of them that share no value never hold together."""

Values = frozenset[tuple[str, str]]
"""What terms ask for: field and value, which is folded, for the case of no value but a regular expression's matters."""


def judge_sense(called: str, match: Match, column: int, names: Sequence[str], report: Report) -> None:
    """Warn of what in a rule can never hold; *names* are those by which a rule can ask for a source."""
    known = {word.casefold() for word in names}
    for term, cause in _barren(match):
        report.warn((term.line, column), f"{called} can never match: {cause}", "mend it")
    for term in _terms(match):
        for value in term.values if term.field == "source" else ():
            if value.casefold() not in known:
                remedy = report.did_you_mean(value, names) or "it can never match"
                cause = f"{called} asks for the source {quote(value)}, which sources.yaml lacks"
                report.warn((term.line, column), cause, remedy)


def _terms(match: Match) -> Iterator[Term]:
    waiting: list[Term | Match] = [match]
    while waiting:
        one = waiting.pop()
        if isinstance(one, Term):
            yield one
        else:
            waiting.extend((*one.any, *one.all, *one.none))


def _barren(match: Match) -> Iterator[tuple[Term, str]]:
    """Give the terms that keep *match*, or a joint within it that must hold, from ever matching, and why."""
    refused = [_asked(term) for term in match.none if isinstance(term, Term)]
    wanted = [term for term in match.all if isinstance(term, Term)]

    def is_refused(part: Term | Match) -> bool:
        return isinstance(part, Term) and any(_asked(part) <= values for values in refused)

    for term in filter(is_refused, wanted):
        yield term, f"`none` leaves out all that `{term.field}` asks for"
    if match.any and all(map(is_refused, match.any)):
        yield next(term for term in match.any if isinstance(term, Term)), "`none` leaves out all that `any` asks for"
    for other, term in combinations(wanted, 2):
        if _contradict(term, other):
            yield term, f"an article has one {term.field}, and two are asked for"
    for part in match.all:
        if isinstance(part, Match):
            yield from _barren(part)


def _contradict(one: Term, other: Term) -> bool:
    if one.field != other.field or one.field not in _ONE_EACH:
        return False
    # `en` holds for `en-GB` too.
    both = [(f"{a}-", f"{b}-") for _, a in _asked(one) for _, b in _asked(other)]
    return not any(a.startswith(b) or b.startswith(a) for a, b in both)


def _asked(*parts: Term | Match) -> Values:
    """What *parts* ask for together; nothing where one of them is no term."""
    terms = [part for part in parts if isinstance(part, Term)]
    if len(terms) < len(parts):
        return frozenset()
    return frozenset(
        (term.field, value if term.field == "regex" else value.casefold()) for term in terms for value in term.values
    )


@dataclass(frozen=True, slots=True)
class _Rule:
    """The rule of the section at *place* in the tree, as far as rules can be compared: any one of the values *enough*
    makes it hold, and of each set in *needed* at least one is there wherever it holds.
    """

    place: int
    section: Section
    enough: Values
    needed: list[Values]
    meaning: object

    def hides(self, other: _Rule) -> bool:
        """Whether its section, which is exclusive, has alone all that *other* finds."""
        if self is other or not (self.meaning == other.meaning or any(one <= self.enough for one in other.needed)):
            return False
        if self.section.priority != other.section.priority:
            return self.section.priority > other.section.priority
        return not other.section.exclusive or self.place < other.place


def _compared(place: int, section: Section, match: Match) -> _Rule:
    alone = not match.none and len(match.all) + bool(match.any) == 1
    needed = [values for part in match.all if (values := _asked(part))]
    if values := _asked(*match.any):
        needed.append(values)
    return _Rule(place, section, _asked(*(match.any or match.all)) if alone else frozenset(), needed, _meaning(match))


def _meaning(rule: Match | Term) -> object:
    if isinstance(rule, Term):
        return _asked(rule)
    return tuple(frozenset(map(_meaning, parts)) for parts in (rule.any, rule.all, rule.none))


def shadowed(sections: Sequence[Section]) -> Iterator[tuple[Section, Section]]:
    """Give each section whose rule finds nothing but what an exclusive section takes before it, and that section."""
    rules = [_compared(place, one, one.match) for place, one in enumerate(sections) if one.match is not None]
    takers = [rule for rule in rules if rule.section.exclusive]
    for rule in rules:
        if taker := next((one for one in takers if one.hides(rule)), None):
            yield rule.section, taker.section


def match_schema() -> dict[str, Schema]:
    """The JSON Schema definitions `rule` and `rules`, for `sections.schema.json`."""
    text: Schema = {"type": ["string", "number", "boolean"]}
    value: Schema = {"anyOf": [text, {"type": "array", "items": text, "minItems": 1}]}
    keys: Schema = {name: {"description": says, **value} for name, says in TERM_SAYS.items()}
    for name, says in _JOINT_SAYS.items():
        keys[name] = {"description": says, "allOf": [{"$ref": "#/definitions/rules"}]}
    rule: Schema = {"type": "object", "properties": keys, "additionalProperties": False, "minProperties": 1}
    reference: Schema = {"$ref": "#/definitions/rule"}
    return {"rule": rule, "rules": {"anyOf": [reference, {"type": "array", "items": reference, "minItems": 1}]}}
