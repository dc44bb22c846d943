"""The networks as PyTorch modules and their configuration."""
