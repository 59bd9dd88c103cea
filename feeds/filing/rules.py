"""Match rules over atoms: asked only where they could hold, and able to say why they do, or what they lack. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from feeds.filing.atoms import Atoms
from feeds.model import Match, Term

_SHOWN = 3


@dataclass(frozen=True, slots=True)
class _Leaf:
    """A term: one of *numbers* must be true."""

    field: str
    numbers: tuple[int, ...]
    each: frozenset[int]


@dataclass(frozen=True, slots=True)
class _Joint:
    any: tuple[_Leaf | _Joint, ...]
    all: tuple[_Leaf | _Joint, ...]
    none: tuple[_Leaf | _Joint, ...]


_Node = _Leaf | _Joint


@dataclass(frozen=True, slots=True)
class Seen:
    """How a rule stands to an entry: what of it holds, and what it lacks or is left out by; see `Rule.seen`."""

    holds: bool
    reason: str
    lacks: str = ""


class Rule:
    """One rule, compiled against *atoms*."""

    def __init__(self, match: Match | Term, atoms: Atoms) -> None:
        self._root = _compile(match, atoms)
        self._told = atoms.told
        self.triggers = _triggers(self._root)
        """Atoms of which at least one is true wherever the rule holds; None where it may hold without any."""

    def holds(self, true: set[int]) -> str | None:
        """The reason why the rule holds, in words; None where it does not.

        The reason of a joint is that of each *all* and of its first *any*; a rule of nothing but *none* holds where
        none of them does.
        """
        numbers = _decide(self._root, true)
        return None if numbers is None else self._words(numbers)

    def seen(self, true: set[int]) -> Seen:
        """The rule's standing, also where it does not hold: the answer to "why not?"."""
        held = self.holds(true)
        if held is not None:
            return Seen(True, held)
        met = [number for number in _positive(self._root) if number in true]
        return Seen(False, " and ".join(self._told[number] for number in met[:_SHOWN]), self._lack(self._root, true))

    def _words(self, numbers: Iterable[int]) -> str:
        return " and ".join(dict.fromkeys(self._told[number] for number in numbers)) or "nothing of `none` holds"

    def _lack(self, node: _Node, true: set[int]) -> str:
        if isinstance(node, _Leaf):
            return f"no {self._list(node.numbers)}"
        for part in node.all:
            if _decide(part, true) is None:
                return self._lack(part, true)
        if node.any and all(_decide(part, true) is None for part in node.any):
            numbers = [number for part in node.any for number in _positive(part)]
            met = [part for part in node.any if any(number in true for number in _positive(part))]
            return self._lack(met[0], true) if met else f"no {self._list(numbers)}"
        for part in node.none:
            numbers_met = _decide(part, true)
            if numbers_met is not None:
                return f"left out by {self._words(numbers_met)}"
        return ""

    def _list(self, numbers: Iterable[int]) -> str:
        told = [self._told[number] for number in dict.fromkeys(numbers)]
        more = f" or {len(told) - _SHOWN} others" if len(told) > _SHOWN else ""
        return " or ".join(told[:_SHOWN]) + more


def _compile(rule: Match | Term, atoms: Atoms) -> _Node:
    if isinstance(rule, Term):
        numbers = atoms.numbers(rule)
        return _Leaf(rule.field, numbers, frozenset(numbers))

    def parts(joint: Literal["any", "all", "none"]) -> tuple[_Node, ...]:
        return tuple(_compile(part, atoms) for part in getattr(rule, joint))

    return _Joint(parts("any"), parts("all"), parts("none"))


def _decide(node: _Node, true: set[int]) -> tuple[int, ...] | None:
    """The atoms that make *node* hold; None where it does not."""
    if isinstance(node, _Leaf):
        met = node.each & true
        if len(met) > 1:
            return (next(number for number in node.numbers if number in met),)
        return tuple(met) or None
    deciding: tuple[int, ...] = ()
    for part in node.all:
        numbers = _decide(part, true)
        if numbers is None:
            return None
        deciding += numbers
    if node.any:
        for part in node.any:
            numbers = _decide(part, true)
            if numbers is not None:
                deciding += numbers
                break
        else:
            return None
    for part in node.none:
        if _decide(part, true) is not None:
            return None
    return deciding


def _positive(node: _Node) -> list[int]:
    if isinstance(node, _Leaf):
        return list(node.numbers)
    return [number for part in (*node.all, *node.any) for number in _positive(part)]


def _triggers(node: _Node) -> frozenset[int] | None:
    if isinstance(node, _Leaf):
        return node.each
    choices = [found for part in node.all if (found := _triggers(part)) is not None]
    if node.any:
        several = [_triggers(part) for part in node.any]
        if None not in several:
            choices.append(frozenset().union(*(found for found in several if found is not None)))
    return min(choices, key=len) if choices else None
