"""Where an entry is about: GeoRSS, W3C geo, podcast:location, GeoJSON. Part of `parse`. Pure."""

from __future__ import annotations

import re
from typing import Any

from feeds.model import Place, Shape
from feeds.parse.limits import MAX_PLACE_POINTS
from feeds.parse.media import podcast_elements
from feeds.parse.scalars import decimal, short

_GEO_URI = re.compile(r"geo:(-?[0-9.]+),(-?[0-9.]+)")  # RFC 5870
_BETWEEN = re.compile(r"[\s,]+")


def place_of(raw: Any) -> Place | None:
    """Where an entry is about: GeoRSS, else geo:lat and geo:long, else podcast:location."""
    name = short(raw.get("georss_featurename")) or ""
    if told := raw.get("desk_place"):
        shape, text, dimensions = told
        points = _pairs(text, dimensions)
        return Place(shape=shape, points=points, name=name) if points else None
    if points := _pairs(f"{raw.get('geo_lat', '')} {raw.get('geo_long', raw.get('geo_lon', ''))}"):
        return Place(shape="point", points=points, name=name)
    for one in podcast_elements(raw, "location"):
        if match := _GEO_URI.match(one.get("geo", "").strip()):
            points = _pairs(f"{match[1]} {match[2]}")
            return Place(shape="point", points=points, name=short(one.get("text")) or "") if points else None
    return None


def _pairs(text: str, dimensions: int = 2) -> tuple[tuple[float, float], ...]:
    """Pairs of numbers; nothing where one is none, one is left over, or there are too many: half a line is no line."""
    parts = [part for part in _BETWEEN.split(text[: MAX_PLACE_POINTS * 60]) if part]
    if not parts or len(parts) % dimensions or len(parts) > MAX_PLACE_POINTS * dimensions:
        return ()
    numbers = [number for part in parts if (number := decimal(part)) is not None]
    if len(numbers) < len(parts):
        return ()
    return tuple(zip(numbers[::dimensions], numbers[1::dimensions], strict=True))


_GEOJSON: dict[str, Shape] = {"Point": "point", "LineString": "line", "Polygon": "polygon"}


def place_of_geojson(geometry: dict[str, Any], name: str) -> Place | None:
    """The place of a GeoJSON geometry (RFC 7946), longitude first; of a polygon its outer ring, or the bbox it has."""
    shape = _GEOJSON.get(str(geometry.get("type")))
    coordinates = geometry.get("coordinates")
    if shape is None or not isinstance(coordinates, list):
        return None
    bbox = geometry.get("bbox")
    if shape == "polygon" and isinstance(bbox, list) and len(bbox) == 4:
        shape, coordinates = "box", [bbox[:2], bbox[2:]]
    elif shape == "polygon":
        coordinates = coordinates[0] if coordinates and isinstance(coordinates[0], list) else []
    elif shape == "point":
        coordinates = [coordinates]
    if len(coordinates) > MAX_PLACE_POINTS:
        return None
    points = [pair for each in coordinates if (pair := _position(each))]
    return Place(shape=shape, points=tuple(points), name=name) if len(points) == len(coordinates) > 0 else None


def _position(value: Any) -> tuple[float, float] | None:
    if not isinstance(value, list) or len(value) < 2:
        return None
    east, north = (decimal(each) if isinstance(each, int | float) else None for each in value[:2])
    return (north, east) if north is not None and east is not None else None
