"""One small store for all tests of training that only read it."""

from __future__ import annotations

import pytest

from mmoe.linking.data import LinkingData

from tests.stores import Toy, open_toy


@pytest.fixture(scope="session")
def data(tmp_path_factory: pytest.TempPathFactory) -> LinkingData:
    """36 mentions of 14 entities; a third of the images are missing, two mentions are nil."""
    return open_toy(tmp_path_factory.mktemp("toy"), Toy())
