"""The rate of every codec on every scene: rows, measurements, tables, pictures (make bench-rate)."""
