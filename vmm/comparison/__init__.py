"""The comparison: what an operation costs under each engine, and where the cycles go.

`measure.py` runs guests and counts events; `vectors.py` prices them; `published.py` and
`orderings.py` say what papers found; `verdicts.py` judges; the other files show the result.
"""
