"""The publish gate: is a rendered document valid, and may it replace the last good one? Pure.

`check` judges one document by its format's rules, `compare` what a new document would change for a subscriber.
A problem of severity error keeps a document from being published; a warning is told.
"""

from __future__ import annotations

from collections.abc import Sequence, Set
from dataclasses import dataclass
from datetime import datetime

from feeds.model import Format
from feeds.render.check_atom import ATOM_RULES, check_atom
from feeds.render.check_json import JSON_RULES, check_json
from feeds.render.check_rss import RSS_RULES, check_rss
from feeds.render.rules import Findings, Problem, Rule, must

RULES: dict[Format, tuple[Rule, ...]] = {"rss": RSS_RULES, "atom": ATOM_RULES, "json": JSON_RULES}

_PROMISES = "docs/architecture.md, the promises"
GATE_RULES = (
    must("gate-id-changed", "an article keeps its id: look at what dedupe decided", _PROMISES),
    must("gate-entry-lost", "name the reason (retraction, re-filing, retention) or file it again", _PROMISES),
    must("gate-flood", "look at the source; it is published after a while all the same", _PROMISES),
)


def check(body: bytes, format: Format) -> tuple[Problem, ...]:
    """Return what is wrong with *body*, errors first; nothing for a document that may be published."""
    found = {"rss": check_rss, "atom": check_atom, "json": check_json}[format](body)
    return tuple(sorted(found.problems, key=lambda problem: problem.severity))


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """An entry as it stands in a document: *link* as it is compared, *rank_at* by which the document is ordered."""

    uid: str
    link: str | None = None
    rank_at: datetime


def compare(
    old: Sequence[Listed],
    new: Sequence[Listed],
    *,
    limit: int,
    gone: Set[str] = frozenset(),
    expected: Set[str] = frozenset(),
    flood_share: float = 0.8,
    flood_least: int = 20,
) -> tuple[Problem, ...]:
    """Return why a document of *new* may not replace one of *old*; nothing where it may.

    *limit* is how many entries the document holds at most: what newer ones pushed out is not lost. *gone* are uids
    that were retracted, re-filed or let go; *expected* those whose coming has a known reason (a first import, a
    changed config). A flood is a document of at least *flood_least* entries of which more than *flood_share* were
    not in *old*, expected ones not counted.
    """
    found = Findings(GATE_RULES)
    after = {entry.uid for entry in new}
    before = {entry.uid for entry in old}
    by_link = {entry.link: entry.uid for entry in old if entry.link}
    for entry in new:
        was = by_link.get(entry.link) if entry.link else None
        if was and was != entry.uid and was not in after and entry.uid not in before and was not in gone:
            found.add("gate-id-changed", entry.uid, f"stands where {was} stood, with the same link", entry.uid)
    edge = min((entry.rank_at for entry in new), default=None) if len(new) >= limit else None
    for entry in old:
        if entry.uid not in after and entry.uid not in gone and (edge is None or entry.rank_at > edge):
            found.add("gate-entry-lost", entry.uid, "is no longer listed and was not pushed out", entry.uid)
    fresh = after - before - expected
    if before and len(new) >= flood_least and len(fresh) > flood_share * len(new):
        found.add("gate-flood", "the document", f"has {len(fresh)} of {len(new)} entries that are suddenly new")
    return tuple(found.problems)
