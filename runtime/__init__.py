"""Flight and ground codec: numpy, numba, onnxruntime and light libraries only."""
