"""What of files, pictures, episodes and places can be trusted."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from feeds.normalise.entry_media import enclosures_of, episode_of, image_of, place_of
from feeds.parsed import Enclosure, Episode, Image, Participant, Place, Transcript

BASE = "https://e.example/feed"


@pytest.mark.parametrize(
    ("url", "type", "kept"),
    [
        ("https://e.example/v/1?version=3", "application/x-shockwave-flash", False),
        ("https://e.example/v/1", "Application/X-Shockwave-Flash; charset=binary", False),
        ("https://e.example/movie.SWF", "", False),
        ("https://e.example/movie.swf", "video/mp4", True),
        ("https://e.example/a.xap", "application/x-silverlight-app", False),
        ("https://e.example/a.ram", "audio/x-pn-realaudio", False),
        ("https://e.example/a.rm", "", False),
        ("https://e.example/a.mp3", "audio/mpeg", True),
        ("https://e.example/a.pdf", "application/pdf", True),
        ("javascript:alert(1)", "audio/mpeg", False),
        ("data:audio/mpeg;base64,AAAA", "audio/mpeg", False),
    ],
)
def test_files_that_nobody_can_open_are_none(url: str, type: str, kept: bool) -> None:
    assert bool(enclosures_of((Enclosure(url=url, type=type),), BASE)) == kept


def test_numbers_and_words_of_a_file_are_judged() -> None:
    wild = Enclosure(
        url="/a.mp4",
        type="nonsense",
        length_bytes=-1,
        duration_s=-5,
        width=0,
        height=10**9,
        bitrate_kbps=1e12,
        language="English please",
        description="<b>Boats</b> &amp; more<script type='a'>x()</script>",
        credit="Ann\n Bo",
        group=3,
    )
    assert enclosures_of((wild,), BASE) == (
        Enclosure(url="https://e.example/a.mp4", description="Boats & more", credit="Ann Bo"),
    )


def test_groups_count_anew_where_members_are_gone() -> None:
    files = [Enclosure(url=f"https://e.example/{n}", group=group) for n, group in enumerate((1, 2, 2, 5, 5))]
    files[0] = replace(files[0], type="application/x-shockwave-flash")
    files[1] = replace(files[1], type="application/x-shockwave-flash")
    assert [file.group for file in enclosures_of(tuple(files), BASE)] == [0, 1, 1]


def test_caption_and_credit_of_a_picture_are_plain_lines() -> None:
    wild = Image(url="i.jpg", caption="<p>Boats</p><p>at noon</p>", credit="Photo: <a href=x>Ann</a>")
    assert image_of(wild, BASE) == Image(url="https://e.example/i.jpg", caption="Boats at noon", credit="Photo: Ann")


def test_an_episode_keeps_what_is_good_of_it() -> None:
    wild = Episode(
        number=-1,
        label="x" * 99,
        season=0,
        subtitle="The text.",
        summary="<p>More &lt;b&gt;</p>",
        title="The title",
        image_url="javascript:x()",
        transcripts=(Transcript(url="t.VTT?x=1"), Transcript(url="data:x"), Transcript(url="t.VTT?x=1")),
        chapters_url="c.json",
        chapters_type="?",
        people=(Participant(name=" "), Participant(name="Ann", role="Host", url="ftp://x")),
    )
    found = episode_of(wild, BASE, title="The  title", text="The text.")
    assert found == Episode(
        label="x" * 31 + "…",
        summary="More <b>",
        transcripts=(Transcript(url="https://e.example/t.VTT?x=1", type="text/vtt"),),
        chapters_url="https://e.example/c.json",
        chapters_type="application/json+chapters",
        people=(Participant(name="Ann", role="Host"),),
    )
    assert episode_of(Episode(number=-1, title="T"), BASE, title="T", text="") is None


@pytest.mark.parametrize(
    ("shape", "points", "kept"),
    [
        ("point", ((90.0, -180.0),), True),
        ("point", ((90.5, 0.0),), False),
        ("point", ((0.0, 0.0),), False),
        ("point", ((1.0, 2.0), (3.0, 4.0)), False),
        ("line", ((1.0, 2.0),), False),
        ("box", ((3.0, 2.0), (1.0, 4.0)), False),
        ("box", ((1.0, 170.0), (3.0, -170.0)), True),
        ("polygon", ((0.0, 0.0), (0.0, 1.0)), False),
        ("point", ((float("nan"), 1.0),), False),
        ("point", ((float("inf"), 1.0),), False),
    ],
)
def test_a_place_lies_on_earth_and_has_the_points_of_its_shape(shape, points, kept) -> None:  # type: ignore[no-untyped-def]
    assert (place_of(Place(shape=shape, points=points)) is not None) == kept


def test_an_open_ring_is_closed_and_a_longitude_counted_eastward_is_turned() -> None:
    ring = ((0.0, 0.0), (0.0, 1.0), (1.0, 1.0))
    assert place_of(Place(shape="polygon", points=ring)) == Place(shape="polygon", points=(*ring, ring[0]))
    assert place_of(Place(shape="point", points=((1.0, 350.0),))) == Place(shape="point", points=((1.0, -10.0),))
