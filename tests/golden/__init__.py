"""Streams that every later release decodes to the same samples, what writes those that are missing, and their laws."""
