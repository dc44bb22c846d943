"""Whole streams: the encoder, the decoder, reports on them."""
