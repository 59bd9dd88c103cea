"""Pages that stand in an article's place: a paywall, a question for consent, an error, a test for robots. Pure.

Only what cannot be meant otherwise counts: what a page states of itself, its title, what a page with little text says,
and the offer to go on where a text breaks off.
"""

from __future__ import annotations

import re

WALL_CHARS = 1_500
"""A page with more text is an article, whatever it says of cookies besides."""
END_CHARS = 600
"""So near the end of a text that breaks off stands the offer to go on."""


def _any(*phrases: str) -> re.Pattern[str]:
    return re.compile("|".join(phrases), re.IGNORECASE)


_NOT_FREE = re.compile(
    rb"""["']isAccessibleForFree["']\s*:\s*["']?\s*(?:https?://schema.org/)?false\b"""
    rb"""|<meta[^>]{0,200}article:content_tier["'][^>]{0,100}(?:locked|metered)""",
    re.IGNORECASE,
)
_PAYWALL = _any(
    r"subscribe (?:now )?to (?:continue|keep|read|unlock)",
    r"to (?:continue|keep) reading,? (?:please )?(?:subscribe|sign|log|register|create)",
    r"(?:already|are you) a (?:subscriber|member)\b",
    r"(?:article|story|content|post) is (?:only |exclusively )?(?:for|available to|reserved for) (?:paying |our )?"
    r"(?:subscribers|members)",
    r"(?:subscriber|member)s?[- ](?:only|exclusive)",
    r"you(?:'|’| ha)ve (?:reached|read) (?:your|all|the last)[^.]{0,40}(?:limit|free articles?)",
    r"jetzt (?:abonnieren|weiterlesen)|nur für abonnent|bereits abonnent|artikel freischalten",
    r"réservé (?:à nos|aux) abonnés|il vous reste \d+ ?% de cet article|déjà abonné",
    r"(?:exclusivo|solo|contenido) para (?:suscriptores|assinantes)|suscríbete para",
    r"già abbonat|riservato agli abbonati|alleen voor abonnees|только для подписчиков|有料会員|会員限定|订阅后",
)
_CONSENT = _any(
    r"we (?:value|care about|respect) your privacy|your privacy (?:choices|is important)|before you continue to",
    r"(?:accept|reject|manage) (?:all )?cookies|uses? cookies (?:and|to|for)|consent to (?:the use|our use|cookies)",
    r"cookies (?:zulassen|akzeptieren)|mit (?:werbung|cookies) (?:weiter)?lesen|wir (?:verwenden|nutzen) cookies",
    r"(?:accepter|gérer) (?:et|les|mes) cookies|nous utilisons des cookies|respetamos tu privacidad|usamos cookies",
    r"utilizziamo (?:i )?cookie|wij gebruiken cookies|verify your age|are you (?:over|at least) 18",
)
_ERROR = _any(
    r"\b(?:40[34]|410|50[023])\b.{0,30}(?:error|not found|forbidden|gone|unavailable)|error (?:40[34]|410|50[023])\b",
    r"(?:page|article|story) (?:you (?:requested|are looking for) )?(?:was|is|could|can)(?:n[o'’]t| not| no longer) "
    r"(?:be )?(?:found|available|exist)",
    r"page not found|seite (?:wurde )?nicht gefunden|page (?:introuvable|non trouvée)|página no encontrada",
    r"pagina non trovata|access denied|service unavailable|temporarily unavailable|under maintenance",
)
_ROBOTS = _any(
    r"just a moment\b|attention required|are you (?:a )?(?:human|robot)|not a robot|unusual traffic|captcha",
    r"verify(?:ing)? (?:that )?you are|enable (?:javascript|cookies|js)\b|checking your browser|ddos protection",
    r"pardon our interruption",
)
_STANDING = ((_ROBOTS, "a test for robots"), (_CONSENT, "a question for consent"), (_ERROR, "an error page"))


def wall(body: bytes, *, title: str, text: str) -> str:
    """Return what stands on the page *body* in the place of an article, in words; ``""`` where it is one.

    *title* and *text* are what was read of it.
    """
    if _NOT_FREE.search(body):
        return "a page that says that it is not for free"
    if _PAYWALL.search(text[-END_CHARS:]):
        return "the beginning of an article behind a paywall"
    said = f"{title}\n{text if len(text) < WALL_CHARS else ''}"
    return next((name for sign, name in _STANDING if sign.search(said)), "")
