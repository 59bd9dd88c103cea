"""Where people watch, hear or read what a frame shows."""

import pytest

from feeds.players import informs_a_player, player_of

TUBE = "https://www.youtube.com/watch?v=abcdefghijk"


@pytest.mark.parametrize(
    ("address", "watch"),
    [
        ("https://www.youtube.com/embed/abcdefghijk", TUBE),
        ("https://www.youtube-nocookie.com/embed/abcdefghijk?rel=0", TUBE),
        ("http://www.youtube.com/v/abcdefghijk&hl=en&fs=1", TUBE),
        ("https://youtu.be/abcdefghijk?t=90s", TUBE + "&t=90s"),
        ("https://m.youtube.com/shorts/abcdefghijk", TUBE),
        ("https://www.youtube.com/embed/videoseries?list=PL123", "https://www.youtube.com/playlist?list=PL123"),
        ("https://player.vimeo.com/video/123?h=abc&dnt=1", "https://vimeo.com/123/abc"),
        ("https://tube.example/videos/embed/0b04f13d-1e18", "https://tube.example/w/0b04f13d-1e18"),
        ("https://open.spotify.com/embed/episode/0AP?utm_source=x", "https://open.spotify.com/episode/0AP"),
        ("https://embed.spotify.com/?uri=spotify:track:0AP", "https://open.spotify.com/track/0AP"),
        (
            "https://w.soundcloud.com/player/?url=https%3A//soundcloud.com/boats/song&color=x",
            "https://soundcloud.com/boats/song",
        ),
        ("https://geo.dailymotion.com/player/x1.html?video=x8abcd", "https://www.dailymotion.com/video/x8abcd"),
        ("https://www.dailymotion.com/embed/video/x8abcd", "https://www.dailymotion.com/video/x8abcd"),
        ("https://www.tiktok.com/embed/v2/7593", "https://www.tiktok.com/@/video/7593"),
        (
            "https://embed.bsky.app/embed/did:plc:abc/app.bsky.feed.post/3k",
            "https://bsky.app/profile/did:plc:abc/post/3k",
        ),
        ("https://social.example/@boat/112233/embed", "https://social.example/@boat/112233"),
        ("https://platform.twitter.com/embed/Tweet.html?id=42", "https://x.com/i/status/42"),
        ("https://www.instagram.com/p/AbC/embed/captioned/", "https://www.instagram.com/p/AbC/"),
        (
            "https://www.facebook.com/plugins/video.php?href=https%3A%2F%2Fwww.facebook.com%2Fx%2Fvideos%2F1",
            "https://www.facebook.com/x/videos/1",
        ),
        ("https://player.twitch.tv/?channel=boats&parent=x", "https://www.twitch.tv/boats"),
        ("https://embed.podcasts.apple.com/us/podcast/a/id1", "https://podcasts.apple.com/us/podcast/a/id1"),
        ("https://archive.org/embed/boats-1920", "https://archive.org/details/boats-1920"),
    ],
)
def test_a_player_has_an_address_for_people(address: str, watch: str) -> None:
    player = player_of(address)
    assert player is not None
    assert player.watch == watch


@pytest.mark.parametrize(
    "address",
    [
        "https://example.org/embed/abcdefghijk",
        "https://www.youtube.com/",
        "https://www.youtube.com/embed/",
        "https://www.youtube.com/c/boats",
        "https://vimeo.com/",
        "https://www.facebook.com/plugins/video.php?href=javascript:alert(1)",
        "https://[bad",
    ],
)
def test_what_is_no_player_is_none(address: str) -> None:
    assert player_of(address) is None


def test_only_a_still_of_another_site_informs_a_player() -> None:
    still = "https://i.ytimg.com/vi/abcdefghijk/hqdefault.jpg"
    assert informs_a_player(still, "https://blog.example/a")
    assert informs_a_player(still, None)
    assert not informs_a_player(still, "https://www.youtube.com/watch?v=abcdefghijk")
    assert not informs_a_player("https://img.example.org/i.jpg", None)
