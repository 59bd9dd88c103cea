"""How many articles a second 1,000 sections of 50 terms file, beside the loop that asks every term of every rule."""

from __future__ import annotations

import random
import re
import time
from collections import Counter
from collections.abc import Sequence

from feeds.configuration import Match, Section, Source, Term
from feeds.filing import FilingRules
from feeds.model import Entry
from feeds.parsed import Category, Person
from feeds.text import fold, words

SECTIONS = 1_000
NAIVE = 40  # articles given to the naive loop, which is slow


def measure(texts: Sequence[tuple[str, str]], seed: int = 11) -> None:
    """Print articles a second of CPU for both, over (title, text) pairs."""
    dice = random.Random(seed)
    # Admins write terms that few articles hold: of these one in six stands in some article, the others in none.
    counts = Counter(word for _, text in texts for word in set(words(text)) if len(word) > 3)
    rare = sorted(word for word, count in counts.items() if count <= max(2, len(texts) // 200))
    known = rare + ["".join(dice.choices("abcdefghijklmnopqrstuvwxyz", k=8)) for _ in range(5 * len(rare))]
    sections = [_section(number, known, dice) for number in range(SECTIONS)]
    source = Source(key="s", name="Tidings", kind="feed", target="https://t.example/")
    entries = [_entry(number, title, text, dice) for number, (title, text) in enumerate(texts)]
    began = time.process_time()
    filing_rules = FilingRules(sections)
    filing_rules.place(entries[0], source)  # what compiles it
    compiled = time.process_time() - began
    began = time.process_time()
    placed = [filing_rules.place(entry, source) for entry in entries]
    quick = len(entries) / (time.process_time() - began)
    began = time.process_time()
    asked = [naive(sections, entry, source) for entry in entries[:NAIVE]]
    slow = NAIVE / (time.process_time() - began)
    same = sum(
        {one.section for one in mine if one.by == "rule"} == theirs for mine, theirs in zip(placed, asked, strict=False)
    )
    length = sum(len(entry.text) for entry in entries) / len(entries)
    print(f"rules: {SECTIONS} sections x 50 terms, {len(entries)} articles of {length:.0f} characters")
    print(f"  compiled in {compiled * 1000:.0f} ms; {sum(map(len, placed)) / len(placed):.1f} sections an article")
    print(f"  {quick:,.0f} articles/s; naive loop {slow:,.1f}/s, equal on {same} of {NAIVE}")


def naive(sections: Sequence[Section], entry: Entry, source: Source) -> set[str]:
    """The sections by a loop over every value of every term, as one would write it first."""
    facts = {
        "category": {fold(category.term) for category in entry.categories},
        "author": {fold(author.name) for author in entry.authors},
        "words": f" {' '.join(words(entry.title))} \n {' '.join(words(entry.text))} ",
        "path": fold(entry.link or ""),
        "prose": f"{entry.title}\n{entry.text}",
    }
    return {section.path for section in sections if section.match and _holds(section.match, entry, source, facts)}


def _holds(rule: Match | Term, entry: Entry, source: Source, facts: dict[str, object]) -> bool:
    if isinstance(rule, Term):
        return any(_true(rule.field, value, entry, source, facts) for value in rule.values)
    return (
        all(_holds(part, entry, source, facts) for part in rule.all)
        and (not rule.any or any(_holds(part, entry, source, facts) for part in rule.any))
        and not any(_holds(part, entry, source, facts) for part in rule.none)
    )


def _true(field: str, value: str, entry: Entry, source: Source, facts: dict[str, object]) -> bool:
    match field:
        case "keywords":
            return f" {' '.join(words(value))} " in str(facts["words"])
        case "category" | "author":
            return fold(value) in facts[field]  # type: ignore[operator]
        case "path":
            return f"/{value.strip('/')}/" in str(facts["path"])
        case "source":
            return fold(value) in (fold(source.name), fold(source.key))
        case "breadcrumb":
            return [fold(part.strip()) for part in value.split(">")] == [
                fold(part) for part in entry.breadcrumb[: value.count(">") + 1]
            ]
        case _:
            return re.search(value, str(facts["prose"])) is not None


def _section(number: int, known: Sequence[str], dice: random.Random) -> Section:
    def some(count: int, longest: int) -> tuple[str, ...]:
        return tuple(dict.fromkeys(" ".join(dice.choices(known, k=dice.randint(1, longest))) for _ in range(count)))

    match = Match(
        any=(
            Term(field="keywords", values=some(34, 3)),
            Term(field="category", values=tuple(f"Topic {dice.randint(0, 5000)}" for _ in range(4))),
            Term(field="breadcrumb", values=(f"News > Part {number}", f"Part {number}")),
            Term(field="path", values=(f"/part-{number}", f"/part/{number}")),
            Term(field="regex", values=(f"(?i)\\b{dice.choice(known)}\\s+\\d{{2,}}",)),
        ),
        none=(
            Term(field="keywords", values=some(5, 2)),
            Term(field="author", values=(f"Author {dice.randint(0, 900)}",)),
            Term(field="source", values=(f"Elsewhere {number}",)),
        ),
    )
    return Section(path=f"s{number}", title=f"Part {number}", match=match)


def _entry(number: int, title: str, text: str, dice: random.Random) -> Entry:
    return Entry(
        key=str(number),
        title=title,
        text=text,
        link=f"https://t.example/part-{dice.randint(0, 5000)}/{number}/story.html",
        categories=tuple(Category(term=f"Topic {dice.randint(0, 5000)}") for _ in range(3)),
        breadcrumb=("News", f"Part {dice.randint(0, 5000)}"),
        authors=(Person(name=f"Author {dice.randint(0, 900)}"),),
        language="en",
    )
