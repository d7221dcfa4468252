"""A connection that is open: frames to bytes and back."""
