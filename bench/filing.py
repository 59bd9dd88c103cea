"""How fast rules file, and how well the learned classifier does: through the code that `wiredesk learn` runs.

    python bench/filing.py                      all of the development data, and the rules
    python bench/filing.py rules agnews …       some of: rules agnews agnews-kept bbc huffpost reuters unseen
    python bench/filing.py --train FILE --test FILE [--label FIELD] --predictions OUT.jsonl

FILE is JSON lines (also .gz): id, a label (or the field that --label names; a list where a text may have several),
and title, text or description. OUT gets a line an item of the test file, in its order: id, label, probability; lists
of both where the field is a list, one probability for each label. Shipped defaults, one core; the test file's labels
are looked at for the score alone.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from msgspec.structs import replace

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from feeds.filing.examples import Example, calibration_error, coverage_at, example_of, report_of  # noqa: E402
from feeds.filing.text_model import Model, model_from_bytes, model_to_bytes  # noqa: E402
from feeds.filing.training import learn  # noqa: E402
from tests.development import SHARED_DATA, json_rows  # noqa: E402

Rows = list[dict[str, Any]]
AGENCY = re.compile(r"\b(reuters|afp|ap)\b", re.IGNORECASE)


def main() -> None:
    """Measure what the arguments name, on one core."""
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[-1:])
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", choices=[*PARTS, []], help="parts of the development data")
    parser.add_argument("--train", type=Path)
    parser.add_argument("--test", type=Path)
    parser.add_argument("--label", help="the field that holds the label")
    parser.add_argument("--predictions", type=Path, help="where to write one JSON line an item")
    told = parser.parse_args()
    if (told.train is None) != (told.test is None):
        parser.error("--train and --test go together")
    if told.train is not None:
        pair(told.train, told.test, told.label, told.predictions)
        return
    for name in told.parts or PARTS:
        PARTS[name]()
        print(flush=True)


def pair(train: Path, test: Path, label: str | None, predictions: Path | None) -> None:
    """Learn from one file, predict the other, write and score."""
    rows = json_rows(test)
    model = trained("train", [example_of(row, label) for row in json_rows(train)])
    examples = [example_of(row, label) for row in rows]
    found = ask(model, examples)
    if predictions is not None:
        several = any(isinstance(row.get(label or _label(row)), list) for row in rows)
        with predictions.open("w", encoding="utf-8") as out:
            for row, guessed in zip(rows, found, strict=True):
                labels, chances = [one for one, _ in guessed], [round(chance, 6) for _, chance in guessed]
                line = {
                    "id": row.get("id"),
                    "label": labels if several else labels[0],
                    "probability": chances if several else chances[0],
                }
                out.write(json.dumps(line, ensure_ascii=False) + "\n")
    score("test", examples, found)


def agnews() -> None:
    """AG News: trained on the sample alone, the validation part asked once; what agencies' marks are worth."""
    train, valid = section_rows("agnews_train_sample"), section_rows("agnews_valid")
    examples = [example_of(row) for row in train]
    tests = [example_of(row) for row in valid]
    model = trained("AG News", examples, tell=True)
    found = ask(model, tests)
    score("AG News, validation", tests, found)
    marked = [index for index, row in enumerate(valid) if AGENCY.search(row["text"])]
    only = [index for index in range(len(valid)) if index not in set(marked)]
    for name, rows in (("with an agency's mark in the file", marked), ("without", only)):
        score(f"  those {name}", [tests[index] for index in rows], [found[index] for index in rows])
    moved = [example_of(row | {"text": f"(Reuters) - {row['text']} (AP)", "title": ""}) for row in valid[:1000]]
    same = sum(ask_one(model, one)[0][0] == before[0][0] for one, before in zip(moved, found, strict=False))
    print(f"  '(Reuters)' and '(AP)' put into 1000 texts: {1000 - same} decisions change")


def agnews_kept() -> None:
    """The same with agencies' marks left in, to show what leaving them out costs."""
    import feeds.filing.text_model as features

    shipped = features.without_leftovers
    features.without_leftovers = lambda text: text  # type: ignore[assignment]
    try:
        examples = [example_of(row) for row in section_rows("agnews_train_sample")]
        model = trained("AG News, marks of agencies left in", examples)
        tests = [example_of(row) for row in section_rows("agnews_valid")]
        score("AG News, marks left in", tests, ask(model, tests))
        moved = [Example(title="", text=f"(Reuters) - {one.text} (AP)", sections=one.sections) for one in tests[:1000]]
        before = [ask_one(model, one)[0][0] for one in tests[:1000]]
        changed = sum(ask_one(model, one)[0][0] != old for one, old in zip(moved, before, strict=True))
        print(f"  '(Reuters)' and '(AP)' put into 1000 texts: {changed} decisions change")
    finally:
        features.without_leftovers = shipped


def bbc() -> None:
    """BBC, five sections: cross-validation that keeps re-publications together, on whole texts and on leads."""
    rows = section_rows("bbc_2225_dev")
    for name, cut in (("full text", None), ("title and lead", 1)):
        examples = [example_of(row | {"text": lead(row["text"])} if cut else row) for row in rows]
        crossed(f"BBC, {name}", examples)


def huffpost() -> None:
    """HuffPost, twelve sections of uneven size: by cross-validation, and trained on the older, tested on the newer."""
    rows = sorted(section_rows("huffpost_dev"), key=lambda row: str(row["date"]))
    crossed("HuffPost", [example_of(row, "section") for row in rows])
    by_time("HuffPost", rows, "section")


def reuters() -> None:
    """Reuters-21578, several topics a text: trained on the older three quarters, tested on the newer."""
    rows = sorted(section_rows("reuters21578_modapte_train"), key=lambda row: when(str(row["date"])))
    by_time("Reuters", rows, "topics", share=0.75)


def unseen() -> None:
    """Sources that training has never seen: the topics that AG News, BBC and HuffPost share, one left out at a time."""
    shared = {
        "agnews": (
            "agnews_train_sample",
            "label",
            {"World": "world", "Sports": "sport", "Business": "business", "Sci/Tech": "sci-tech"},
        ),
        "bbc": ("bbc_2225_dev", "label", {"sport": "sport", "business": "business", "tech": "sci-tech"}),
        "huffpost": ("huffpost_dev", "section", {}),
    }
    found: dict[str, list[Example]] = {}
    dice = random.Random(5)
    for source, (file, field, means) in shared.items():
        rows = section_rows(file)
        if not means:
            print(f"HuffPost sections: {dict(Counter(row[field] for row in rows))}")
            means = {name: mapped for name in {row[field] for row in rows} if (mapped := _shared_topic(name))}
        rows = [row for row in rows if row[field] in means]
        dice.shuffle(rows)
        found[source] = [example_of(row | {"label": means[row[field]]}, "label") for row in rows[:8000]]
    for left in found:
        rest = [replace(one, source=source) for source, examples in found.items() if source != left for one in examples]
        known = {section for one in rest for section in one.sections}
        tests = [one for one in found[left] if one.sections[0] in known]
        model = trained(f"all but {left}", rest)
        asked = ask(model, tests)
        score(f"{left}, never seen", tests, asked)
        filed_at(model, tests, asked)


def rules() -> None:
    """Articles a second through 1,000 sections of 50 terms."""
    import filing_rules

    rows = section_rows("bbc_2225_dev")
    filing_rules.measure([(row["title"], row["text"]) for row in rows])
    rows = section_rows("agnews_valid")
    filing_rules.measure([(row["text"][:60], row["text"]) for row in rows])


# --------------------------------------------------------------------------- ways to test


def by_time(name: str, rows: Rows, label: str, share: float = 0.8) -> None:
    """Learn from the older rows, test on the newer."""
    at = int(len(rows) * share)
    model = trained(f"{name}, the older {at}", [example_of(row, label) for row in rows[:at]], tell=True)
    tests = [example_of(row, label) for row in rows[at:]]
    found = ask(model, tests)
    score(f"{name}, the newer {len(tests)}", tests, found)
    filed_at(model, tests, found)


def crossed(name: str, examples: Sequence[Example], folds: int = 5) -> None:
    """Cross-validation over groups."""
    groups = sorted({one.group for one in examples})
    random.Random(3).shuffle(groups)
    fold_of = {group: number % folds for number, group in enumerate(groups)}
    tests: list[Example] = []
    found: list[list[tuple[str, float]]] = []
    began = time.process_time()
    for fold in range(folds):
        model, _ = learn([one for one in examples if fold_of[one.group] != fold])
        held = [one for one in examples if fold_of[one.group] == fold]
        tests += held
        found += ask(model, held)
    print(f"{name}: {folds} folds in {time.process_time() - began:.1f} s")
    score(name, tests, found)


def trained(name: str, examples: Sequence[Example], *, tell: bool = False) -> Model:
    """A model learned from *examples* and read back from its file; what it cost."""
    wall, cpu = time.perf_counter(), time.process_time()
    model, trial = learn(examples)
    cost = f"{time.process_time() - cpu:.1f} s of processor ({time.perf_counter() - wall:.1f} s by the clock)"
    body = model_to_bytes(model)
    report = report_of(model, trial)
    print(f"{name}: {len(examples)} texts, {len(model.sections)} sections learned in {cost}")
    print(
        f"  {len(model.numbers)} features, file {len(body) / 1e6:.1f} MB; held back: right {report.right:.4f}, "
        f"macro-F1 {report.macro_f1:.4f}, coverage at 95 % {report.coverage:.3f}, calibration error {report.error:.4f}"
    )
    if tell:
        for one in sorted(report.sections, key=lambda one: -one.support)[:14]:
            print(
                f"    {one.section:<16} {one.support:>6} P {one.precision:.3f} R {one.recall:.3f} "
                f"filed at 95 %: {one.coverage:.2f}  {', '.join(one.words[:8])}"
            )
            for confusion in one.confusions[:1]:
                print(f"      {confusion.count} taken for {confusion.other}: {confusion.titles[0][:70]!r}")
    return model_from_bytes(body)


def ask_one(model: Model, example: Example) -> list[tuple[str, float]]:
    """The labels that the model gives; a text without a known word gets any, at probability 0."""
    found = model.decide(example.title, example.text, example.authors)
    return found if found or not model.single else [(model.sections[0], 0.0)]


def ask(model: Model, examples: Sequence[Example]) -> list[list[tuple[str, float]]]:
    """The labels of many, with the time that one takes."""
    model.guess("warm", "up")
    began = time.process_time()
    found = [ask_one(model, example) for example in examples]
    print(f"  {(time.process_time() - began) / max(len(examples), 1) * 1000:.2f} ms a text")
    return found


def score(name: str, examples: Sequence[Example], found: Sequence[Sequence[tuple[str, float]]]) -> None:
    """Print accuracy, macro-F1, and coverage at 95 % precision."""
    hits: Counter[str] = Counter()
    called: Counter[str] = Counter()
    true: Counter[str] = Counter()
    sure, right = [], []
    for example, guessed in zip(examples, found, strict=True):
        true.update(example.sections)
        called.update(section for section, _ in guessed)
        hits.update(section for section, _ in guessed if section in example.sections)
        for section, chance in guessed:
            sure.append(chance)
            right.append(section in example.sections)
    scores = [2 * hits[one] / (called[one] + true[one]) for one in true]
    micro = 2 * sum(hits.values()) / max(sum(called.values()) + sum(true.values()), 1)
    exact = sum(
        {section for section, _ in guessed} == set(example.sections)
        for example, guessed in zip(examples, found, strict=True)
    ) / max(len(examples), 1)
    covered = coverage_at(np.array(sure), np.array(right))
    share = covered * len(sure) / max(sum(true.values()), 1)
    print(
        f"{name}: right {exact:.4f}, macro-F1 {np.mean(scores):.4f} over {len(true)}, micro-F1 {micro:.4f}, "
        f"coverage at 95 % precision {share:.3f}, calibration error "
        f"{calibration_error(np.array(sure), np.array(right)):.4f}"
    )


def filed_at(
    model: Model, examples: Sequence[Example], found: Sequence[Sequence[tuple[str, float]]], wanted: float = 0.95
) -> None:
    """What the desk does with `learned: {precision: 0.95}` in each section: how much it files, how much is right."""
    limits = {section: model.threshold(section, wanted) for section in model.sections}
    filed = [
        section in example.sections
        for example, guessed in zip(examples, found, strict=True)
        for section, chance in guessed
        if (limit := limits[section]) is not None and chance >= limit
    ]
    able = sum(limit is not None for limit in limits.values())
    share = sum(filed) / max(sum(len(example.sections) for example in examples), 1)
    print(
        f"  with learned: {{precision: {wanted}}}: {able} of {len(limits)} sections file, {len(filed)} filings, "
        f"{sum(filed) / max(len(filed), 1):.3f} of them right, {share:.3f} of all found"
    )


# --------------------------------------------------------------------------- data


def section_rows(name: str) -> Rows:
    """The rows of a file of the development data."""
    return json_rows(SHARED_DATA / "sections" / f"{name}.jsonl.gz")


def lead(text: str) -> str:
    """The first paragraph that says something, at most 50 words."""
    paragraphs: Iterable[str] = (part.strip() for part in text.split("\n"))
    first = next((part for part in paragraphs if len(part.split()) > 5), text)
    return " ".join(first.split()[:50])


def when(date: str) -> str:
    """A date of 1987 as it sorts: "26-FEB-1987 15:01:01.79"."""
    found = re.search(r"(\d{1,2})-([A-Z]{3})-(\d{4})\s+(\S+)", date)
    if found is None:
        return date
    month = "JAN FEB MAR APR MAY JUN JUL AUG SEP OCT NOV DEC".split().index(found[2]) + 1
    return f"{found[3]}-{month:02}-{int(found[1]):02} {found[4]}"


def _label(row: dict[str, Any]) -> str:
    from feeds.filing.examples import LABELS

    return next(name for name in LABELS if name in row)


def _shared_topic(name: str) -> str | None:
    folded = name.lower()
    for topic, words in {
        "sport": ("sport",),
        "business": ("business", "econom", "money"),
        "sci-tech": ("tech", "scien"),
        "world": ("world",),
    }.items():
        if any(word in folded for word in words):
            return topic
    return None


PARTS: dict[str, Callable[[], None]] = {
    "rules": rules,
    "agnews": agnews,
    "agnews-kept": agnews_kept,
    "bbc": bbc,
    "huffpost": huffpost,
    "reuters": reuters,
    "unseen": unseen,
}

if __name__ == "__main__":
    main()
