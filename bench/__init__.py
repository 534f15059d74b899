"""Performance figures: what is measured, on which machine, from which commit."""
