"""Streams of independent encoders, compared byte for byte."""
