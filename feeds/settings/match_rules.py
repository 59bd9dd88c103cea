"""Match rules as `sections.yaml` and `sources.yaml` write them, and which of them can never hold. Pure.

A rule is a mapping whose keys are terms (`category: [World, International]`) and the joints `any`, `all`, `none`;
several keys of one rule must all hold. Under a joint stands a list of rules, or a mapping whose every key is a
rule of its own. A term's value `$name` stands for the values of the list `name`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from itertools import combinations, repeat

import re2
from msgspec import Struct, field
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from feeds.configuration import Drop, Match, Section, Term, TermField, terms_of
from feeds.settings.forms import judge_language
from feeds.settings.reports import Report, Wrong, listing, quote
from feeds.settings.types import Schema, is_empty, items_of, pairs, text_of

TERMS: dict[TermField, str] = {
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
SCALAR: Schema = {"type": ["string", "number", "boolean"]}
_JOINTS = {
    "any": "at least one of these holds",
    "all": "each of these holds",
    "none": "none of these holds",
}
_LISTED = frozenset({"source", "category", "keywords", "title", "author", "language", "origin"})
"""Terms whose values are easily written with commas between them, which would make one odd value of them."""
_PHRASES = frozenset({"keywords", "title"})
_DEEPEST_RULE = 16
_LONGEST_REGEX = 1000
_REFERENCE = re.compile(r"\$[a-z_][a-z0-9_-]*")
_LIST_NAME = re.compile(r"[a-z_][a-z0-9_-]*")


class Rules(Struct):
    """Reads rules, whose terms may name *lists*; what is wrong goes to *report*."""

    report: Report
    lists: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def read_lists(self, node: Node) -> None:
        """Take over the named lists under `lists:`; a list may use those above it."""
        try:
            found = pairs(node, self.report)
        except Wrong as wrong:
            self.report.error(node, f"lists: {wrong.cause}", "write `name: [value, value]` lines")
            return
        for name, key, value in found:
            if isinstance(value, MappingNode):
                remedy = "`lists` is no section: write a list of values, or rename it"
                self.report.error(key, f"the list {quote(name)} holds keys", remedy)
            elif not _LIST_NAME.fullmatch(name):
                self.report.error(key, f"{quote(name)} is no name for a list", "write lower-case letters, digits and _")
            else:
                self.lists[name] = self._values(value)

    def match(self, node: Node) -> Match | None:
        """Give the rule of a section; None where nothing of it holds."""
        if is_empty(node):
            remedy = f"write a term ({listing(TERMS)}) or a joint ({listing(_JOINTS)})"
            self.report.error(node, "an empty rule", remedy)
            return None
        if isinstance(node, SequenceNode):
            rules = self._rules(node, 1)
            return Match(any=rules) if rules else None
        rule = self._rule(node, 0)
        return Match(all=(rule,)) if isinstance(rule, Term) else rule

    def drop(self, node: Node, source: str | None = None) -> Drop | None:
        """Give what is never to be published, of *source* alone where there is one; None where nothing of it holds."""
        match = self.match(node)
        if match is None:
            return None
        if not (match.any or match.all):
            remedy = "everything else would go: write what is to be dropped"
            self.report.error(node, "drop: only says what to keep", remedy)
            return None
        return Drop(match=match, source=source, line=node.start_mark.line + 1)

    def _rule(self, node: Node, depth: int) -> Term | Match | None:
        try:
            found = pairs(node, self.report)
        except Wrong as wrong:
            self.report.error(node, wrong.cause, "write a term such as `keywords: [election]`")
            return None
        if not found:
            self.report.error(node, "an empty rule", f"write a term: {listing(TERMS)}")
            return None
        joints: dict[str, tuple[Term | Match, ...]] = {}
        terms: list[Term] = []
        for name, key, value in found:
            if name in _JOINTS:
                joints[name] = self._rules(value, depth + 1)
            elif (term := self._term(name, key, value)) is not None:
                terms.append(term)
        if len(terms) == 1 and not joints:
            return terms[0]
        whole = Match(any=joints.get("any", ()), all=(*terms, *joints.get("all", ())), none=joints.get("none", ()))
        return whole if whole != Match() else None

    def _rules(self, node: Node, depth: int) -> tuple[Term | Match, ...]:
        """The rules under a joint: the items of a list, or each key of a mapping by itself."""
        if depth > _DEEPEST_RULE:
            remedy = "name parts of it as lists, or flatten it"
            self.report.error(node, f"a rule nested more than {_DEEPEST_RULE} deep", remedy)
            return ()
        items = items_of(node)
        if isinstance(node, MappingNode):
            pairs(node, self.report)  # for keys that stand twice
            items = [MappingNode(node.tag, [pair], pair[0].start_mark) for pair in node.value]
        elif is_empty(node) or not items:
            self.report.error(node, "a joint without rules", f"write a list of terms ({listing(TERMS)})")
            return ()
        rules = [self._rule(item, depth) for item in items]
        return tuple(rule for rule in rules if rule is not None)

    def _term(self, name: str, key: Node, value: Node) -> Term | None:
        if name not in TERMS:
            known = (*TERMS, *_JOINTS)
            hint = self.report.did_you_mean(name, known)
            self.report.error(key, f"unknown term {quote(name)}", hint or f"allowed are {listing(known)}")
            return None
        if isinstance(value, MappingNode):
            self.report.error(value, f"{name}: a mapping where values belong", f"write `{name}: [value, value]`")
            return None
        values = self._values(value, name)
        return Term(field=name, values=values, line=key.start_mark.line + 1) if values else None

    def _values(self, node: Node, term: str = "") -> tuple[str, ...]:
        """The values of a term, or of a list where there is no *term*; each once."""
        values: dict[str, None] = {}
        items = items_of(node)
        if not items:
            self.report.error(node, "a list without values", "write at least one")
        for item in items:
            try:
                if term in _LISTED or (item is node and not term):
                    _judge_commas(item)
                for value in self._meant(item, term):
                    if term:
                        _judge_value(term, value)
                    values[value] = None
            except Wrong as wrong:
                self.report.error(item, f"{term}: {wrong.cause}" if term else wrong.cause, wrong.remedy)
        return tuple(values)

    def _meant(self, node: Node, term: str) -> tuple[str, ...]:
        """The text of *node*; of `$name` the values of that list."""
        text = text_of(node).strip()
        if term in _PHRASES and "," in text:
            self.report.warn(
                node, f"{term}: {quote(text)} is one phrase", f"for any of its words write {_listed(text)}"
            )
        if not _REFERENCE.fullmatch(text):
            return (text[1:] if text.startswith("$$") else text,)
        if text[1:] not in self.lists:
            hint = self.report.did_you_mean(text[1:], self.lists)
            remedy = hint or f"define it above, under `lists:`; for the text itself write ${text}"
            raise Wrong(f"no list is called {quote(text[1:])}", remedy)
        return self.lists[text[1:]]


def _listed(text: str) -> str:
    return f"[{', '.join(filter(None, map(str.strip, text.split(','))))}]"


def _judge_commas(node: Node) -> None:
    """Raise Wrong where *node* is a list that was written without brackets; in quotes a comma belongs to the value."""
    text = text_of(node)
    if "," in text and isinstance(node, ScalarNode) and not node.style:
        remedy = f"write a list: {_listed(text)}; or put it in quotes, if the comma belongs to it"
        raise Wrong(f"{quote(text)} is one value with a comma in it", remedy)


def _judge_value(term: str, value: str) -> None:
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


def _judge_regex(pattern: str) -> None:
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
    "regex": _judge_regex,
    "language": judge_language,
    "path": _judge_path,
    "keywords": _judge_words,
    "title": _judge_words,
    "breadcrumb": _judge_words,
}


def match_schema() -> dict[str, Schema]:
    """The JSON Schema definitions `rule` and `rules`, for `sections.schema.json`."""
    value: Schema = {"anyOf": [SCALAR, {"type": "array", "items": SCALAR, "minItems": 1}]}
    keys: Schema = {name: {"description": help, **value} for name, help in TERMS.items()}
    for name, help in _JOINTS.items():
        keys[name] = {"description": help, "allOf": [{"$ref": "#/definitions/rules"}]}
    rule: Schema = {"type": "object", "properties": keys, "additionalProperties": False, "minProperties": 1}
    reference: Schema = {"$ref": "#/definitions/rule"}
    return {"rule": rule, "rules": {"anyOf": [reference, {"type": "array", "items": reference, "minItems": 1}]}}


# --------------------------------------------------------------------------- rules that can never hold

_ONE_EACH = frozenset({"source", "language"})
"""Terms of which an article has one value only: two of them that share no value never hold together."""

Values = frozenset[tuple[str, str]]
"""What terms ask for: field and value, which is folded, for the case of no value but a regular expression's matters."""


def judge_sense(called: str, match: Match, column: int, names: Sequence[str], report: Report) -> None:
    """Warn of what in a rule can never hold; *names* are those by which a rule can ask for a source."""
    known = {word.casefold() for word in names}
    for term, cause in _impossible(match):
        report.warn((term.line, column), f"{called} can never match: {cause}", "mend it")
    for term in terms_of(match):
        for value in term.values if term.field == "source" else ():
            if value.casefold() not in known:
                remedy = report.did_you_mean(value, names) or "it can never match"
                cause = f"{called} asks for the source {quote(value)}, which sources.yaml lacks"
                report.warn((term.line, column), cause, remedy)


def _impossible(match: Match) -> Iterator[tuple[Term, str]]:
    """Give the terms that keep *match*, or a joint within it that must hold, from ever matching, and why."""
    wanted = [part for part in match.all if isinstance(part, Term)]
    for term in wanted:
        if _is_refused(term, match):
            yield term, f"`none` leaves out all that `{term.field}` asks for"
    if match.any and all(map(_is_refused, match.any, repeat(match))):
        yield next(terms_of(match.any[0])), "`none` leaves out all that `any` asks for"
    for term in _contradictions(wanted):
        yield term, f"an article has one {term.field}, and two are asked for"
    for part in match.all:
        if isinstance(part, Match):
            yield from _impossible(part)


def _is_refused(part: Term | Match, match: Match) -> bool:
    """Whether a term of `none` leaves out all that *part*, a term too, asks for."""
    asked = _asked(part)
    return bool(asked) and any(asked <= _asked(other) for other in match.none)


def _contradictions(wanted: Sequence[Term]) -> Iterator[Term]:
    """Give each of *wanted* that asks for another value than one before it, where an article has one alone."""
    for other, term in combinations(wanted, 2):
        if other.field == term.field and term.field in _ONE_EACH:
            # `en` holds for `en-GB` too.
            both = [(f"{a}-", f"{b}-") for _, a in _asked(term) for _, b in _asked(other)]
            if not any(a.startswith(b) or b.startswith(a) for a, b in both):
                yield term


def _asked(*parts: Term | Match) -> Values:
    """What *parts* ask for together; nothing where one of them is no term."""
    if not all(isinstance(part, Term) for part in parts):
        return frozenset()
    return frozenset(
        (term.field, value if term.field == "regex" else value.casefold())
        for term in terms_of(*parts)
        for value in term.values
    )


class _Rule(Struct, frozen=True):
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
    needed = [values for values in (*map(_asked, match.all), _asked(*match.any)) if values]
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
