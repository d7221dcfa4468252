"""STOMP 1.2, 1.1 and 1.0 over WebSocket (stomp.github.io, the specifications of these names)."""
