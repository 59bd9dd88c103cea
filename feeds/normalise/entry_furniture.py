"""Furniture at the ends of an entry: "The post X appeared first on Y", "Read more", share rows. Pure.

Part of `normalise`. Two things tell it: forms that blog engines write, known at first sight; and lines that recur at
the same end of a source's entries, learnt over polls (`feeds.text`). What an entry is known by (key, content hash)
is made before anything is taken, so that what is learnt later neither changes who an entry is nor touches what was
published before.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from html import unescape

from feeds.model import Entry
from feeds.normalise.texts import excerpt_of
from feeds.text import Recurring, Shown, line_hash, mark_of, plain, text_hash

LEAST_ENTRIES = 3
LINKED_PART, PLAIN_PART, LABEL_PART = 0.25, 0.6, 0.9
"""Of a source's last entries, in which a line recurs before it counts as furniture: with a link in it, without, and of
the form "Label: value", which are often facts."""
MAX_LINE_CHARS = 600
MAX_TAKEN = 8
MAX_PLAIN_FORM_CHARS = 40
LINES_AT_THE_END, LINES_AT_THE_BEGINNING = 4, 2
_NEAR_CHARS = 2_000
"""Of a long text no more than this at either end is looked at."""

_TOKEN = re.compile(r"(<(/?)([a-z0-9]*)[^>]*>|[^<]+)", re.IGNORECASE)
_FACTS = frozenset("table dl pre".split())
_BLOCKS = _FACTS | frozenset(
    "p div br hr h1 h2 h3 h4 h5 h6 li ul ol dt dd tr td th thead tbody blockquote section article header footer aside"
    " figure figcaption address main details summary".split()
)
_CHARACTER = re.compile(r"&(?:#\d+|#x[0-9a-f]+|[a-z][a-z0-9]*);|.", re.IGNORECASE | re.DOTALL)
_SENTENCE = re.compile(r"(?<=[.!?…。！？।])[\"'”’»)\]]*\s+|(?<=[。！？])")
_HOLLOW = re.compile(
    r"<(p|a|b|i|u|strong|em|small|div|li|ul|ol|h[1-6]|blockquote|section|footer|aside|header|address|sup|sub|cite)"
    r"(?: [^<>]*)?>(?:\s|&nbsp;|\u00a0|<br>)*</\1>"
)
_ADDRESS = re.compile(r"https?://\S+|\S+@\S+|\bwww\.\S+")
_DIGIT = re.compile(r"\d")
_LETTER = re.compile(r"[^\W\d_]")
_LABEL = re.compile(r"[^:：]{1,40}[:：]\s*\S")
_ENDS = '.!?…。！？।:;])>|»→·–—-"”’'
_EDGES = " \t\n\u00a0[]()<>«»‹›→⇒➔►▶»…·|–—-:.!’'\"“”„*#↩"

# What blog engines write below a teaser or a text, in their own words; {} stands for a title or a name.
_APPEARED = tuple(
    re.compile(form.replace("{}", r"(?P<title>.{1,300}?)", 1).replace("{}", r".{1,200}?") + r"[\s.!]*$", re.IGNORECASE)
    for form in (
        r"(?:the|this) (?:post|article|entry|story|page)\s+{}\s+(?:first appeared|appeared first|originally appeared|"
        r"was (?:originally |first )?published)\s+(?:first\s+)?(?:on|at|in)\s+{}",
        r"{}\s+(?:first appeared|appeared first|originally appeared|was originally published)\s+(?:on|at|in)\s+{}",
        r"der (?:beitrag|artikel)\s+{}\s+(?:erschien zuerst|ist zuerst erschienen)\s+(?:auf|bei)\s+{}",
        r"l[’'](?:article|entrée)\s+{}\s+est apparue? en premier sur\s+{}",
        r"la entrada\s+{}\s+(?:se publicó primero en|aparece primero en|apareció primero en)\s+{}",
        r"(?:l[’']articolo|il post)\s+{}\s+(?:proviene da|sembra essere il primo su)\s+{}",
        r"(?:o post|o artigo|o conteúdo)\s+{}\s+(?:apareceu primeiro em|aparece primeiro em)\s+{}",
        r"het (?:bericht|artikel)\s+{}\s+verscheen eerst op\s+{}",
        r"(?:artykuł|wpis)\s+{}\s+(?:pochodzi z serwisu|pojawił się (?:po raz pierwszy )?(?:w|na)|pochodzi z)\s+{}",
        r"(?:сообщение|запись)\s+{}\s+(?:появил(?:ось|ась|ись) сначала на|впервые появил(?:ось|ась) на)\s+{}",
        r"inlägget\s+{}\s+(?:dök först upp på|publicerades först på)\s+{}",
        r"(?:indlægget|innlegget)\s+{}\s+(?:blev først vist på|dukket først opp på|blev først udgivet på)\s+{}",
        r"{}\s+(?:yazısı|haberi) ilk (?:önce|olarak)\s+{}\s+(?:üzerinde|sitesinde) (?:ortaya çıktı|göründü|yayınlandı)",
        r"投稿\s*{}\s*は\s*{}\s*に最初に表示されました。?",
        r"příspěvek\s+{}\s+(?:pochází z|se nejdříve objevil na)\s+{}",
        r"articolul\s+{}\s+apare prima dată (?:în|pe)\s+{}",
    )
)
_SPEAKS_OF_APPEARING = re.compile(
    r"appear|published|erschien|apparu|publicó|parece|pareció|proviene|primo su|apareceu|verscheen|pochodzi|pojawił|"
    r"появил|först|først|ilk |最初に|pochází|nejdříve|apare",
    re.IGNORECASE,
)
_MORE = re.compile(
    r"(?:read|see|learn|find out|view|show)\s+(?:more|on|(?:the\s+)?full\s+\w+|the\s+(?:rest|(?:whole|original)\s+\w+)"
    r"(?:\s+of\s+this\s+\w+)?)(?:\s+(?:here|at|on|about|of|in|from)\b.{0,120})?|(?:continue|keep)\s+reading(?:\b.{0,200})?|read\s+more\b.{0,120}|more|full\s+(?:story|article)|"
    r"(?:click|tap)\s+here(?:\s+(?:to|for)\b.{0,80})?|(?:go|back)\s+to\s+(?:the\s+)?(?:article|post|full\s+\w+)|"
    r"weiterlesen|weiter\s+lesen|mehr\s+(?:lesen|erfahren)|(?:zum|den)\s+(?:ganzen\s+|vollständigen\s+)?(?:artikel|beitrag)(?:\s+lesen)?|"
    r"lire\s+(?:la\s+suite|plus|l[’']article.{0,30})|en\s+savoir\s+plus|leer\s+más|seguir\s+leyendo|continuar\s+leyendo|ver\s+más|"
    r"continua\s+a\s+leggere|leggi\s+(?:tutto|di\s+più|l[’']articolo.{0,30})|leia\s+mais|continue?\s+lendo|continuar\s+a\s+ler|saiba\s+mais|"
    r"lees\s+(?:verder|meer)|czytaj\s+(?:dalej|więcej)|läs\s+mer|les\s+mer|læs\s+mere|lue\s+lisää|читать\s+(?:далее|дальше|полностью)|подробнее|"
    r"devamını\s+oku|続きを読む|阅读(?:全文|更多)|閱讀更多|더\s*보기|और\s+पढ़ें|اقرأ\s+المزيد|číst\s+(?:dále|více)|citește\s+(?:mai\s+departe|mai\s+mult)",
    re.IGNORECASE,
)
_INVITES = re.compile(
    r"(?:\d+\s+)?comments?|no\s+comments?(?:\s+yet)?|leave\s+a\s+(?:comment|reply)|permalink|subscribe(?:\s+(?:now|here|today))?|"
    r"sign\s+up(?:\s+now)?|share(?:\s+this(?:\s+\w+)?)?(?:\s+(?:on|via)\s+\w+)?|tweet(?:\s+this)?|"
    r"(?:share\s+on\s+)?(?:facebook|twitter|linkedin|whatsapp|reddit|pinterest|mastodon|bluesky|telegram)|e-?mail\s+this|print(?:\s+this(?:\s+\w+)?)?|"
    r"kommentare?|kommentieren|teilen|abonnieren|commentaires?|partager|comentarios?|compartir|commenti|condividi",
    re.IGNORECASE,
)
"""Only where the whole line, or the end of it, is a link."""
_TIMES = re.compile(
    r"(?:(?:published|posted|updated)\b.{3,60}?)?(?:estimated\s+)?(?:reading\s+time|read\s+time|lesezeit|temps\s+de\s+lecture|"
    r"tiempo\s+de\s+lectura|tempo\s+di\s+lettura|"
    r"leestijd|czas\s+czytania|время\s+чтения)\s*:?\s*[<~]?\s*\d+\s*(?:-\s*\d+\s*)?\w*\.?|\d+\s+min(?:ute)?s?\s+read",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Furnished:
    """Entries without their furniture, and what was seen of each of them for the next time."""

    entries: tuple[Entry, ...]
    shown: tuple[Shown, ...]


@dataclass(frozen=True, slots=True)
class _Line:
    """A line of a text: its runs, each with the number of its token and whether it is in a link."""

    runs: tuple[tuple[int, str, bool], ...]
    text: str
    is_fact: bool  # in a table, a list of definitions, a listing


def _joined(runs: Sequence[tuple[int, str, bool]]) -> str:
    return " ".join("".join([text for _, text, _ in runs]).split())


@dataclass(frozen=True, slots=True)
class _Piece:
    """What may be furniture: a line, or the sentence or the link at its end."""

    line: _Line
    text: str
    linked: bool  # a link is in it
    is_link: bool  # it is nothing but links
    is_whole: bool
    goes_on: bool = False  # a sentence that began before it


def without_furniture(entries: Sequence[Entry], learnt: Recurring) -> Furnished:
    """Return *entries* of one source without the furniture at their ends.

    *learnt* is what was `Furnished.shown` of the source's earlier entries. The entries of the document itself count as
    well. A text that is nothing but what recurs stays as it is; a teaser that says the title again goes.
    """
    shown = tuple(Shown(_mark(entry), tuple(_hashes(entry))) for entry in entries)
    known = learnt.with_(shown)
    return Furnished(tuple(_taken(entry, known) for entry in entries), shown)


def _mark(entry: Entry) -> int:
    # Two entries with one headline or one beginning are one text that came twice.
    return mark_of(entry.title, entry.text[:200])


def _hashes(entry: Entry) -> Iterator[int]:
    html = entry.content or entry.summary
    seen: set[int] = set()
    for end in (True, False):
        lines = _edge(html, end=end)[2]
        lines = lines[-LINES_AT_THE_END:][::-1] if end else lines[:LINES_AT_THE_BEGINNING]
        for line in lines:
            for piece in _pieces(line, end=end):
                if _may_recur(piece):
                    seen.add(_hash(piece, entry.title, end=end))
    yield from sorted(seen)


def _hash(piece: _Piece, title: str, *, end: bool) -> int:
    text = piece.text.replace(title, "\u25a1") if len(title) >= 4 else piece.text
    return line_hash(text, f"{'end' if end else 'begin'}{piece.linked}")


def _taken(entry: Entry, known: Recurring) -> Entry:
    content, taken = _without(entry.content, entry.title, known)
    text = _cut(entry.text, taken)
    if taken and entry.summary == excerpt_of(entry.text, entry.content):
        summary = excerpt_of(text, content)
    elif entry.content and not taken and _begins(entry.text, plain(entry.summary)):
        summary = entry.summary  # what is at its end is within the text
    else:
        summary, more = _without(entry.summary, entry.title, known)
        text = text if content else _cut(text, more)
        taken += more
    if _repeats(entry.title, summary):
        taken.append(plain(summary))
        summary = excerpt_of(text, content) if content else ""
    if not taken:
        return entry
    notes = dict.fromkeys(f"furniture taken out: “{one[:120]}”" for one in taken)
    warnings = (*entry.warnings, *notes)
    return replace(entry, content=content, summary=summary, text=text, text_hash=text_hash(text), warnings=warnings)


def _repeats(title: str, summary: str) -> bool:
    return summary != "" and "<img" not in summary and _said(plain(summary)) == _said(title) != ""


def _cut(text: str, taken: Sequence[str]) -> str:
    """Plain *text* without the lines *taken*, from the end or the beginning, whichever they are at."""
    for one in taken:
        at = text.rfind(one)
        if at >= 0 and not text[at + len(one) :].strip(_EDGES):
            text = text[:at].rstrip()
        elif text.startswith(one):
            text = text[len(one) :].lstrip()
    return text


def _begins(text: str, beginning: str) -> bool:
    return _said(text[: 2 * len(beginning) + 40]).startswith(_said(beginning))


def _said(text: str) -> str:
    return "".join(_LETTER.findall(text.casefold()))


def _without(html: str, title: str, known: Recurring) -> tuple[str, list[str]]:
    """*html* without furniture at its ends, and what was taken."""
    taken: list[str] = []
    for end in (True, False) if html else ():
        for _ in range(MAX_TAKEN):
            rest, tokens, lines = _edge(html, end=end)
            if not lines:
                break
            last_line = len(lines) == 1 and not _LETTER.search(plain(rest))
            piece = _furniture(lines[-1 if end else 0], title, known, end=end, alone=last_line)
            if piece is None:
                break
            near = _removed(tokens, piece, end=end)
            html = rest + near if end else near + rest
            taken.append(piece.text)
    return html, taken


def _furniture(line: _Line, title: str, known: Recurring, *, end: bool, alone: bool) -> _Piece | None:
    """What of *line* is furniture; where it stands *alone*, no line goes because it recurs."""
    for piece in _pieces(line, end=end):
        if _is_form(piece, title, end=end):
            return piece
        if not (alone and piece.is_whole) and _recurs(piece, title, known, end=end):
            return piece
    return None


def _edge(html: str, *, end: bool) -> tuple[str, list[str], list[_Line]]:
    """What is far from the *end* (the beginning) of *html*; the tokens of what is near, and its lines."""
    far, near = _near(html, end=end)
    tokens, lines = _lines(near)
    if far and not lines:
        return ("", *_lines(html))  # pictures alone, with long addresses
    return far, tokens, lines


def _near(html: str, *, end: bool) -> tuple[str, str]:
    """*html* parted in what is far from its *end* (its beginning) and what is near."""
    if len(html) <= _NEAR_CHARS:
        return "", html
    if end:
        at = html.find("<", len(html) - _NEAR_CHARS)
        return (html[:at], html[at:]) if at > 0 else ("", html)
    at = html.rfind(">", 0, _NEAR_CHARS) + 1
    return (html[at:], html[:at]) if at > 0 else ("", html)


@lru_cache(maxsize=64)
def _lines(html: str) -> tuple[list[str], list[_Line]]:
    """The tokens of *html*, and its lines that have something in them, in order."""
    found = _TOKEN.findall(html)
    lines: list[_Line] = []
    runs: list[tuple[int, str, bool]] = []
    in_link, facts = False, 0
    for number, (token, closing, name) in enumerate([*found, ("<hr>", "", "hr")]):
        tag = name.lower()
        if token[0] != "<":
            runs.append((number, unescape(token), in_link))
        elif tag == "a":
            if closing and not in_link:
                runs = [(at, text, True) for at, text, _ in runs]  # it began before what is near
            in_link = not closing
        elif tag in _BLOCKS:
            if runs and (text := _joined(runs)):
                lines.append(_Line(tuple(runs), text, facts > 0))
            runs = []
            if tag in _FACTS:
                facts += -1 if closing else 1
    return [token for token, _, _ in found], lines


def _pieces(line: _Line, *, end: bool) -> list[_Piece]:
    """What of a line may be furniture: the line; the sentence, or the link, at its end (its beginning)."""
    runs = [run for run in line.runs if _LETTER.search(run[1])]
    links = [run for run in runs if run[2]]
    only_links = bool(runs) and links == runs
    pieces = [_Piece(line, line.text, linked=bool(links), is_link=only_links, is_whole=True)]
    sentences = list(filter(None, map(str.strip, _SENTENCE.split(line.text))))
    if len(sentences) > 1:
        pieces.append(_sentence(line, sentences[-1 if end else 0], links))
    if end and links != runs and runs[-1:] == links[-1:]:
        pieces.append(_last_link(line))
    return pieces


def _sentence(line: _Line, text: str, links: Sequence[tuple[int, str, bool]]) -> _Piece:
    # A link counts for the sentence that it is in.
    linked = any(_joined([link]) in text for link in links)
    return _Piece(line, text, linked=linked, is_link=False, is_whole=False)


def _last_link(line: _Line) -> _Piece:
    """The links behind the last words of *line* that are in none."""
    last = max(number for number, (_, text, linked) in enumerate(line.runs) if _LETTER.search(text) and not linked)
    goes_on = _joined(line.runs[: last + 1])[-1] not in _ENDS
    return _Piece(line, _joined(line.runs[last + 1 :]), linked=True, is_link=True, is_whole=False, goes_on=goes_on)


def _is_form(piece: _Piece, title: str, *, end: bool) -> bool:
    """Tell whether *piece* is what an engine writes, whatever the source."""
    text = piece.text.strip(_EDGES)
    if not end:
        return _TIMES.fullmatch(text) is not None
    if piece.is_link:
        return _invites(piece, text)
    if (appeared := _first_appeared(piece)) is not None:
        return piece.linked or (appeared != "" and appeared[:40] == _said(title)[:40])
    # Without a link it is the last sentence, or a line of its own, of a few words.
    return len(text) <= MAX_PLAIN_FORM_CHARS and " " in text and _MORE.fullmatch(text) is not None


def _invites(piece: _Piece, text: str) -> bool:
    """Tell whether the links of *piece* say nothing but where to read more, to share, or to comment."""
    if piece.goes_on:
        return text[:1].isupper() and _MORE.fullmatch(text) is not None
    links = [text.strip(_EDGES) for _, text, linked in piece.line.runs if linked] if piece.is_whole else [text]
    return all(_MORE.fullmatch(text) or _INVITES.fullmatch(text) for text in links if text)


def _first_appeared(piece: _Piece) -> str | None:
    """What *piece* says to have appeared first elsewhere; None where it does not speak of that."""
    if not _SPEAKS_OF_APPEARING.search(piece.text):
        return None
    matches = (form.match(piece.text.strip()) for form in _APPEARED)
    return next((_said(match["title"]) for match in matches if match), None)


def _recurs(piece: _Piece, title: str, known: Recurring, *, end: bool) -> bool:
    """Tell whether *piece* stands at this end of enough of the source's last entries."""
    if len(known.documents) < LEAST_ENTRIES or not _may_recur(piece):
        return False
    count = known.counts[_hash(piece, title, end=end)]
    if count < LEAST_ENTRIES:
        return False
    part = LINKED_PART if piece.linked else LABEL_PART if _LABEL.match(piece.text) else PLAIN_PART
    return count >= part * len(known.documents)


def _may_recur(piece: _Piece) -> bool:
    """Tell whether *piece* could be furniture where it recurs; facts and figures are the same by chance."""
    if piece.goes_on or piece.line.is_fact or len(piece.text) > MAX_LINE_CHARS or not _LETTER.search(piece.text):
        return False
    return not _DIGIT.search(_ADDRESS.sub("", piece.text) if "." in piece.text else piece.text)


def _shortened(text: str, left: int, *, end: bool) -> tuple[str, int]:
    """*text* without its last (first) *left* characters, blanks not counted; and how many are left to take."""
    characters = _CHARACTER.findall(text)
    while characters and left:
        character = characters.pop() if end else characters.pop(0)
        left -= not unescape(character).isspace()
    return "".join(characters), left


def _removed(tokens: list[str], piece: _Piece, *, end: bool) -> str:
    """The text of *tokens* without *piece* at its end (its beginning), and without elements left hollow by that."""
    left = sum(not character.isspace() for character in piece.text)
    tokens = list(tokens)
    for number, _, _ in reversed(piece.line.runs) if end else piece.line.runs:
        tokens[number], left = _shortened(tokens[number], left, end=end)
    html = "".join(tokens)
    for _ in range(20):
        if (fuller := _HOLLOW.sub("", html)) == html:
            break
        html = fuller
    return re.sub(r"(?:<br>|\s)+((?:</\w+>)*)$", r"\1", html) if end else html.lstrip()
