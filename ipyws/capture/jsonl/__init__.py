"""JSON lines: messages and connections as records, written and read with every check."""
