"""A Report → text, for each place where it is read. Pure."""
