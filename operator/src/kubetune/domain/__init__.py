"""The tuning core: pure values and decisions, no clock, no randomness, no input or output."""
