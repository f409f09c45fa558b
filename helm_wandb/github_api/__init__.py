"""GitHub's API: the calls that a run needs, bounded in time, with faults that say what to do."""
