"""Programs that run on a board: the recorder, and the target's end of an acceptance run."""
