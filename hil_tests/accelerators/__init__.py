"""Compilers and simulators of accelerators: what each says of the package, labelled for what it is, and their rules."""
