"""Where the public files lie, pinned to a commit, with the hash that they must have."""

from __future__ import annotations

import posixpath
from dataclasses import dataclass
from urllib.parse import quote

from mmoe.datasets.melbench import ATTRIBUTES, NAMES, SPLIT_IDS

GITHUB = "https://raw.githubusercontent.com"
# Answers with the file itself where a repository keeps it in Git LFS.
GITHUB_LFS = "https://media.githubusercontent.com/media"


@dataclass(frozen=True)
class Source:
    """One published file.

    Attributes:
        repository: owner and name on GitHub.
        path: inside the repository; its last part names the file here.
        sha256: of the bytes, in hex.
    """

    repository: str
    commit: str
    path: str
    sha256: str

    @property
    def name(self) -> str:
        return posixpath.basename(self.path)

    @property
    def key(self) -> str:
        """Names the file among those of all commits and repositories."""
        return f"{self.repository}/{self.commit[:12]}/{self.path}"

    def url(self, base: str) -> str:
        """The file's address below `base`, which stands for raw.githubusercontent.com."""
        return f"{base.rstrip('/')}/{quote(f'{self.repository}/{self.commit}/{self.path}')}"


@dataclass(frozen=True)
class HeldOut:
    """Two published files of records, of which the first is to be split in train and valid.

    Attributes:
        num_valid: how many records of `train` go to valid.
    """

    train: Source
    test: Source
    num_valid: int


@dataclass(frozen=True)
class Benchmark:
    """The published files that make up one data set in MELBench's format.

    Attributes:
        records: a zip with one .json member, the sentences and mentions.
        attributes: qid -> attributes; `long_attributes` is a longer version of it.
        names: qid -> name.
        splits: the published splits, or what they are made from.
    """

    records: Source
    attributes: Source
    long_attributes: Source | None
    names: Source
    splits: Source | HeldOut

    @property
    def records_file(self) -> str:
        """The archive's own name, whatever its member is called."""
        return f"{posixpath.splitext(self.records.name)[0]}.json"

    def files(self, *, long: bool) -> dict[str, tuple[Source, ...]]:
        """What the reader is to find in the folder, and the sources of each file."""
        attributes = self.long_attributes if long else self.attributes
        assert attributes is not None, (
            "the caller asks for long attributes only where there are any"
        )
        split = self.splits
        return {
            self.records_file: (self.records,),
            ATTRIBUTES: (attributes,),
            NAMES: (self.names,),
            SPLIT_IDS: (split.train, split.test) if isinstance(split, HeldOut) else (split,),
        }


def _melbench(path: str, sha256: str) -> Source:
    commit = "379220c5230d396c24d2b8e863396a19531facb0"
    return Source("seukgcode/MELBench", commit, path, sha256)


def _ghmfc(path: str, sha256: str) -> Source:
    commit = "f1586dbd13971ea8cbf9352c6ff3d3b1ec7e0c59"
    return Source("seukgcode/MEL-GHMFC", commit, f"datasets/{path}", sha256)


CATALOGUE = {
    "richpediamel": Benchmark(
        records=_melbench(
            "Richpedia-MEL/Richpedia-MEL.zip",
            "65b3c9e5e1ed3b697ffdf3e36e9232fab400fc0ccbca6eacf2482d0f8e7fb5b6",
        ),
        attributes=_ghmfc(
            "Richpedia-MEL/qid2abs.json",
            "b01bae558b1430ab3f124dd56f01f1358a6288f5a15af8c02d8aa71ed4cc7e8d",
        ),
        long_attributes=_ghmfc(
            "Richpedia-MEL/qid2abs_long.json",
            "993513c016ca08dc4c700fbd53c1d24c89d8c24ac481deabf4f26396073afaf9",
        ),
        names=_ghmfc(
            "Richpedia-MEL/qid2ne.json",
            "41af92202789a47acc91c9946edff9e9b45814b4a2985faaaefb4fc2045d9531",
        ),
        splits=HeldOut(
            train=_ghmfc(
                "Richpedia-MEL/train.json",
                "7206651ac6fe71d64a293d0ff76276c2388b1e674632a9a476c8220d1e6f1957",
            ),
            test=_ghmfc(
                "Richpedia-MEL/test.json",
                "a8b5d87180c8f128451241d3634f99537cd96e5190818ceb7f913417c8e1a1ca",
            ),
            num_valid=1_780,
        ),
    ),
    "wikimel": Benchmark(
        records=_melbench(
            "Wikidata-MEL/Wikidata-MEL.zip",
            "376608c253e96b02f7ba539f998f1c4bb3647ef6e562960e23b41c2cd9ac7a4d",
        ),
        attributes=_ghmfc(
            "WikiMEL/input_data/qid2abs.json",
            "a5013c05e4431167dc0ae3ba0bea7065a09b04e15b1654dce38cd6ade674af58",
        ),
        long_attributes=None,
        names=_ghmfc(
            "WikiMEL/input_data/qid2ne.json",
            "ffe51d9b46d0ef74c17348ea22bb19ae371cc6734b0ca7692c6a93a8a0752749",
        ),
        splits=_ghmfc(
            "WikiMEL/input_data/splits.json",
            "9cad182961b1242ccf08a394fd393b0bcb39515e7fb1a26a2ffb59d6b2017db9",
        ),
    ),
}
