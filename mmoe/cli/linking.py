"""`mmoe bundle | link | batch`: a run as one folder, and mentions linked with it."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mmoe.cli.options import AsJson, Bundle, Device, Encoder, Rerank, TopK, opened

# What links is imported where it is used: `mmoe --help` answers at once.
if TYPE_CHECKING:
    from mmoe.linker import LinkResult


def register(app: typer.Typer) -> None:
    """Adds the commands."""
    for command in (bundle, link, batch):
        app.command()(command)


def bundle(
    dataset: Annotated[
        str,
        typer.Argument(
            help="Whose pipeline has run here; with --untrained a table of entities, or a folder with one."
        ),
    ],
    folder: Annotated[Path, typer.Argument(help="To write to.")],
    licence: Annotated[
        str | None, typer.Option(help="Of the data, for the model card; its name, as CC-BY-4.0.")
    ] = None,
    push_to: Annotated[
        str | None,
        typer.Option(metavar="ID", help="Also upload it to the Hugging Face hub, as OWNER/NAME."),
    ] = None,
    untrained: Annotated[
        bool,
        typer.Option(
            "--untrained", help="Without a run: by the encoder's cosines and by names alone."
        ),
    ] = False,
    encoder: Annotated[
        str, typer.Option(help="With --untrained; a folder, or an id on the Hugging Face hub.")
    ] = "openai/clip-vit-base-patch32",
    private: Annotated[bool, typer.Option("--private", help="With --push-to.")] = False,
    as_json: AsJson = False,
) -> None:
    """Put a trained run into one folder.

    It holds all that links mentions: matcher, reranker, encoder, entities with features and thumbnails, and a
    model card. Stage bundle does the same for data/bundles. Nothing goes over the network without --push-to,
    but for an encoder that is named by its id on the Hugging Face hub and is not in your cache yet.
    """
    from mmoe.cli.kb import say_unread
    from mmoe.errors import DataError
    from mmoe.evaluation.reading import read_metrics
    from mmoe.files import bytes_under
    from mmoe.linker import Linker
    from mmoe.linker.examples import choose_examples
    from mmoe.linker.hub import push_bundle
    from mmoe.records import Mention, read_records

    if untrained:
        linker = Linker.from_entities(
            dataset, encoder=encoder, device="cpu", name=Path(dataset).stem
        )
        linker.save(folder, licence=licence)
        assert linker.added is not None
        say_unread(linker.added)
    else:
        if not Path(f"data/models/{dataset}").is_dir():
            if Path(dataset).exists():
                raise DataError(f"{dataset}: not the name of a data set; of a table: --untrained")
            raise DataError(
                f"data/models/{dataset}: no run of that name here; run dvc repro, or make a bundle of a "
                "table of entities with --untrained"
            )
        linker = Linker.from_run(f"data/models/{dataset}", f"data/interim/{dataset}", device="cpu")
        try:
            metrics = read_metrics(dataset)
        except DataError:
            metrics = None  # the card says that there are none
        mentions = read_records(Path(f"data/interim/{dataset}/mentions.parquet"), Mention)
        examples = choose_examples(linker, mentions, Path(f"data/raw/{dataset}"))
        linker.save(folder, metrics=metrics, licence=licence, examples=examples)
    size = bytes_under(folder)
    address = push_bundle(folder, push_to, private=private) if push_to else None
    if as_json:
        said = {"folder": str(folder), "entities": len(linker.entities), "bytes": size}
        typer.echo(json.dumps(said | {"address": address}))
        return
    typer.echo(f"{folder}: {len(linker.entities):,} entities, {size / 1e6:,.0f} MB")
    if address:
        typer.echo(address)


def link(
    bundle: Bundle,
    text: Annotated[str, typer.Argument(help="A sentence or passage.")],
    mention: Annotated[
        str | None,
        typer.Option(help="The mention, as the text has it; without one they are found by name."),
    ] = None,
    image: Annotated[Path | None, typer.Option(help="That belongs to the text.")] = None,
    description: Annotated[
        str | None, typer.Option(help="What is known of the entity; '' chooses none either.")
    ] = None,
    top_k: TopK = 5,
    rerank: Rerank = True,
    device: Device = "auto",
    encoder: Encoder = None,
    as_json: AsJson = False,
) -> None:
    """Link one mention, or all of a text.

    Prints the entities that each mention most likely means, best first, with calibrated probabilities.
    """
    linker = opened(bundle, encoder, device, rerank=rerank)
    if mention is None:
        found = [(each.start, each.result) for each in linker.link_text(text, image, top_k=top_k)]
    else:
        from mmoe.linker import Query
        from mmoe.linker.finding import folded_text

        query = Query(mention, text, image, description)
        query.check_in_context()
        (result,) = linker.link_many([query], top_k=top_k)
        (folded, places), wanted = folded_text(text), folded_text(mention)[0]
        found = [(places[folded.find(wanted)] if wanted in folded else -1, result)]
    if as_json:
        typer.echo(json.dumps([{"start": s} | r.to_json() for s, r in found], ensure_ascii=False))
        return
    for _, result in found:
        typer.echo(_shown(result))
    if not found:
        typer.echo("no name or alias of an entity stands in the text; name one with --mention")


def batch(
    bundle: Bundle,
    source: Annotated[Path, typer.Argument(help="Mentions: .jsonl, .csv, .tsv or .parquet.")],
    out: Annotated[Path, typer.Argument(help="Results: .jsonl, .csv or .parquet.")],
    images: Annotated[
        Path | None, typer.Option(help="Folder that images are relative to; else SOURCE's.")
    ] = None,
    top_k: TopK = 5,
    rerank: Rerank = True,
    device: Device = "auto",
    encoder: Encoder = None,
    as_json: AsJson = False,
) -> None:
    """Link a table of mentions.

    Columns: surface_form, and context, image, description and mention_id where there are such. Rows that
    can't be linked go to OUT.rejected.jsonl, with reasons. A stopped or killed run goes on where it was: give
    the same command again. Exit code 1 if no row could be linked.
    """
    from tqdm import tqdm

    from mmoe.files import content_key
    from mmoe.linker.batch import Batch, link_table

    wanted = Batch(source, out, images or source.parent, top_k)
    wanted.check()  # before an encoder is loaded, which takes seconds
    linker = opened(bundle, encoder, device, rerank=rerank)
    assert linker.bundle is not None
    made_with = content_key(linker.bundle[1].files, rerank)
    with tqdm(unit="row", desc=out.name, disable=None) as bar:
        counts = link_table(linker, wanted, made_with, bar.update)
    said: dict[str, Any] = {"out": str(out), "linked": counts.linked, "rejected": counts.rejected}
    if as_json:
        typer.echo(json.dumps(said))
    else:
        typer.echo(f"{out}: {counts.linked:,} mentions linked")
    if counts.rejected:
        print(f"{wanted.rejected}: {counts.rejected:,} rows, with reasons", file=sys.stderr)
    if not counts.linked:
        print(f"error: {counts.reason}", file=sys.stderr)
        raise typer.Exit(1)


def _shown(result: LinkResult) -> str:
    lines = [result.surface_form]
    if result.is_nil:
        chance = result.nil_probability or 0
        lines[0] += (
            f": {'probably' if chance >= 0.5 else 'perhaps'} none of the entities ({chance:.0%})"
        )
    for one in result:
        how_likely = f"{one.score:8.3f}" if one.probability is None else f"{one.probability:4.0%}"
        lines.append(f"  {how_likely}  {one.name} ({one.qid})  {_shortened(one.description)}")
    if result.description:
        lines.append(f"  read as: {result.description} ({result.described_by or 'given'})")
    return "\n".join(lines)


def _shortened(text: str, length: int = 60) -> str:
    return text if len(text) <= length else f"{text[: length - 1]}…"
