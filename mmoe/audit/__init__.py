"""What is wrong with a data set as an evaluation: leaks between splits, gaps, ambiguity. Never repairs."""
