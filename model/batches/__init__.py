"""Crops of scenes as tensors for a training step."""
