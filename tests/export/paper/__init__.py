"""The paper's experiment, on tiny patches."""
