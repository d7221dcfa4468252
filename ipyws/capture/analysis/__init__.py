"""Messages as tables and figures: what they hold, how many came, how long replies took."""
