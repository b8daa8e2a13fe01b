"""Where the public files lie, pinned to a commit, with the SHA-256 that they must have."""

from __future__ import annotations

from typing import NamedTuple

GITHUB = "https://raw.githubusercontent.com"
# Answers with the file itself where a repository keeps it in Git LFS.
GITHUB_LFS = "https://media.githubusercontent.com/media"

LONG_ATTRIBUTES = "qid2abs_long.json"

_MELBENCH = "seukgcode/MELBench/379220c5230d396c24d2b8e863396a19531facb0"
_GHMFC = "seukgcode/MEL-GHMFC/f1586dbd13971ea8cbf9352c6ff3d3b1ec7e0c59/datasets"


class Benchmark(NamedTuple):
    """The published files that make up one data set in MELBench's format.

    Attributes:
        folders: owner, repository, commit and folder on GitHub -> file -> SHA-256. The files are a zip with
            the records as its one .json member, and what `melbench` reads beside them; train.json and
            test.json, of records, may stand in the place of splits.json.
        num_valid: how many records of train.json go to valid.
    """

    folders: dict[str, dict[str, str]]
    num_valid: int = 0

    def files(self, *, long: bool) -> dict[str, tuple[str, str]]:
        """Name -> (path, SHA-256) of what is to be fetched, with the long attributes or the short ones."""
        left_out = "qid2abs.json" if long else LONG_ATTRIBUTES
        return {
            name: (f"{folder}/{name}", sha256)
            for folder, names in self.folders.items()
            for name, sha256 in names.items()
            if name != left_out
        }


CATALOGUE = {
    "richpediamel": Benchmark(
        {
            f"{_MELBENCH}/Richpedia-MEL": {
                "Richpedia-MEL.zip": "65b3c9e5e1ed3b697ffdf3e36e9232fab400fc0ccbca6eacf2482d0f8e7fb5b6",
            },
            f"{_GHMFC}/Richpedia-MEL": {
                "qid2abs.json": "b01bae558b1430ab3f124dd56f01f1358a6288f5a15af8c02d8aa71ed4cc7e8d",
                LONG_ATTRIBUTES: "993513c016ca08dc4c700fbd53c1d24c89d8c24ac481deabf4f26396073afaf9",
                "qid2ne.json": "41af92202789a47acc91c9946edff9e9b45814b4a2985faaaefb4fc2045d9531",
                "train.json": "7206651ac6fe71d64a293d0ff76276c2388b1e674632a9a476c8220d1e6f1957",
                "test.json": "a8b5d87180c8f128451241d3634f99537cd96e5190818ceb7f913417c8e1a1ca",
            },
        },
        num_valid=1_780,
    ),
    "wikimel": Benchmark(
        {
            f"{_MELBENCH}/Wikidata-MEL": {
                "Wikidata-MEL.zip": "376608c253e96b02f7ba539f998f1c4bb3647ef6e562960e23b41c2cd9ac7a4d",
            },
            f"{_GHMFC}/WikiMEL/input_data": {
                "qid2abs.json": "a5013c05e4431167dc0ae3ba0bea7065a09b04e15b1654dce38cd6ade674af58",
                "qid2ne.json": "ffe51d9b46d0ef74c17348ea22bb19ae371cc6734b0ca7692c6a93a8a0752749",
                "splits.json": "9cad182961b1242ccf08a394fd393b0bcb39515e7fb1a26a2ffb59d6b2017db9",
            },
        }
    ),
}
