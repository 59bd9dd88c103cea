"""The learned model: a text → sections with probabilities, and the words that told. Pure; needs numpy alone.

One linear layer over features of a text, and the texts of training that are most like the one asked. What a probability
is worth was measured when it was learned, on texts held back: each section has the probability from which its filings
were right as often as an admin may want.

Features are words, pairs of words, the letters within words, authors. They are numbered by hashing, so that there is no
vocabulary to keep and training and asking see the same. Four blocks, each of its own length: words say what a text is
about, pairs what they mean together, letters bridge inflection and compounds in every language with letters, and who
writes mostly writes about the same.
"""

from __future__ import annotations

import io
import json
import re
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt
import xxhash
from msgspec import Struct, field

from feeds.errors import DeskError
from feeds.text import agencies, words

_AGENCIES = frozenset(name.replace(" ", ".") for name in agencies("m"))
"""Names as credits have them, folded, with dots for blanks."""

_BRACKETS = re.compile(r"\(([^()]{2,60})\)")
_OPENING = re.compile(
    r"(?:(?<=[.!?\n])|(?<=  )|^)\s*([A-Z][\w.'-]*(?: [A-Z][\w.'-]*){0,3}) ?(?:--?|–|—|:) ", re.MULTILINE
)
_BYLINE = re.compile(r"\b(?:By|BY|Copyright(?: \d{4})?|Source|©|\(c\)):? ?([A-Z][\w.'-]*(?: [A-Z][\w.'-]*){0,3})")
_CLOSING = re.compile(r"(?:--?|–|—) ?([A-Z][\w.'-]*(?: [A-Z][\w.'-]*){0,3})\s*$", re.MULTILINE)
_PLAIN = re.compile(r"\b(?:Reuters|REUTERS|AFP|UPI|Xinhua(?:net)?|Interfax|AFX|AP|DPA|ITAR-TASS)\b")
_STAFF = re.compile(r"^\s*by\s|\s(?:staff|editors?|newsroom|reporters?)\s*$", re.IGNORECASE)
_PARTS = re.compile(r"\s*[/,;|]\s*|\s+-\s+")


def without_leftovers(text: str) -> str:
    """*text* without the credits of agencies; a dateline keeps its place.

    >>> without_leftovers("Oil up. LONDON (Reuters) - Oil rose."), without_leftovers("AFP - Two ships met.")
    ('Oil up. LONDON   - Oil rose.', ' Two ships met.')
    >>> without_leftovers("It rained, a witness told Reuters (photos).")
    'It rained, a witness told   (photos).'
    """
    if "(" in text:
        text = _BRACKETS.sub(_without, text)
    text = _OPENING.sub(_without, text)
    text = _BYLINE.sub(_without, text)
    text = _CLOSING.sub(_without, text)
    return _PLAIN.sub(" ", text)


def is_agency(name: str) -> bool:
    """Whether *name* as a byline has it is an agency's, or its staff's, and no person's.

    >>> is_agency("Reuters Staff"), is_agency("By AP"), is_agency("Ann Reuter")
    (True, True, False)
    """
    return _credits(_STAFF.sub("", name))


def _without(match: re.Match[str]) -> str:
    parts = _PARTS.split(match[1].strip())
    return " " if all(_credits(part) for part in parts) else match[0]


def _credits(name: str) -> bool:
    return ".".join(name.strip(" .").lower().split()) in _AGENCIES


BITS = 22
WORDS, AUTHORS, PAIRS, LETTERS = range(4)
LENGTHS = (0.8, 0.7, 0.8, 1.0)
"""The blocks, and how much each counts: words with pairs somewhat more than letters."""
BLOCKS = len(LENGTHS)
MOST_WORDS = 600
MOST_LETTERS = 1800
"""How much of a text is looked at: what it is about stands in its beginning, and asking has a millisecond."""

_RUNS = (3, 4, 5)
_MOST_AUTHORS = 8
# Where the end of a title or a block was lost: "on ebayThe midfielder". Names such as PeopleSoft part alike everywhere.
_JOINED = re.compile(r"(?<=[a-z])(?=[A-Z][a-z])")
_SHIFT = np.uint64(64 - BITS)
_TURN = np.uint64(0x9E3779B97F4A7C15)
_MIX = np.uint64(0xBF58476D1CE4E5B9)
_HALF = np.uint64(29)
_BLANK = np.uint64(32)

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int32]
Rows = npt.NDArray[np.intp]
Bools = npt.NDArray[np.bool_]
Thresholds = tuple[float | None, ...]
"""One for each of PRECISIONS: the probability from which filings were right so often, None where they never were."""
_Hashes = npt.NDArray[np.uint64]


def learned_words(title: str, text: str) -> list[str]:
    """The words that are learned from: folded, without agencies' marks. A title that the text repeats counts once."""
    body = text if not title or text.startswith(title) else f"{title}\n{text}"
    return words(_JOINED.sub(" ", without_leftovers(body[: 12 * MOST_WORDS])))[:MOST_WORDS]


def learned_authors(names: Iterable[str]) -> list[str]:
    """Authors as they are learned from: folded, agencies and their staff left out."""
    folded = (" ".join(words(name)) for name in names if not is_agency(name))
    return [name for name in dict.fromkeys(folded) if name][:_MOST_AUTHORS]


def features(tokens: Sequence[str], authors: Sequence[str] = ()) -> tuple[Ints, Floats]:
    """The numbers of a text's features, ascending, so block by block; and how much the count of each says."""
    single = _hashes(tokens)
    blocks = (single, _hashes(authors), _mixed(single[:-1] * _TURN + single[1:]), _of_letters(tokens))
    numbers = np.concatenate([(hashes >> _SHIFT) + np.uint64(block << BITS) for block, hashes in enumerate(blocks)])
    found, counts = np.unique(numbers.astype(np.int32), return_counts=True)
    return found, (1.0 + np.log(counts)).astype(np.float32)


def word_numbers(tokens: Sequence[str]) -> Ints:
    """The feature number of each single word."""
    return (_hashes(tokens) >> _SHIFT).astype(np.int32)


def _of_letters(tokens: Sequence[str]) -> _Hashes:
    spelled = f" {' '.join(tokens)} "[:MOST_LETTERS]
    letters = np.frombuffer(spelled.encode("utf-32-le", "surrogatepass"), np.uint32).astype(np.uint64)
    blank = letters == _BLANK
    found = []
    run = letters
    for length in range(2, _RUNS[-1] + 1):
        if len(run) < 2:
            break
        run = run[:-1] * _TURN + letters[length - 1 :]
        if length >= _RUNS[0]:
            # Runs may begin or end at a word's edge, but not cross into another word.
            across = np.zeros(len(run), bool)
            for inner in range(1, length - 1):
                across |= blank[inner : inner + len(run)]
            found.append(_mixed(run[~across] + np.uint64(length)))
    return np.concatenate(found) if found else np.empty(0, np.uint64)


def _hashes(tokens: Sequence[str]) -> _Hashes:
    return np.fromiter(map(_hash, tokens), np.uint64, len(tokens))


@lru_cache(maxsize=200_000)
def _hash(word: str) -> int:
    return xxhash.xxh3_64_intdigest(word.encode("utf-8", "surrogatepass"))


def _mixed(hashes: _Hashes) -> _Hashes:
    hashes = (hashes ^ (hashes >> _HALF)) * _MIX
    return hashes ^ (hashes >> np.uint64(32))


NEAREST = 15
SHARPNESS = 2
"""How many texts are asked, and to which power their likeness counts."""
COMMON = 0.05
"""A word of more than this share of all texts brings none near."""
MOST_TEXTS = 40_000
NEAR_WORDS = 40
"""So many words of a text of training bring it near, those that weigh most."""
LEAST_SHARE = 0.01
"""What a section has where no text near is filed in it."""


class Neighbours(Struct, frozen=True, kw_only=True):
    """Texts of training by the words that they share with another.

    *words* are rows of the model's features, ascending; that at i stands in `texts[starts[i]:starts[i + 1]]`, as
    strong as *strengths* of 255. Text t is filed in the sections `filed[firsts[t]:firsts[t + 1]]`.
    """

    words: Ints
    starts: Ints
    texts: Ints
    strengths: npt.NDArray[np.uint8]
    firsts: Ints
    filed: npt.NDArray[np.int16]

    def shares(self, rows: Ints, values: Floats, sections: int) -> Floats:
        """For each section the share, of the texts most like that of *rows* with *values*, that is filed there."""
        found = np.zeros(sections, np.float32)
        texts = len(self.firsts) - 1
        if not len(self.words) or not len(rows):
            return found
        at = np.minimum(np.searchsorted(self.words, rows), len(self.words) - 1)
        known = np.flatnonzero(self.words[at] == rows)
        if not len(known):
            return found
        spans = list(zip(self.starts[at[known]].tolist(), self.starts[at[known] + 1].tolist(), strict=True))
        likeness = np.bincount(
            np.concatenate([self.texts[first:last] for first, last in spans]),
            np.concatenate([self.strengths[a:b] * value for (a, b), value in zip(spans, values[known], strict=True)]),
            minlength=texts,
        )
        near = np.argpartition(-likeness, NEAREST)[:NEAREST] if texts > NEAREST else np.arange(texts)
        weights = likeness[near] ** SHARPNESS
        several = self.firsts[near + 1] - self.firsts[near]
        # Of the sections of each text near: where its run begins, and the steps within it.
        begin = np.repeat(self.firsts[near] - np.cumsum(several) + several, several)
        filed = self.filed[begin + np.arange(len(begin))]
        total = weights.sum()
        return np.bincount(filed, np.repeat(weights, several), sections).astype(np.float32) / np.float32(total or 1)

    def fits(self, features: int, sections: int) -> bool:
        """Whether every number in it means something in a model of so many *features* and *sections*."""
        arrays = {name: getattr(self, name) for name in _NEAR}
        return (
            all((array.dtype, array.ndim) == (_NEAR[name], 1) for name, array in arrays.items())
            and len(self.starts) == len(self.words) + 1
            and len(self.texts) == len(self.strengths)
            and _runs_of(self.starts, len(self.texts))
            and _runs_of(self.firsts, len(self.filed))
            and _ascend(self.words, features)
            and _within(self.texts, len(self.firsts) - 1)
            and _within(self.filed, sections)
        )


def no_neighbours() -> Neighbours:
    """None, for a model that does as well without."""
    none, zero = np.empty(0, np.int32), np.zeros(1, np.int32)
    return Neighbours(
        words=none,
        starts=zero,
        texts=none,
        strengths=none.astype(np.uint8),
        firsts=zero,
        filed=none.astype(np.int16),
    )


def leaning(shares: Floats) -> Floats:
    """Shares on the scale of scores."""
    return np.asarray(np.log(shares + np.float32(LEAST_SHARE)), np.float32)


def _runs_of(starts: Ints, length: int) -> bool:
    """Whether *starts* cut something of *length* into runs."""
    return len(starts) > 0 and starts[0] == 0 and starts[-1] == length and bool((np.diff(starts) >= 0).all())


def _ascend(numbers: Ints, limit: int) -> bool:
    return _within(numbers, limit) and bool((np.diff(numbers) > 0).all())


def _within(numbers: npt.NDArray[np.signedinteger], limit: int) -> bool:
    return not len(numbers) or (int(numbers.min()) >= 0 and int(numbers.max()) < limit)


FORM = 2
"""Of the file; raised when a release changes its meaning, or that of the features."""
PRECISIONS = (0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.925, 0.95, 0.96, 0.97, 0.98, 0.985, 0.99, 0.995, 0.999)
"""The precisions for which a threshold is kept; one between two takes the stricter."""
MOST_BYTES = 256 << 20
FLOOR = 0.5
"""What no filing falls below: more likely right than wrong."""
FLOOR_ERRORS = 3.0
"""How many times as likely to be wrong as promised of all filings together a single one may be."""
_TELLING = 5


class Model(Struct, frozen=True, kw_only=True):
    """What was learned. *single*: every text was in one section alone, so the probabilities of a text sum to 1.

    *numbers* are the features kept, ascending, over all blocks; *idf* and *weights* (features × sections) are theirs.
    A score times *slope*, and what *neighbours* say times *lean*, becomes a probability: with all others where
    *single*, else each for itself.
    """

    sections: tuple[str, ...]
    single: bool
    numbers: Ints
    idf: npt.NDArray[np.float16]
    weights: npt.NDArray[np.float16]
    intercept: Floats
    slope: Floats
    lean: Floats
    offset: Floats
    doubt: float  # what no score takes away, spread evenly: some examples were in the wrong section
    neighbours: Neighbours
    # By section, one for each of PRECISIONS; and what its probability is set against where it must be decided.
    thresholds: Mapping[str, Thresholds] = field(default_factory=dict)
    cuts: tuple[float, ...] = ()
    facts: Mapping[str, Any] = field(default_factory=dict)  # when and of what it was learned, for people

    def threshold(self, section: str, precision: float) -> float | None:
        """The probability that it takes to be filed in *section*; None where filings were never right so often.

        The one from which they were right at least so often, and never below the `floor`.
        """
        known = zip(PRECISIONS, self.thresholds.get(section, ()), strict=False)
        held = next((held for wanted, held in known if wanted >= precision - 1e-9), None)
        return None if held is None else max(held, self.floor(precision))

    @staticmethod
    def floor(precision: float) -> float:
        """The least probability of a single filing where *precision* of all are to be right.

        The precision is a mean, which sure filings raise for doubtful ones; each must stand by itself too.

        >>> [round(Model.floor(precision), 2) for precision in (0.5, 0.8, 0.9, 0.95, 0.99)]
        [0.5, 0.5, 0.7, 0.85, 0.97]
        """
        return max(FLOOR, 1 - FLOOR_ERRORS * (1 - precision))

    def guess(self, title: str, text: str = "", authors: Sequence[str] = ()) -> list[tuple[str, float]]:
        """Every section with its probability, the likeliest first; none for a text without a known word."""
        chances = self._chances(title, text, authors)
        return [] if chances is None else self._named(chances, np.argsort(-chances, kind="stable"))

    def decide(self, title: str, text: str = "", authors: Sequence[str] = ()) -> list[tuple[str, float]]:
        """The sections that the model would call a text, with their probabilities, however low.

        One where they exclude each other, small sections a little favoured, so that they are not crowded out; else
        every one above its cut, which may be none.
        """
        chances = self._chances(title, text, authors)
        if chances is None:
            return []
        if self.single:
            return self._named(chances, [(chances / np.asarray(self.cuts)).argmax()])
        likeliest = np.argsort(-chances, kind="stable")
        return self._named(chances, [index for index in likeliest if chances[index] >= self.cuts[index]])

    def _named(self, chances: Floats, chosen: Iterable[Any]) -> list[tuple[str, float]]:
        return [(self.sections[index], float(chances[index])) for index in chosen]

    def probabilities(self, scores: Floats, near: Floats) -> Floats:
        """Scores, and what neighbours say (both texts × sections), as probabilities."""
        raised = scores * self.slope + near * self.lean + self.offset
        if self.single:
            raised = np.exp(raised - raised.max(axis=1, keepdims=True))
            chances = raised / raised.sum(axis=1, keepdims=True)
            return np.asarray((1 - self.doubt) * chances + self.doubt / len(self.sections), np.float32)
        return np.asarray(1.0 / (1.0 + np.exp(-np.clip(raised, -30, 30))), np.float32)

    def telling(self, section: str, title: str, text: str = "") -> tuple[tuple[str, float], ...]:
        """The words of a text that speak most for *section*, with their weight against the other sections."""
        if section not in self.sections:
            return ()
        index = self.sections.index(section)
        words = list(dict.fromkeys(learned_words(title, text)))
        weighed = []
        for word, place in zip(words, self.word_rows(words), strict=True):
            if place < 0 or len(word) < 2:
                continue
            row = self.weights[place].astype(np.float32)
            others = (row.sum() - row[index]) / max(len(row) - 1, 1) if self.single else 0.0
            weight = float((row[index] - others) * self.idf[place])
            if weight > 0:
                weighed.append((word, round(weight, 2)))
        return tuple(sorted(weighed, key=lambda one: (-one[1], one[0]))[:_TELLING])

    def word_rows(self, words: Sequence[str]) -> Ints:
        """The row of each word, -1 for those that are not kept."""
        return self._rows(word_numbers(words))

    def _chances(self, title: str, text: str, authors: Sequence[str]) -> Floats | None:
        numbers, counts = features(learned_words(title, text), learned_authors(authors))
        rows = self._rows(numbers)
        kept = rows >= 0
        rows = rows[kept]
        if not len(rows):
            return None
        values = counts[kept] * self.idf[rows]
        block = numbers[kept] >> BITS
        lengths = np.maximum(np.sqrt(np.bincount(block, values * values, BLOCKS)), 1e-9)
        scaled = (values * (np.array(LENGTHS) / lengths)[block]).astype(np.float32)
        total = scaled @ self.weights[rows].astype(np.float32) + self.intercept
        words = int(np.searchsorted(block, WORDS + 1))
        shares = self.neighbours.shares(rows[:words], values[:words] / lengths[WORDS], len(self.sections))
        return np.asarray(self.probabilities(total[None, :], leaning(shares)[None, :])[0])

    def _rows(self, numbers: Ints) -> Ints:
        """The row of each feature number, -1 for those that are not kept."""
        if not len(self.numbers):
            return np.full(len(numbers), -1, np.int32)
        rows = np.minimum(np.searchsorted(self.numbers, numbers), len(self.numbers) - 1).astype(np.int32)
        return np.where(self.numbers[rows] == numbers, rows, np.int32(-1))


_ARRAYS: dict[str, tuple[type, tuple[str, ...]]] = {
    "numbers": (np.int32, ("features",)),
    "idf": (np.float16, ("features",)),
    "weights": (np.float16, ("features", "sections")),
    "intercept": (np.float32, ("sections",)),
    "slope": (np.float32, ("sections",)),
    "lean": (np.float32, ("sections",)),
    "offset": (np.float32, ("sections",)),
}
"""The arrays of the file, and what they are of."""
_NEAR: dict[str, type] = {
    "words": np.int32,
    "starts": np.int32,
    "texts": np.int32,
    "strengths": np.uint8,
    "firsts": np.int32,
    "filed": np.int16,
}


def model_to_bytes(model: Model) -> bytes:
    """*model* as a file: a zip of plain arrays and a JSON text, nothing that could run."""
    values = {
        "form": FORM,
        "bits": BITS,
        "sections": model.sections,
        "single": model.single,
        "doubt": model.doubt,
        "precisions": PRECISIONS,
        "thresholds": model.thresholds,
        "cuts": model.cuts,
        "facts": model.facts,
    }
    out = io.BytesIO()
    text = np.frombuffer(json.dumps(values, ensure_ascii=False).encode(), np.uint8)
    arrays = {name: getattr(model, name) for name in _ARRAYS}
    arrays |= {f"near_{name}": getattr(model.neighbours, name) for name in _NEAR}
    np.savez_compressed(out, told=text, **arrays)
    return out.getvalue()


def model_from_bytes(body: bytes) -> Model:
    """The model that `model_to_bytes` was given. Raises DeskError for anything else, whatever it holds."""
    try:
        with zipfile.ZipFile(io.BytesIO(body)) as packed:
            if sum(member.file_size for member in packed.infolist()) > MOST_BYTES:
                raise ValueError("too large")
        with np.load(io.BytesIO(body), allow_pickle=False) as arrays:
            values = json.loads(arrays["told"].tobytes())
            if values["form"] != FORM or values["bits"] != BITS or tuple(values["precisions"]) != PRECISIONS:
                raise ValueError("of another release")
            model = Model(
                sections=tuple(map(str, values["sections"])),
                single=bool(values["single"]),
                doubt=float(values["doubt"]),
                neighbours=Neighbours(**{name: arrays[f"near_{name}"] for name in _NEAR}),
                thresholds={str(path): tuple(map(_number, known)) for path, known in values["thresholds"].items()},
                cuts=tuple(map(float, values["cuts"])),
                facts=dict(values["facts"]),
                **{name: arrays[name] for name in _ARRAYS},
            )
        _check_arrays(model)
        _check_values(model)
    except Exception as error:  # numpy and zipfile stumble over wild bytes in more ways than they name
        raise DeskError(f"the learned model can't be read: {error}", remedy="run `wiredesk learn` again") from error
    return model


def _number(value: Any) -> float | None:
    return None if value is None else float(value)


def _check_arrays(model: Model) -> None:
    """Raise ValueError where arrays are not what they should be, or do not fit together."""
    sizes = {"features": len(model.numbers), "sections": len(model.sections)}
    for name, (kind, of) in _ARRAYS.items():
        array = getattr(model, name)
        if array.dtype != kind or not np.isfinite(array).all():
            raise ValueError(f"{name} is damaged")
        if array.shape != tuple(sizes[one] for one in of):
            raise ValueError("its parts do not fit")
    if not model.neighbours.fits(sizes["features"], sizes["sections"]):
        raise ValueError("its neighbours do not fit")
    if not _ascend(model.numbers, BLOCKS << BITS):
        raise ValueError("numbers is damaged")


def _check_values(model: Model) -> None:
    """Raise ValueError where probabilities or thresholds are none."""
    if not 0 <= model.doubt < 1 or (model.single and min(model.cuts, default=1.0) <= 0):
        raise ValueError("its probabilities are damaged")
    if any(len(known) != len(PRECISIONS) for known in model.thresholds.values()):
        raise ValueError("its thresholds do not fit")
    if len(model.cuts) != len(model.sections):
        raise ValueError("its thresholds do not fit")
