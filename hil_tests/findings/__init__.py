"""What a run found, as values and as a file, and the limits that it is held against."""
