"""Report → a page of its own."""
