"""Power meters behind one protocol."""
