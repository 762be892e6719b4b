"""Where servers keep their rate limits together."""
