"""Raw scenes of a sensor, simulated from scenes of others; nothing that trains, and no torch."""
