"""What a reader was meant to see: lazy pictures, embedded films, formulas, and which picture is the article's."""

from collections.abc import Callable
from typing import Any

import pytest

from feeds.model import Entry
from feeds.normalise.pictures import largest
from feeds.normalise.texts import clean, sanitise
from feeds.parsed import Image, RawText

BASE = "https://shore.example/news/1"
GREY = "data:image/gif;base64,R0lGODlhAQABAAAAACH5BAEKAAEALAAAAAABAAEAAAICTAEAOw=="
REAL = "https://img.example.org/boats.jpg"

LAZY = (
    "data-src data-original data-lazy data-lazy-src data-lazyload data-ll-src data-cfsrc data-echo data-defer-src"
    " data-img-src data-image-src data-actualsrc data-real-src data-flickity-lazyload data-hi-res-src data-runner-src"
    " nitro-lazy-src lazy-src data-ezsrc data-breeze data-pagespeed-lazy-src data-orig-file data-large-file data-full"
    " data-zoom-image data-hires data-url data-image file original-src data-2x data-sf-src data-opt-src"
    " data-wpfc-original-src"
).split()
LAZY_SETS = "data-srcset data-lazy-srcset nitro-lazy-srcset data-bgset data-sizes-srcset imagesrcset".split()


def sources(html: str, base: str = BASE) -> list[str]:
    return [part.partition('"')[0] for part in sanitise(html, base).split(' src="')[1:]]


@pytest.mark.parametrize("name", LAZY)
@pytest.mark.parametrize("before", [f'src="{GREY}" ', 'src="" ', "", 'src="about:blank" ', 'src="/blank.gif" '])
def test_whatever_attribute_holds_the_real_address(name: str, before: str) -> None:
    assert sources(f'<p>x</p><img {before}{name}="{REAL}" alt="a > b">') == [REAL]


@pytest.mark.parametrize("name", LAZY_SETS)
def test_of_several_sizes_the_largest(name: str) -> None:
    sizes = (
        "https://img.example.org/s.jpg 75w, https://img.example.org/boats.jpg 1200w, https://img.example.org/m.jpg 640w"
    )
    assert sources(f'<img src="{GREY}" {name}="{sizes}">') == [REAL]


@pytest.mark.parametrize(
    "value",
    [
        "", " ", "#", "{}", '{&quot;a&quot;: 1}', "[1]", GREY, "https://x.example/{width}/a.jpg", "{{ src }}",
        "https://x.example/%7Bwidth%7D.jpg", "about:blank", "javascript:alert(1)", "true", "lazy", "/ph/blank.gif",
        "blob:https://x.example/1", "https://x.example/a.jpg&lt;b&gt;", "hero", "1",
    ],
)  # fmt: skip
@pytest.mark.parametrize("name", ["data-src", "data-original", "data-srcset", "data-lazy", "data-image"])
def test_a_good_address_is_never_replaced_by_none(name: str, value: str) -> None:
    assert sources(f'<img src="{REAL}" {name}="{value}">') == [REAL]


def test_names_of_other_things_are_left_alone() -> None:
    attributes = 'data-permalink="https://x.example/p.jpg" data-fallback-src="/f.jpg" data-original-title="a.jpg b"'
    assert sources(f'<img src="{REAL}" {attributes}>') == [REAL]


def test_a_good_address_stays_where_other_sizes_are_named() -> None:
    assert sources(
        f'<img src="{REAL}" data-large-file="https://x.example/l.jpg" srcset="https://x.example/s.jpg 9w">'
    ) == [REAL]


@pytest.mark.parametrize(
    ("srcset", "address"),
    [
        ("a.jpg", "a.jpg"),
        ("a.jpg 1x, b.jpg 2.5x,c.jpg 2x", "b.jpg"),
        (" , a.jpg 100w , ", "a.jpg"),
        ("https://c.example/w_300,h_200/a.jpg 300w, https://c.example/w_900,h_600/a.jpg 900w", "https://c.example/w_900,h_600/a.jpg"),
        ("data:image/png;base64,AA 2x, a.jpg 1x", "a.jpg"),
        ("", None),
        (None, None),
        ("{{a}} 1x", None),
    ],
)  # fmt: skip
def test_sizes_are_read_as_browsers_read_them(srcset: str | None, address: str | None) -> None:
    assert largest(srcset) == address


@pytest.mark.parametrize(
    ("markup", "shown"),
    [
        ('<picture><source data-srcset="/w.webp" type="image/webp"><source srcset="/j.jpg"></picture>', "/j.jpg"),
        ('<picture><source srcset="/w.webp 1x, /x.webp 2x" type="image/webp"><img alt="a"></picture>', "/x.webp"),
        ('<picture><source srcset="/w.webp"><img src="/j.jpg"></picture>', "/j.jpg"),
        (f'<picture><source data-srcset="/w.webp"><img src="{GREY}" data-src="/j.jpg"></picture>', "/j.jpg"),
        ('<amp-img src="/a.jpg" width="300" height="200"><noscript><img src="/a.jpg"></noscript></amp-img>', "/a.jpg"),
        ('<object data="/c.svg" type="image/svg+xml">chart</object>', "/c.svg"),
        ('<embed src="/c.png">', "/c.png"),
    ],
)
def test_pictures_of_other_elements(markup: str, shown: str) -> None:
    html = sanitise(f"<p>x</p>{markup}", BASE)
    assert sources(html) == [f"https://shore.example{shown}"]
    assert "<source" not in html


@pytest.mark.parametrize(
    ("markup", "shown"),
    [
        (f'<img src="{GREY}" data-src="/1.jpg"><noscript><img src="/1.jpg" alt="Pier"></noscript>', ["/1.jpg"]),
        (f'<img src="{GREY}" data-src="/1-300x200.jpg"><noscript><img src="/1.jpg"></noscript>', ["/1-300x200.jpg"]),
        ('<noscript><img src="/1.jpg"></noscript><img class="lazy" data-src="/1.jpg?w=9">', ["/1.jpg?w=9"]),
        ('<img class="lazy"><noscript><img src="/1.jpg"></noscript>', ["/1.jpg"]),
        ('<img src="/1.jpg"><noscript><img src="/2.jpg"></noscript>', ["/1.jpg", "/2.jpg"]),
        ('<p>x</p><noscript><img width="1" height="1" src="/t?x"></noscript>', []),
        ('<noscript><iframe src="https://www.googletagmanager.com/ns.html?id=G"></iframe></noscript>', []),
        ('<noscript><img src="https://www.facebook.com/tr?id=1" style="display:none"></noscript>', []),
    ],
)
def test_what_is_shown_without_scripts_is_shown_once(markup: str, shown: list[str]) -> None:
    assert sources(markup) == [f"https://shore.example{one}" for one in shown]
    assert "&lt;" not in sanitise(markup, BASE)


def test_words_within_noscript_are_kept_but_for_calls_for_scripts() -> None:
    assert sanitise('<noscript><p>See <a href="/poll">the poll</a>.</p></noscript>', BASE).startswith("<p>See <a ")
    assert sanitise("<p>x</p><noscript>Please enable JavaScript to see comments.</noscript>", BASE) == "<p>x</p>"


@pytest.mark.parametrize(
    ("markup", "link"),
    [
        ('<iFRAME SRC="/poll?id=3"></IFRAME>', "https://shore.example/poll?id=3"),
        ('<iframe data-lazy-src="https://player.vimeo.com/video/7" src="about:blank"></iframe>', "https://vimeo.com/7"),
        ('<object><param name="movie" value="//www.youtube.com/v/abcdefghijk"></object>', "https://www.youtube.com/watch?v=abcdefghijk"),
        ('<object classid="x"><object data="/f.swf"><a href="/film">Film</a></object></object>', "https://shore.example/film"),
        ('<object data="/m.pdf" type="application/pdf"></object>', "https://shore.example/m.pdf"),
        ('<embed src="https://www.youtube.com/v/abcdefghijk">', "https://www.youtube.com/watch?v=abcdefghijk"),
        ('<amp-youtube data-videoid="abcdefghijk"></amp-youtube>', "https://www.youtube.com/watch?v=abcdefghijk"),
        ('<lite-youtube videoid="abcdefghijk"></lite-youtube>', "https://www.youtube.com/watch?v=abcdefghijk"),
        ('<amp-twitter data-tweetid="42123"></amp-twitter>', "https://x.com/i/status/42123"),
        ('<amp-iframe src="/w"></amp-iframe>', "https://shore.example/w"),
        ('<portal src="/p"></portal>', "https://shore.example/p"),
        ('<frameset><frame src="/f"></frameset>', "https://shore.example/f"),
        ('<script src="https://gist.github.com/a/1.js"></script>', "https://gist.github.com/a/1"),
        ('<blockquote class="bluesky-embed" data-bluesky-uri="at://did:plc:a/app.bsky.feed.post/3k">x</blockquote>', "https://bsky.app/profile/did:plc:a/post/3k"),
        (
            '<blockquote class="a" data-instgrm-permalink="https://www.instagram.com/p/A/?u=1">x</blockquote>',
            "https://www.instagram.com/p/A/",
        ),
        ('<iframe src="https://social.example/@a/12/embed"></iframe>', "https://social.example/@a/12"),
    ],
)  # fmt: skip
def test_what_was_embedded_is_led_to(markup: str, link: str) -> None:
    assert f'href="{link}"' in sanitise(f"<p>x</p>{markup}", BASE)


def test_a_player_is_a_still_with_its_title_and_counts_not_as_text(one: Callable[..., Entry]) -> None:
    frame = '<iframe src="https://www.youtube.com/embed/abcdefghijk" title="Boats at dawn"></iframe>'
    entry = one(content=f"<p>The boats leave early.</p>{frame}", link=BASE)
    assert "<figcaption><a" in entry.content and ">Boats at dawn</a></figcaption>" in entry.content
    assert entry.text == "The boats leave early."
    assert entry.image == Image(url="https://i.ytimg.com/vi/abcdefghijk/hqdefault.jpg", alt="Boats at dawn")


@pytest.mark.parametrize("title", ["YouTube video player", "Embedded content", "", "Spotify", "video"])
def test_a_title_that_only_names_a_player_is_none(title: str) -> None:
    html = sanitise(f'<iframe src="https://vimeo.com/7" title="{title}"></iframe>', BASE)
    assert html == '<p><a href="https://vimeo.com/7" rel="noopener noreferrer">https://vimeo.com/7</a></p>'


def test_the_frame_of_a_quoted_post_adds_nothing() -> None:
    quoted = '<blockquote class="wp-embedded-content"><a href="https://x.example/p">P</a></blockquote>'
    html = sanitise(
        f'{quoted}<iframe class="wp-embedded-content" src="https://x.example/p/embed/#?s=1"></iframe>', BASE
    )
    assert html.count("<a ") == 1


@pytest.mark.parametrize(
    ("markup", "shown"),
    [
        ("<math><mi>E</mi><mo>=</mo><mn>2</mn></math>", "<math><mi>E</mi><mo>=</mo><mn>2</mn></math>"),
        ("<mml:math><mml:mi>x</mml:mi></mml:math>", "<math><mi>x</mi></math>"),
        (
            "<math><semantics><mrow><mi>x</mi></mrow><annotation encoding='tex'>x</annotation></semantics></math>",
            "<math><mrow><mi>x</mi></mrow></math>",
        ),
        ("<math alttext='a+b'><apply><plus/><ci>a</ci><ci>b</ci></apply></math>", "a+b"),
        ("<math><mtext><img src=x onerror=alert(1)>far</mtext></math>", "<math><mtext>far</mtext></math>"),
        ("<script type='math/tex'>x^2</script>", r"\(x^2\)"),
        ("<svg><title>icon</title><text>North <tspan>40</tspan></text></svg>", "North 40"),
        ("<svg><style>.a{}</style><path d='M0'/></svg>", ""),
    ],
)  # fmt: skip
def test_formulas_and_words_of_drawings(markup: str, shown: str) -> None:
    assert sanitise(markup, BASE) == shown


def test_the_letters_of_a_formula_are_of_the_text(one: Callable[..., Entry]) -> None:
    assert one(content="<p>So <math><mi>E</mi><mo>=</mo><mi>m</mi></math> holds.</p>").text == "So E=m holds."


@pytest.mark.parametrize(
    "markup",
    [
        '<img src="/a.png" width="1" height="1">', '<img src="/a.png" width="16" height="16">',
        '<img src="/badge.svg">', '<img src="https://img.shields.io/x">', '<img src="/a.png" class="wp-smiley">',
        '<img src="https://secure.gravatar.com/avatar/x">', '<img src="/a.png" class="avatar photo">',
        '<a href="https://www.facebook.com/sharer.php?u=x"><img src="/f.png"></a>', f'<img src="{GREY}">',
        '<img src="https://s.w.org/images/core/emoji/15/72x72/1f355.png" alt="🍕">', '<img src="/a.png" alt="🍕">',
        '<img src="https://a.impactradius-go.com/display-ad/1-2" width="300" height="600">',
        '<img src="http://192.168.0.1/a.jpg">', '<img src="https://feeds.feedburner.com/~r/x">',
        '<img src="/icons/a.png">', '<img src="/ads/468x60.gif">', '<img src="/spacer.gif">',
    ],
)  # fmt: skip
def test_what_is_no_picture_of_an_article(markup: str) -> None:
    assert clean(f"<p>x</p>{markup}", BASE, BASE).picture is None
    found = clean(f'<p>x</p>{markup}<img src="/share-price-falls.jpg">', BASE, BASE).picture
    assert found is not None and found.url == "https://shore.example/share-price-falls.jpg"


@pytest.mark.parametrize(
    ("below", "caption", "credit"),
    [
        ("A boat leaves", "A boat leaves", ""),
        ("A boat leaves. Photo: Ann Lee", "A boat leaves", "Ann Lee"),
        ("A boat leaves (Photo by Ann Lee/AP)", "A boat leaves", "Ann Lee/AP"),
        ("© 2026 Ann Lee", "", "Ann Lee"),
        ('A boat leaves <span class="wp-credit">Foto: Ann Lee</span>', "A boat leaves", "Ann Lee"),
        ("Photo of a boat by the pier", "Photo of a boat by the pier", ""),
        ("<cite>Ann Lee</cite>", "", "Ann Lee"),
    ],
)
def test_caption_and_credit(one: Callable[..., Entry], below: str, caption: str, credit: str) -> None:
    entry = one(
        content=f'<figure><a href="/b"><img src="{REAL}" alt="Boat"></a><figcaption>{below}</figcaption></figure>'
    )
    assert entry.image == Image(url=REAL, alt="Boat", caption=caption, credit=credit)


def test_a_stated_picture_goes_first_with_the_words_that_the_text_has_for_it(one: Callable[..., Entry]) -> None:
    text = f'<figure><img src="{REAL}?w=300" alt="Boat"><figcaption>Leaving</figcaption></figure>'
    stated: dict[str, Any] = {"image": Image(url=REAL, width=900)}
    assert one(content=text, **stated).image == Image(url=REAL, width=900, alt="Boat", caption="Leaving")
    other = Image(url="https://img.example.org/other.jpg")
    assert one(content=text, image=other).image == other


def test_the_face_of_an_author_is_no_picture_even_where_it_is_stated(one: Callable[..., Entry]) -> None:
    face = Image(url="https://1.gravatar.com/avatar/ab?s=96")
    shown = one(content=f'<p>x</p><img src="{REAL}">', image=face).image
    assert shown is not None and shown.url == REAL
    assert one(content="<p>x</p>", image=face).image is None
    icon = Image(url="https://x.example/icon.png", width=512)
    assert one(content="<p>x</p>", image=icon).image == icon


def test_places_that_links_of_the_text_lead_to_are_named_under_a_prefix(one: Callable[..., Entry]) -> None:
    text = (
        '<p id="main">A<a href="#fn1" id="ref1">1</a></p><p id="fn1">Note <a href="#ref1">back</a></p>'
        '<h2 id="h"><a href="#h">#</a></h2>'
    )
    entry = one(content=text, link=BASE)
    assert f'<a href="{BASE}#fn1" id="text-ref1"' in entry.content
    assert '<p id="text-fn1">' in entry.content
    assert "main" not in entry.content and 'id="text-h"' not in entry.content
    assert sanitise(entry.content, BASE) == entry.content


def test_a_link_within_a_text_never_leads_into_the_feed(one: Callable[..., Entry]) -> None:
    assert 'href="' not in one(content='<p><a href="#fn1">1</a></p>').content
    declared = RawText(value='<a href="#x">x</a>', type="html", base="https://base.example/d/")
    assert 'href="https://base.example/d/#x"' in one(content=declared, link=BASE).content


def test_addresses_of_the_authors_own_machine_are_on_the_site() -> None:
    assert sources('<img src="http://localhost:4000/images/a.png">') == ["https://shore.example/images/a.png"]


def test_empty_films_leave_their_still_and_words() -> None:
    assert (
        sanitise('<video poster="/p.jpg"><p>x</p></video>', BASE) == '<img src="https://shore.example/p.jpg"><p>x</p>'
    )


@pytest.mark.parametrize(
    "markup",
    [
        "<object data=//a.b/c><p>" * 3000 + "</object>" * 3000,
        "<picture>" + "<source srcset=//a.b/c.jpg><img>" * 4000,
        "<amp-video><source src=//a.b/c>" * 3000,
        "".join(f"<b id=a{number}><a href=#a{number}>x</a>" for number in range(3000)),
        "<noscript><div>" * 4000,
        "<math><mrow>" * 5000,
        "<img srcset='" + "a, " * 100_000 + "'>",
    ],
)
def test_hostile_nesting_ends(markup: str) -> None:
    assert len(sanitise(markup, BASE)) < 1_000_000


@pytest.mark.parametrize(
    ("inside", "left"),
    [
        ("Your browser does not support the video tag.", ""),
        ("<p>Your browser can't play this.</p>", ""),
        (
            "Get <a href='/f.mp4'>the film</a>",
            '<a href="https://shore.example/f.mp4" rel="noopener noreferrer">the film</a>',
        ),
    ],
)
def test_what_films_say_to_browsers_that_cannot_show_them_is_not_of_the_text(
    one: Callable[..., Entry], inside: str, left: str
) -> None:
    entry = one(content=f"<p>The tide.</p><video src='/f.mp4'>{inside}</video>")
    assert entry.content == f'<p>The tide.</p><video src="https://shore.example/f.mp4" controls="">{left}</video>'
    assert "rowser" not in entry.text + entry.summary
