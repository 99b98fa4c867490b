"""Trials as Jobs; status and events of the resource."""
