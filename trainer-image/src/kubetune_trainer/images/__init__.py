"""What recipes for images share: reading them, and measures of what a model says of them."""
