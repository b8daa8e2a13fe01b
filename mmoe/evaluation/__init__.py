"""From ranks to typed metrics, their intervals and breakdowns; numpy, scipy and pandas only."""
