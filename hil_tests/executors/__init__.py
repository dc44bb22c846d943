"""Executors that need libraries which the runtime does not have, each in an environment of its own."""
