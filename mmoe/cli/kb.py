"""`mmoe kb add | remove | stats`: the knowledge base of a bundle."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mmoe.cli.options import AsJson, Encoder, opened

# What links is imported where it is used: `mmoe --help` answers at once.
if TYPE_CHECKING:
    from mmoe.linker.changes import NewEntities

BundleFolder = Annotated[Path, typer.Argument(metavar="BUNDLE", help="Its folder.")]


def register(kb: typer.Typer) -> None:
    """Adds the commands to `mmoe kb`."""
    for command in (add, remove, stats):
        kb.command()(command)


def add(
    bundle: BundleFolder,
    source: Annotated[
        Path | None,
        typer.Argument(
            help="A table of entities (.csv, .tsv, .jsonl, .parquet, or a folder with one, as kb build "
            "writes it), or a slice of the Wikidata dump (.json, .json.gz, .json.bz2)."
        ),
    ] = None,
    qids: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="In place of SOURCE: ids, one a line. They are sent to Wikidata's API, which "
            "gives their names and attributes; set MMOE_CONTACT.",
        ),
    ] = None,
    encoder: Encoder = None,
    as_json: AsJson = False,
) -> None:
    """Add entities.

    Nothing is trained, and only the new ones are encoded. Whoever reads the bundle meanwhile sees the old
    knowledge base or the new one.
    """
    from mmoe.errors import DataError
    from mmoe.linker.changes import NewEntities
    from mmoe.linker.saving import changing
    from mmoe.wikidata.knowledge.request import read_qids

    if (source is None) == (qids is None):
        raise DataError("name the new entities: a table or slice, or ids with --qids")
    if qids is not None:
        new = NewEntities.from_wikidata(read_qids(qids))
    else:
        assert source is not None
        new = NewEntities.of(source)
    with changing(bundle):
        linker = opened(bundle, encoder)
        added = linker.add_entities(new)
        linker.save()
    said = {"added": len(added.entities), "entities": len(linker.entities)}
    if as_json:
        masked = [{"image": m.image, "reason": m.reason, "qids": m.ids} for m in added.masked]
        typer.echo(json.dumps(said | {"masked": masked, "missing": added.missing}))
        return
    typer.echo(f"{bundle}: {said['added']:,} added, {said['entities']:,} entities now")
    say_unread(added)


def say_unread(added: NewEntities) -> None:
    """Lists images of new entities that are not used, on stderr."""
    for name in added.missing:
        typer.echo(f"  {name}: no such file; the entity is without an image", err=True)
    for image in added.masked:
        typer.echo(f"  {image.image}: {image.reason}; the entity is without an image", err=True)


def remove(
    bundle: BundleFolder,
    qids: Annotated[list[str], typer.Argument(help="Ids of entities.")],
    encoder: Encoder = None,
    as_json: AsJson = False,
) -> None:
    """Take entities out."""
    from mmoe.linker.saving import changing

    with changing(bundle):
        linker = opened(bundle, encoder)
        linker.remove_entities(qids)
        linker.save()
    said = {"removed": len(set(qids)), "entities": len(linker.entities)}
    if as_json:
        typer.echo(json.dumps(said))
    else:
        typer.echo(f"{bundle}: {said['removed']:,} removed, {said['entities']:,} entities now")


def stats(bundle: BundleFolder, as_json: AsJson = False) -> None:
    """Say what a bundle holds; all of its files are compared with their hashes."""
    from mmoe.files import read_json
    from mmoe.linker.bundle import CONFIG, read_manifest
    from mmoe.linker.kb_files import KbFiles
    from mmoe.linker.knowledge import read_entities
    from mmoe.linker.thumbnails import Thumbnails

    manifest = read_manifest(bundle, check=True)
    files = KbFiles.of(bundle / manifest.kb)
    entities, about = read_entities(files.entities), read_json(bundle / CONFIG)
    assert files.thumbnails is not None
    pictures = Thumbnails(files.thumbnails)
    said: dict[str, Any] = {
        "made_of": manifest.name,
        "trained": about["trained"],
        "matcher": about["model_type"],
        "encoder": about["features"]["encoder"],
        "entities": len(entities),
        "with_attributes": sum(bool(entity.attributes) for entity in entities),
        "with_image": sum(bool(entity.images) for entity in entities),
        "with_thumbnail": sum(entity.qid in pictures for entity in entities),
        "aliases": sum(map(len, files.read_aliases().values())),
        "shared_names": len(entities) - len(_names([entity.name for entity in entities])),
        "bytes": sum(each["bytes"] for each in manifest.files.values()),
        "changes": manifest.changes,
        "versions": manifest.versions,
    }
    if as_json:
        typer.echo(json.dumps(said))
        return
    for name, value in said.items():
        shown = f"{value:,}" if type(value) is int else value
        if isinstance(value, bool):
            shown = "yes" if value else "no"
        if isinstance(value, dict):
            shown = ", ".join(f"{package} {version}" for package, version in value.items())
        typer.echo(f"{name.replace('_', ' ')}: {shown}")


def _names(names: Sequence[str]) -> set[str]:
    from mmoe.names import normalise_name

    return set(map(normalise_name, names))
