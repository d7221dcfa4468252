"""The forms in which a connection is copied out, a module each."""
