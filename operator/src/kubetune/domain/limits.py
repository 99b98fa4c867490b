"""Bounds that several parts share."""

LIST_LIMIT = 20
"""At most so many trials in each list of a status."""

TOP = 5
"""So many of the best trials are shown with their parameters on dashboards."""
