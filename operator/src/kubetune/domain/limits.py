"""Bounds that several parts share."""

LIST_LIMIT = 20
"""At most so many trials in each list of a status."""
