"""Public benchmarks by pinned commit: fetched, verified, and laid out as a reader wants them."""
