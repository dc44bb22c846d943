"""A run on a target: its steps, what they find, and the limits."""
