"""Laws, conformance and hostile-input tests."""
