"""Faults that a target may meet, and the law for each: what was finished before it decodes, what follows starts clean."""
