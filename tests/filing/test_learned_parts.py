"""What the learned classifier is made of: features, neighbours, thresholds, and the figures about them."""

from __future__ import annotations

import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some
from msgspec.structs import replace

pytest.importorskip("sklearn", reason="learning needs scikit-learn (requirements-learn.txt)")

from feeds.filing.examples import Example, calibration_error, coverage_at, report_of
from feeds.filing.matrix import (
    neighbours_of,
    senses_of,
    shares_held_back,
    table_of,
    telling_words,
    ways_written,
)
from feeds.filing.text_model import (
    BITS,
    BLOCKS,
    PRECISIONS,
    features,
    learned_authors,
    learned_words,
    model_from_bytes,
    model_to_bytes,
    word_numbers,
)
from feeds.filing.training import learn, machines_of, strictest, thresholds_of
from tests.filing.made_up import COMMON, TOPICS, texts


@settings(deadline=None)
@given(some.lists(some.text(min_size=1, max_size=12), max_size=40))
def test_features_are_numbered_in_order_and_counted(told: list[str]) -> None:
    numbers, counts = features(told, told[:2])
    assert (np.diff(numbers) > 0).all()
    assert len(numbers) == len(counts) and (counts >= 1).all()
    assert not len(numbers) or numbers[-1] < BLOCKS << BITS


def test_words_run_together_are_parted() -> None:
    assert learned_words("", "Up for sale on ebayThe midfielder") == "up for sale on ebay the midfielder".split()


@pytest.mark.usefixtures("without_senses")
def test_authors_are_learned_from_and_agencies_are_none() -> None:
    assert learned_authors(["Ann Lee", "Reuters Staff", "AP", "ann lee"]) == ["ann lee"]
    made = [replace(one, title="", text=" ".join(COMMON), authors=(f"Ann {one.sections[0]}",)) for one in texts(90)]
    model, _ = learn(made)
    assert model.decide("", "village week", ("Ann Land",))[0][0] == "land"
    assert model.guess("", "village week", ("Ann Land",)) != model.guess("", "village week", ("AP",))
    assert model.guess("", "village week", ("AP",)) == model.guess("", "village week")


# ------------------------------------------------------------ senses


WATER = """ferry harbour tide mole anchor crew rope gull lighthouse sailor deck cargo fisherman boat captain pier sail
ship vessel wave shore port island beach ocean coast navy yacht""".split()
FIELDS = """tractor barley orchard cattle harvest plough meadow barn farmer seed soil fence pasture oats corn hay sheep
cow rye fields crops rural farm farming grain livestock dairy""".split()


def of_two_topics(language: str = "") -> list[Example]:
    dice = random.Random(1)
    made = []
    for number in range(200):
        topic, told = ("sea", WATER) if number % 2 else ("land", FIELDS)
        text = " ".join(dice.sample(told, 2) + dice.sample(COMMON, 6))
        made.append(Example(title="", text=text, sections=(topic,), group=str(number), language=language))
    return made


def test_words_that_training_never_shows_are_known_by_their_sense() -> None:
    asked = {"submarine": "sea", "fishermen": "sea", "wheat": "land", "vineyard": "land"}
    model, _ = learn(of_two_topics())
    assert {word: model.decide("", word)[0][0] for word in asked} == asked
    assert model.telling("sea", "", "a submarine came")[0][0] == "submarine"
    dutch, _ = learn(of_two_topics("nl-BE"))
    assert dutch.word_rows(["visserij"])[0] >= 0 > model.word_rows(["visserij"])[0]


@pytest.mark.usefixtures("without_senses")
def test_without_senses_what_was_shown_is_learned_all_the_same() -> None:
    asked = ["submarine", "fishermen", "wheat", "vineyard"]
    model, _ = learn(of_two_topics())
    assert model.word_rows(asked).tolist() == [-1, -1, -1, -1]
    assert model.decide("", "ferry and wave")[0][0] == "sea"


def test_a_sense_is_that_of_how_a_word_is_written() -> None:
    fruit, maker = (senses_of(["apple"], ways_written([text])) for text in ("an apple, another apple", "Apple, Apple"))
    either = senses_of(["apple"], {})
    assert fruit is not None and maker is not None and either is not None
    assert np.linalg.norm(fruit - either) > 0.1 < np.linalg.norm(maker - either)
    assert np.allclose((fruit + maker) / 2, either, atol=1e-5)


def test_texts_that_mean_the_same_tell_nothing_by_it() -> None:
    machine = machines_of(
        table := table_of([["tide", "mole"]] * 6, [[]] * 6, 2), table.rows(), np.eye(2)[[0, 1] * 3], True
    )
    assert np.abs(machine[0].scores(table.rows())).max() < 1e-3


def test_held_back_texts_lack_the_words_that_were_not_met() -> None:
    table = table_of([["tide", "qqmole"], ["tide"]], [[], []], 2, common=["harbour"])
    assert word_numbers(["harbour"])[0] in table.numbers
    (row,) = table.unseen(np.array([1]), np.array([0])).toarray()
    told = {word: row[np.searchsorted(table.numbers, word_numbers([word])[0])] for word in ("tide", "qqmole")}
    assert told["qqmole"] == 0 < told["tide"]
    (row,) = table.unseen(np.array([0]), np.array([0])).toarray()
    assert row[np.searchsorted(table.numbers, word_numbers(["qqmole"])[0])] > 0


# ------------------------------------------------------------ neighbours


def test_a_text_is_near_those_that_share_its_rare_words() -> None:
    told = [["tide", "mole"], ["tide", "rope"], ["barn", "soil"], ["mole"]]
    table = table_of(told, [[]] * 4, 2)
    truth = np.array([[1, 0], [1, 0], [0, 1], [1, 1]], np.float32)
    telling = telling_words(table.blocks[0])
    near = neighbours_of(telling, truth)
    assert near.fits(len(table.numbers), 2)
    barn = int(np.searchsorted(table.numbers, word_numbers(["barn"])[0]))
    shares = near.shares(np.array([barn], np.int32), np.ones(1, np.float32), 2)
    assert shares.tolist() == [0, 1]
    mole = int(np.searchsorted(table.numbers, word_numbers(["mole"])[0]))
    shares = near.shares(np.array([mole], np.int32), np.ones(1, np.float32), 2)
    assert shares[0] == pytest.approx(1) and 0 < shares[1] < 1, "a text in two sections speaks for both"
    held = shares_held_back(telling, truth, [np.array([0, 2]), np.array([1, 3])])
    assert held[2].tolist() == [0, 0], "nothing that is not held back shares a word with it"
    assert held[0].tolist() == pytest.approx(near_by_hand(telling.toarray(), truth, row=0, rest=[1, 3]), abs=1e-6)


def near_by_hand(telling: np.ndarray, truth: np.ndarray, row: int, rest: list[int]) -> list[float]:
    likeness = (telling[rest] @ telling[row]) ** 2
    return list(likeness @ truth[rest] / likeness.sum())


@pytest.mark.usefixtures("without_senses")
def test_stories_that_go_on_are_filed_by_the_texts_near() -> None:
    # A story is who and where together; either alone stands in stories of other sections.
    dice = random.Random(7)
    made = []
    stories = [(f"who{dice.randrange(40)}", f"where{dice.randrange(40)}") for _ in range(100)]
    sections = dice.choices(sorted(TOPICS), k=len(stories))
    for number in range(500):
        who, where = stories[number % 100]
        told = " ".join([who, *dice.choices(COMMON, k=4), where, *dice.choices(COMMON, k=4)])
        made.append(Example(title="", text=told, sections=(sections[number % 100],), group=str(number)))
    model, trial = learn(made)
    assert len(model.neighbours.texts) and (model.lean > 0).all()
    assert report_of(model, trial).right > 0.8
    assert model_from_bytes(model_to_bytes(model)).guess("", made[0].text) == model.guess("", made[0].text)


# ------------------------------------------------------------ thresholds


def test_thresholds_by_hand() -> None:
    chance = np.linspace(1, 0.5, 100, dtype=np.float32)
    right = np.ones(100, np.float32)
    right[60:] = 0
    found = dict(zip(PRECISIONS, thresholds_of(chance, right), strict=True))
    # 60 right of 60 are believed to be 60 of 61; of 70, 60 are right, and believed a standard error less.
    assert found[0.98] == pytest.approx(chance[60 - 1], abs=0.01)
    assert found[0.99] is None
    assert found[0.85] is not None and chance[70] < found[0.85] <= chance[60 - 1]
    assert strictest([(0.5, 0.6, None), (0.7, 0.5, 0.9)]) == (0.7, 0.6, None)


@pytest.mark.usefixtures("without_senses")
def test_what_drifts_is_tested_on_other_days() -> None:
    # The words that tell sections apart change each day, so that within a day all is easy and the next day nothing.
    dice = random.Random(5)
    made = []
    for number in range(500):
        day, name = number // 100, dice.choice(sorted(TOPICS))
        told = " ".join([TOPICS[name][day]] * 2 + dice.choices(COMMON, k=8))
        made.append(Example(title="", text=told, sections=(name,), group=str(number), at=float(day)))
    timeless, _ = learn([replace(one, at=None) for one in made])
    dated, _ = learn(made)
    assert timeless.threshold("sea", 0.9) is not None
    assert dated.threshold("sea", 0.9) is None


def test_coverage_and_calibration_by_hand() -> None:
    sure = np.array([0.99, 0.9, 0.8, 0.7])
    right = np.array([True, True, False, True])
    assert coverage_at(sure, right, 0.95) == 0.5
    assert coverage_at(sure, right, 0.7) == 1.0
    assert coverage_at(sure, ~right, 0.95) == 0
    assert calibration_error(np.array([0.5, 0.5]), np.array([True, False]), bins=1) == 0
