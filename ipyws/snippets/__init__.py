"""Commands of other programs, pasted in; connections, copied out."""
