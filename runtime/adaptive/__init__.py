"""Least squares that learn while they code: the adaptive stage; nothing that knows a network or a stream."""
