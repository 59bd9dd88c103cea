"""Made-up articles to learn from: three topics, each with words of its own."""

from __future__ import annotations

import random

from feeds.filing.examples import Example

SEA = "ferry harbour tide mole anchor crew rope gull lighthouse sailor deck cargo".split()
LAND = "tractor barley orchard cattle harvest plough meadow barn farmer seed soil fence".split()
AIR = "runway pilot glider cockpit airport wing propeller altitude hangar flight cloud parachute".split()
COMMON = "council said people morning year report week town money plan village day".split()
TOPICS = {"sea": SEA, "land": LAND, "air": AIR}


def texts(count: int, seed: int = 1, *, several: bool = False, noise: float = 0.0) -> list[Example]:
    """Made-up articles: words of their topic among words of none; *noise* of them are in the wrong section."""
    dice = random.Random(seed)
    made = []
    for number in range(count):
        topics = dice.sample(sorted(TOPICS), dice.choice((1, 1, 2)) if several else 1)
        told = dice.choices(COMMON, k=10)
        for topic in topics:
            told += dice.choices(TOPICS[topic], k=dice.randint(1, 4))
        dice.shuffle(told)
        if dice.random() < noise:
            topics = [dice.choice(sorted(TOPICS))]
        title = " ".join(told[:4])
        made.append(Example(title=title, text=" ".join(told), sections=tuple(topics), group=str(number)))
    return made
