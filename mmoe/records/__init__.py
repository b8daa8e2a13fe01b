"""Value types that travel between stages, and the one Parquet schema of each."""

from mmoe.records.tables import (
    read_metadata,
    read_pipeline_table,
    read_records,
    write_records,
)
from mmoe.records.types import (
    READS_ANSWER,
    SPLITS,
    WITHOUT_CHOICE,
    Candidate,
    Description,
    Entity,
    ImageFile,
    ImageInput,
    Leak,
    Mention,
    TextInput,
)

__all__ = [
    "READS_ANSWER",
    "SPLITS",
    "WITHOUT_CHOICE",
    "Candidate",
    "Description",
    "Entity",
    "ImageFile",
    "ImageInput",
    "Leak",
    "Mention",
    "TextInput",
    "read_metadata",
    "read_pipeline_table",
    "read_records",
    "write_records",
]
