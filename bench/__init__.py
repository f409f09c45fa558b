"""Benchmarks: what is measured, and beside what."""
