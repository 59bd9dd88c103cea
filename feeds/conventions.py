"""Where well-known sites keep the feed of what a page of theirs shows: a table; nobody is asked. Ground floor. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import quote, unquote, urlsplit

from feeds.configuration import Select

TELEGRAM = Select(
    item=".tgme_widget_message",
    id="@data-post",
    link="a.tgme_widget_message_date@href",
    date=".tgme_widget_message_date time@datetime",
    text=".tgme_widget_message_text",
    picture="xpath:substring-before(substring-after(.//*[contains(@class, 'photo_wrap')]/@style, \"url('\"), \"')\")",
)
"""The posts on Telegram's web page of a public channel."""


@dataclass(frozen=True, slots=True)
class Convention:
    """What is known of a page by its address: *what* it is, and *url*, its feed; with *select* a page to be read by it.

    Where *url* is ``""`` only the page itself, or a catalogue, can tell the feed: *ask* is the address that does, by
    autodiscovery or as JSON.
    """

    what: str
    url: str = ""
    select: Select | None = None
    ask: str = ""


# What it is, its host, its path with its query, its feed; the first row that fits holds. NAME is one part of a path.
_ROWS = r"""
a YouTube channel     (www\.|m\.)?youtube\.com      /channel/(?P<id>UC[\w-]+)(/.*)?      https://www.youtube.com/feeds/videos.xml?channel_id={id}
a YouTube playlist    (www\.|m\.)?youtube\.com      /(playlist|watch)\?(.*&)?list=(?P<id>[\w-]+).*      https://www.youtube.com/feeds/videos.xml?playlist_id={id}
a YouTube user        (www\.|m\.)?youtube\.com      /user/(?P<id>NAME)(/.*)?      https://www.youtube.com/feeds/videos.xml?user={id}
a YouTube channel     (www\.|m\.)?youtube\.com      /(@NAME|c/NAME)(/.*)?
a search of Reddit    (www\.|old\.)?reddit\.com     (?P<id>(/r/[\w+-]+)?/search)/?\?(?P<query>.+)      https://www.reddit.com{id}.rss?{query}
a user of Reddit      (www\.|old\.)?reddit\.com     /u(ser)?/(?P<id>[\w-]+)(/.*)?      https://www.reddit.com/user/{id}/.rss
a subreddit           (www\.|old\.)?reddit\.com     (?P<id>/r/[\w+-]+(/(new|hot|top|rising|comments/\w+))?)(/[^.?]*)?      https://www.reddit.com{id}/.rss
a profile of Bluesky  bsky\.app                     /profile/(?P<id>[\w.:-]+)/?      https://bsky.app/profile/{id}/rss
commits on GitHub     github\.com                   /(?P<id>NAME/NAME/commits(/[\w./%-]+)?)      https://github.com/{id}.atom
tags on GitHub        github\.com                   /(?P<id>NAME/NAME/(tags|discussions))/?      https://github.com/{id}.atom
releases on GitHub    github\.com                   /(?!(topics|orgs|features|sponsors|search|collections|settings)/)(?P<id>NAME/NAME)(/(releases(/latest)?)?)?      https://github.com/{id}/releases.atom
releases on GitLab    gitlab\.com                   /(?P<id>[\w./-]+)/-/releases/?      https://gitlab.com/{id}/-/releases.atom
releases on Codeberg  codeberg\.org                 /(?P<id>NAME/NAME)(/releases)?/?      https://codeberg.org/{id}/releases.rss
releases on PyPI      pypi\.org                     /project/(?P<id>NAME)(/.*)?      https://pypi.org/rss/project/{id}/releases.xml
a Substack            (?P<host>(?!www\.|open\.)[\w-]+\.substack\.com)      /?(archive|about|p/.*)?      https://{host}/feed
a Substack            (www\.|open\.)?substack\.com  /pub/(?P<id>[\w-]+)(/.*)?      https://{id}.substack.com/feed
a tag of Medium       medium\.com                   /tag/(?P<id>[\w-]+)(/.*)?      https://medium.com/feed/tag/{id}
a page of Medium      medium\.com                   /(?!(feed|m|me|p|search|about|membership)(/|$))(?P<id>@?[\w.-]+)/?(about|latest|archive)?/?      https://medium.com/feed/{id}
a page of Medium      (?P<host>(?!www\.|help\.|policy\.)[\w-]+\.medium\.com)      /?      https://{host}/feed
a blog of Tumblr      (?P<host>(?!www\.)[\w-]+\.tumblr\.com)      /?      https://{host}/rss
a blog at WordPress   (?P<host>(?!www\.)[\w-]+\.wordpress\.com)      /?      https://{host}/feed/
a blog of Blogger     (?P<host>(?!www\.)[\w-]+\.blogspot\.(com?\.)?\w{2,3})      /?      https://{host}/feeds/posts/default
"""  # noqa: E501
_GAP = re.compile(r"\s{2,}")
_TABLE = tuple(
    (what, re.compile(host), re.compile(path.replace("NAME", r"[\w.~%-]+")), feed.strip())
    for what, host, path, feed in (_GAP.split(f"{row}  ", maxsplit=3) for row in _ROWS.strip().splitlines())
)
_LIKELY = (
    "youtube.com reddit.com bsky.app github.com gitlab.com codeberg.org pypi.org substack.com medium.com tumblr.com"
    " wordpress.com .blogspot. t.me/ telegram.me/ .apple.com /@ /tags/"
).split()
"""A look at an address that is in no row: a config may have a hundred thousand."""
_FEED = re.compile(r"\.(?:rss|atom|xml|json)$")
_TELEGRAM = re.compile(r"/(?:s/)?(?P<id>(?!joinchat|share)[A-Za-z]\w{3,31})/?")
_APPLE = re.compile(r"/(?:.*/)?podcast/(?:.*/)?id(?P<id>\d+)")
_MASTODON = re.compile(r"/(?P<id>@[\w.-]+|tags/\w+)/?")
_NOT_MASTODON = frozenset(
    "medium.com youtube.com tiktok.com threads.net threads.com substack.com flipboard.com t.me dev.to".split()
)
"""Sites that have /@names and no feeds there."""


def convention_of(url: str) -> Convention | None:
    """Return what is known of the page at *url* by its address; None where nothing is, or where it is a feed already.

    >>> convention_of("https://github.com/pallets/flask")
    Convention(what='releases on GitHub', url='https://github.com/pallets/flask/releases.atom', select=None, ask='')
    >>> convention_of("https://mastodon.example/@ada").url, convention_of("https://example.org/news")
    ('https://mastodon.example/@ada.rss', None)
    """
    host, path, asked = _page_of(url) if any(word in url for word in _LIKELY) else ("", "", "")
    if not host or _FEED.search(path):
        return None
    for what, host_like, path_like, feed in _TABLE:
        at, found = host_like.fullmatch(host), path_like.fullmatch(asked) or path_like.fullmatch(path)
        if at is not None and found is not None:
            named = {name: quote(unquote(value), safe="/:@+&=%,") for name, value in found.groupdict().items()}
            return Convention(what, feed.format(**at.groupdict(), **named), ask="" if feed else url)
    return _elsewhere(host, path)


def _page_of(url: str) -> tuple[str, str, str]:
    """Host, path, and path with query of a page that anybody may see on its site's own port; empty for all else."""
    try:
        parts = urlsplit(url)
        host = (parts.hostname or "").lower()
    except ValueError:
        return "", "", ""
    if parts.scheme not in ("http", "https") or parts.netloc.lower() != host:
        return "", "", ""
    return host, parts.path, parts.path + (f"?{parts.query}" if parts.query else "")


def _elsewhere(host: str, path: str) -> Convention | None:
    """What has no feed at its address, or stands on many hosts."""
    if host in ("t.me", "telegram.me") and (found := _TELEGRAM.fullmatch(path)):
        return Convention("a channel of Telegram", f"https://t.me/s/{found['id']}", TELEGRAM)
    if host in ("podcasts.apple.com", "itunes.apple.com") and (found := _APPLE.fullmatch(path)):
        return Convention("a podcast at Apple", ask=f"https://itunes.apple.com/lookup?id={found['id']}&entity=podcast")
    if (found := _MASTODON.fullmatch(path)) and host and host.removeprefix("www.") not in _NOT_MASTODON:
        return Convention("a page of Mastodon, or one like it", f"https://{host}/{found['id']}.rss")
    return None
