"""Two-stage linking: a shortlist by frozen similarities, then features of its pairs, combined listwise."""
