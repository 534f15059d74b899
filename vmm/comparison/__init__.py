"""The comparison: what an operation costs under each engine, and where the cycles go.

`measure.py` runs guests and gets counts of events, `vectors.py` prices them; `published.py`
and `orderings.py` are what papers say; `verdicts.py` judges; the rest shows.
"""
