"""The comparison: what an operation costs under each engine, where the cycles go, what is published.

`measure.py` runs guests and gets event counts, `vectors.py` prices them; `published.py` and
`orderings.py` are what papers say; `verdicts.py` judges; the rest shows.
"""
