"""Compiled and Triton kernels of training steps; the plain operations beside them are the reference."""
