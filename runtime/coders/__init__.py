"""Mapped residuals to bits and back; nothing that predicts."""
