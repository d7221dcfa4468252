"""MQTT 5 and 3.1.1 over WebSocket (OASIS MQTT Version 5.0 and MQTT Version 3.1.1, section 6 of both)."""
