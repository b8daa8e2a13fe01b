"""The store that tests of linking and training share."""

from tests.training.conftest import data

__all__ = ["data"]
