"""Small charts as SVG that stands in the page: read without a script, told in words to who cannot see them. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

BAR, GAP, HEIGHT = 7, 2, 28


def bars(values: Sequence[int], label: str) -> Markup:
    """Return one bar for each of *values*, oldest first; *label* says what they are. Colours are the style sheet's.

    >>> str(bars([0, 2], "articles a day"))[:94]
    '<svg class="bars" width="16" height="28" viewBox="0 0 16 28" role="img" aria-label="articles a'
    """
    width = max(1, len(values) * (BAR + GAP) - GAP)
    most = max(values, default=0)
    paths = {"some": "", "none": ""}
    for number, value in enumerate(values):
        # What is there at all must be seen beside a day of thousands.
        height = 1 if not value else max(3, round(value / most * HEIGHT))
        paths["some" if value else "none"] += f"M{number * (BAR + GAP)} {HEIGHT}v-{height}h{BAR}v{height}z"
    drawn = "".join(f'<path class="{kind}" d="{path}"/>' for kind, path in paths.items() if path)
    said = Markup.escape(f"{label}: {', '.join(map(str, values))}")
    return Markup(  # noqa: S704
        f'<svg class="bars" width="{width}" height="{HEIGHT}" viewBox="0 0 {width} {HEIGHT}" role="img"'
        f' aria-label="{said}">{drawn}</svg>'
    )
