"""Scenes to train on: lists, files, caches, variants; nothing that knows a network."""
