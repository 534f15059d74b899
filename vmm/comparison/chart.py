"""Answers for a comparison as a picture: SVG, ratios to native on a logarithmic axis.

There is a dot for each engine, and a ring for the published figure.  Must not know how rows
came about.
"""

import math
from dataclasses import dataclass
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

Point = tuple[int, int, float, bool]  # number of the name and of the label, value, is it a ring


@dataclass(frozen=True)
class _Scale:
    """From a ratio to a place on the line: whole powers of ten from `low` to `high`."""

    low: int
    high: int

    @classmethod
    def of(cls, ratios: list[float]) -> "_Scale":
        powers = [math.log10(ratio) for ratio in ratios] or [0, 1]
        low = math.floor(min(powers))
        return cls(low, max(math.ceil(max(powers)), low + 1))

    def x(self, ratio: float) -> float:
        share = (math.log10(ratio) - self.low) / (self.high - self.low)
        return round(LEFT + share * (WIDTH - LEFT - RIGHT), 1)


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
    return draw(title, names, labels, points, "times the bare machine")


def draw(title: str, names: list[str], labels: list[str], points: list[Point], axis: str) -> str:
    """Any picture of this kind: a line for each name, a colour for each label."""
    scale = _Scale.of([value for _, _, value, _ in points])
    height = TOP + LINE * len(names) + BOTTOM
    return "\n".join([
        *_frame(title, height), *_legend(labels), *_grid(scale, height - BOTTOM, axis),
        *_names(names), *_points(points, scale), "</svg>", "",
    ])  # fmt: skip


def _frame(title: str, height: int) -> list[str]:
    return [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" '
        f'viewBox="0 0 {WIDTH} {height}" role="img"><title>{escape(title)}</title>',
        f'<style>{STYLE}</style><rect width="100%" height="100%" fill="#fff"/>',
        f'<text x="10" y="20" font-weight="bold">{escape(title)}</text>',
    ]


def _legend(labels: list[str]) -> list[str]:
    """One dot an engine, and the ring."""
    out, at = [], 10
    for n, label in enumerate(labels):
        out.append(f'<circle cx="{at + 5}" cy="36" r="5" fill="{_colour(n)}"/>'
                   f'<text x="{at + 15}" y="40">{escape(label)}</text>')  # fmt: skip
        at += 30 + 8 * len(label)
    out.append(f'<circle cx="{at + 5}" cy="36" r="5" fill="none" stroke="#222"/>'
               f'<text x="{at + 15}" y="40">published</text>')  # fmt: skip
    return out


def _grid(scale: _Scale, bottom: int, axis: str) -> list[str]:
    """A line for each power of ten, and what the scale means."""
    out = []
    for power in range(scale.low, scale.high + 1):
        place, style = scale.x(10.0**power), "n" if power == 0 else "g"
        out.append(f'<line class="{style}" x1="{place}" x2="{place}" y1="{TOP}" y2="{bottom}"/>'
                   f'<text class="s" x="{place}" y="{bottom + 16}" text-anchor="middle">'
                   f"{10.0**power:g}</text>")  # fmt: skip
    return [*out, f'<text class="s" x="{LEFT}" y="{bottom + 30}">{escape(axis)}</text>']


def _names(names: list[str]) -> list[str]:
    return [
        f'<text x="{LEFT - 8}" y="{_y(n) + 4}" text-anchor="end">{escape(name)}</text>'
        for n, name in enumerate(names)
    ]


def _points(points: list[Point], scale: _Scale) -> list[str]:
    """A dot for a measured ratio, a ring for a published one."""
    out = []
    for n, k, ratio, ring in points:
        fill = f'fill="none" stroke="{_colour(k)}" stroke-width="2"'
        style = fill if ring else f'fill="{_colour(k)}" fill-opacity="0.85"'
        out.append(
            f'<circle cx="{scale.x(ratio)}" cy="{_y(n)}" r="{6 if ring else 5}" {style}/>'
        )
    return out


def _y(n: int) -> int:
    """The middle of a benchmark's line."""
    return TOP + LINE * n + LINE // 2


def _ratios(row: Row, native: dict[str, float]) -> list[tuple[float, bool]]:
    """The row's ratio to native, and the published ratio, which is drawn as a ring."""
    found = [(row.cycles / native[row.benchmark], False)]
    published = figure(row.benchmark, row.subject.name)
    if published and published.ratio:
        found.append((published.ratio, True))
    return found


def _colour(n: int) -> str:
    return COLOURS[n % len(COLOURS)]
