"""INT8 quantization-aware fine-tuning of a trained network."""
