"""What GitHub's runner gives a run, and what a run tells the runner."""
