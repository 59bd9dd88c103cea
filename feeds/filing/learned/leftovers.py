"""Agency marks taken out of a text before it is learned or asked: they tell who wrote, not what about. Pure.

A classifier that is shown "(Reuters)" learns that one agency's texts of its training days were business news, and
files by it ever after. What is known as an agency goes from credits, bylines and openings; the plainest names go
wherever they stand, for hardly a text is about them. Names of publishers of one topic stay: they do tell what about.
"""

from __future__ import annotations

import re

AGENCIES = frozenset(
    """reuters ap afp upi dpa efe ansa pti ians ani xinhua xinhuanet tass itar-tass interfax kyodo yonhap bloomberg aap
    pa apa ats sda ritzau ntb tt stt cp belga lusa anadolu antara bernama kcna sapa mena afx cnw
    associated.press the.associated.press agence.france.presse agence.france-presse press.trust.of.india
    canadian.press the.canadian.press press.association united.press.international dow.jones dow.jones.newswires
    thomson.reuters reuters.uk business.wire pr.newswire prnewswire globenewswire marketwire usa.today usatoday.com
    washington.post the.washington.post washingtonpost.com los.angeles.times latimes.com new.york.times
    the.new.york.times nytimes.com chicago.tribune christian.science.monitor csmonitor.com getty.images cnn cnn.com
    bbc bbc.news abc cbs nbc fox npr""".split()
)
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
    return ".".join(name.strip(" .").lower().split()) in AGENCIES
