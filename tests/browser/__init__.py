"""What people see, in a real browser; `make browser` runs these tests."""
