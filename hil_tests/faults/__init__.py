"""Faults that a target may meet; after each, finished segments decode and the next recording starts clean."""
