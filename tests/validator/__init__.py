"""Is a document a valid feed? RSS 2.0, Atom 1.0 and JSON Feed 1.1 by their specifications, rule by rule. Pure.

The desk's own gate (`feeds.render.gate`) compares what is rendered with tables of what the desk writes; this judges
any document. Tests hold that what passes the gate passes here; `bench/validate.py` asks for files and addresses.
"""

from __future__ import annotations

from feeds.model import Format
from tests.validator.atom import ATOM_RULES, check_atom
from tests.validator.jsonfeed import JSON_RULES, check_json
from tests.validator.rss import RSS_RULES, check_rss
from tests.validator.rules import Problem, Rule

RULES: dict[Format, tuple[Rule, ...]] = {"rss": RSS_RULES, "atom": ATOM_RULES, "json": JSON_RULES}


def check(body: bytes, format: Format) -> tuple[Problem, ...]:
    """Return what is wrong with *body*, errors first; nothing for a document that may be published."""
    found = {"rss": check_rss, "atom": check_atom, "json": check_json}[format](body)
    return tuple(sorted(found.problems, key=lambda problem: problem.severity))


def errors(body: bytes, format: Format) -> list[Problem]:
    """Return what keeps *body* from being a valid feed, without warnings."""
    return [problem for problem in check(body, format) if problem.severity == "error"]
