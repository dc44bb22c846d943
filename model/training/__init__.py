"""The training loop: configuration, losses, checkpoints, records of a run."""
