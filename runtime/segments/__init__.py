"""One segment, whatever codes it: payloads from lines and lines from payloads."""
