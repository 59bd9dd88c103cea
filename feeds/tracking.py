"""What of an article's address does not name the article: parameters, hosts and redirectors, as tables. Pure.

Used by `feeds.comparable`, the form of random values by `feeds.urls` too. Kept as data so that a new parameter is one
word and no code. A name stands here when it is documented by the service that adds it, or seen on several publishers
and nowhere as the key of an article; a name that is an id on some sites (``id``, ``p``, ``s``, ``page``, ``cid``,
``sid``) is only listed for hosts on which it is none.

No list of names can hold what every shop calls its session, so values are also known by their form. Session ids,
tickets and cache busters have in common that chance made them (hex, base64, UUIDs, fractions of a random number) or
the clock (seconds or milliseconds of this age).
"""

from __future__ import annotations

import re

# Names that begin so are tracking everywhere; compared in lower case.
PREFIXES = (
    "utm_", "utm-", "mtm_", "pk_", "piwik_", "matomo_", "hsa_", "_hs", "__hs", "oly_", "vero_", "ga_", "_ga",
    "at_custom", "at_campaign", "at_medium", "at_link", "at_bbc", "at_ptr", "at_format", "fb_action_", "fb_ref",
    "fb_source", "trk_", "wt_", "wt.", "sc_", "ns_", "itm_", "ito_", "aff_", "gaa_", "mc_", "ml_subscriber", "bsft_",
    "iesrc", "guce_",
    "guccounter", "asc_", "tblci", "wbraid", "gbraid", "dm_i", "sfmc_", "stm_", "mkt_", "elq", "campaign_", "spm",
    "__twitter_", "_openstat", "awt_", "ref_src", "ref_url", "linkid_", "soc_", "share_", "shared_",
)  # fmt: skip

# Names that are tracking everywhere, in lower case.
NAMES = frozenset(
    """
    fbclid gclid gclsrc dclid msclkid yclid ymclid twclid ttclid li_fat_id igshid igsh igsid epik rdt_cid s_cid s_kwcid
    cvid oicd icid ncid ocid cmpid cmp cmpgn campid campaignid cid_source
    ftag ftcamp xtor xtref smid smtyp smvar smprod
    _r _rq __s __source _branch_match_id _branch_referrer _bhlid _kx _ke _vsrefdom _sp _unique_id
    rb_clickid wickedid wickedsource srsltid mibextid ftr feature_src
    partnerid taid tid_source wpisrc wpmm wpmk wp_login_redirect
    sref sr_share recirc recruited_by hootpostid linkcode linksource
    nl_id nlid newsletterid emci emdi ceid emailid email_id user_email subscriber_id
    soc smc sharetype sharesource shareaholic shareid
    trackingid tracking trk track_id trkid trackid clickid click_id click_source rss_src rssfeed
    xid_source rssid utm igdigest guce piano_t cxt cx_testid cx_testvariant cx_artpos cx_recsorder cx_click cx_navsource
    cx_experienceid cx_reco
    intcmp intcid int_cid int_campaign ico ito dicbo intlink inttag
    scrolla src_cmp
    _gl gad_source gad_campaignid sfnsn noredirect hss_channel wprov cn-reloaded vgo_ee replytocom
    ssaid embedly_source impressionid ir_campaign ir_adid impactradius irclickid irgwc
    amp_js_v amp_gsa usqp aoh referrer referer referral refid refsrc ref_type ref_ source_id_ref
    outputtype_ jsessionid phpsessid aspsessionid cfid cftoken sessionid session_id
    action_object_map action_type_map action_ref_map fb_xd_fragment
    mbid zanpid ranmid raneaid ransiteid
    gs_l ved usg sa_source ei_source
    yptr guid_source yahoo_source soc_src soc_trk
    _lrsc _amp __twitter_impression tw_i twi fbid_source
    printstream nocache no_cache cachebust cachebuster
    wt_mc bcid cm_mmc cm_ite cm_lm cm_ven cm_cat cm_pla cm_sp cmp_id
    feedtype feedname feedref fromrss rss_ref fromfeed rsspartner
    """.split()
)

# Names that say where the reader came from when their value is a word, and may be an id when it is a number. Where the
# path names an article they are dropped unless the value is a bare number; elsewhere ("/?module=sports",
# "/trains?from=rome") only when the value is one of WHERE_FROM.
WORD_NAMES = frozenset(
    """
    ref src source from via origin rss feed medium channel share_from refer refby reffer cmpsrc mod module
    em position from_source in_source eref iref hpt hp hpw emc test mbox loc
    nl nlp adsource adid sns social socialsrc syndication isfeed isrss app wire rssfrom
    track partner campaign scroll sharing share link_source
    """.split()
)
WHERE_FROM = frozenset(
    """
    rss rss2 atom feed feeds rssfeed xml syndication twitter tw facebook fb instagram ig linkedin whatsapp wa telegram
    reddit pinterest email e-mail mail newsletter nl social share sharing google googlenews gnews bing yahoo msn apple
    applenews flipboard pocket feedly feedburner dlvr.it homepage home hp frontpage search searchresults widget
    related recirc trending mostpopular mostread latest ticker sidebar footer header nav menu push notification app web
    mobile desktop amp partner referral article story
    """.split()
)

# Views of the same article: dropped when the value is one of these; an empty string stands for no value.
VIEWS: dict[str, frozenset[str]] = {
    "amp": frozenset({"", "1", "true", "yes", "amp"}),
    "outputtype": frozenset({"amp", "print", "default-article"}),
    "output": frozenset({"amp", "print"}),
    "print": frozenset({"", "1", "true", "yes", "y", "print"}),
    "printable": frozenset({"", "1", "true", "yes"}),
    "printview": frozenset({"", "1", "true", "yes"}),
    "printer": frozenset({"", "1", "true", "yes"}),
    "printerfriendly": frozenset({"", "1", "true", "yes"}),
    "printmode": frozenset({"", "1", "true", "yes"}),
    "isprint": frozenset({"", "1", "true", "yes"}),
    "pf": frozenset({"", "1", "true"}),
    "pagewanted": frozenset({"", "1", "all", "print"}),
    "singlepage": frozenset({"", "1", "true", "yes"}),
    "single_page": frozenset({"", "1", "true", "yes"}),
    "showall": frozenset({"", "1", "true", "yes"}),
    "view": frozenset({"print", "mobile", "amp", "desktop", "fullsite", "singlepage"}),
    "mode": frozenset({"print", "mobile", "amp"}),
    "action": frozenset({"print", "amp"}),
    "format": frozenset({"print", "amp", "mobile"}),
    "type": frozenset({"amp", "print"}),
    "service": frozenset({"print", "mobile", "amp"}),
    "template": frozenset({"print", "printart", "printarticle", "mobile"}),
    "device": frozenset({"mobile", "desktop", "phone", "tablet"}),
    "m": frozenset({"1"}),
    "mobile": frozenset({"", "0", "1", "true", "yes"}),
    "rss": frozenset({"", "1", "true", "yes"}),
    "tmpl": frozenset({"component"}),
    "nomobile": frozenset({"", "1", "true"}),
    "desktop": frozenset({"", "1", "true"}),
    "fullsite": frozenset({"", "1", "true"}),
    "full": frozenset({"", "1", "true"}),
    "isfreemium": frozenset({"", "1", "true"}),
}

# Further names on one host and those below it.
HOST_NAMES: dict[str, frozenset[str]] = {
    host: frozenset(names.split())
    for host, names in {
        "nytimes.com": "scp sq st partner hp emc ref src action clicksource contentcollection region module pgtype "
        "version mcubz rref mtrref gwh gwt assetType nl te campaign_id instance_id segment_id regi_id user_id "
        "unlocked_article_code",
        "washingtonpost.com": "hpid tid nid itid wp_mcid hpv",
        "theguardian.com": "cmp intcmp guni dcr c_api_key",
        "bbc.co.uk": "ns_mchannel ns_source ocid print",
        "bbc.com": "ns_mchannel ns_source ocid print",
        "cnn.com": "hpt iref iid eref on.cnn",
        "reuters.com": "feedtype feedname rpc videochannel edition-redirect taid il virtualbrandchannel",
        "foxnews.com": "test intcmp cmpid",
        "bloomberg.com": "srnd cmpid sref leadsource in_source embedded-checkout accesstoken",
        "wsj.com": "mod mg reflink st ns",
        "marketwatch.com": "siteid mod link dist",
        "ft.com": "ftcamp segmentid sharetype accesstoken sharing desktop",
        "forbes.com": "sh ss ctpv partner",
        "businessinsider.com": "r ir op",
        "cnet.com": "ftag part subj tag",
        "cbsnews.com": "ftag part subj tag intcid",
        "zdnet.com": "ftag part subj tag",
        "yahoo.com": "guccounter guce_referrer guce_referrer_sig soc_src soc_trk tsrc .tsrc ncid",
        "msn.com": "ocid cvid ei gt1 pc lc",
        "medium.com": "source sk gi",
        "youtube.com": "feature si pp app ab_channel t list index start_radio",
        "twitter.com": "s t lang",
        "x.com": "s t lang",
        "instagram.com": "igshid hl",
        "linkedin.com": "trk trkinfo lipi",
        "huffpost.com": "ncid icid ir d_id",
        "huffingtonpost.com": "ncid icid ir d_id",
        "usatoday.com": "csp gnt-cfr",
        "latimes.com": "track dlvrit",
        "dailymail.co.uk": "ito ico ns_mchannel ns_campaign",
        "telegraph.co.uk": "fb cmpid wt.mc_id",
        "independent.co.uk": "r amp",
        "economist.com": "fsrc spc",
        "newyorker.com": "mbid",
        "wired.com": "mbid bxid cndid esrc",
        "slate.com": "wpsrc wpisrc via gtm",
        "politico.com": "nid nlid nname nrid lo",
        "npr.org": "ft f sc",
        "abcnews.go.com": "cid id_source",
        "indiatimes.com": "from utm_source mobile frmapp",
        "hindustantimes.com": "facet",
        "spiegel.de": "sara_ref sara_ecid",
        "lemonde.fr": "lmd_medium lmd_campaign lmd_creation xtmc xtcr",
        "sciencedaily.com": "trendmd-shared",
        "arstechnica.com": "comments",
        "wikipedia.org": "wprov useskin mobileaction",
        "amazon.com": "tag linkcode psc ascsubtag ie",
    }.items()
}
HOST_NAMES = {host: frozenset(name.lower() for name in names) for host, names in HOST_NAMES.items()}

# First labels of hosts that show the same articles as the host without them.
VARIANT_LABELS = frozenset(
    """
    www www1 www2 www3 ww2 m mobile mobil amp touch wap lite
    """.split()
)

# Hosts under another name. Keys and values without a variant label.
HOST_ALIASES = {
    "edition.cnn.com": "cnn.com",
    "us.cnn.com": "cnn.com",
    "bbc.com": "bbc.co.uk",
    "news.bbc.com": "news.bbc.co.uk",
    "huffingtonpost.com": "huffpost.com",
    "guardian.co.uk": "theguardian.com",
    "uk.reuters.com": "reuters.com",
    "in.reuters.com": "reuters.com",
    "ca.reuters.com": "reuters.com",
    "af.reuters.com": "reuters.com",
    "us.reuters.com": "reuters.com",
    "nytimes.com.co": "nytimes.com",
    "old.reddit.com": "reddit.com",
    "np.reddit.com": "reddit.com",
    "new.reddit.com": "reddit.com",
    "x.com": "twitter.com",
    "online.wsj.com": "wsj.com",
    "timesofindia.com": "timesofindia.indiatimes.com",
    "music.youtube.com": "youtube.com",
}

# Redirectors that carry their target: host (and those below it) -> parameters in which it may stand.
REDIRECTORS: dict[str, tuple[str, ...]] = {
    host: tuple(names.split())
    for host, names in {
        "google.com": "url q u adurl",
        "msn.com": "url u ru",
        "bing.com": "url u ru",
        "live.com": "url u",
        "microsoft.com": "url u",
        "yahoo.com": "url u",
        "facebook.com": "u url next",
        "instagram.com": "u",
        "linkedin.com": "url",
        "youtube.com": "q url",
        "reddit.com": "url",
        "duckduckgo.com": "uddg u",
        "vk.com": "to",
        "ok.ru": "st.link",
        "t.umblr.com": "z",
        "tumblr.com": "z",
        "getpocket.com": "url",
        "pinterest.com": "url",
        "flipboard.com": "url",
        "feedly.com": "url",
        "inoreader.com": "url u",
        "newsblur.com": "url",
        "digg.com": "url",
        "stumbleupon.com": "url",
        "disq.us": "url",
        "disqus.com": "url",
        "viglink.com": "u url out",
        "skimresources.com": "url",
        "anrdoezrs.net": "url",
        "dpbolvw.net": "url",
        "awin1.com": "p ued",
        "safelinks.protection.outlook.com": "url",
        "proofpoint.com": "u",
        "steamcommunity.com": "url u",
        "translate.google.com": "u",
        "moreover.com": "url u a",
        "pheedo.com": "url",
        "newsnow.co.uk": "url",
        "feedsportal.com": "url",
        "slashdot.org": "url op2",
        "embedly.com": "url",
        "exit.sc": "url",
        "l.threads.net": "u",
    }.items()
}

# Elsewhere a target is taken out only where the path ends in such a word.
REDIRECT_PATHS = frozenset(
    """
    url redirect redir redirect.php redir.php redirect.asp redirect.aspx out out.php away away.php go go.php l.php
    click clk click.php link link.php exit exit.php leave leaving goto r rd ck apiclick.aspx track.php
    """.split()
)
REDIRECT_NAMES = (
    "url",
    "u",
    "target",
    "dest",
    "destination",
    "to",
    "redirect",
    "redirect_url",
    "link",
    "goto",
    "r",
    "q",
)


_UUID = re.compile(r"\{?[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\}?", re.IGNORECASE)
_HEX = re.compile(r"[0-9a-f]{16,}", re.IGNORECASE)
_BASE64 = re.compile(r"[A-Za-z0-9+/_-]{16,}={0,2}(?:\.[A-Za-z0-9+/_-]{8,}={0,2}){0,2}")
_CLOCK = re.compile(r"1[0-9]{9}(?:[0-9]{3})?(?:\.[0-9]+)?")
_FRACTION = re.compile(r"0\.[0-9]{6,}")
_PASSING = re.compile(
    r"_+|z?x|n?cb?|r|t|ts|v|ver|version|_dc|dc|ord|rnd|rand.*|.*(?:sess|token|ticket|nonce|csrf|cache|bust|stamp|time).*"
    r"|[a-z]?sid|.*(?:visit|visitor|client|device|user|request|req|click|track)_?id",
    re.IGNORECASE,
)
_OWN = re.compile(
    r"(?:.*[_-])?(?:id|ids|guid|uuid|key|uri|url|link|q|query|search|page|p|n|s|hash|code|slug|file|path|doc|no|nr|num)"
    r"|.*(?:article|story|post|news|item|entry|content|doc|node|episode|video|audio|photo|image|event|page|issue).*"
    r"|[a-z]{1,3}id",
    re.IGNORECASE,
)
_WORD = re.compile(r"[^\W\d_]{2,}")
_FRAME = frozenset(
    """
    a an and article articles content default detail details display en full get index item latest main more news of
    online open page post print read show single site stories story text the this today view web whole
    """.split()
)
SLUG_WORDS = 3
"""A last part of a path with so many words of its own names an article."""
LEAST_CHANGES = 0.4
LEAST_CHANGES_HEX = 0.3
"""How often letters, capitals and digits take turns in what chance wrote; words in a row do less."""


def by_chance(value: str) -> bool:
    """Whether *value* looks drawn: a UUID, long hex, base64 or a random fraction.

    >>> [by_chance(value) for value in ("d41d8cd98f00b204e9800998ecf8427e", "mBx7Kq2LrT9vWz4N", "0.7263548891")]
    [True, True, True]
    >>> [by_chance(value) for value in ("harbour-council-votes", "20260301123456789", "deadbeefdeadbeef")]
    [False, False, False]
    """
    if _UUID.fullmatch(value) or _FRACTION.fullmatch(value):
        return True
    if _HEX.fullmatch(value):
        return _changes(value) >= LEAST_CHANGES_HEX and len(set(value.lower())) > 6
    kinds = {_kind(char) for char in value} - {"-"}
    return _BASE64.fullmatch(value) is not None and len(kinds) == 3 and _changes(value) >= LEAST_CHANGES


def by_clock(value: str) -> bool:
    """Whether *value* is a time of this age in seconds or milliseconds since 1970."""
    return _CLOCK.fullmatch(value) is not None


def names_article(path: str) -> bool:
    """Whether the last part of *path* says what the article is about, and is no name of a script for all of them.

    >>> names_article("/2026/harbour-council-votes-again.html"), names_article("/read-full-story.php")
    (True, False)
    """
    words = {word.lower() for word in _WORD.findall(path.rstrip("/").rpartition("/")[2].partition(".")[0])}
    return len(words - _FRAME) >= SLUG_WORDS


def passing(name: str, value: str, *, named: bool, alone: bool) -> bool:
    """Whether a parameter tells of the visit alone. *named*: the path names the article; *alone*: nothing else would.

    A name that says so needs a value that looks so too; one that says nothing needs a path that names the article as
    well, and one that means an article is never taken for a visit's.
    """
    drawn = by_chance(value or name)
    timed = by_clock(value or name)
    if not (drawn or timed):
        return False
    if not value:
        return named
    if _PASSING.fullmatch(name):
        return named or not alone
    return drawn and named and not _OWN.fullmatch(name)


def _changes(value: str) -> float:
    """How often the kind of character changes from one to the next, of how often it might."""
    kinds = [_kind(char) for char in value]
    return sum(one != other for one, other in zip(kinds, kinds[1:], strict=False)) / max(1, len(kinds) - 1)


def _kind(char: str) -> str:
    return "0" if char.isdigit() else "A" if char.isupper() else "a" if char.isalpha() else "-"
