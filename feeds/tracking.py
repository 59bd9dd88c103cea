"""What of an article's address does not name the article: parameters, hosts and redirectors, as tables. Pure.

Used by `feeds.urls` alone. Kept as data so that a new parameter is one word and no code. A name stands here when it is
documented by the service that adds it, or seen on several publishers and nowhere as the key of an article; a name that
is an id on some sites (``id``, ``p``, ``s``, ``page``, ``cid``, ``sid``) is only listed for hosts on which it is none.
"""

from __future__ import annotations

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
