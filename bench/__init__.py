"""Benchmarks: what is measured, and compared with what."""
