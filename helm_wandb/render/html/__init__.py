"""Report → HTML page."""
