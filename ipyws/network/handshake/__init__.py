"""The handshake: what is asked, what a server answers, and what is wrong with it."""
