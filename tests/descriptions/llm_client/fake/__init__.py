"""A chat-completions server of our own on the loopback: it answers, limits and fails as real ones do."""
