"""Tests of the ground's ways to a stream; those whose library is not here are left out."""
