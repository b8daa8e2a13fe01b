"""Tests of mmoe.features and of the stage encode."""
