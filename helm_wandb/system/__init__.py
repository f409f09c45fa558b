"""Files, processes, signals and streams of the operating system."""
