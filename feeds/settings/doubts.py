"""Sections and sources that hold each by itself, and together leave something empty: warnings. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from feeds.model import Match, Section, Source, Term
from feeds.settings.reports import Report, quote
from feeds.settings.tree import Tree

_ONE_EACH = frozenset({"source", "language"})
"""Terms of which an article has one value only: two of them that share no value never hold together."""


def judge_uses(tree: Tree, sources: Sequence[Source], report: Report) -> None:
    """Warn, in the *report* of `sections.yaml`, of rules that can never match and of sections that nothing fills."""
    names = [word for source in sources for word in (source.name, source.key)]
    for drop in tree.drops:
        _judge_rule("`drop:`", drop.match, 1, names, report)
    filled = {source.section for source in sources if source.section}
    parents = {section.parent for section in tree.sections}
    for section in tree.sections:
        place = tree.places[section.path]
        if section.match is not None:
            column = place.start_mark.column + 1
            _judge_rule(f"the rule of {section.path!r}", section.match, column, names, report)
        elif section.path in filled:
            continue
        elif section.path not in parents:
            remedy = "only breadcrumbs and categories of its name, or the learned classifier, can"
            report.warn(place, f"no source and no rule fills {section.path!r}", remedy)
        elif not section.include_children:
            remedy = "write include_children: true, if it should"
            report.warn(place, f"{section.path!r} shows nothing of the sections below it", remedy)
    for section, other in _shadowed(tree.sections):
        remedy = f"{other.path!r} is exclusive and goes first: change its priority or one of the rules"
        report.warn(
            tree.places[section.path], f"{other.path!r} takes all that the rule of {section.path!r} finds", remedy
        )


def _judge_rule(called: str, match: Match, column: int, names: Sequence[str], report: Report) -> None:
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


def _barren(match: Match) -> Iterator[tuple[Term, str]]:
    """Give the terms that keep *match*, or a joint within it that must hold, from ever matching, and why."""
    refused = [term for term in match.none if isinstance(term, Term)]
    wanted = [term for term in match.all if isinstance(term, Term)]
    for term in wanted:
        if any(_covers(one, term) for one in refused):
            yield term, f"`none` leaves out all that `{term.field}` asks for"
    if match.any and all(isinstance(term, Term) and any(_covers(one, term) for one in refused) for term in match.any):
        first = next(term for term in match.any if isinstance(term, Term))
        yield first, "`none` leaves out all that `any` asks for"
    for index, term in enumerate(wanted):
        for other in wanted[:index]:
            if term.field == other.field and term.field in _ONE_EACH and not _meet(term, other):
                yield term, f"an article has one {term.field}, and two are asked for"
    for part in match.all:
        if isinstance(part, Match):
            yield from _barren(part)


def _covers(wide: Term, term: Term) -> bool:
    return wide.field == term.field and _folded(term) <= _folded(wide)


def _meet(term: Term, other: Term) -> bool:
    # `en` holds for `en-GB` too.
    return any(
        f"{one}-".startswith(f"{two}-") or f"{two}-".startswith(f"{one}-")
        for one in _folded(term)
        for two in _folded(other)
    )


def _folded(term: Term) -> set[str]:
    # A regular expression is another one in another case.
    return set(term.values) if term.field == "regex" else {value.casefold() for value in term.values}


def _shadowed(sections: Sequence[Section]) -> Iterator[tuple[Section, Section]]:
    """Give each section whose rule finds nothing but what an exclusive section takes before it, and that section."""
    ruled = [(place, section, section.match) for place, section in enumerate(sections) if section.match is not None]
    takers = [(place, section, match, _enough(match)) for place, section, match in ruled if section.exclusive]
    for place, section, match in ruled:
        needed, meaning = _needed(match), _meaning(match)
        for first, other, rule, enough in takers:
            if other is section or not _goes_first(other, section, first < place):
                continue
            if meaning == _meaning(rule) or any(one <= enough for one in needed):
                yield section, other
                break


def _goes_first(other: Section, section: Section, stands_before: bool) -> bool:
    """Whether the exclusive *other* has an article alone that both sections match."""
    if other.priority != section.priority:
        return other.priority > section.priority
    return not section.exclusive or stands_before


def _enough(match: Match) -> frozenset[tuple[str, str]]:
    """Values any one of which makes *match* hold; none where it asks for more."""
    if match.none or len(match.all) + bool(match.any) != 1:
        return frozenset()
    terms = match.any or match.all
    if not all(isinstance(term, Term) for term in terms):
        return frozenset()
    return frozenset().union(*(_values(term) for term in terms if isinstance(term, Term)))


def _needed(match: Match) -> list[frozenset[tuple[str, str]]]:
    """Sets of values of each of which at least one is there wherever *match* holds."""
    found = [_values(term) for term in match.all if isinstance(term, Term)]
    if match.any and all(isinstance(term, Term) for term in match.any):
        found.append(frozenset().union(*(_values(term) for term in match.any if isinstance(term, Term))))
    return found


def _values(term: Term) -> frozenset[tuple[str, str]]:
    return frozenset((term.field, value) for value in _folded(term))


def _meaning(rule: Match | Term) -> object:
    if isinstance(rule, Term):
        return rule.field, frozenset(_folded(rule))
    return tuple(frozenset(_meaning(part) for part in parts) for parts in (rule.any, rule.all, rule.none))


def _terms(match: Match) -> Iterator[Term]:
    waiting: list[Term | Match] = [match]
    while waiting:
        one = waiting.pop()
        if isinstance(one, Term):
            yield one
        else:
            waiting.extend((*one.any, *one.all, *one.none))
