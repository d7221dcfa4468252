"""The formats of payloads: each a codec, and what it is made of."""
