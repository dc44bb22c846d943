"""Bytes of a stream: its structures, checksums, bit depth, telemetry; nothing that predicts or codes."""
