"""Commands about Wikidata: `label-index`, `kb build`, `images` and `cache`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from mmoe.cli import kb as of_bundles
from mmoe.config.wikidata import WikidataParams
from mmoe.wikidata.api.cache import describe_cache
from mmoe.wikidata.api.search import DEEPEST
from mmoe.wikidata.api.settings import WIKIDATA, ApiSettings
from mmoe.wikidata.images.add import COMMONS, add_images
from mmoe.wikidata.images.infos import WIDTHS
from mmoe.wikidata.index.build import build_index
from mmoe.wikidata.index.parts import RunOptions
from mmoe.wikidata.knowledge.build import build_from_dump
from mmoe.wikidata.knowledge.from_api import build_from_api
from mmoe.wikidata.knowledge.properties import DEFAULT_PROPERTIES
from mmoe.wikidata.knowledge.request import ALL, Choice, KbRequest, read_names, read_qids
from mmoe.wikidata.knowledge.write import ENTITIES, ITEMS, refuse_to_overwrite
from mmoe.wikidata.matching import Match
from mmoe.wikidata.selection import PAGES, checked_list, checked_selection

API = "api"
MOST_PROCESSES = 8  # a single process reads the dump and can't keep more of them busy

PerMinute = Annotated[
    int, typer.Option(min=1, max=100_000, help="How often a server is asked; Wikidata allows 200.")
]


def register(app: typer.Typer) -> None:
    """Adds the commands to `mmoe`."""
    app.command("label-index")(label_index)
    app.command("images")(images)
    app.command("cache")(cache)
    kb = typer.Typer(
        help="Make a knowledge base, or change a bundle's.\n\nIt holds the entities that mentions are "
        "linked to.",
        no_args_is_help=True,
    )
    kb.command("build")(build_kb)
    of_bundles.register(kb)
    app.add_typer(kb, name="kb")


def label_index(
    dump: Annotated[
        str, typer.Argument(help="A dump (.json, .gz, .bz2, .zst), a folder of split files, or -.")
    ],
    out: Annotated[Path, typer.Argument(help="Folder of the index.")],
    languages: Annotated[
        str, typer.Option(help="Of labels, aliases and descriptions, best first; mul stands in.")
    ] = "en",
    drop_kinds: Annotated[
        str | None,
        typer.Option(
            metavar="Q…,…",
            help="Drop items that are an instance of one of these (P31, best rank), instead of "
            f"{', '.join(f'{qid} ({name})' for qid, name in PAGES.items())}; '' drops none.",
        ),
    ] = None,
    keep_kinds: Annotated[
        str,
        typer.Option(
            metavar="Q…,…",
            help="Keep only items that are an instance of one of these; subclasses must be named too.",
        ),
    ] = "",
    processes: Annotated[
        int, typer.Option(min=1, help="That extract; 0.15 GB of memory each.")
    ] = min(os.cpu_count() or 1, MOST_PROCESSES),
    work: Annotated[
        Path | None,
        typer.Option(
            help="Folder for unfinished work, up to five times the size of the index; else OUT."
        ),
    ] = None,
    ray: Annotated[
        bool,
        typer.Option("--ray", help="Spread the files of a folder with Ray Data, if installed."),
    ] = False,
) -> None:
    """Index the names in a Wikidata dump.

    The label index says which item bears which name. retrieve.index in params.yaml names such an index.
    With - as DUMP a parallel program may decompress: lbzip2 -dc latest-all.json.bz2 | mmoe label-index -
    OUT. A stopped run goes on where it was: give the same command again.
    """
    selection = checked_selection(
        checked_list("--languages", languages),
        None if drop_kinds is None else _kinds("--drop-kinds", drop_kinds),
        _kinds("--keep-kinds", keep_kinds),
    )
    options = RunOptions(processes, work, ray)
    built = build_index(dump, out, selection, options)
    typer.echo(f"{out}: {built.summary()}")
    if not built.is_closed:
        typer.echo(
            f"note: {dump} begins with [ and does not end with ]; unless it is a slice, its end is missing",
            err=True,
        )


def build_kb(
    dump: Annotated[
        str,
        typer.Argument(help=f"A Wikidata dump, a slice of one, a folder of split files, or {API}."),
    ],
    out: Annotated[Path, typer.Argument(help="Folder to write to.")],
    names: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Take items with these names: one a line, or a mentions.jsonl."
        ),
    ] = None,
    match: Annotated[
        Match,
        typer.Option(
            help="tokens: also items of whose names one holds all tokens of a listed name, for surnames and "
            "first names."
        ),
    ] = "exact",
    qids: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Take these ids: one a line, or a .jsonl with qid or gold_qid."
        ),
    ] = None,
    kinds: Annotated[
        str | None,
        typer.Option(
            metavar="Q5,Q515",
            help="Take only instances of one of these; disambiguation pages, lists, categories and templates "
            "only if their own kind is among them, or their id is listed.",
        ),
    ] = None,
    with_subclasses: Annotated[
        bool,
        typer.Option(
            "--with-subclasses", help="Or of a subclass of one; reads the dump once more for it."
        ),
    ] = False,
    max_entities: Annotated[
        int | None, typer.Option(min=1, help="Keep those with the most Wikipedia articles.")
    ] = None,
    languages: Annotated[
        str, typer.Option(help="Of names and attributes, best first; mul stands in.")
    ] = "en",
    properties: Annotated[
        str,
        typer.Option(
            metavar="P31,P106",
            help=f"Of which attributes are made, in their order. {ALL}: all that say something to a reader, "
            "in the item's own order: no external ids, addresses, files and coordinates, nothing that is "
            "for the wikis' housekeeping.",
        ),
    ] = ",".join(DEFAULT_PROPERTIES),
    without_properties: Annotated[
        str | None, typer.Option(metavar="P31,P18", help="Of which none are made in any case.")
    ] = None,
    max_values: Annotated[int, typer.Option(min=1, help="Of a property.")] = 3,
    with_description: Annotated[
        bool, typer.Option("--with-description", help="Begin the attributes with the description.")
    ] = False,
    with_slice: Annotated[
        bool,
        typer.Option(
            "--with-slice",
            help="Also write the items as OUT/wikidata.jsonl, of which the stage retrieve makes an index.",
        ),
    ] = False,
    api_url: Annotated[str, typer.Option(help="Of the API.")] = WIKIDATA,
    offline: Annotated[
        bool, typer.Option("--offline", help="Use only what the API has answered before.")
    ] = False,
    max_hits: Annotated[
        int,
        typer.Option(
            min=0,
            max=DEEPEST,
            help="Items with a listed name in theirs up to which the API is asked for the whole list; of "
            "more the best are taken.",
        ),
    ] = DEEPEST,
    requests_per_minute: PerMinute = 180,
    replace: Annotated[bool, typer.Option("--replace", help="Write over what is in OUT.")] = False,
) -> None:
    """Write Wikidata's items as a data set's entities.

    The knowledge base, in our own format, holds their names and attributes. An item is taken if its id is
    listed (--qids) or it bears a listed name (--names), and is of one of the kinds (--kinds) where some are
    given. A dump is read twice, as the labels of properties and values stand anywhere in it. With `api` in
    its place the names and ids are sent to Wikidata's API; set MMOE_CONTACT to an e-mail address or web
    page at which you can be reached.
    """
    request = KbRequest(
        Choice(
            names=None if names is None else read_names(names),
            qids=None if qids is None else frozenset(read_qids(qids)),
            kinds=None if kinds is None else frozenset(checked_list("--kinds", kinds)),
            match=match,
            with_subclasses=with_subclasses,
        ),
        languages=checked_list("--languages", languages),
        properties=None if properties == ALL else checked_list("--properties", properties),
        without_properties=()
        if without_properties is None
        else checked_list("--without-properties", without_properties),
        max_values=max_values,
        max_entities=max_entities,
        with_description=with_description,
        with_slice=with_slice,
    )
    request.choice.check(from_api=dump == API)
    if not replace:
        refuse_to_overwrite(out)
    if dump == API:
        limits = WikidataParams(requests_per_minute=requests_per_minute)
        settings = ApiSettings(api_url, request.languages, limits, max_hits, offline=offline)
        counts = build_from_api(out, request, settings)
    else:
        counts = build_from_dump(dump, out, request)
    typer.echo(f"{out / ENTITIES}: {counts['entities']:,} entities")
    for name, number in counts.items():
        if number and name != "entities":  # kb.json has those of which there are none, too
            typer.echo(f"  {name}: {number:,}")


def images(
    qids: Annotated[
        Path, typer.Argument(help=f"Item ids, one a line, or a data set's {ENTITIES}.")
    ],
    out: Annotated[Path, typer.Argument(help="Folder to write to.")],
    width: Annotated[
        int, typer.Option(help=f"In pixels, one of {', '.join(map(str, WIDTHS))}.")
    ] = 330,
    source: Annotated[
        str | None,
        typer.Option(
            "--from",
            metavar="INDEX",
            help=f"What knows the items' images: a label index, the {ITEMS} of a knowledge base, or {API}; "
            f"by default {ITEMS} beside QIDS, else {API}.",
        ),
    ] = None,
    into: Annotated[
        Path | None,
        typer.Option(
            metavar=ENTITIES,
            help=f"Add the images to this table; by default QIDS, if it is called {ENTITIES}.",
        ),
    ] = None,
    requests_per_minute: PerMinute = 180,
    wikidata: Annotated[str, typer.Option(metavar="URL", help="Wikidata's API.")] = WIKIDATA,
    commons: Annotated[str, typer.Option(metavar="URL", help="Commons' API.")] = COMMONS,
) -> None:
    """Fetch items' images from Wikimedia Commons.

    OUT gets thumbnails, images/<id>.jpg, and authors and licences in licences.jsonl. A stopped run goes on
    where it was; images that are there are not asked for again. Wikimedia wants to know whom to reach: set
    MMOE_CONTACT to an e-mail address or web page.
    """
    limits = WikidataParams(requests_per_minute=requests_per_minute)
    servers = (ApiSettings(wikidata, limits=limits), ApiSettings(commons, limits=limits))
    for line in add_images(qids, out, width, source, into, *servers):
        typer.echo(line)


def cache(
    clear: Annotated[bool, typer.Option("--clear", help="Forget the answers.")] = False,
    older_than: Annotated[
        float,
        typer.Option(min=0, metavar="DAYS", help="Show or forget only answers at least so old."),
    ] = 0,
    folder: Annotated[
        Path | None,
        typer.Option(
            help="Where the answers are; by default MMOE_CACHE, or else your cache folder."
        ),
    ] = None,
) -> None:
    """Show or clear the kept answers of Wikidata.

    Says how many answers of the API there are, how large and how old they are.
    """
    for line in describe_cache(folder, older_than, clear):
        typer.echo(line)


def _kinds(option: str, text: str) -> tuple[str, ...]:
    """A list that may be empty."""
    return checked_list(option, text) if text else ()
