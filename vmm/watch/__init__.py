"""What watches a run: traces and logs, lock step, the search for leaks, crash reports."""
