"""What the INT8 cell is: its package, its integers, what goes in and must come out; nothing that runs it."""
