"""Article extraction: the text, title, authors and date of real pages against gold, and pages a second.

Beside the desk's own `parse_page` (text and all facts) runs trafilatura's default in the same process, page by page in
turn, so that a busy machine slows both: `extract` for the text alone, and with its metadata for the facts.

    python bench/extraction.py [--data DIR] [--pages N] [--rounds N]

Pages: `fundus` (gold text, title, authors, date), `trafilatura` (snippets that must and must not be there, title,
author, date), `readability` (gold text and title). Word F1 is over the multiset of words, averaged over pages.
`title` is how often the title is the gold one, `stated` how often it is that or another headline that the page itself
states, without the name of the site.
"""

from __future__ import annotations

import argparse
import json
import logging
import re
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from html import unescape
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import lxml.html  # noqa: E402
import trafilatura  # noqa: E402

from feeds.dates import parse_date  # noqa: E402
from feeds.errors import ParseError  # noqa: E402
from feeds.parse import parse_page, read_page  # noqa: E402
from feeds.text import (  # noqa: E402
    Recurring,
    Shown,
    plain,  # noqa: E402
)
from feeds.urls import host_of  # noqa: E402
from tests.development import SHARED_DATA, archived, json_rows  # noqa: E402

FACTS = ("title", "stated", "author", "date")
_WORD = re.compile(r"\w+")
_FIGURE = re.compile(r"<figure\b.*?</figure>", re.DOTALL)


@dataclass(frozen=True)
class Page:
    """A page with what a person says it holds; empty where the set does not say."""

    body: bytes
    url: str
    text: str = ""
    wanted: tuple[str, ...] = ()
    unwanted: tuple[str, ...] = ()
    title: str = ""
    authors: tuple[str, ...] = ()
    day: str = ""


@dataclass
class Found:
    """What one extractor says of a page; *html* where it gives that, else *text*."""

    text: str = ""
    html: str = ""
    title: str = ""
    authors: tuple[str, ...] = ()
    day: str = ""


@dataclass
class Score:
    """Sums over pages; *agree* counts (right, told) by fact."""

    seconds: float = 0.0
    pages: int = 0
    f1: float = 0.0
    precision: float = 0.0
    recall: float = 0.0
    texts: int = 0
    snippets: Counter[str] = field(default_factory=Counter)
    agree: dict[str, list[int]] = field(default_factory=lambda: {key: [0, 0] for key in FACTS})


def pages_of(name: str, data: Path, limit: int) -> Iterator[Page]:
    """The pages of one set, at most *limit*."""
    folder = data / "extraction"
    if name == "readability":
        yield from _readability(folder, limit)
        return
    archive, gold = {
        "fundus": ("fundus_html.tar.xz", "fundus_truth.jsonl.gz"),
        "trafilatura": ("trafilatura_eval_html.tar.xz", "trafilatura_eval_truth.jsonl.gz"),
    }[name]
    truth = {row["file"]: row for row in json_rows(folder / gold)}
    for file, body in archived(folder / archive):
        row = truth.get(file)
        if row is None:
            continue
        if name == "fundus":
            yield Page(
                body,
                row["url"],
                text=row["text"],
                title=row["title"],
                authors=tuple(row["authors"] or ()),
                day=(row["publishing_date"] or "")[:10],
            )
        else:
            yield Page(
                body,
                row["url"],
                wanted=tuple(row.get("with") or ()),
                unwanted=tuple(row.get("without") or ()),
                title=row.get("title") or "",
                authors=_names(row.get("author")),
                day=(row.get("date") or "")[:10],
            )
        limit -= 1
        if not limit:
            return


def _names(value: object) -> tuple[str, ...]:
    names = value if isinstance(value, list) else [value] if value else []
    return tuple(str(name).strip() for name in names)


def _readability(folder: Path, limit: int) -> Iterator[Page]:
    parts: dict[str, dict[str, bytes]] = {}
    for name, body in archived(folder / "readability_test_pages.tar.xz"):
        page, _, part = name.rpartition("/")
        parts.setdefault(page, {})[part] = body
    for page in sorted(parts)[:limit]:
        files = parts[page]
        if "source.html" in files and "expected.html" in files:
            facts = json.loads(files.get("expected-metadata.json", b"{}"))
            text = plain(files["expected.html"].decode("utf-8", "replace"))
            yield Page(
                files["source.html"], f"https://{page}.example/article", text=text, title=facts.get("title") or ""
            )


def ours(page: Page) -> Found:
    """`parse_page` as the desk runs it."""
    try:
        entry = parse_page(page.body, url=page.url).entries[0]
    except ParseError:
        return Found()
    moment = parse_date(entry.published or "")
    return Found(
        html=entry.content.value if entry.content else "",
        title=entry.title.value if entry.title else "",
        authors=tuple(person.name for person in entry.authors),
        day=(entry.published or "")[:10]
        if moment and re.match(r"\d{4}-\d\d-\d\d", entry.published or "")
        else str(moment)[:10],
    )


def theirs_text(page: Page) -> Found:
    """trafilatura with its defaults: text, comments included."""
    return Found(text=trafilatura.extract(page.body, url=page.url) or "")


def theirs_facts(page: Page) -> Found:
    """trafilatura with its defaults and its metadata."""
    found = trafilatura.bare_extraction(page.body, url=page.url, with_metadata=True)
    if found is None or isinstance(found, dict):
        return Found()
    authors = tuple(name.strip() for name in (found.author or "").split(";") if name.strip())
    return Found(text=found.text or "", title=found.title or "", authors=authors, day=found.date or "")


EXTRACTORS: dict[str, Callable[[Page], Found]] = {
    "wiredesk": ours,
    "trafilatura default": theirs_text,
    "trafilatura + metadata": theirs_facts,
}


def judge(score: Score, page: Page, found: Found) -> None:
    """Add what *found* says of *page* to *score*."""
    # A caption is kept with its picture, apart from the text; no set has it in its gold.
    text = plain(_FIGURE.sub(" ", found.html)) if found.html else found.text
    score.pages += 1
    if page.text:
        gold, said = Counter(_WORD.findall(page.text.lower())), Counter(_WORD.findall(text.lower()))
        common = (gold & said).total()
        score.texts += 1
        score.f1 += 2 * common / (gold.total() + said.total()) if gold or said else 0.0
        score.precision += common / said.total() if said else 0.0
        score.recall += common / gold.total() if gold else 0.0
    flat = _flat(text)
    for snippets, hit, missed in ((page.wanted, "tp", "fn"), (page.unwanted, "fp", "tn")):
        for snippet in snippets:
            score.snippets[hit if _flat(snippet) in flat else missed] += 1
    if page.title:
        score.agree["title"][1] += 1
        score.agree["title"][0] += _flat(page.title) == _flat(found.title)
        score.agree["stated"][1] += 1
        score.agree["stated"][0] += _flat(page.title) == _flat(found.title) or _is_stated(page, found.title)
    if page.authors:
        score.agree["author"][1] += 1
        score.agree["author"][0] += {_flat(name) for name in page.authors} == {_flat(name) for name in found.authors}
    if page.day and page.day != "None":
        score.agree["date"][1] += 1
        score.agree["date"][0] += page.day == found.day


def _is_stated(page: Page, title: str) -> bool:
    """Tell whether the page states *title*: as a heading or a part of one, in its metas, its ``title`` or JSON-LD.

    A title that is one of these and more (the name of the site, a kicker that the markup sets apart) is not.
    """
    if page.body not in _STATED:
        tree = lxml.html.document_fromstring(page.body)
        stated = {str(text) for heading in tree.iter("h1", "h2", "h3") for text in heading.itertext()}
        stated |= {heading.text_content() for heading in tree.iter("h1", "h2", "h3") if not len(heading)}
        stated |= set(tree.xpath("//meta[contains(concat(@property, @name), 'title')]/@content"))
        stated |= set(re.findall(r'"headline"\s*:\s*"((?:[^"\\]|\\.)*)"', page.body.decode("utf-8", "replace")))
        whole = (tree.findtext(".//title") or "").strip()
        parts = re.split(r"\s+[|–—·•»-]\s+", whole)
        stated |= {*parts, " - ".join(parts[:-1])}
        _STATED.clear()
        _STATED[page.body] = {_letters(text) for text in stated} - {""}
    return _letters(title) in _STATED[page.body]


_STATED: dict[bytes, set[str]] = {}


def _letters(text: str) -> str:
    return re.sub(r"[\W_]+", "", unescape(text)).casefold()


def _flat(text: str) -> str:
    return " ".join(unescape(text).split()).casefold()


def run(pages: list[Page], rounds: int) -> dict[str, Score]:
    """Every extractor on every page; time is that of the fastest round for each page."""
    scores = {name: Score() for name in EXTRACTORS}
    for page in pages:
        best: dict[str, float] = {}
        for attempt in range(rounds):
            for name, extract in EXTRACTORS.items():
                began = time.process_time()
                found = extract(page)
                spent = time.process_time() - began
                best[name] = min(best.get(name, spent), spent)
                if attempt == 0:
                    judge(scores[name], page, found)
        for name, spent in best.items():
            scores[name].seconds += spent
    return scores


def table(name: str, scores: dict[str, Score]) -> None:
    """Print one set's scores."""
    base = scores["trafilatura default"]
    print(f"\n{name}: {base.pages} pages")
    print(
        f"{'':24}{'pages/s':>9}{'ratio':>7}{'F1':>8}{'prec.':>8}{'recall':>8}{'title':>8}{'stated':>8}{'author':>8}{'date':>8}"
    )
    for extractor, score in scores.items():
        if score.texts:
            f1, precision, recall = (value / score.texts for value in (score.f1, score.precision, score.recall))
        else:
            hits = score.snippets
            precision = hits["tp"] / max(1, hits["tp"] + hits["fp"])
            recall = hits["tp"] / max(1, hits["tp"] + hits["fn"])
            f1 = 2 * precision * recall / max(1e-9, precision + recall)
        facts: Any = "".join(
            f"{right / told:8.3f}" if told and extractor != "trafilatura default" else f"{'–':>8}"
            for right, told in score.agree.values()
        )
        print(
            f"{extractor:24}{score.pages / score.seconds:9.1f}{base.seconds / score.seconds:7.2f}"
            f"{f1:8.4f}{precision:8.4f}{recall:8.4f}{facts}"
        )


def taught(pages: list[Page]) -> None:
    """Print what it brings to read each page with what the other pages of its site taught, on sites with three."""
    sites: dict[str, list[Page]] = {}
    for page in pages:
        if page.text:
            sites.setdefault(host_of(page.url), []).append(page)
    alone, together, count = Score(), Score(), 0
    for site in (site for site in sites.values() if len(site) >= 3):
        read = [_read(page, Recurring()) for page in site]
        for number, (page, (found, _)) in enumerate(zip(site, read, strict=True)):
            others = Recurring().with_(one for at, (_, shown) in enumerate(read) if at != number for one in shown)
            judge(alone, page, found)
            judge(together, page, _read(page, others)[0])
            count += 1
    if count:
        before, after = alone.f1 / count, together.f1 / count
        print(f"  templates learnt from the other pages of a site: F1 {before:.4f} -> {after:.4f} on {count} pages")


def _read(page: Page, learnt: Recurring) -> tuple[Found, tuple[Shown, ...]]:
    try:
        feed, shown = read_page(page.body, url=page.url, content_type=None, learnt=learnt)
    except ParseError:
        return Found(), ()
    content = feed.entries[0].content
    return Found(html=content.value if content else ""), shown


def main() -> None:
    """Run all sets and print a table for each."""
    arguments = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else None)
    arguments.add_argument("--data", type=Path, default=SHARED_DATA, help="the folder of the development data")
    arguments.add_argument("--pages", type=int, default=0, help="pages of each set; 0 for all")
    arguments.add_argument("--rounds", type=int, default=2, help="rounds a page; the fastest counts")
    chosen = arguments.parse_args()
    logging.disable(logging.CRITICAL)
    for name in ("fundus", "trafilatura", "readability"):
        pages = list(pages_of(name, chosen.data, chosen.pages or sys.maxsize))
        table(name, run(pages, chosen.rounds))
        taught(pages)


if __name__ == "__main__":
    main()
