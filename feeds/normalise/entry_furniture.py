"""Furniture at the ends of an entry: "The post X appeared first on Y", "Read more", share rows. Pure.

Part of `normalise`. Two things tell it: forms that blog engines write, known at first sight; and lines that recur at
the same end of a source's entries, learnt over polls (`feeds.text`). What an entry is known by (key, content hash)
is made before anything is taken, so that what is learnt later neither changes who an entry is nor touches what was
published before.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from html import unescape
from itertools import islice
from typing import NamedTuple

from msgspec import Struct
from msgspec.structs import replace

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
_SENTENCE_END = re.compile(r"[.!?…。！？।](?:[\"'”’»)\]]*\s+|(?<=[。！？]))")
_HOLLOW = re.compile(
    r"<(p|a|b|i|u|strong|em|small|div|li|ul|ol|h[1-6]|blockquote|section|footer|aside|header|address|sup|sub|cite)"
    r"(?: [^<>]*)?>(?:\s|&nbsp;|\u00a0|<br>)*</\1>"
)
_ADDRESS = re.compile(r"https?://\S+|\S+@\S+|\bwww\.\S+")
_DIGIT = re.compile(r"\d")
_LETTER = re.compile(r"[^\W\d_]")
_NO_LETTERS = re.compile(r"[\W\d_]+")
_NO_ASCII_LETTERS = {code: None for code in range(128) if not chr(code).isalpha()}
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
_SPEAKS_OF_APPEARING = (
    "appear", "published", "erschien", "apparu", "publicó", "parece", "pareció", "proviene", "primo su", "apareceu",
    "verscheen", "pochodzi", "pojawił", "появил", "först", "først", "ilk ", "最初に", "pochází", "nejdříve", "apare",
)  # fmt: skip
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


class Furnished(Struct, frozen=True):
    """Entries without their furniture, and what was seen of each of them for the next time."""

    entries: tuple[Entry, ...]
    shown: tuple[Shown, ...]


_Run = tuple[int, str, bool]
"""A text of a line: the number of its token, what it says, whether it is in a link."""


class _Line(NamedTuple):
    runs: list[_Run]
    text: str
    is_fact: bool  # in a table, a list of definitions, a listing


class _Piece(NamedTuple):
    """What may be furniture: a line, or the sentence or the link at its end."""

    line: _Line
    text: str
    mark: int  # by which it recurs, 0 where that says nothing
    linked: bool  # a link is in it
    is_link: bool  # it is nothing but links
    is_whole: bool
    goes_on: bool  # a sentence that began before it


class _Edge(NamedTuple):
    """One end of a text: what is *far* from it, the *tokens* of what is near, and the pieces of the outermost lines."""

    far: str
    tokens: list[str]
    lines: list[list[_Piece]]


class _Ends(dict[tuple[str, bool], _Edge]):
    """The end (True) or the beginning (False) of a text of an entry, looked at when it is first asked for."""

    def __init__(self, title: str) -> None:
        super().__init__()
        self.title = title

    def __missing__(self, key: tuple[str, bool]) -> _Edge:
        html, end = key
        far, near = _near(html, end=end)
        tokens, groups = _groups(near)
        lines = _outermost(groups, end=end)
        if far and not lines:  # pictures alone, with long addresses
            far = ""
            tokens, groups = _groups(html)
            lines = _outermost(groups, end=end)
        edge = self[key] = _Edge(far, tokens, [_pieces(line, self.title, end=end) for line in lines])
        return edge


def without_furniture(entries: Sequence[Entry], learnt: Recurring) -> Furnished:
    """Return *entries* of one source without the furniture at their ends.

    *learnt* is what was `Furnished.shown` of the source's earlier entries. The entries of the document itself count as
    well. A text that is nothing but what recurs stays as it is; a teaser that says the title again goes.
    """
    ends_of = [_Ends(entry.title) for entry in entries]
    shown = tuple(map(_shown, entries, ends_of))
    known = learnt.with_(shown)
    return Furnished(tuple(_taken(entry, ends, known) for entry, ends in zip(entries, ends_of, strict=True)), shown)


def _shown(entry: Entry, ends: _Ends) -> Shown:
    html = entry.content or entry.summary
    lines = ends[html, True].lines + ends[html, False].lines
    marks = {piece.mark for pieces in lines for piece in pieces} - {0}
    # Two entries with one headline or one beginning are one text that came twice.
    return Shown(mark_of(entry.title, entry.text[:200]), tuple(sorted(marks)))


def _taken(entry: Entry, ends: _Ends, known: Recurring) -> Entry:
    content, taken = _without(entry.content, ends, known)
    text = _cut(entry.text, taken)
    if taken and entry.summary == excerpt_of(entry.text, entry.content):
        summary = excerpt_of(text, content)
    elif entry.content and not taken and _begins(entry.text, plain(entry.summary)):
        summary = entry.summary  # what is at its end is within the text
    else:
        summary, more = _without(entry.summary, ends, known)
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
    """The letters of *text*, folded."""
    folded = text.casefold()
    return folded.translate(_NO_ASCII_LETTERS) if folded.isascii() else _NO_LETTERS.sub("", folded)


def _without(html: str, ends: _Ends, known: Recurring) -> tuple[str, list[str]]:
    """*html* without furniture at its ends, and what was taken."""
    taken: list[str] = []
    for end in (True, False) if html else ():
        for _ in range(MAX_TAKEN):
            edge = ends[html, end]
            if not edge.lines:
                break
            last_line = len(edge.lines) == 1 and not _LETTER.search(plain(edge.far))
            piece = _furniture(edge.lines[0], ends.title, known, end=end, alone=last_line)
            if piece is None:
                break
            near = _removed(edge.tokens, piece, end=end)
            html = edge.far + near if end else near + edge.far
            taken.append(piece.text)
    return html, taken


def _furniture(pieces: list[_Piece], title: str, known: Recurring, *, end: bool, alone: bool) -> _Piece | None:
    """Which of the *pieces* of a line is furniture; where it stands *alone*, no line goes because it recurs."""
    for piece in pieces:
        if _is_form(piece, title, end=end):
            return piece
        if not (alone and piece.is_whole) and _recurs(piece, known):
            return piece
    return None


def _near(html: str, *, end: bool) -> tuple[str, str]:
    """*html* parted in what is far from its *end* (its beginning) and what is near."""
    if len(html) <= _NEAR_CHARS:
        return "", html
    if end:
        at = html.find("<", len(html) - _NEAR_CHARS)
        return (html[:at], html[at:]) if at > 0 else ("", html)
    at = html.rfind(">", 0, _NEAR_CHARS) + 1
    return (html[at:], html[:at]) if at > 0 else ("", html)


@lru_cache(maxsize=1)  # of a short text both ends are the whole of it
def _groups(html: str) -> tuple[list[str], list[tuple[list[_Run], bool]]]:
    """The tokens of *html*; and the runs between two tags of blocks, in order, with each whether it is of facts."""
    found = _TOKEN.findall(html)
    groups: list[tuple[list[_Run], bool]] = []
    runs: list[_Run] = []
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
            if runs:
                groups.append((runs, facts > 0))
                runs = []
            if tag in _FACTS:
                facts += -1 if closing else 1
    return [token for token, _, _ in found], groups


def _outermost(groups: list[tuple[list[_Run], bool]], *, end: bool) -> list[_Line]:
    """The last (first) lines that have something in them, the outermost first."""
    lines = (_Line(runs, _joined(runs), is_fact) for runs, is_fact in (reversed(groups) if end else groups))
    filled = (line for line in lines if line.text)
    return list(islice(filled, LINES_AT_THE_END if end else LINES_AT_THE_BEGINNING))


def _joined(runs: Sequence[_Run]) -> str:
    return " ".join("".join([text for _, text, _ in runs]).split())


def _pieces(line: _Line, title: str, *, end: bool) -> list[_Piece]:
    """What of a line may be furniture: the line; the sentence, or the link, at its end (its beginning)."""

    def piece(
        text: str, *, linked: bool, is_link: bool = False, is_whole: bool = False, goes_on: bool = False
    ) -> _Piece:
        recurring = not goes_on and not line.is_fact and _may_recur(text)
        mark = _mark(text, title, f"{'end' if end else 'begin'}{linked}") if recurring else 0
        return _Piece(line, text, mark, linked, is_link, is_whole, goes_on)

    runs = [run for run in line.runs if _LETTER.search(run[1])]
    links = [run for run in runs if run[2]]
    pieces = [piece(line.text, linked=bool(links), is_link=bool(runs) and links == runs, is_whole=True)]
    if sentence := _sentence(line.text, end=end):
        # A link counts for the sentence that it is in.
        pieces.append(piece(sentence, linked=any(_joined([link]) in sentence for link in links)))
    if end and links != runs and runs[-1:] == links[-1:]:
        # The links behind the last words that are in none.
        last = max(number for number, (_, text, linked) in enumerate(line.runs) if _LETTER.search(text) and not linked)
        goes_on = _joined(line.runs[: last + 1])[-1] not in _ENDS
        pieces.append(piece(_joined(line.runs[last + 1 :]), linked=True, is_link=True, goes_on=goes_on))
    return pieces


def _sentence(text: str, *, end: bool) -> str:
    """The last (first) sentence of several; ``""`` where *text* is one."""
    ends = list(_SENTENCE_END.finditer(text))
    if ends and ends[-1].end() == len(text):
        ends.pop()
    if not ends:
        return ""
    return text[ends[-1].end() :] if end else text[: ends[0].start() + 1]


def _mark(text: str, title: str, place: str) -> int:
    return line_hash(text.replace(title, "\u25a1") if len(title) >= 4 else text, place)


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
    small = piece.text.lower()
    if not any(word in small for word in _SPEAKS_OF_APPEARING):
        return None
    matches = (form.match(piece.text.strip()) for form in _APPEARED)
    return next((_said(match["title"]) for match in matches if match), None)


def _recurs(piece: _Piece, known: Recurring) -> bool:
    """Tell whether *piece* stands at this end of enough of the source's last entries."""
    if not piece.mark or len(known.documents) < LEAST_ENTRIES:
        return False
    count = known.counts[piece.mark]
    if count < LEAST_ENTRIES:
        return False
    part = LINKED_PART if piece.linked else LABEL_PART if _LABEL.match(piece.text) else PLAIN_PART
    return count >= part * len(known.documents)


def _may_recur(text: str) -> bool:
    """Tell whether *text* could be furniture where it recurs; facts and figures are the same by chance."""
    if len(text) > MAX_LINE_CHARS or not _LETTER.search(text):
        return False
    if _DIGIT.search(text) is None:
        return True
    has_address = any(mark in text for mark in ("://", "@", "www."))
    return has_address and "." in text and _DIGIT.search(_ADDRESS.sub("", text)) is None


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
