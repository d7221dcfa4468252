"""Captures played again: the client's side on a connection, the server's side on a server of our own."""
