"""Bits per sample of a trained network by the real coder."""
