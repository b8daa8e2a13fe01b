"""What descriptions are worth: how often a choice is right, and what it does for every system's ranks."""
