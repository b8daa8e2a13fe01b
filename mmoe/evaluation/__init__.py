"""Metrics from ranks, their confidence intervals and histograms; numpy only, no torch."""
