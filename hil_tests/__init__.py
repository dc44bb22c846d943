"""Acceptance tests of the runtime on a target."""
