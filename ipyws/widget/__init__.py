"""The panel: a widget that shows connections live, filters, sends and connects."""
