"""Streams and packages that nobody should send: sound structure, hostile numbers, right checksums."""
