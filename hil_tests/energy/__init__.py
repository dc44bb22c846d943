"""Joules per million samples, from power over time."""
