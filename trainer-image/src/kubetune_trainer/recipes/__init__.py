"""The recipes: one runnable file each, read from top to bottom."""
