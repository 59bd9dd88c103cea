"""Files, pictures, episodes and places as documents say them, in every dialect."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from feeds.parse import parse
from feeds.parsed import Enclosure, Episode, Image, ParsedEntry, Participant, Place, Transcript

SPACES = (
    'xmlns:media="http://search.yahoo.com/mrss/" xmlns:itunes="http://www.itunes.com/dtds/podcast-1.0.dtd"'
    ' xmlns:podcast="https://podcastindex.org/namespace/1.0" xmlns:georss="http://www.georss.org/georss"'
    ' xmlns:gml="http://www.opengis.net/gml" xmlns:geo="http://www.w3.org/2003/01/geo/wgs84_pos#"'
)
MP3 = '<enclosure url="https://e.example/1.mp3" type="audio/mpeg" length="7"/>'


def rss(item: str, channel: str = "", title: str = "<title>T</title>") -> ParsedEntry:
    body = f'<rss version="2.0" {SPACES}><channel><title>S</title>{channel}<item>{title}{item}</item></channel></rss>'
    (entry,) = parse(body.encode(), url="https://e.example/feed").entries
    return entry


def atom(entry: str) -> ParsedEntry:
    opening = f'<feed xmlns="http://www.w3.org/2005/Atom" {SPACES}><title>S</title><entry><title>T</title>'
    body = f"{opening}{entry}</entry></feed>"
    (found,) = parse(body.encode(), url="https://e.example/feed").entries
    return found


def from_json(**item: Any) -> ParsedEntry:
    feed = {"version": "https://jsonfeed.org/version/1.1", "title": "S", "items": [{"id": "1", "title": "T"} | item]}
    (entry,) = parse(json.dumps(feed).encode(), url="https://e.example/feed").entries
    return entry


FACTS = """<itunes:title>The title</itunes:title><itunes:episode>7</itunes:episode><itunes:season>2</itunes:season>
<itunes:episodeType>Bonus</itunes:episodeType><itunes:explicit>yes</itunes:explicit>
<itunes:image href="https://e.example/c.jpg"/><itunes:subtitle>Sub</itunes:subtitle>
<itunes:summary>Sum</itunes:summary><itunes:duration>30:12</itunes:duration>
<podcast:transcript url="https://e.example/1.vtt" type="text/vtt" language="en" rel="captions"/>
<podcast:transcript url="https://e.example/1.html" type="text/html"/>
<podcast:chapters url="https://e.example/1.json" type="application/json+chapters"/>
<podcast:person role="guest" group="cast" href="https://e.example/ann" img="https://e.example/ann.jpg">Ann</podcast:person>
<podcast:person>Bo</podcast:person>"""
EPISODE = Episode(
    number=7,
    season=2,
    kind="bonus",
    explicit=True,
    title="The title",
    subtitle="Sub",
    summary="Sum",
    image_url="https://e.example/c.jpg",
    transcripts=(
        Transcript(url="https://e.example/1.vtt", type="text/vtt", language="en", captions=True),
        Transcript(url="https://e.example/1.html", type="text/html"),
    ),
    chapters_url="https://e.example/1.json",
    chapters_type="application/json+chapters",
    people=(
        Participant(
            name="Ann",
            role="guest",
            group="cast",
            url="https://e.example/ann",
            image_url="https://e.example/ann.jpg",
        ),
        Participant(name="Bo"),
    ),
)


def test_an_episode_is_read_in_rss_and_atom() -> None:
    linked = '<link rel="enclosure" href="https://e.example/1.mp3" type="audio/mpeg"/>'
    for entry in (rss(MP3 + FACTS), atom(linked + FACTS)):
        assert entry.episode == EPISODE
        assert entry.enclosures[0].duration_s == 1812


def test_an_episode_is_read_where_the_document_is_no_xml_any_more() -> None:
    entry = rss(MP3 + FACTS + "<description>a <b> & c</description>")
    assert entry.episode is not None
    assert (entry.episode.number, entry.episode.explicit) == (7, True)
    assert [each.url for each in entry.episode.transcripts] == ["https://e.example/1.vtt", "https://e.example/1.html"]
    assert [person.name for person in entry.episode.people] == ["Ann", "Bo"]


def test_the_numbers_of_the_podcast_namespace_go_before_those_of_itunes() -> None:
    entry = rss(
        "<itunes:episode>3</itunes:episode><itunes:season>1</itunes:season>"
        '<podcast:episode display="3½">3.5</podcast:episode><podcast:season name="The sea">4</podcast:season>'
    )
    assert entry.episode == Episode(number=3.5, label="3½", season=4, season_name="The sea")


@pytest.mark.parametrize(
    ("said", "meant"),
    [("true", True), ("Yes", True), ("explicit", True), ("false", False), ("no", False), ("clean", False), ("?", None)],
)
def test_explicit_is_read_in_every_form_that_it_had(said: str, meant: bool | None) -> None:
    episode = rss(f"{MP3}<itunes:explicit>{said}</itunes:explicit>").episode
    assert episode == Episode(explicit=meant)


def test_an_episode_has_what_its_show_says_unless_it_says_otherwise() -> None:
    show = '<itunes:explicit>true</itunes:explicit><itunes:image href="https://e.example/show.jpg"/>'
    assert rss(MP3, show).episode == Episode(explicit=True, image_url="https://e.example/show.jpg")
    own = '<itunes:explicit>no</itunes:explicit><itunes:image href="https://e.example/c.jpg"/>'
    assert rss(MP3 + own, show).episode == Episode(explicit=False, image_url="https://e.example/c.jpg")
    assert rss("", show).episode is None, "an article of a show that has nothing to play is no episode"


def test_what_an_entry_leaves_open_ends_with_it() -> None:
    body = (
        f'<rss version="2.0" {SPACES}><channel><title>S</title>'
        "<item><title>1</title><media:group><media:content url='https://e.example/1.mp4' type='video/mp4'></item>"
        "<item><title>2</title><media:content url='https://e.example/2.jpg' medium='image'/>"
        "<media:credit>Ann</media:credit></item></channel></rss>"
    )
    second = parse(body.encode(), url="https://e.example/feed").entries[-1]
    assert second.image is not None and second.image.credit == "Ann"


def test_renditions_stand_together_the_best_first() -> None:
    entry = rss(
        '<media:group><media:content url="https://e.example/s.mp4" type="video/mp4" height="360" width="640"/>'
        '<media:content url="https://e.example/x.ogv" type="video/ogg" height="2000" width="4000"/>'
        '<media:content url="https://e.example/l.mp4" type="video/mp4" height="1080" width="1920" bitrate="5000"/>'
        '<media:content url="https://e.example/t.mp4" type="video/mp4" height="2160" width="4000" expression="sample"/>'
        "<media:title>Film</media:title></media:group>"
        '<media:content url="https://e.example/other.mp4" type="video/mp4" lang="de"/>'
    )
    assert [(file.url.rpartition("/")[2], file.group) for file in entry.enclosures] == [
        ("l.mp4", 1), ("s.mp4", 1), ("x.ogv", 1), ("t.mp4", 1), ("other.mp4", 0),
    ]  # fmt: skip
    assert (entry.enclosures[0].width, entry.enclosures[0].bitrate_kbps) == (1920, 5000)
    assert entry.enclosures[-1].language == "de"


def test_what_the_publisher_calls_its_enclosure_or_the_default_is_the_best() -> None:
    small = '<media:content url="https://e.example/s.mp4" type="video/mp4" width="10" height="10" duration="60"/>'
    large = '<media:content url="https://e.example/l.mp4" type="video/mp4" width="20" height="20"/>'
    enclosed = '<enclosure url="https://e.example/s.mp4" type="video/mp4" length="5"/>'
    entry = rss(f"{enclosed}<media:group>{large}{small}</media:group>")
    assert entry.enclosures[0] == Enclosure(
        url="https://e.example/s.mp4", type="video/mp4", length_bytes=5, duration_s=60, width=10, height=10, group=1
    )
    default = small.replace("duration", 'isDefault="true" duration')
    assert rss(f"<media:group>{large}{default}</media:group>").enclosures[0].url == "https://e.example/s.mp4"


def test_alternates_of_the_podcast_namespace_are_renditions_of_the_enclosure() -> None:
    entry = rss(
        f'{MP3}<podcast:alternateEnclosure type="audio/opus" length="3" bitrate="64000" title="Small">'
        '<podcast:source uri="ipfs://x"/><podcast:source uri="https://e.example/1.opus"/></podcast:alternateEnclosure>'
    )
    assert [(file.url, file.group, file.bitrate_kbps) for file in entry.enclosures] == [
        ("https://e.example/1.mp3", 1, None),
        ("https://e.example/1.opus", 1, 64),
    ]


def test_attachments_of_one_title_are_renditions() -> None:
    files = [
        {"url": f"https://e.example/{name}", "mime_type": "audio/mpeg", "title": title}
        for name, title in (("a", "One"), ("b", "Two"), ("c", "One"))
    ]
    entry = from_json(attachments=files)
    assert [(file.url[-1], file.group) for file in entry.enclosures] == [("a", 1), ("c", 1), ("b", 0)]


PICTURE = '<media:content url="https://e.example/i.jpg" medium="image">'


@pytest.mark.parametrize(
    "item",
    [
        f"{PICTURE}<media:description>Boats</media:description><media:credit>Ann</media:credit></media:content>",
        f"{PICTURE}</media:content><media:description>Boats</media:description><media:credit>Ann</media:credit>",
        f"<media:group>{PICTURE}</media:content><media:description>Boats</media:description>"
        "<media:credit>Ann</media:credit><media:credit>Ann</media:credit></media:group>",
    ],
)
def test_caption_and_credit_of_a_picture_stand_in_it_or_around_it(item: str) -> None:
    assert rss(item).image == Image(url="https://e.example/i.jpg", caption="Boats", credit="Ann")


def test_what_is_said_of_a_film_is_not_said_of_the_still_beside_it() -> None:
    film = '<media:content url="https://e.example/f.mp4" type="video/mp4"/>'
    entry = rss(
        f"<media:group>{film}{PICTURE}</media:content><media:description>All of it</media:description></media:group>"
    )
    assert entry.image == Image(url="https://e.example/i.jpg")


def test_of_a_post_without_a_title_the_description_stands_in_for_the_picture() -> None:
    item = f"{PICTURE}<media:description>Two boats</media:description></media:content><description>hi</description>"
    assert rss(item, title="").image == Image(url="https://e.example/i.jpg", alt="Two boats")


@pytest.mark.parametrize(
    ("said", "place"),
    [
        ("<georss:point>45.5 -71.25</georss:point>", Place(shape="point", points=((45.5, -71.25),))),
        ("<georss:point>45.5,-71.25</georss:point>", Place(shape="point", points=((45.5, -71.25),))),
        ("<georss:line>1 2 3 4</georss:line>", Place(shape="line", points=((1, 2), (3, 4)))),
        ("<georss:box>1 2 3 4</georss:box>", Place(shape="box", points=((1, 2), (3, 4)))),
        (
            "<georss:polygon>0 0 0 1 1 1 0 0</georss:polygon><georss:featurename>Bay</georss:featurename>",
            Place(shape="polygon", points=((0, 0), (0, 1), (1, 1), (0, 0)), name="Bay"),
        ),
        ("<geo:lat>1.5</geo:lat><geo:long>2</geo:long>", Place(shape="point", points=((1.5, 2),))),
        (
            "<geo:Point><geo:lat>1.5</geo:lat><geo:long>2</geo:long></geo:Point>",
            Place(shape="point", points=((1.5, 2),)),
        ),
        (
            "<georss:where><gml:Point><gml:pos>1 2</gml:pos></gml:Point></georss:where>",
            Place(shape="point", points=((1, 2),)),
        ),
        (
            '<georss:where><gml:LineString srsDimension="3"><gml:posList>1 2 9 3 4 9</gml:posList></gml:LineString>'
            "</georss:where>",
            Place(shape="line", points=((1, 2), (3, 4))),
        ),
        (
            "<georss:where><gml:Polygon><gml:exterior><gml:LinearRing><gml:posList>0 0 0 9 9 9 0 0</gml:posList>"
            "</gml:LinearRing></gml:exterior><gml:interior><gml:LinearRing><gml:posList>1 1 1 2 2 2 1 1</gml:posList>"
            "</gml:LinearRing></gml:interior></gml:Polygon></georss:where>",
            Place(shape="polygon", points=((0, 0), (0, 9), (9, 9), (0, 0))),
        ),
        (
            '<podcast:location geo="geo:30.25,-97.75">Austin</podcast:location>',
            Place(shape="point", points=((30.25, -97.75),), name="Austin"),
        ),
        ("<georss:point>here</georss:point>", None),
        ("<georss:point>nan inf</georss:point>", None),
        ("<georss:line>1 2 3</georss:line>", None),
        ("<georss:line>" + "1 2 " * 600 + "</georss:line>", None),
    ],
)
def test_a_place_is_read_in_every_form(said: str, place: Place | None) -> None:
    assert rss(said).place == atom(said).place == place


@pytest.mark.parametrize(
    "said",
    [
        '<gml:Point srsName="http://www.opengis.net/def/crs/EPSG/0/25832"><gml:pos>5 6</gml:pos></gml:Point>',
        '<gml:Point srsName="urn:ogc:def:crs:EPSG::nonsense"><gml:pos>5 6</gml:pos></gml:Point>',
        "<gml:pos>5 6</gml:pos>",
        "<georss:point/>",
        "</georss:point>",
    ],
)
def test_no_place_however_odd_costs_more_than_itself(said: str) -> None:
    entry = rss(f"{said}<guid>1</guid>")
    assert (entry.entry_id, entry.place) == ("1", None)


def test_the_system_of_a_place_is_named_in_many_ways() -> None:
    for name in ("urn:ogc:def:crs:EPSG::4326", "http://www.opengis.net/def/crs/EPSG/0/4326", "EPSG:4326"):
        said = f'<georss:where><gml:Point srsName="{name}"><gml:pos>5 6</gml:pos></gml:Point></georss:where>'
        assert rss(said).place == Place(shape="point", points=((5, 6),)), name


@pytest.mark.parametrize("key", ["_podcast", "_itunes"])
def test_json_feeds_of_podcasts_say_it_under_keys_of_their_own(key: str) -> None:
    said = {"episode": 7, "season": "2", "episodeType": "full", "explicit": False, "image": "https://e.example/c.jpg"}
    transcript = {"url": "https://e.example/1.srt", "type": "application/srt"}
    entry = from_json(**{key: said | {"transcript": transcript, "chapters": "https://e.example/1.json"}})
    assert entry.episode == Episode(
        number=7,
        season=2,
        kind="full",
        explicit=False,
        image_url="https://e.example/c.jpg",
        transcripts=(Transcript(url="https://e.example/1.srt", type="application/srt"),),
        chapters_url="https://e.example/1.json",
    )


@pytest.mark.parametrize("wild", [None, 7, "x", [], [[]], {}, {"episode": []}, {"episode": {"transcripts": 3}}, True])
def test_nothing_in_a_key_of_ones_own_breaks_an_item(wild: Any) -> None:
    names = ("_wiredesk", "_podcast", "_itunes")
    entry = from_json(**dict.fromkeys(names, wild), attachments=[{"url": "https://e.example/1", "_wiredesk": wild}])
    assert entry.entry_id == "1" and len(entry.enclosures) == 1
    place = {"_wiredesk": {"place": {"geometry": {"type": "Polygon", "coordinates": wild}}, "picture": wild}}
    assert from_json(**place).place is None


_NAMES = (
    "media:group", "media:content", "media:thumbnail", "media:title", "media:description", "media:credit",
    "itunes:image", "itunes:explicit", "itunes:duration", "itunes:episode", "itunes:summary", "podcast:transcript",
    "podcast:person", "podcast:season", "podcast:alternateEnclosure", "podcast:source", "podcast:location",
    "georss:where", "georss:point", "georss:polygon", "gml:Point", "gml:Polygon", "gml:pos", "gml:posList", "geo:lat",
)  # fmt: skip
_VALUES = ("", "1", "1 2", "-1", "1e99", "nan", "https://e.example/1", "/x", "yes", "\u00e9", "&lt;b&gt;", "EPSG:x")
_pieces = st.one_of(
    st.builds("<{}>".format, st.sampled_from(_NAMES)),
    st.builds("</{}>".format, st.sampled_from(_NAMES)),
    st.builds(
        '<{} {}="{}">'.format,
        st.sampled_from(_NAMES),
        st.sampled_from(["url", "uri", "href", "type", "width", "srsName", "srsDimension", "geo", "bitrate", "medium"]),
        st.sampled_from(_VALUES),
    ),
    st.sampled_from(_VALUES),
)
_elements = st.recursive(
    st.sampled_from(_VALUES),
    lambda inner: st.builds(
        "<{0} {1}='{2}'>{3}</{0}>".format,
        st.sampled_from(_NAMES),
        st.sampled_from(["url", "uri", "href", "type", "width", "srsName", "geo", "bitrate", "medium"]),
        st.sampled_from(_VALUES),
        st.lists(inner, max_size=3).map("".join),
    ),
    max_leaves=8,
)


@given(item=st.lists(_elements, max_size=6).map("".join))
@settings(deadline=None, max_examples=200)
def test_elements_for_media_in_whatever_order_cost_no_entry(item: str) -> None:
    assert rss(f"<guid>1</guid>{item}<link>https://e.example/a</link>").entry_id == "1"


@given(pieces=st.lists(_pieces, max_size=12))
@settings(deadline=None, max_examples=200)
def test_elements_for_media_that_do_not_close_break_nothing(pieces: list[str]) -> None:
    body = f'<rss version="2.0" {SPACES}><channel><item><guid>1</guid>{"".join(pieces)}</item></channel></rss>'
    parse(body.encode(), url="https://e.example/feed")
