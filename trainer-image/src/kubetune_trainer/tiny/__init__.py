"""Small models and real small data, made in seconds: to try a recipe without a hub or a GPU."""
