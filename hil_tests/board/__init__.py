"""Board files: how they are read and what they may say."""
