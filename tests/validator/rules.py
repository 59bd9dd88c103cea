"""What a check finds, and the rules that hold in every format. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlsplit

from feeds.render.unsafe import unsafe_markup

Severity = Literal["error", "warning"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One thing that a document must be (error) or should be (warning). *source* is where it is written."""

    id: str
    severity: Severity
    remedy: str
    source: str


def must(id: str, remedy: str, source: str) -> Rule:
    """Return a rule whose breach keeps a document from being published."""
    return Rule(id=id, severity="error", remedy=remedy, source=source)


def should(id: str, remedy: str, source: str) -> Rule:
    """Return a rule whose breach is reported."""
    return Rule(id=id, severity="warning", remedy=remedy, source=source)


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """A broken rule: *message* says where, what, and what to do; *article_uid* is the entry's, where it is one's."""

    rule: str
    severity: Severity
    message: str
    article_uid: str | None = None


class Findings:
    """The problems of one document, as they are found; each rule speaks at most *MOST* times."""

    MOST = 50

    def __init__(self, rules: Iterable[Rule]) -> None:
        self._rules = {rule.id: rule for rule in rules}
        self._counts: dict[str, int] = {}
        self.problems: list[Problem] = []

    def add(self, rule_id: str, where: str, what: str, article_uid: str | None = None) -> None:
        """Note that *where* breaks a rule, and how."""
        rule = self._rules[rule_id]
        count = self._counts[rule_id] = self._counts.get(rule_id, 0) + 1
        if count <= self.MOST:
            message = f"{where}: {what}; {rule.remedy}"
            self.problems.append(
                Problem(rule=rule_id, severity=rule.severity, message=message, article_uid=article_uid)
            )


COMMON_RULES = (
    must("html-unsafe", "sanitise it before it is rendered", "W3C feed validator, SecurityRisk; OWASP XSS prevention"),
    should(
        "html-relative-link", "make it absolute: readers do not know the base", "W3C feed validator, ContainsRelRef"
    ),
    should("title-html", "titles are plain text: take the markup out", "RSS best-practices profile, title"),
    should(
        "character-discouraged",
        "remove it, or read the source as Windows-1252",
        "XML 1.0 §2.2; W3C feed validator, BadCharacters",
    ),
)

_RELATIVE = re.compile(r"<[a-z][^<>]*\s(?:href|src)\s*=\s*[\"'](?![a-z][a-z0-9+.\-]*:|#)([^\"']*)", re.IGNORECASE)
_TAG = re.compile(r"</?[a-zA-Z][a-zA-Z0-9]*(?:\s[^<>]*)?/?>")
_DISCOURAGED = re.compile("[\x7f-\x84\x86-\x9f\ufdd0-\ufdef]")
_RFC3339 = re.compile(
    r"\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])T(?:[01]\d|2[0-3]):[0-5]\d:(?:[0-5]\d|60)(?:\.\d+)?"
    r"(?:Z|[+-](?:[01]\d|2[0-3]):[0-5]\d)\Z"
)
_LANGUAGE = re.compile(r"[a-zA-Z]{2,8}(?:-[a-zA-Z0-9]{1,8})*\Z")
_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*:[A-Za-z0-9\-._~:/?#\[\]@!$&'()*+,;=%\u00a0-\U0010ffff]+\Z")


def check_html(found: Findings, where: str, html: str, uid: str | None) -> None:
    """Find what markup in a published text must not hold, as a browser would read it: a tag within a value is none."""
    if "<" not in html:
        return
    if unsafe := unsafe_markup(html):
        found.add("html-unsafe", where, f"has {unsafe[:60]!r}", uid)
    if match := _RELATIVE.search(html):
        found.add("html-relative-link", where, f"links to {match[1][:60]!r}", uid)


def check_title(found: Findings, where: str, title: str, uid: str | None) -> None:
    """Find markup in a text that readers show as it is."""
    if "<" in title and (match := _TAG.search(title)):
        found.add("title-html", where, f"has {match[0][:60]!r}", uid)


def check_characters(found: Findings, where: str, text: str, uid: str | None = None) -> None:
    """Find characters that are legal and yet a sign of damage."""
    if match := _DISCOURAGED.search(text):
        found.add("character-discouraged", where, f"has U+{ord(match[0]):04X}", uid)


def is_rfc3339(text: str) -> bool:
    """Whether *text* is a date and time with zone, capital T and Z included (RFC 4287 §3.3)."""
    return bool(_RFC3339.match(text))


def is_language(text: str) -> bool:
    """Whether *text* has the form of a language tag (RFC 5646)."""
    return bool(_LANGUAGE.match(text))


def is_absolute(text: str) -> bool:
    """Whether *text* is an absolute URI or IRI of any scheme, without white space."""
    return bool(_URI.match(text))


def is_web_address(text: str) -> bool:
    """Whether *text* is an absolute http(s) address."""
    if not is_absolute(text):
        return False
    try:
        parts = urlsplit(text)
        return parts.scheme in ("http", "https") and bool(parts.hostname)
    except ValueError:
        return False
