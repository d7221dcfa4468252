"""Captures: messages on disk, as JSON lines or HAR, and what can be made of them."""
