"""What an entry says of itself as an episode: Apple's podcast tags, podcast namespace 1.0. Part of `parse`. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from feeds.model import Enclosure, Episode, Participant, Transcript
from feeds.parse.limits import MAX_LIST_ITEMS
from feeds.parse.media import podcast_elements
from feeds.parse.scalars import decimal, short, truth

NO_SHOW = Episode()


def show_of(feed: Any) -> Episode:
    """What a feed says of all its episodes: its cover, and whether they are explicit."""
    explicit = feed.get("itunes_explicit")
    return Episode(image_url=short(feed.get("desk_cover")), explicit=explicit if isinstance(explicit, bool) else None)


def episode_of(raw: Any, enclosures: Sequence[Enclosure], show: Episode) -> Episode | None:
    """What an entry says of itself as a part of *show*; None where it has nothing to play and says nothing."""
    explicit = raw.get("itunes_explicit")
    number, label = _counted(raw, "episode", "display")
    season, season_name = _counted(raw, "season", "name")
    transcripts = podcast_elements(raw, "transcript")
    chapters = next((one for one in podcast_elements(raw, "chapters") if short(one.get("url"))), {})
    own = Episode(
        number=number,
        label=label,
        season=int(season) if season is not None else None,
        season_name=season_name,
        kind=kind_of(raw.get("itunes_episodetype")),
        explicit=explicit if isinstance(explicit, bool) else None,
        title=short(raw.get("itunes_title")) or "",
        subtitle=short(raw.get("subtitle")) or "",
        summary=short(raw.get("itunes_summary")) or "",
        image_url=short(raw.get("desk_cover")),
        transcripts=tuple([each for one in transcripts if (each := _transcript(one))]),
        chapters_url=short(chapters.get("url")),
        chapters_type=short(chapters.get("type")) or "",
        people=tuple([found for one in podcast_elements(raw, "person") if (found := _participant(one))]),
    )
    plays = any(file.type.startswith(("audio/", "video/")) for file in enclosures)
    if not plays and own in (Episode(), Episode(subtitle=own.subtitle), Episode(image_url=own.image_url)):
        return None
    return replace(
        own,
        explicit=own.explicit if own.explicit is not None else show.explicit,
        image_url=own.image_url or show.image_url,
    )


def kind_of(value: Any) -> Any:
    """itunes:episodeType; "" for none that is known."""
    text = str(value or "").strip().lower()
    return text if text in ("full", "trailer", "bonus") else ""


def _counted(raw: Any, name: str, written: str) -> tuple[float | None, str]:
    """Episode or season: its number, as podcast: or itunes: has it, and its name."""
    for one in podcast_elements(raw, name):
        if (number := decimal(one.get("text"))) is not None:
            return number, short(one.get(written)) or ""
    return decimal(raw.get(f"itunes_{name}")), ""


def _transcript(said: dict[str, str]) -> Transcript | None:
    url = short(said.get("url"))
    if url is None:
        return None
    return Transcript(
        url=url,
        type=short(said.get("type")) or "",
        language=short(said.get("language")),
        captions=said.get("rel", "").strip().lower() == "captions",
    )


def _participant(said: dict[str, str]) -> Participant | None:
    name = short(said.get("text"))
    if name is None:
        return None
    return Participant(
        name=name,
        role=short(said.get("role")) or "",
        group=short(said.get("group")) or "",
        url=short(said.get("href")),
        image_url=short(said.get("img")),
    )


_JSON_EXTENSIONS = ("_wiredesk", "_podcast", "_itunes")


def episode_of_json(item: dict[str, Any]) -> Episode | None:
    """What an item of JSON Feed says of itself as an episode, under a desk's key or under those of podcast hosts.

    There is no standard for it: names are Apple's or ours, in any case and with or without ``_``.
    """
    told: dict[str, Any] = {}
    for key in _JSON_EXTENSIONS:
        holder = item.get(key)
        inner = holder.get("episode") if isinstance(holder, dict) else None
        found = inner if isinstance(inner, dict) else holder if key != "_wiredesk" else None
        if isinstance(found, dict):
            told |= {name.replace("_", "").lower(): value for name, value in list(found.items())[:MAX_LIST_ITEMS]}
    if not told:
        return None
    chapters = told.get("chapters")
    chapters = chapters if isinstance(chapters, dict) else {"url": chapters}
    season = decimal(told.get("season"))
    return Episode(
        number=decimal(told.get("number", told.get("episode"))),
        label=short(told.get("label")) or "",
        season=int(season) if season is not None else None,
        season_name=short(told.get("seasonname")) or "",
        kind=kind_of(told.get("type", told.get("episodetype"))),
        explicit=truth(told.get("explicit")),
        title=short(told.get("title")) or "",
        subtitle=short(told.get("subtitle")) or "",
        summary=short(told.get("summary")) or "",
        image_url=short(told.get("image")),
        transcripts=tuple([each for one in _listed(told, "transcripts", "transcript") if (each := _transcript(one))]),
        chapters_url=short(chapters.get("url")),
        chapters_type=short(chapters.get("type")) or "",
        people=tuple([found for one in _listed(told, "people", "persons") if (found := _participant(one))]),
    )


_PERSON_IN_XML = {"name": "text", "url": "href", "image": "img"}


def _listed(told: dict[str, Any], *names: str) -> list[dict[str, str]]:
    """Objects of a list, or one alone, with the names that the podcast namespace has for their members."""
    value: Any = next((told[name] for name in names if name in told), None)
    objects = [one for one in (value if isinstance(value, list) else [value])[:MAX_LIST_ITEMS] if isinstance(one, dict)]
    wanted: dict[str, str] = _PERSON_IN_XML if names[0] == "people" else {}
    return [{wanted.get(str(name), str(name)): short(member) or "" for name, member in one.items()} for one in objects]
