"""Page furniture: what stands around an article on a page and is saved or pasted with it. Part of `parse`. Pure.

"Leave a Reply", "Advertisement", "Share this": known by their kind, in the languages that the press writes in, and
only where a whole line is nothing else.
"""

from __future__ import annotations

import re

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
