"""What makes a well-formed study one that can be run: pure checks, each over one part of it."""
