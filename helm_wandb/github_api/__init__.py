"""GitHub's API: its objects, and requests for them with deadlines, retries and faults."""
