"""Flight and ground codec: numpy, numba, onnxruntime and light libraries only."""

import os

# ONNX Runtime from 1.32 on keeps records of its use in the user's cache and sends them, unless this is set before it is
# imported. Who wants that sets it to 0.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
