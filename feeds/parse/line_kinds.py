"""What a line of a page or a document is: breadcrumb, label, byline, date, credit, furniture. Part of `parse`. Pure.

Each is known by its kind, in the languages that the press writes in, and only where a whole line is nothing else.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from feeds.dates import month_named, parse_date
from feeds.parsed import Origin, Person
from feeds.text import OF_PICTURES

# --------------------------------------------------------------------------- breadcrumb

_STRONG = re.compile(r"\s*(?:>>|[>›»→⟩❯▶▸➔⇒]|::)\s*")
_WEAK = re.compile(r"\s+[|/\\·•–—-]\s+|\s*[|\\]\s*|(?<=\w)/(?=\w)")
_HERE = re.compile(
    r"^(?:you are here|sie sind hier|vous êtes ici|estás en|sei in|section|category|filed under)\s*:?\s+", re.I
)
_HOME = {
    "home", "homepage", "home page", "front page", "main", "startseite", "start", "accueil", "inicio", "portada",
    "início", "principal", "strona główna", "главная", "ana sayfa", "anasayfa", "etusivu", "hem", "forside", "hjem",
    "होम", "الرئيسية", "首页", "ホーム", "홈",
}  # fmt: skip


def breadcrumb(line: str) -> tuple[str, ...]:
    """Return the parts of a line such as ``News > World``, empty where *line* is none; "Home" in front is left out.

    Two to six short parts. Arrows and angle brackets tell a breadcrumb by themselves; bars, slashes, dots and dashes
    stand in headlines too, so that their parts must be shorter.
    """
    line = line.strip()
    labelled = _HERE.match(line)
    line = line[labelled.end() :].strip() if labelled else line
    if _is_text(line):
        return ()
    strong = _STRONG.search(line) is not None
    named = tuple(filter(None, map(str.strip, (_STRONG if strong else _WEAK).split(line))))
    crumbs = without_home(named)
    says_so = bool(labelled) or crumbs != named or (strong and line[-1:] in ">›»→")
    if not (1 if says_so else 2) <= len(crumbs) <= 6 or not all(_is_crumb(part, strong) for part in crumbs):
        return ()
    return crumbs if strong or labelled or _are_names(crumbs, line) else ()


def _is_text(line: str) -> bool:
    """Tell whether *line* is nothing or a sentence, an item, a quotation, an address: no breadcrumb."""
    return len(line) > 160 or line[-1:] in ".!?" or line.startswith((">", "-", "*", "•")) or "://" in line


def _is_crumb(part: str, strong: bool) -> bool:
    words, letters = (6, 48) if strong else (3, 24)
    return len(part.split()) <= words and len(part) <= letters and _has_letter(part)


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

_LABELS = {
    "title": "title headline titel titre título titolo überschrift заголовок başlık शीर्षक",
    "author": "author authors by writer autor autorin auteur autore yazar автор लेखक reporter",
    "published": "published date posted pubdate datum fecha publié veröffentlicht publicado pubblicato дата tarih "
    "publication_date created opublikowano प्रकाशित",
    "updated": "updated modified lastmod aktualisiert actualizado aggiornato обновлено güncelleme zaktualizowano",
    "link": "url link permalink address adresse enlace ссылка",
    "section": "section category rubrik ressort rubrique sección sezione seção рубрика kategori bölüm",
    "tags": "tags keywords topics schlagworte étiquettes etiquetas теги etiketler",
    "summary": "summary standfirst description abstract deck teaser zusammenfassung chapô resumen",
    "language": "language lang sprache langue idioma lingua",
}
_LABEL_KINDS = {word: kind for kind, words in _LABELS.items() for word in words.split()}
_LABEL_KINDS |= {
    "published on": "published", "posted on": "published", "first published": "published", "last updated": "updated",
    "last updated on": "updated", "updated on": "updated", "updated at": "updated", "published at": "published",
    "last modified": "updated", "publié le": "published", "mis à jour": "updated", "mis à jour le": "updated",
    "zuletzt aktualisiert": "updated", "written by": "author", "reported by": "author", "publicado el": "published",
    "actualizado el": "updated", "pubblicato il": "published", "data di pubblicazione": "published",
    "veröffentlicht am": "published", "stand": "updated", "date published": "published",
}  # fmt: skip
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


@dataclass(slots=True, kw_only=True)
class Stated:
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
        words = name.split()
        if not words:
            continue
        if _AGENCY.match(name):
            continue
        if len(words) > 6 or any(character.isdigit() for character in name) or name.islower():
            return ()
        found.append(Person(name=name))
    return tuple(found)


# --------------------------------------------------------------------------- credits

_CREDIT = re.compile(
    r"[(\[*_\s]*(?:"
    r"(?P<label>sources?|source of article|news source|origin(?:al source)?|credits?|"
    r"courtesy(?: of)?|via|agency|agencies|quellen?|fuentes?|fonti?|fontes?|źródł[oa]|kaynak(?:lar)?|bron(?:nen)?|"
    r"källa|kilde|lähde|источники?|джерело|zdroj|forrás|sursa|πηγή|स्रोत|सोर्स|سورس|المصدر|مصدر|منبع|来源|來源|出典|출처)"
    r"\s*(?:[:：]|=(?!\s*[\"'{/])|\s[-–—]\s|[-–—]\s|\s[|]\s)\s*"
    r"|(?P<phrase>with (?:inputs?|agency inputs?|reporting|files|information|material) (?:from|by)|"
    r"(?:this (?:article|story|piece|report|post) )?(?:was )?(?:originally |first )(?:appeared|published|posted|"
    r"reported|written)(?: (?:by|on|in|at|with))|"
    r"(?:republished|reprinted|reproduced|syndicated)(?: with (?:the )?permission)?(?: (?:from|by|of|courtesy of))|"
    r"courtesy of|courtesy|read the (?:original|full) (?:article|story)(?: (?:on|at|here))?:?|original article:|"
    r"mit material von|mit agenturmaterial von|con información de|con informazioni di|com informações d[ea]|"
    r"avec|zuerst erschienen (?:bei|in|auf)|publicado originalmente (?:en|em|por)|"
    r"the (?:post|article) .{3,150} (?:first appeared|appeared first) on|"
    r"publié (?:initialement|à l'origine) (?:par|sur|dans)|(?-i:Via(?= [A-Z])))\s+"
    r")(?P<name>\S.*?)[)\]*_.\s]*$",
    re.IGNORECASE,
)
_AGENCIES = (
    "reuters|ap|associated press|the associated press|afp|agence france-presse|upi|dpa|epa|efe|ansa|pti|ani|ians|uni|"
    "xinhua|tass|interfax|ria novosti|kyodo|jiji|yonhap|bernama|antara|aap|pa media|press association|bloomberg|"
    "apa|sda|keystone-sda|lusa|belga|anp|ntb|tt|ritzau|stt|pap|ctk|čtk|mti|anadolu|aa|dha|iha|agerpres|tanjug|hina|"
    "sta|bta|ukrinform|belta|irna|wam|spa|mena|petra|sana|kuna|qna|bna|app|bss|lankapuvath|vna|cna|nna|agencies|"
    "press trust of india|asian news international|hindustan times|tribune news service|the conversation|getty images"
)
_SOME = rf"(?P<name>(?:{_AGENCIES})(?:\s*[/,&]\s*(?:{_AGENCIES}))*)"
_AGENCY = re.compile(rf"\(?\[?\s*[-–—]*\s*(?:by |von |par |por )?{_SOME}\s*[)\]]?\.?$", re.I)
_DATELINE = re.compile(
    rf"^[^\W\d_][\w .,'’\-/]{{1,60}}?\s*[(\[]{_SOME}(?:/[a-z]{{2,4}})?[)\]]\s*[-–—:]",
    re.I,
)
_BEGINS = re.compile(r"^(?P<name>Reuters|AP|AFP|UPI|dpa|DPA|PTI|IANS|ANI|Xinhua|Canadian Press) [-–—] (?=[^\W\d_])")
_INPUTS = re.compile(rf"\(?(?:with (?P<name>{_AGENCIES}) inputs?|mit (?P<with>{_AGENCIES}))\)?\.?$", re.I)
_AT_END = re.compile(
    r"[.!?] (?:originally|first) (?:published|appeared) (?:on|in|at) (?P<name>[A-Z][\w.'& -]{1,50}?)\.?$", re.IGNORECASE
)
_OF_PEOPLE = re.compile(
    r"\((?:(?:additional )?(?:reporting|writing|editing|compiled|translated|edited|written) by\b.*)\)$|"
    r"\(?(?:photo|image|picture|foto|bild|cover)s?(?: ?credits?| ?source| by| courtesy| ©)?\s*[:/©]\s*\S.{1,80}$",
    re.IGNORECASE,
)
_YEAR = re.compile(r"\b(?:19|20)\d\d\b")
_URL = re.compile(r"https?://[^\s<>\"')\]]+", re.IGNORECASE)
_RIGHTS = re.compile(r"(?:©|\(c\)|copyright\b|all rights reserved|alle rechte vorbehalten|tous droits réservés)", re.I)


@dataclass(frozen=True, slots=True, kw_only=True)
class Credit:
    """A credit line as *printed*; *origin* is whom it names as first publisher, None where it names only people."""

    printed: str
    origin: Origin | None = None
    bare: bool = False  # the name of an agency and nothing else


def _is_wordy(credit: re.Match[str]) -> bool:
    """Tell whether a phrase that can begin a credit begins a sentence here."""
    name = credit["name"]
    long = len(name.split()) > 8 and not _URL.search(name)
    return bool(credit.groupdict().get("phrase")) and (long or bool(_YEAR.search(name)))


def credit(line: str) -> Credit | None:
    """Return the credit that *line* states (``Source: X``, ``(Reuters)``, ``With inputs from PTI``), else None."""
    line = line.strip()
    if not line or len(line) > 200:
        return None
    if _OF_PEOPLE.match(line):
        return Credit(printed=line)
    if match := _CREDIT.match(line) or _AT_END.search(line):
        if _is_of_picture(match):
            return Credit(printed=line)
        origin = None if _is_wordy(match) else _origin(match["name"])
        return Credit(printed=line, origin=origin) if origin else None
    return _agency_credit(line)


def _is_of_picture(match: re.Match[str]) -> bool:
    label = (match.groupdict().get("label") or "").lower()
    return label.startswith(("credit", "courtesy")) and bool(OF_PICTURES.search(match["name"]))


def _agency_credit(line: str) -> Credit | None:
    """The credit in a line that is the name of an agency, or of several."""
    if (match := _AGENCY.match(line)) and not OF_PICTURES.search(match["name"]) and match["name"] != "agencies":
        return Credit(printed=line, origin=Origin(name=match["name"]), bare=line == match["name"])
    if match := _INPUTS.match(line):
        return Credit(printed=line, origin=Origin(name=match["name"] or match["with"]))
    return None


def _origin(text: str) -> Origin | None:
    """Whom the words after the label name; an address among them is taken apart from the name."""
    found = _URL.search(text)
    url = found[0].rstrip(".,;") if found else None
    name = _URL.sub(" ", text)
    name = " ".join(re.sub(r"[(\[<]\s*[)\]>]", " ", name).split()).strip(" ,;:|-–—()[]<>*_\"'“”")
    if not name and url:
        try:
            name = (urlsplit(url).hostname or "").removeprefix("www.")
        except ValueError:
            return None
    if not name or len(name.split()) > 12 or len(name) > 120:
        return None
    return Origin(name=name, url=url)


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


# Each line of a kind is a whole line of a page, folded, without marks around it; <n> stands for a number.
_FURNITURE = {
    "comments": """
        article comments|comments|<n> comments?|no comments( yet)?|view comments|view all comments|show comments
        |leave a (reply|comment)|leave your (reply|comment)|post a (reply|comment)|post your comments?|add a comment
        |write a comment|add your comment|join the (conversation|discussion)|have your say|reply|cancel reply
        |your email address will not be published.*|required fields are marked.*|be the first to (comment|reply).*
        |log ?in to (comment|leave a comment|post a comment).*|you must be logged in.*|load more comments|disqus
        |kommentare( lesen)?|<n> kommentare?|kommentar (schreiben|verfassen|hinterlassen)
        |schreiben sie einen kommentar
        |kommentieren|diskutieren sie mit|antwort abbrechen|commentaires?|<n> commentaires?|laisser un commentaire
        |laissez un commentaire
        |ajouter un commentaire|réagir|comentarios?|<n> comentarios?|deja (un comentario|una respuesta)
        |escribe un comentario|commenti|<n> commenti|lascia un commento|scrivi un commento|comentários?
        |deixe (um comentário|uma resposta)|reacties?|<n> reacties?|laat een reactie achter|plaats een reactie
        |komentarze|dodaj komentarz|skomentuj|kommentarer|skriv en kommentar|комментарии|оставить комментарий
        |добавить комментарий|yorumlar|yorum yap(ın)?|bir yanıt yazın|टिप्पणियाँ|टिप्पणी करें|अपनी टिप्पणी दें
        |التعليقات|اترك تعليقا?|评论|发表评论|コメント|コメントを残す|댓글""",
    "share": """
        share|share this( article| story| post| page)?( on| with| via)?.{0,40}|share (on|via) .{0,30}|share:.{0,80}
        |tweet
        |facebook|twitter|whatsapp|telegram|linkedin|reddit|pinterest|copy link|e-?mail( this)?( article)?
        |print( this)?
        ( article| page)?|send|like this:?|save( article| for later)?|bookmark|follow us( on)?.{0,60}|follow
        |teilen|artikel teilen|drucken|auf facebook teilen|merken|partager( (cet article|sur .{0,20}))?|imprimer
        |compartir( (en|este artículo|esta noticia).{0,20})?|imprimir|condividi( (su|questo articolo).{0,20})?|stampa
        |compartilhar?|compartilhe.{0,30}|partilhar|delen|deel dit( artikel)?|udostępnij|drukuj|dela|del
        |поделиться|paylaş|yazdır|शेयर करें|साझा करें|مشاركة|شارك|分享|シェア|공유""",
    "related": """
        read also|also read|read more|read next|see also|more on this( story)?|related( articles?| stories| posts
        | news
        | topics| content| links)?|recommended( for you| stories| articles)?|you may also like|you might also like
        |more from .{1,40}|more stories|most (read|popular|viewed|shared)|trending( now| news)?|top stories
        |latest news
        |what to read next|up next|next (article|story|post)|previous (article|story|post)|editors?'? ?picks?
        |don'?t miss|popular (stories|posts|now)|lesen sie auch|mehr zum thema|auch interessant|weiterlesen
        |weitere (themen|artikel|meldungen|nachrichten|beiträge)
        |meistgelesen|das könnte sie auch interessieren|lire aussi|à lire aussi|sur le même sujet|lire la suite
        |les plus lus|lee también|le puede interesar|te puede interesar|más noticias|lo más leído|leggi anche
        |ti potrebbe interessare|i più letti|leia (também|mais)|veja também|mais lidas|lees ook
        |meer over dit onderwerp
        |czytaj (też|także|więcej)|zobacz (też|także)|läs (också|mer)|les også|læs også|читайте также|по теме
        |ayrıca okuyun|ilgili haberler|यह भी पढ़ें|ये भी पढ़ें|और पढ़ें|اقرأ أيضا|相关新闻|相关阅读|関連記事|関連ニュース""",
    "newsletter": """
        (subscribe|sign up|signup|register)( now| here| today| free)?( (to|for|with) .{0,80})?|newsletters?
        |(get|receive) .{0,60}(in|to) your (inbox|email)|enter your e-?mail( address)?|e-?mail address|your e-?mail
        |join (our|the) (newsletter|mailing list|whatsapp channel|telegram channel).{0,40}
        |download (our|the) .{0,30}app.{0,40}|get our app|(zum )?newsletter (abonnieren|anmelden|bestellen).{0,40}
        |jetzt (abonnieren|anmelden)|abonnez-vous.{0,60}|s'abonner|inscrivez-vous.{0,60}|suscríbete.{0,60}
        |suscríbase.{0,60}|iscriviti.{0,60}|abbonati.{0,40}|assine.{0,60}|inscreva-se.{0,60}|schrijf je in.{0,60}
        |zapisz się.{0,60}|подписаться.{0,40}|подпишитесь.{0,60}|abone ol.{0,40}|सब्सक्राइब करें.{0,40}|订阅""",
    "advertisement": """
        advertisements?|advertorial|ads?|ad feedback|sponsored( content)?|promoted( content)?|paid (post|content)
        |advertise with us|story continues below( advertisement)?|article continues (below|after)( this
        | the)?( ad(vertisement)?)?
        |continue reading( below)?|scroll to continue( reading)?( with content)?|remove ads|anzeigen?|werbung
        |publicité
        |la suite après cette publicité|publicidad|pubblicità|publicidade|advertentie|reklama|reklam|annons|annonse
        |реклама
        |विज्ञापन|إعلان|广告|広告|광고""",
    "cookies": """
        (we|this (web)?site|our (web)?site) uses? cookies.*|by (continuing|using) .{0,60}(cookies|terms|privacy).*
        |accept( all)?( cookies)?|cookie (settings|policy|notice|preferences)|manage (cookies|preferences|consent)
        |privacy (policy|notice)|terms (of (use|service)|and conditions|& conditions)|(wir verwenden
        |diese (web)?seite verwendet) cookies.*
        |alle (cookies )?akzeptieren|datenschutz(erklärung)?|impressum|(nous utilisons|ce site utilise) des cookies.*
        |tout accepter|(utilizamos|este sitio (web )?utiliza|usamos) cookies.*|aceptar( todo| cookies)?|aviso legal
        |(questo sito )?utilizza( i)? cookie.*|accetta( tutti)?|aceitar( cookies)?|deze (web)?site gebruikt cookies.*
        |используем (файлы )?cookies?.*""",
    "navigation": """
        home|menu|search|skip to (main )?content|skip to navigation|back to (top|home)|go to top|top|close|open menu
        |log ?in|sign ?in|sign out|my account|contact( us)?|about( us)?|site ?map|faqs?|help
        |listen( to (this )?article)?
        |listen|watch|play|pause|mute|<n> min(ute)?s?( read)?|<n> min\\. (read|lesezeit)|reading time:? <n>.{0,12}
        |loading\\.*
        |please wait\\.*|view (gallery|photos|image|full image)|click here( to .{0,60})?|page <n> of <n>|next|previous
        |nach oben|suche|anmelden|zum inhalt( springen)?|artikel anhören|lesezeit:? <n>.{0,20}|retour en haut
        |rechercher
        |se connecter|temps de lecture:? <n>.{0,20}|volver arriba|buscar|iniciar sesión|torna su|cerca|accedi|наверх
        |поиск|войти""",
}
_COUNT = re.compile(r"\s*[(\[]\d[\d,.]*$")
_MARKS = " \t:：|•·*_#-–—>»›→…()[]\"'“”!."
_PATTERNS = {
    kind: re.compile(
        "(?:" + re.sub(r"\s*\n\s*", "", table.strip()).replace("<n>", r"\d[\d,.]*") + r")[\s:…!.]*$", re.IGNORECASE
    )
    for kind, table in _FURNITURE.items()
}
# "Also read: some other headline" is a pointer to another article, whatever the headline.
_POINTER = re.compile(
    r"(?:also read|read also|read more|read next|see also|don'?t miss|related|must read|watch|lesen sie auch|"
    r"mehr zum thema|(?:à )?lire aussi|lee también|leggi anche|leia também|lees ook|"
    r"czytaj (?:też|także)|läs också|les også|læs også|"
    r"читайте также|यह भी पढ़ें|ये भी पढ़ें|اقرأ أيضا)\s*[:|–—\-]\s*\S.{0,160}$",
    re.IGNORECASE,
)


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
    return next((kind for kind, pattern in _PATTERNS.items() if pattern.match(bare)), None)
