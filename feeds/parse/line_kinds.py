"""What a line of a page or a document is: breadcrumb, label, byline, date, credit, furniture. Part of `parse`. Pure.

Each is known by its kind, in the languages that the press writes in, and only where a whole line is nothing else.
"""

from __future__ import annotations

import re

from msgspec import Struct

from feeds.dates import month_named, parse_date
from feeds.parse.fields import PHRASES, any_of
from feeds.parsed import Origin, Person
from feeds.text import OF_PICTURES, agencies
from feeds.urls import host_of

# --------------------------------------------------------------------------- breadcrumb

_STRONG = re.compile(r"\s*(?:>>|[>›»→⟩❯▶▸➔⇒])\s*|\s+::\s+")
_MARKUP = re.compile(r"<|[-=]>")
_WEAK = re.compile(r"\s+[|/\\·•–—-]\s+|\s*[|\\]\s*|(?<=\w)/(?=\w)")
_HERE = re.compile(
    r"^(?:you are here|sie sind hier|vous êtes ici|estás en|sei in|section|category|filed under)\s*:?\s+", re.I
)
_HOME = set(", ".join(PHRASES["home"]).split(", "))


def breadcrumb(line: str) -> tuple[str, ...]:
    """Return the parts of a line such as ``News > World``, empty where *line* is none; "Home" in front is left out.

    Two to six short parts. Arrows and angle brackets tell a breadcrumb by themselves; bars, slashes, dots and dashes
    stand in headlines too, so that their parts must be shorter.
    """
    line, labels = _HERE.subn("", line.strip())
    if _is_text(line):
        return ()
    strong = _STRONG.search(line) is not None
    named = tuple(filter(None, map(str.strip, (_STRONG if strong else _WEAK).split(line))))
    crumbs = without_home(named)
    is_sure = labels or crumbs != named or (strong and line[-1] in ">›»→")
    if not (1 if is_sure else 2) <= len(crumbs) <= 6 or not _are_short(crumbs, strong):
        return ()
    return crumbs if strong or labels or _are_names(crumbs, line) else ()


def _is_text(line: str) -> bool:
    """Tell whether *line* is nothing or a sentence, an item, a quotation, an address, or has markup: no breadcrumb."""
    if len(line) > 160 or line[-1:] in ".!?" or line.startswith((">", "-", "*", "•")):
        return True
    return "://" in line or _MARKUP.search(line) is not None


def _are_short(parts: tuple[str, ...], strong: bool) -> bool:
    words, chars = (6, 48) if strong else (3, 24)
    return all(len(part.split()) <= words and len(part) <= chars and _has_letter(part) for part in parts)


def _are_names(parts: tuple[str, ...], line: str) -> bool:
    """Tell whether all of *parts* are written as names, or all small; "Rates up - again" is a headline."""
    small = {part[0].islower() for part in parts}
    return len(small) == 1 and not any(character.isdigit() for character in line)


def without_home(crumbs: tuple[str, ...]) -> tuple[str, ...]:
    """Return *crumbs* without the front page at their beginning."""
    return crumbs[1:] if crumbs and crumbs[0].casefold() in _HOME else crumbs


def _has_letter(text: str) -> bool:
    return any(character.isalpha() for character in text)


# --------------------------------------------------------------------------- labels, dates, bylines

_LABEL_KINDS = {
    word: kind for kind, words in (row.split(": ") for row in PHRASES["labels"]) for word in words.split(", ")
}
_LABEL = re.compile(r"([^\W\d_][\w ]{1,28}?)\s*[:：]\s*(\S.*)$")
_BESIDE = re.compile(r"\s+[|•·–—-]\s+|\s*\|\s*|\s*;\s+")
_DATED = re.compile(
    r"(?:(first |originally )?(published|posted|veröffentlicht|publié|publicado|pubblicato|opublikowano|опубликовано)|"
    r"(?:last )?(updated|modified|aktualisiert|mis à jour|actualizado|aggiornato|обновлено))"
    r"(?: on| at| am| le| el| il| em)?\s*[:,\-–|]?\s+(?=.*\d)(.{6,60})$",
    re.IGNORECASE,
)
_BYLINE = re.compile(r"(?:by|von|par|por|di|da|door|av|af|автор:?|लेखक:?)\s+(.{2,100})$", re.IGNORECASE)
_DATE_WORD = re.compile(
    r"at|on|the|of|de|del|le|el|il|um|uhr|à|às|a|am|pm|kl|t|z|st|nd|rd|th|hrs|hours|г|года|"
    r"[A-Z]{2,4}|gmt|utc|(?:mon|tues?|wed(?:nes)?|thu(?:rs)?|fri|sat(?:ur)?|sun)(?:day)?|"
    r"\w+tag|mittwoch|(?:lun|mar|mercre|jeu|vendre|same)di|dimanche|(?:segunda|terça|quarta|quinta|sexta)-feira|"
    r"lunes|martes|miércoles|jueves|viernes|sábado|domingo|(?:lune|marte|mercole|giove|vener)dì|sabato|domenica",
    re.IGNORECASE,
)
_WORDS = re.compile(r"[^\W\d_][^\W\d_\u0900-\u097f]*[\u0900-\u097f]*")


def label(line: str) -> tuple[str, str] | None:
    """Return (kind, value) of a line such as ``Author: Jane Doe``; kinds are the keys of the table, None for others."""
    match = _LABEL.match(line.strip())
    kind = _LABEL_KINDS.get(match[1].strip().casefold()) if match else None
    return (kind, match[2].strip()) if match and kind else None


def only_date(line: str) -> bool:
    """Tell whether *line* is a date and nothing besides."""
    line = line.strip(" |,.-–—")
    if not 6 <= len(line) <= 60 or not any(character.isdigit() for character in line):
        return False
    words = [word for word in _WORDS.findall(line) if not _DATE_WORD.fullmatch(word)]
    # What is left besides a month are words of a sentence ("May 2024 elections").
    return all(month_named(word) for word in words) and len(words) <= 1 and parse_date(line) is not None


class Stated(Struct, kw_only=True):
    """What lines under a headline state; None where they do not."""

    published: str | None = None
    updated: str | None = None
    authors: tuple[Person, ...] = ()

    def take(self, part: str, *, first: bool) -> bool:
        """Take what *part* of a line says; False where it is nothing that stands under a headline."""
        if match := _DATED.match(part):
            name = "published" if match[2] else "updated"
            setattr(self, name, match[4])
            return parse_date(match[4]) is not None
        if only_date(part):
            self.published = self.published or part.strip(" ,.")
            return True
        if first and (match := _BYLINE.match(part)):
            names, date = split_date(match[1])
            self.authors, self.published = people(names), date
            return bool(self.authors)
        return bool(self.authors) and not first and len(part.split()) <= 5  # a role or an agency beside the name


def stated(line: str) -> Stated | None:
    """Return what a byline or date line says (``By Jane Doe | 19 June 2024``), None where *line* is neither."""
    line = line.strip()
    if len(line) > 160 or line[-1:] in "?!" or len(line.split()) > 20:
        return None
    found = Stated()
    parts = [part.strip() for part in _BESIDE.split(line) if part.strip()]
    taken = (found.take(part, first=number == 0) for number, part in enumerate(parts))
    return found if parts and all(taken) else None


def split_date(text: str) -> tuple[str, str | None]:
    """Return what stands before a date at the end of *text*, and the date; None without one."""
    for mark in re.finditer(r",\s+|\s+(?=\d)|\s+on\s+", text):
        if only_date(text[mark.end() :]):
            return text[: mark.start()], text[mark.end() :].strip()
    return text, None


def people(names: str) -> tuple[Person, ...]:
    """Return the persons in a list such as ``Jane Doe, John Roe and Ann Poe``; empty where it is no list of names."""
    found = []
    for name in re.split(r"\s*(?:,|;|&|/|\band\b|\bund\b|\bet\b|\by\b(?!\.)|\be\b(?!\.))\s*", names.strip(" .,:")):
        if not name.strip() or _AGENCY.match(name):
            continue
        if len(name.split()) > 6 or re.search(r"\d", name) or name.islower():
            return ()
        found.append(Person(name=name))
    return tuple(found)


# --------------------------------------------------------------------------- credits

_CREDIT = re.compile(
    rf"[(\[*_\s]*(?:(?P<label>{any_of('credit labels')})\s*"
    r"(?:[:：]|=(?!\s*[\"'{/])|\s[-–—]\s|[-–—]\s|\s[|]\s)\s*"
    rf"|(?P<phrase>{any_of('credit phrases')})\s+)(?P<name>\S.*?)[)\]*_.\s]*$",
    re.IGNORECASE,
)
_AGENCIES = "|".join(map(re.escape, agencies("l")))
_SOME = rf"(?P<name>(?:{_AGENCIES})(?:\s*[/,&]\s*(?:{_AGENCIES}))*)"
_AGENCY = re.compile(rf"\(?\[?\s*[-–—]*\s*(?:by |von |par |por )?{_SOME}\s*[)\]]?\.?$", re.I)
_DATELINE = re.compile(
    rf"^[^\W\d_][\w .,'’\-/]{{1,60}}?\s*[(\[]{_SOME}(?:/[a-z]{{2,4}})?[)\]]\s*[-–—:]",
    re.I,
)
_BEGINS = re.compile(r"^(?P<name>Reuters|AP|AFP|UPI|dpa|DPA|PTI|IANS|ANI|Xinhua|Canadian Press) [-–—] (?=[^\W\d_])")
_INPUTS = re.compile(rf"\(?(?:with(?= .* inputs?\)?\.?$)|mit) (?P<name>{_AGENCIES})(?: inputs?)?\)?\.?$", re.I)
_AT_END = re.compile(
    r"(?P<label>)(?P<phrase>)[.!?] (?:originally|first) (?:published|appeared) (?:on|in|at) "
    r"(?P<name>[A-Z][\w.'& -]{1,50}?)\.?$",
    re.IGNORECASE,
)
_OF_PEOPLE = re.compile(
    r"\((?:(?:additional )?(?:reporting|writing|editing|compiled|translated|edited|written) by\b.*)\)$|"
    r"\(?(?:photo|image|picture|foto|bild|cover)s?(?: ?credits?| ?source| by| courtesy| ©)?\s*[:/©]\s*\S.{1,80}$",
    re.IGNORECASE,
)
_YEAR = re.compile(r"\b(?:19|20)\d\d\b")
_URL = re.compile(r"https?://[^\s<>\"')\]]+", re.IGNORECASE)
_RIGHTS = re.compile(r"(?:©|\(c\)|copyright\b|all rights reserved|alle rechte vorbehalten|tous droits réservés)", re.I)


class Credit(Struct, frozen=True, kw_only=True):
    """A credit line as *printed*; *origin* is whom it names as first publisher, None where it names only people."""

    printed: str
    origin: Origin | None = None
    bare: bool = False  # the name of an agency and nothing else


def credit(line: str) -> Credit | None:
    """Return the credit that *line* states (``Source: X``, ``(Reuters)``, ``With inputs from PTI``), else None."""
    line = line.strip()
    if not line or len(line) > 200:
        return None
    if _OF_PEOPLE.match(line):
        return Credit(printed=line)
    if match := _CREDIT.match(line) or _AT_END.search(line):
        return _labelled(line, match)
    if match := _AGENCY.match(line) or _INPUTS.match(line):
        name = match["name"]
        if name != "agencies" and not OF_PICTURES.search(name):
            return Credit(printed=line, origin=Origin(name=name), bare=line == name)
    return None


def _labelled(line: str, match: re.Match[str]) -> Credit | None:
    """The credit of a *line* that begins with a label or phrase for one, or ends with it."""
    label, phrase, name = match["label"] or "", match["phrase"], match["name"]
    if label.lower().startswith(("credit", "courtesy")) and OF_PICTURES.search(name):
        return Credit(printed=line)
    origin = None if phrase and _is_sentence(name) else _origin(name)
    return Credit(printed=line, origin=origin) if origin else None


def _is_sentence(name: str) -> bool:
    """Tell whether what stands behind a phrase that can begin a credit is no name: it goes on, or holds a year."""
    return (len(name.split()) > 8 and not _URL.search(name)) or _YEAR.search(name) is not None


def _origin(text: str) -> Origin | None:
    """Whom the words after the label name; an address among them is taken apart from the name."""
    found = _URL.search(text)
    url = found[0].rstrip(".,;") if found else None
    name = re.sub(r"[(\[<]\s*[)\]>]", " ", _URL.sub(" ", text))
    name = " ".join(name.split()).strip(" ,;:|-–—()[]<>*_\"'“”") or host_of(url or "").removeprefix("www.")
    return Origin(name=name, url=url) if name and len(name.split()) <= 12 and len(name) <= 120 else None


def dateline_credit(paragraph: str) -> str | None:
    """Return the agency named in a dateline (``PARIS, June 19 (Reuters) - …``, ``AP - …``), None for no such."""
    match = _DATELINE.match(paragraph[:120]) or _BEGINS.match(paragraph)
    return match["name"] if match else None


def rights(line: str) -> bool:
    """Tell whether *line* is a copyright notice."""
    return len(line) <= 200 and bool(_RIGHTS.search(line)) and len(line.split()) <= 25


_SENTENCE_END = re.compile(r"""[.!?…。！？।؟:;,]["'”’»)\]]*$""")


def is_name(line: str) -> bool:
    """Tell whether *line* can be a name alone, such as a publisher's: a few words and no sentence."""
    return len(line) <= 60 and len(line.split()) <= 6 and not _SENTENCE_END.search(line) and _has_letter(line)


# ------------------------------------------------------------------------------------ page furniture


_COUNT = re.compile(r"\s*[(\[]\d[\d,.]*$")
_MARKS = " \t:：|•·*_#-–—>»›→…()[]\"'“”!."
_FURNITURE = {
    name.removeprefix("furniture: "): re.compile(
        rf"(?:{any_of(name)})[\s:…!.]*$".replace("<n>", r"\d[\d,.]*"), re.IGNORECASE
    )
    for name in PHRASES
    if name.startswith("furniture: ")
}
# "Also read: some other headline" is a pointer to another article, whatever the headline.
_POINTER = re.compile(rf"(?:{any_of('pointers')})\s*[:|–—\-]\s*\S.{{0,160}}$", re.IGNORECASE)


def furniture(line: str) -> str | None:
    """Return which kind of page furniture *line* is (``comments``, ``share``, ``related`` ...), None for text."""
    line = " ".join(line.split())
    if not line or len(line) > 200:
        return None
    bare = _COUNT.sub("", line.strip(_MARKS)).strip(_MARKS)
    if not bare:
        return "rule"
    if _POINTER.match(line.lstrip(_MARKS)):
        return "related"
    return next((kind for kind, pattern in _FURNITURE.items() if pattern.match(bare)), None)
