"""Answers for an experiment as a picture: SVG, in the manner of `vmm/comparison/chart.py`.

There is a dot for each scheduler, and a ring for the published figure.  Must not know what was
measured.
"""

from vmm.comparison.chart import Point, draw
from vmm.experiments.measured import Outcome


def svg(outcome: Outcome, title: str) -> str:
    """The picture as text; the axis is logarithmic, so what is 0 is left out."""
    shown = [one for one in outcome.measured if one.value > 0]
    names = list(dict.fromkeys(one.what for one in shown))
    ways = list(dict.fromkeys(one.way for one in shown))
    points: list[Point] = []
    for one in shown:
        place = names.index(one.what), ways.index(one.way)
        points.append((*place, one.value, False))
        if one.published:
            points.append((*place, one.published.value, True))
    units = ", ".join(dict.fromkeys(one.unit for one in shown))
    return draw(title, names, ways, points, units)
