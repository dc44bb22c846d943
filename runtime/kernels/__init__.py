"""Scalars and vectors inside compiled loops: bits, logarithms, mapping, quantisation; nothing that knows a file."""
