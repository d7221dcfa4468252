"""What families of servers speak, each in a room of its own; a room is entered when its dialect is chosen."""
