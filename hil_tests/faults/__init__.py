"""Faults that a target may meet, and the law for each: what was finished decodes, what follows starts clean."""
