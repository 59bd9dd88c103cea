"""What `Cabinet.explain` tells: how every rule that came near stands to an entry, and what else was weighed. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from feeds.model import Placement


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleSeen:
    """A rule that holds, or of which a part does: *reason* is what holds, *lacks* what is missing or left out by."""

    section: str
    holds: bool
    reason: str
    lacks: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Guess:
    """What the learned classifier says of a section: its probability, what it takes to be filed, the telling words.

    *wanted* is the precision that the section asks for, None where it is not set to learn; *threshold* the probability
    that it takes, None where so many were never right; *floor* says that it is the least for any single filing, while
    lower ones would do for the mean.
    """

    section: str
    probability: float
    threshold: float | None
    wanted: float | None = None
    floor: bool = False
    words: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """All that was weighed for one entry of one source. *unmapped* are the publisher's words that mean no section."""

    placements: tuple[Placement, ...]
    rules: tuple[RuleSeen, ...] = ()
    unmapped: tuple[str, ...] = ()
    guesses: tuple[Guess, ...] = ()

    def lines(self) -> tuple[str, ...]:
        """The whole as lines for people."""
        told = [f"rule of {rule.section} holds: {rule.reason}" for rule in self.rules if rule.holds]
        told += [
            f"rule of {rule.section} nearly holds: {rule.reason or 'something'}, but {rule.lacks}"
            for rule in self.rules
            if not rule.holds
        ]
        told += [f"no section is surely meant by the {name}" for name in self.unmapped]
        for guess in self.guesses:
            needed = "not set to learn" if guess.wanted is None else f"was never right as often as {guess.wanted:.0%}"
            if guess.threshold is not None:
                needed = f"needs {guess.threshold:.0%}{': the floor' if guess.floor else ''}"
            words = ", ".join(f"{word} {weight:+.1f}" for word, weight in guess.words)
            told.append(
                f"classifier: {guess.section} {guess.probability:.0%} ({needed})" + (f": {words}" if words else "")
            )
        return tuple(told)
