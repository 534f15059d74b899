"""Answers for a comparison as a picture: SVG, ratios to native on a logarithmic axis.

There is a dot for each engine, and a ring for the published figure.  Must not know how rows
came about.
"""

import math
from html import escape

from vmm.comparison.measure import Row
from vmm.comparison.published import figure
from vmm.comparison.tables import shown as is_shown

WIDTH, LEFT, RIGHT, LINE, TOP, BOTTOM = 760, 150, 20, 22, 56, 34
COLOURS = ("#4c72b0", "#dd8452", "#55a868", "#c44e52", "#8172b3", "#937860", "#64b5cd")
STYLE = (
    "text{font:12px sans-serif;fill:#222}.s{fill:#666;font-size:11px}"
    ".g{stroke:#ddd}.n{stroke:#888}"
)


def svg(rows: list[Row], title: str) -> str:
    """The picture as text; rows without a native row of the same benchmark are left out."""
    native = {row.benchmark: row.cycles for row in rows
              if row.subject.engine == "native" and not row.wrong and row.cycles > 0}  # fmt: skip
    shown = [row for row in rows
             if row.benchmark in native and is_shown(row.benchmark)
             and row.subject.engine != "native" and not row.subject.force
             and not row.wrong and row.cycles > 0]  # fmt: skip
    names = list(dict.fromkeys(row.benchmark for row in shown))
    labels = list(dict.fromkeys(row.subject.label for row in shown))
    points = [
        (names.index(row.benchmark), labels.index(row.subject.label), ratio, ring)
        for row in shown for ratio, ring in _ratios(row, native)
    ]  # fmt: skip
    low = math.floor(min((math.log10(ratio) for _, _, ratio, _ in points), default=0))
    high = math.ceil(max((math.log10(ratio) for _, _, ratio, _ in points), default=1))
    high = max(high, low + 1)
    height = TOP + LINE * len(names) + BOTTOM
    bottom = height - BOTTOM

    def x(ratio: float) -> float:
        share = (math.log10(ratio) - low) / (high - low)
        return round(LEFT + share * (WIDTH - LEFT - RIGHT), 1)

    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" '
        f'viewBox="0 0 {WIDTH} {height}" role="img"><title>{escape(title)}</title>',
        f'<style>{STYLE}</style><rect width="100%" height="100%" fill="#fff"/>',
        f'<text x="10" y="20" font-weight="bold">{escape(title)}</text>',
    ]
    at = 10
    for n, label in enumerate(labels):
        out.append(f'<circle cx="{at + 5}" cy="36" r="5" fill="{_colour(n)}"/>'
                   f'<text x="{at + 15}" y="40">{escape(label)}</text>')  # fmt: skip
        at += 30 + 8 * len(label)
    out.append(f'<circle cx="{at + 5}" cy="36" r="5" fill="none" stroke="#222"/>'
               f'<text x="{at + 15}" y="40">published</text>')  # fmt: skip
    for power in range(low, high + 1):
        place, style = x(10.0**power), "n" if power == 0 else "g"
        out.append(f'<line class="{style}" x1="{place}" x2="{place}" y1="{TOP}" y2="{bottom}"/>'
                   f'<text class="s" x="{place}" y="{bottom + 16}" text-anchor="middle">'
                   f"{10.0**power:g}</text>")  # fmt: skip
    out.append(f'<text class="s" x="{LEFT}" y="{bottom + 30}">times the bare machine</text>')
    for n, name in enumerate(names):
        y = TOP + LINE * n + LINE // 2
        out.append(f'<text x="{LEFT - 8}" y="{y + 4}" text-anchor="end">{escape(name)}</text>')
    for n, k, ratio, ring in points:
        fill = f'fill="none" stroke="{_colour(k)}" stroke-width="2"'
        style = fill if ring else f'fill="{_colour(k)}" fill-opacity="0.85"'
        y = TOP + LINE * n + LINE // 2
        out.append(f'<circle cx="{x(ratio)}" cy="{y}" r="{6 if ring else 5}" {style}/>')
    return "\n".join([*out, "</svg>", ""])


def _ratios(row: Row, native: dict[str, float]) -> list[tuple[float, bool]]:
    """The row's ratio to native, and the published ratio, which is drawn as a ring."""
    found = [(row.cycles / native[row.benchmark], False)]
    published = figure(row.benchmark, row.subject.name)
    if published and published.ratio:
        found.append((published.ratio, True))
    return found


def _colour(n: int) -> str:
    return COLOURS[n % len(COLOURS)]
