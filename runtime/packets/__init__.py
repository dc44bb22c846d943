"""Streams as CCSDS Space Packets and back: fragments of a stream's structures; no sample and no payload is read."""
