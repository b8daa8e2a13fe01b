"""The one exception tree: every message says what was wrong, where (file, row, key) and what to do."""

from __future__ import annotations


class MmoeError(Exception):
    """A mistake in the input, the parameters or the environment that the user can mend."""


def one_line(error: Exception) -> str:
    """An error's own text on one line; libraries' reasons may have several."""
    return " ".join(str(error).split())


class ConfigError(MmoeError):
    """params.yaml holds a key, a value or a combination that is not legal."""


class DataError(MmoeError):
    """A raw or interim file is missing, broken or contradicts another one."""


class BusyError(MmoeError):
    """Another process works on the same folder."""


class WikidataError(MmoeError):
    """A Wikidata slice can't be read or queried."""


class RankingError(MmoeError):
    """The descriptions of a mention's candidates can't be ranked."""


class FeatureStoreError(MmoeError):
    """Cached features are missing, broken or made by another encoder than params.yaml names."""


class TrainingError(MmoeError):
    """Training can't start or can't go on; the last good checkpoint is kept."""


class CheckpointError(MmoeError):
    """A checkpoint is missing, broken or of another shape than params.yaml asks for."""


class LinkingError(MmoeError):
    """A mention that is to be linked, or the run that should link it, can't be used."""


class BundleError(MmoeError):
    """A bundle is missing, broken, or of another version."""
