"""ONNX step cells and flight packages written from a trained network."""
