"""Slow, readable integer references of the compiled kernels."""
