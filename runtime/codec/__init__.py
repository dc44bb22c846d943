"""Whole streams: the encoder, the decoder, what is told of them."""
