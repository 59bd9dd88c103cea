"""A few curves as small charts below each other, in one SVG file that any page can show. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from html import escape

WIDTH, HEIGHT, LEFT, RIGHT, TOP, GAP = 640, 70, 60, 20, 46, 40


@dataclass(slots=True)
class Curve:
    """What is drawn, named with its unit, and its points."""

    name: str
    points: list[tuple[float, float]] = field(default_factory=list)


def draw(title: str, curves: Sequence[Curve], across: str) -> str:
    """Give an SVG document: each of *curves* on a scale of its own that begins at zero, over the same *across*."""
    end = max(x for curve in curves for x, _ in curve.points)
    tall = TOP + len(curves) * (HEIGHT + GAP)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{tall}" viewBox="0 0 {WIDTH} {tall}"'
        ' font-family="sans-serif" font-size="12" fill="#444">',
        f'<rect width="{WIDTH}" height="{tall}" fill="#fff"/>',
        f'<text x="{LEFT}" y="18" font-size="14" font-weight="bold">{escape(title)}</text>',
    ]
    for number, curve in enumerate(curves):
        top = TOP + number * (HEIGHT + GAP)
        bottom, most = top + HEIGHT, max(y for _, y in curve.points) or 1.0
        at = [
            (round(LEFT + x / end * (WIDTH - LEFT - RIGHT), 1), round(bottom - y / most * HEIGHT, 1))
            for x, y in curve.points
        ]
        line = " ".join(f"{x},{y}" for x, y in at)
        parts += [
            f'<text x="{LEFT}" y="{top - 6}">{escape(curve.name)}</text>',
            f'<text x="{LEFT - 8}" y="{top + 8}" text-anchor="end">{most:.3g}</text>',
            f'<text x="{LEFT - 8}" y="{bottom}" text-anchor="end">0</text>',
            f'<path d="M{LEFT} {bottom}H{WIDTH - RIGHT}" stroke="#bbb"/>',
            f'<polyline points="{line}" fill="none" stroke="#2563a8" stroke-width="2"/>',
            *(f'<circle cx="{x}" cy="{y}" r="2.5" fill="#2563a8"/>' for x, y in at),
        ]
    parts.append(f'<text x="{WIDTH - RIGHT}" y="{tall - 12}" text-anchor="end">{escape(across)} {end:.0f}</text>')
    return "\n".join([*parts, "</svg>", ""])
