"""Examples → a model, with probabilities that were tested on texts held back. Pure; needs SciPy and scikit-learn.

Several machines score each text; what each is worth is learned from scores of texts that it had not seen, nor another
of their group, nor others of their days. Summed up they are one layer, and the texts most like the one asked.

Scores held back become probabilities, thresholds and cuts. What is fitted for that is small beside what it is fitted
on: one part for each machine, one offset for each section.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from msgspec import Struct
from msgspec.structs import replace
from scipy import sparse
from scipy.optimize import minimize
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import ComplementNB
from sklearn.svm import LinearSVC

from feeds.errors import DeskError
from feeds.filing.examples import Example, Trial, is_single
from feeds.filing.matrix import (
    Matrix,
    Table,
    common_words,
    neighbours_of,
    shares_held_back,
    table_of,
    telling_words,
    ways_written,
)
from feeds.filing.text_model import (
    AUTHORS,
    PAIRS,
    PRECISIONS,
    WORDS,
    Bools,
    Floats,
    Model,
    Rows,
    Thresholds,
    leaning,
    learned_authors,
    learned_words,
    no_neighbours,
)

LEAST_SUPPORT = 10
"""Filings held back on which a threshold must rest."""
WRONG = 0.03
"""Below this probability of its own section an example is taken to be in the wrong one."""
CAUTION = 1.0
"""How many standard errors below what was seen a precision is believed."""
TIE = 0.5
"""How firmly parts and offsets are held near 0: small sections are not given up, and few texts make nobody sure."""

Doubles = npt.NDArray[np.float64]


class Blend(Struct, frozen=True, kw_only=True):
    """Scores (a table for each machine) as probabilities: the sum of *parts* × scores + *offset*, a *doubt* spread.

    *parts* is machines × sections; *loss* the mean surprise at what was true, in nats a text.
    """

    parts: Floats
    offset: Floats
    doubt: float
    loss: float


def blend_exclusive(scores: Sequence[Floats], owner: Rows) -> Blend:
    """The blend for texts of one section each.

    Some examples are in the wrong section; those that are surely so must not make all others less sure. What is left
    of them is a doubt that no score takes away.
    """
    count = scores[0].shape[1]
    stacked = np.stack([table - table.mean(axis=1, keepdims=True) for table in scores]).astype(np.float64)
    scale = np.maximum(stacked.std(axis=(1, 2)), 1e-6)
    stacked /= scale[:, None, None]
    kept = np.ones(len(owner), bool)
    for _ in range(2):
        parts, offset = _steepest(stacked[:, kept], owner[kept])
        chance = _softmax(np.tensordot(parts, stacked, 1) + offset)[np.arange(len(owner)), owner]
        kept = chance > WRONG
        if len(np.unique(owner[kept])) < len(np.unique(owner)):
            break
    doubts = np.linspace(0, 0.2, 41)
    losses = [-np.log(np.maximum((1 - doubt) * chance + doubt / count, 1e-9)).mean() for doubt in doubts]
    best = int(np.argmin(losses))
    spread = np.repeat((parts / scale)[:, None], count, axis=1)
    return Blend(
        parts=spread.astype(np.float32),
        offset=offset.astype(np.float32),
        doubt=float(doubts[best]),
        loss=float(losses[best]),
    )


def blend_several(scores: Sequence[Floats], truth: Floats) -> Blend:
    """The blend for texts of several sections, each section by itself (Platt's way)."""
    count = truth.shape[1]
    parts, offset = np.zeros((len(scores), count), np.float32), np.zeros(count, np.float32)
    loss = 0.0
    for index in range(count):
        scored, true = np.stack([table[:, index] for table in scores], axis=1), truth[:, index] > 0
        fitted = LogisticRegression(C=10.0, max_iter=200).fit(scored, true)
        parts[:, index] = np.maximum(fitted.coef_[0], 0)
        parts[0, index] = max(parts[0, index], 1e-3)
        offset[index] = fitted.intercept_[0]
        raised = np.clip(scored @ parts[:, index] + offset[index], -30, 30)
        loss += float(np.log1p(np.exp(np.where(true, -raised, raised))).mean())
    return Blend(parts=parts, offset=offset, doubt=0.0, loss=loss)


def _steepest(stacked: Doubles, owner: Rows) -> tuple[Doubles, ...]:
    """The parts (none below 0) and offsets that make what was true likeliest."""
    machines, texts, sections = stacked.shape
    rows = np.arange(texts)

    def surprise(point: Doubles) -> tuple[float, Doubles]:
        parts, offset = point[:machines], point[machines:]
        chances = _softmax(np.tensordot(parts, stacked, 1) + offset)
        loss = -np.log(np.maximum(chances[rows, owner], 1e-12)).sum() + TIE * (point @ point)
        chances[rows, owner] -= 1
        slope = np.concatenate((np.tensordot(stacked, chances, 2), chances.sum(axis=0))) + 2 * TIE * point
        return loss / texts, slope / texts

    start = np.concatenate((np.ones(machines), np.zeros(sections)))
    bounds = [(0.0, None)] * machines + [(None, None)] * sections
    found = minimize(surprise, start, jac=True, method="L-BFGS-B", bounds=bounds, options={"maxiter": 200}).x
    return found[:machines], found[machines:]


def _softmax(raised: Doubles) -> Doubles:
    raised = np.exp(raised - raised.max(axis=1, keepdims=True))
    return np.asarray(raised / raised.sum(axis=1, keepdims=True))


def thresholds_of(chance: Floats, right: Floats) -> Thresholds:
    """For each of PRECISIONS the lowest probability from which filings were *right* so often, by a careful count.

    *chance* and *right* are of the texts held back that would be filed here, were every probability enough.
    """
    order = np.argsort(-chance, kind="stable")
    count = np.arange(1, len(order) + 1)
    share = np.cumsum(right[order]) / count
    # Wilson's lower bound: what is promised must hold for texts to come.
    squared = CAUTION**2
    spread = CAUTION * np.sqrt(share * (1 - share) / count + squared / (4 * count**2))
    believed = (share + squared / (2 * count) - spread) / (1 + squared / count)
    found: list[float | None] = []
    for wanted in PRECISIONS:
        enough = np.flatnonzero(believed >= wanted)
        last = int(enough[-1]) if len(enough) else -1
        found.append(float(chance[order[last]]) if last + 1 >= LEAST_SUPPORT else None)
    return tuple(found)


def strictest(views: Sequence[Thresholds]) -> Thresholds:
    """Of the thresholds of several views those that keep the promise in all of them."""
    found: list[float | None] = []
    for several in zip(*views, strict=True):
        held = [one for one in several if one is not None]
        found.append(max(held) if len(held) == len(several) else None)
    return tuple(found)


def cut_of(chances: Floats, truth: Floats) -> float:
    """The probability from which calling it this section gives the best balance of precision and recall (F1)."""
    order = np.argsort(-chances, kind="stable")
    hits = np.cumsum(truth[order])
    balance = 2 * hits / (np.arange(len(order)) + 1 + truth.sum())
    best = int(balance.argmax())
    following = chances[order[best + 1]] if best + 1 < len(order) else 0.0
    # Few examples choose badly: towards even odds where there are few.
    trust = truth.sum() / (truth.sum() + 10)
    return float(trust * (chances[order[best]] + following) / 2 + (1 - trust) * min(0.5, chances[order[best]]))


LEAST_SOURCES = 2
"""From so many sources on a section is tested on sources not seen."""
LATEST = 0.2
"""The share of the texts, the latest by date, on which those of days to come are tried."""
FEW = 3000


def views_of(examples: Sequence[Example], truth: Floats) -> list[list[Rows]]:
    """The ways to hold texts back: all by groups in some turns; where all have a date, the latest too, in one."""
    views = [_by_group(_groups(examples), truth)]
    days = [example.at for example in examples if example.at is not None]
    if len(days) == len(examples) and max(days) > min(days):
        latest = np.argsort(np.array(days), kind="stable")[int(len(days) * (1 - LATEST)) :]
        views.append([np.sort(latest)])
    return views


def _turns(texts: int) -> int:
    return 5 if texts < FEW else 3


def _groups(examples: Sequence[Example]) -> list[str]:
    """What must stay together in a test: an example's source where all its sections have several, else its group."""
    sources: dict[str, set[str]] = {}
    for example in examples:
        for section in example.sections:
            sources.setdefault(section, set()).add(example.source)
    return [
        f"source {example.source}"
        if example.source and all(len(sources[section]) >= LEAST_SOURCES for section in example.sections)
        else example.group or f"row {row}"
        for row, example in enumerate(examples)
    ]


def _by_group(grouped: Sequence[str], truth: Floats) -> list[Rows]:
    """Whole groups, and of every section about as many each time."""
    rows_of: dict[str, list[int]] = {}
    for row, group in enumerate(grouped):
        rows_of.setdefault(group, []).append(row)
    turns = _turns(len(grouped))
    sizes = np.zeros((turns, truth.shape[1]), np.float64)
    totals = np.zeros(turns)
    held: list[list[int]] = [[] for _ in range(turns)]
    dice = np.random.default_rng(0)
    groups = list(rows_of.values())
    dice.shuffle(groups)
    rarity = 1 / np.maximum(truth.sum(axis=0), 1)
    for rows in sorted(groups, key=len, reverse=True):
        mine = truth[rows].sum(axis=0)
        # Where what this group holds is scarcest so far; then where there is least of all.
        turn = int(np.lexsort((totals, sizes @ (mine * rarity)))[0])
        held[turn].extend(rows)
        sizes[turn] += mine
        totals[turn] += len(rows)
    return [np.array(sorted(rows), np.intp) for rows in held if rows]


SMOOTHING = 0.1
SCARCE = 8.0
"""How much more one text of a small section may count than one of the rest, at most."""


class Machine(Struct, frozen=True, kw_only=True):
    """A linear layer: *weights* (the first features × sections) and *intercept*."""

    weights: Floats
    intercept: Floats

    def scores(self, matrix: Matrix) -> Floats:
        """The scores of texts in each section."""
        return np.asarray(matrix[:, : len(self.weights)] @ self.weights + self.intercept, np.float32)


def machines_of(table: Table, matrix: Matrix, truth: Floats, single: bool) -> list[Machine]:
    """The machines learned from some rows of *table*, as *matrix*; naive Bayes only where sections exclude each other.

    One Bayes knows words and authors alone, which holds better for few and long texts, the other pairs too.
    """
    machines = [_vectors(matrix, truth) if table.senses is None else _with_senses(matrix, table.senses, truth)]
    if single:
        ends = np.cumsum([block.shape[1] for block in table.blocks])
        machines += [_bayes(matrix[:, : ends[block]], truth) for block in (AUTHORS, PAIRS)]
    return machines


def added_up(machines: list[Machine], parts: Sequence[Floats], features: int) -> Machine:
    """One layer that gives the sum of the scores of all, each times its part (one a section)."""
    weights = np.zeros((features, len(machines[0].intercept)), np.float32)
    intercept = np.zeros(weights.shape[1], np.float32)
    for machine, part in zip(machines, parts, strict=True):
        weights[: len(machine.weights)] += part * machine.weights
        intercept += part * machine.intercept
    return Machine(weights=weights, intercept=intercept)


def _vectors(matrix: Matrix, truth: Floats) -> Machine:
    texts, sections = truth.shape
    # Many short texts, some of them in the wrong section, want a softer margin than a few long ones.
    cost = 1 / (1 + texts / 8000)
    weights = np.zeros((matrix.shape[1], sections), np.float32)
    intercept = np.zeros(sections, np.float32)
    for index in range(sections):
        column = truth[:, index] > 0
        if not column.any() or column.all():
            intercept[index] = 1 if column.all() else -1
            continue
        scarce = float(np.clip(np.sqrt(texts / (2 * column.sum())), 1, SCARCE))
        machine = LinearSVC(C=cost, class_weight={True: scarce}, tol=1e-2, random_state=0, max_iter=2000)
        machine.fit(matrix, column)
        weights[:, index] = machine.coef_[0]
        intercept[index] = machine.intercept_[0]
    return Machine(weights=weights, intercept=intercept)


def _with_senses(matrix: Matrix, senses: Floats, truth: Floats) -> Machine:
    """`_vectors` that also see what the words of a text mean together: a sum over its words.

    So what they learn of that sum can be said of each word alone, of those too that no text here holds.
    """
    meant = np.asarray(matrix[:, : len(senses)] @ senses, np.float32)
    middle = meant.mean(axis=0)
    meant -= middle
    # Where all texts mean the same, what is left of them is nothing to be enlarged.
    scale = 1 / max(float(np.linalg.norm(meant, axis=1).mean()), float(np.linalg.norm(middle)) / 10, 1e-9)
    machine = _vectors(sparse.hstack([matrix, sparse.csr_matrix(meant * scale)], format="csr"), truth)
    weights, of_meaning = machine.weights[: matrix.shape[1]].copy(), machine.weights[matrix.shape[1] :] * scale
    weights[: len(senses)] += senses @ of_meaning
    return Machine(weights=weights, intercept=machine.intercept - middle @ of_meaning)


def _bayes(matrix: Matrix, truth: Floats) -> Machine:
    bayes = ComplementNB(alpha=SMOOTHING).fit(matrix, truth.argmax(axis=1))
    log = np.asarray(bayes.feature_log_prob_, np.float32)
    weights = np.zeros((matrix.shape[1], truth.shape[1]), np.float32)
    weights[:, bayes.classes_] = (log - log.mean(axis=0)).T
    weights[matrix.getnnz(axis=0) == 0] = 0  # of a word that no text holds it says how long each section's texts are
    return Machine(weights=weights, intercept=np.zeros(truth.shape[1], np.float32))


LEAST_EXAMPLES = 3
"""Sections with fewer are not learned."""
FAVOUR = 0.5
"""How much small sections are favoured where one must be chosen: chances are set against this power of their share."""
MOST_LANGUAGES = 3
UNSTATED = "en"
"""Of so many languages the common words are known; of this one where no example says its own."""
WORTH = 0.005
"""By which share neighbours must lessen the surprise, or the model is kept small and goes without."""


def learn(examples: Sequence[Example], *, facts: dict[str, Any] | None = None) -> tuple[Model, Trial]:
    """Learn from *examples*. Raises DeskError where there are fewer than two sections with enough of them."""
    sections = _sections(examples)
    single = is_single(examples)
    examples = _in_order(examples, sections if single else None)
    truth = _truth(examples, sections)
    tokens = tuple(tuple(learned_words(example.title, example.text)) for example in examples)
    table = _table(examples, tokens, len(sections))
    telling = telling_words(table.blocks[WORDS])
    views = views_of(examples, truth)
    truths = [truth[_rows(view)] for view in views]
    held = [_held_back(table, telling, truth, single, view) for view in views]
    blend = _blend(held, np.concatenate(truths), single)
    *parts, near = blend.parts
    layer = added_up(machines_of(table, table.rows(), truth, single), parts, len(table.numbers))
    blank = Model(
        sections=sections,
        single=single,
        numbers=table.numbers,
        idf=table.idf.astype(np.float16),
        weights=layer.weights.astype(np.float16),
        intercept=layer.intercept,
        slope=np.ones(len(sections), np.float32),
        lean=near,
        offset=blend.offset,
        doubt=blend.doubt,
        neighbours=neighbours_of(telling, truth) if near.any() else no_neighbours(),
        facts={"articles": len(examples), **(facts or {})},
    )
    seen = [_chances(blank, scores, blend) for scores in held]
    cuts = _cuts(truth, seen[0], single)
    called = [_called(chances, np.asarray(cuts, np.float32), single) for chances in seen]
    model = replace(blank, cuts=cuts, thresholds=_thresholds(sections, seen, called, truths, single))
    return model, Trial(examples=tuple(examples), truth=truth, chances=seen[0], called=called[0], tokens=tokens)


def _in_order(examples: Sequence[Example], sections: Sequence[str] | None) -> list[Example]:
    """Those of *examples* that are in *sections*, or all, by date: of too many, the latest are kept as neighbours."""
    kept = [example for example in examples if sections is None or example.sections[0] in sections]
    return sorted(kept, key=lambda example: example.at or 0)


def _table(examples: Sequence[Example], tokens: Sequence[Sequence[str]], sections: int) -> Table:
    authors = [learned_authors(example.authors) for example in examples]
    written = ways_written(text for example in examples for text in (example.title, example.text))
    return table_of(tokens, authors, sections, common=common_words(_spoken(examples)), written=written)


def _cuts(truth: Floats, chances: Floats, single: bool) -> tuple[float, ...]:
    if single:
        return tuple(float(share**FAVOUR) for share in truth.mean(axis=0))
    return tuple(cut_of(chances[:, index], truth[:, index]) for index in range(truth.shape[1]))


def _spoken(examples: Sequence[Example]) -> list[str]:
    """The languages that most examples are in."""
    counts = Counter(example.language.partition("-")[0].lower() for example in examples if example.language)
    return [language for language, _ in counts.most_common(MOST_LANGUAGES)] or [UNSTATED]


def _sections(examples: Sequence[Example]) -> tuple[str, ...]:
    counts = Counter(section for example in examples for section in example.sections)
    sections = tuple(sorted(section for section, count in counts.items() if count >= LEAST_EXAMPLES))
    if len(sections) < 2:
        raise DeskError(
            f"{len(sections)} sections have {LEAST_EXAMPLES} articles or more, and it takes two to tell them apart",
            remedy="let rules file more first, or give labelled files",
        )
    return sections


def _truth(examples: Sequence[Example], sections: tuple[str, ...]) -> Floats:
    place = {section: index for index, section in enumerate(sections)}
    truth = np.zeros((len(examples), len(sections)), np.float32)
    for row, example in enumerate(examples):
        for section in example.sections:
            if section in place:
                truth[row, place[section]] = 1
    return truth


def _held_back(table: Table, telling: Any, truth: Floats, single: bool, folds: list[Rows]) -> list[Floats]:
    """The scores of each machine, and last what neighbours say, each text of *folds* scored by what had not seen it."""
    scores: list[Floats] = []
    rows = _rows(folds)
    for test in folds:
        rest = np.setdiff1d(np.arange(len(truth)), test)
        unseen = table.unseen(rest, test)
        for number, machine in enumerate(machines_of(table, table.rows(rest), truth[rest], single)):
            if number == len(scores):
                scores.append(np.zeros(truth.shape, np.float32))
            scores[number][test] = machine.scores(unseen)
    return [table[rows] for table in (*scores, leaning(shares_held_back(telling, truth, folds)))]


def _rows(folds: list[Rows]) -> Rows:
    return np.sort(np.concatenate(folds))


def _blend(held: list[list[Floats]], true: Floats, single: bool) -> Blend:
    """What the scores of all views are worth together; neighbours have no part where they are worth little."""
    *machines, near = [np.concatenate(several) for several in zip(*held, strict=True)]

    def blended(scores: list[Floats]) -> Blend:
        return blend_exclusive(scores, true.argmax(axis=1)) if single else blend_several(scores, true)

    alone, together = blended(machines), blended([*machines, near])
    if together.loss < (1 - WORTH) * alone.loss:
        return together
    return replace(alone, parts=np.vstack((alone.parts, np.zeros(true.shape[1], np.float32))))


def _chances(model: Model, scores: list[Floats], blend: Blend) -> Floats:
    *machines, near = scores
    total = sum(part * table for part, table in zip(blend.parts[: len(machines)], machines, strict=True))
    return model.probabilities(np.asarray(total, np.float32), near)


def _called(chances: Floats, cuts: Floats, single: bool) -> Bools:
    if not single:
        return np.asarray(chances >= cuts)
    called = np.zeros(chances.shape, bool)
    called[np.arange(len(chances)), (chances / cuts).argmax(axis=1)] = True
    return called


def _thresholds(
    sections: tuple[str, ...],
    seen: list[Floats],
    called: list[Bools],
    truths: list[Floats],
    single: bool,
) -> dict[str, Thresholds]:
    found = {}
    for index, section in enumerate(sections):
        views: list[Thresholds] = []
        for chances, calls, truth in zip(seen, called, truths, strict=True):
            rows = calls[:, index] if single else np.ones(len(truth), bool)
            if views and rows.sum() < LEAST_SUPPORT:
                continue  # too few of late to say anything
            views.append(thresholds_of(chances[rows, index], truth[rows, index]))
        found[section] = strictest(views)
    return found
