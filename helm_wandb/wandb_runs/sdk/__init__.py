"""W&B's SDK in a process of its own: messages, the two ends of the pipe, and a session over it."""
