"""Texts of others, made safe to show; patterns, URLs, secrets."""
