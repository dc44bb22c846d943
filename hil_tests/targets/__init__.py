"""Machines that the runtime is accepted on."""
