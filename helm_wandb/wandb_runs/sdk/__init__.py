"""W&B's SDK in a separate process: messages, the two ends of the pipe, and a session over it."""
