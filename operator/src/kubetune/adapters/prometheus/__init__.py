"""Live metrics out of Prometheus, and the operator's own into it."""
