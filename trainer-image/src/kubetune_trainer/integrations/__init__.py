"""Callbacks for those who train with another framework's loop: one file for each framework."""
