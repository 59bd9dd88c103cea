"""What stands in an article's place is told from an article."""

from __future__ import annotations

import pytest

from feeds.parse.walls import wall

ARTICLE = "The miller says that the wheel of the mill turns again after the flood of last spring took it. " * 20


@pytest.mark.parametrize(
    ("title", "text", "found"),
    [
        ("The mill", ARTICLE, ""),
        ("The mill", f"{ARTICLE} We use cookies and you may accept all cookies in the footer.", ""),
        ("Why pages are not found", ARTICLE, ""),
        ("The mill", f"{ARTICLE} Subscribe to continue reading.", "paywall"),
        ("The mill", f"{ARTICLE} Already a subscriber? Sign in.", "paywall"),
        ("Die Mühle", f"{ARTICLE} Bereits Abonnent? Hier anmelden", "paywall"),
        ("Le moulin", f"{ARTICLE} Il vous reste 72 % de cet article à lire. La suite est réservée.", "paywall"),
        ("The mill", f"Subscribe to continue reading offers fill the web. {ARTICLE}", ""),
        ("Mill News", "We value your privacy. We and our partners store information on a device.", "consent"),
        ("Mühle", "Wir verwenden Cookies, um Inhalte zu zeigen.", "consent"),
        ("404 Not Found", "nginx", "error"),
        ("Mill News", "The page you are looking for could not be found.", "error"),
        ("Just a moment...", "Enable JavaScript and cookies to continue", "robots"),
        ("Mill News", "Please verify you are human by completing the action below.", "robots"),
    ],
)
def test_by_title_and_text(title: str, text: str, found: str) -> None:
    said = wall(b"<html></html>", title=title, text=text)
    assert found in said and bool(found) == bool(said)


@pytest.mark.parametrize(
    ("body", "free"),
    [
        (b'{"@type": "NewsArticle", "isAccessibleForFree": false}', False),
        (b'{"isAccessibleForFree":"False"}', False),
        (b"{'isAccessibleForFree' : 'http://schema.org/False'}", False),
        (b'<meta property="article:content_tier" content="locked">', False),
        (b'{"isAccessibleForFree": true}', True),
        (b'<meta property="article:content_tier" content="free">', True),
    ],
)
def test_by_what_a_page_states(body: bytes, free: bool) -> None:
    assert (wall(body, title="The mill", text=ARTICLE) == "") is free
