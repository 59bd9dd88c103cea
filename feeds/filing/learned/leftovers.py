"""Agency marks taken out of a text before it is learned or asked: they tell who wrote, not what about. Pure.

A classifier that is shown "(Reuters)" learns that one agency's texts of its training days were business news, and
files by it ever after. What is known as an agency or a wire's own mark goes wherever it stands as a credit; a dateline
loses its credit and keeps its place.
"""

from __future__ import annotations

import re

AGENCIES = (
    "Reuters AP AFP UPI DPA EFE ANSA PTI IANS ANI Xinhua TASS Interfax Kyodo Yonhap Bloomberg AAP PA APA ATS SDA Ritzau "
    "NTB TT STT CP Belga LUSA Anadolu Antara Bernama KCNA SAPA MENA CNW BBC CNN NPR"
).split()
_LONGER = (
    "Associated Press|The Associated Press|Agence France[- ]Presse|Press Trust of India|Canadian Press|Press Association|"
    "United Press International|Dow Jones(?: Newswires)?|Thomson Reuters|Business Wire|PR ?Newswire|GlobeNewswire|"
    "Marketwire|USA ?TODAY|Washington Post|Los Angeles Times|New York Times|Christian Science Monitor|Forbes|"
    "InfoWorld|PC ?World|MacCentral|NewsFactor|Ziff Davis|TechWeb|CNET News|SPACE|Sports Network|Investor's Business Daily"
)
_NAME = rf"(?:{'|'.join(AGENCIES)}|{_LONGER}|[\w-]+(?:\.[\w-]+)*\.(?:com|net|org|co\.uk))"
_CREDIT = re.compile(rf"\(\s*{_NAME}(?:\.com)?(?:\s*[/,;|-]\s*{_NAME})*\s*\)|\(c\)\s*{_NAME}", re.IGNORECASE)
_OPENING = re.compile(rf"(?:^|(?<=[.!?\n])\s*|(?<=\s{{2}}))\s*{_NAME}(?:\.com)?\s*(?:-{{1,2}}|–|—|:)\s+", re.MULTILINE)
_BYLINE = re.compile(
    rf"\b(?:By|Copyright(?: \d{{4}})?|Source|©)\s*:?\s*{_NAME}\b(?:\s*\.)?|\b{_NAME}\s+(?:contributed to this report"
    r"|staff writer|correspondent)\b",
    re.IGNORECASE,
)
_SIGNS = re.compile(rf"(?:--|—|-)\s*{_NAME}\s*$", re.MULTILINE)


def without_leftovers(text: str) -> str:
    """*text* without credits of agencies.

    >>> without_leftovers("Oil up. LONDON (Reuters) - Oil rose.")
    'Oil up. LONDON   - Oil rose.'
    >>> without_leftovers("AFP - Two ships met."), without_leftovers("Reuters was bought by Thomson.")
    (' Two ships met.', 'Reuters was bought by Thomson.')
    """
    for pattern in (_CREDIT, _BYLINE, _OPENING, _SIGNS):
        text = pattern.sub(" ", text)
    return text
