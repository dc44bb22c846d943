"""Float training: the LineRWKV network, its data and its training loop."""
