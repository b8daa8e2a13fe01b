"""Readers, one module per published format, and what stage ingest makes of them."""

from mmoe.datasets.ingest import IngestFiles, ingest
from mmoe.datasets.raw import RawDataset
from mmoe.datasets.registry import FORMATS, read_dataset

__all__ = ["FORMATS", "IngestFiles", "RawDataset", "ingest", "read_dataset"]
