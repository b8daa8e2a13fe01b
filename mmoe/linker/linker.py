"""Links mentions of one's own: surface form, context and image in, entities of a knowledge base out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path
from threading import Lock

import pandas as pd

from mmoe.encoders.encode import MaskedImage
from mmoe.errors import BundleError, LinkingError
from mmoe.linker.bundle import Manifest
from mmoe.linker.changes import NewEntities, changed
from mmoe.linker.engine import Engine
from mmoe.linker.finding import FindMentions, LinkedMention, queries_in
from mmoe.linker.hub import find_bundle, push_bundle
from mmoe.linker.opening import Opening, open_bundle, open_kb, open_run
from mmoe.linker.queries import Picture, Query, check_text
from mmoe.linker.results import LinkResult
from mmoe.linker.saving import remove_old, save_bundle, save_changes
from mmoe.linker.trained import Trained
from mmoe.linker.untrained import untrained
from mmoe.model.features import SideFeatures
from mmoe.records import Entity

BATCH = 32  # mentions that are linked at a time


class Linker:
    """Links mentions to the entities of one knowledge base.

    Make one with `from_pretrained` or `from_run`. Threads may share it: while one of them changes
    the knowledge base, the others keep linking to the old one. The first call takes longer than later ones.

    Attributes:
        trained: what was learned, whatever the knowledge base.
        engine: what links to the knowledge base of now.
        bundle: folder and manifest of the bundle that it was opened from, if it was.
        added: the entities that were added last, with images that could not be read.
    """

    def __init__(
        self, trained: Trained, engine: Engine, bundle: tuple[Path, Manifest] | None = None
    ) -> None:
        self.trained, self.engine, self.bundle = trained, engine, bundle
        self.added: NewEntities | None = None
        self._changing, self._from_hub = Lock(), False

    @classmethod
    def from_pretrained(
        cls,
        name: Path | str,
        *,
        encoder: str | None = None,
        device: str = "auto",
        rerank: bool = True,
        exact: bool = False,
        check: bool = True,
    ) -> Linker:
        """Opens a bundle, which `save` or `mmoe bundle` makes.

        Args:
            name: its folder, or its id on the Hugging Face hub, from where it is downloaded once.
            encoder: see `from_run`; None for the one inside, or the one that the matcher names.
            device, rerank: see `from_run`.
            exact: whether mentions get to the bit the features that stage encode would store, as `from_run`
                does it. Otherwise texts are encoded together whatever their lengths, which is several times
                faster and changes scores by a thousandth.
            check: whether all files are compared with the hashes in the manifest, which takes a second for
                each gigabyte; their sizes are in any case.
        Raises:
            BundleError: if it is no whole bundle of this version.
            CheckpointError, DataError, FeatureStoreError: see `from_run`.
        """
        folder = find_bundle(name)
        trained, engine, manifest = open_bundle(
            folder, Opening(encoder, device, rerank, exact), check=check
        )
        linker = cls(trained, engine, (folder, manifest))
        linker._from_hub = not Path(name).exists()
        return linker

    @classmethod
    def from_entities(
        cls,
        entities: NewEntities | Path | str | Iterable[Entity],
        *,
        encoder: str,
        device: str = "auto",
        name: str = "own entities",
    ) -> Linker:
        """Links to entities of one's own without any training: by the encoder's cosines and by names.

        Args:
            entities: see `add_entities`.
            encoder: a folder, a Hugging Face id, or `package:<module>/<folder>`.
            device: see `from_run`.
            name: of the data, for the model card.
        Raises:
            DataError, FeatureStoreError, LinkingError: if table or encoder can't be used.
        """
        new = NewEntities.of(entities)
        trained, kb, masked = untrained(new, encoder, device, name)
        linker = cls(trained, trained.over(kb))
        linker.added = replace(new, masked=masked)
        return linker

    @classmethod
    def from_run(
        cls,
        model: Path | str,
        kb: Path | str,
        *,
        features: Path | str | None = None,
        encoder: str | None = None,
        device: str = "auto",
        rerank: bool = True,
        index: Path | str | None = None,
        approximate: bool = False,
    ) -> Linker:
        """Opens what `dvc repro` left of a data set.

        Args:
            model: folder of the trained matcher, `data/models/<dataset>`.
            kb: folder with `entities.parquet`, `data/interim/<dataset>`; any knowledge base whose
                features were made with the same encoder will do.
            features: folder of its features; None for the one that belongs to `kb`,
                `data/features/<dataset>`.
            encoder: folder or Hugging Face id of the encoder, where it lies elsewhere than in training;
                None for the one that the checkpoint names.
            device: auto, cpu, cuda or cuda:<n>.
            rerank: whether mentions are linked as stage rerank does it, with the description that stage rank
                would choose; False links by the matcher alone, as stage evaluate does.
            index: folder for what the matcher makes of the entities, in files that are mapped into memory;
                what lies there is used if it is of this matcher and knowledge base. None holds it in memory.
            approximate: whether the matcher's scores are computed for a shortlist of entities instead of all,
                which pays off from a million on; with rerank=False, `index`, the training mentions beside the
                knowledge base, and FAISS (the extra `approximate`). See docs/scale.md.
        Raises:
            CheckpointError: if the matcher can't be read, or the encoder is not the one it was trained on.
            DataError, FeatureStoreError: if knowledge base, features or encoder can't be read.
        """
        trained, engine = open_run(
            Path(model),
            Path(kb),
            None if features is None else Path(features),
            Opening(encoder, device, rerank),
            None if index is None else Path(index),
            approximate=approximate,
        )
        return cls(trained, engine)

    @property
    def entities(self) -> Sequence[Entity]:
        """Of the knowledge base, in its order."""
        return self.engine.kb.entities

    def link(
        self,
        surface_form: str,
        context: str,
        image: Picture | None = None,
        *,
        description: str | None = None,
        top_k: int = 5,
        explain: bool = False,
    ) -> LinkResult:
        """The entities that a mention most likely means.

        Args:
            surface_form, context, image, description: see `Query`.
            top_k: how many entities to return.
            explain: whether each gets an `Explanation`: which words and which cells of the image carried the
                scores, and to which experts the tokens went. Takes as long as linking a hundred mentions.
        Returns:
            The best entities of the whole knowledge base, best first.
        Raises:
            LinkingError: if the surface form is empty, top_k is not positive or more than the reranker
                looks at, or the image can't be read.
        """
        query = Query(surface_form, context, image, description)
        engine = self.engine  # others may put another one in its place meanwhile
        engine.check_top_k(top_k)
        (result,) = engine.link([query], top_k)
        return engine.explained(query, result) if explain else result

    def link_many(self, queries: Iterable[Query], *, top_k: int = 5) -> Iterator[LinkResult]:
        """As `link`, many mentions in batches: one result each, in their order, as they are asked for.

        Raises:
            LinkingError: see `link`.
        """
        engine, remaining = self.engine, iter(queries)
        engine.check_top_k(top_k)
        while batch := list(islice(remaining, BATCH)):
            yield from engine.link(batch, top_k)

    def link_text(
        self,
        text: str,
        image: Picture | None = None,
        *,
        mentions: FindMentions | None = None,
        top_k: int = 5,
    ) -> list[LinkedMention]:
        """Finds the mentions in a text, and links each; its context is the words around it.

        Args:
            image: that belongs to the text; see `Query`.
            mentions: finds them: `mmoe.linker.finding` has adapters of spaCy and GLiNER. None looks for the
                names and aliases of the knowledge base's entities, whole words, whatever case and accents.
            top_k: entities of each.
        Raises:
            LinkingError: if the text is empty or too long; see also `link`.
        """
        check_text("text", text)
        if not text.strip():
            raise LinkingError("text is empty: give the text that holds the mentions")
        found = list((mentions or self.engine.kb.finder)(text))
        results = self.link_many(queries_in(text, found, image), top_k=top_k)
        return [LinkedMention(*span, result) for span, result in zip(found, results, strict=True)]

    def encode(self, query: Query) -> SideFeatures:
        """A mention's features for the matcher, as stage `encode` would store them."""
        engine = self.engine
        return engine.for_matcher(engine.encoder.encode([query], [query.description]))

    def add_entities(self, new: NewEntities | Path | str | Iterable[Entity]) -> NewEntities:
        """Adds entities to the knowledge base; nothing is trained, and only the new ones are encoded.

        Args:
            new: a table of entities (CSV, JSONL, Parquet, or a folder with one, docs/own-data.md has the
                columns), a slice of the Wikidata dump (.json, .json.gz, .json.bz2), or records, whose images
                are files. For items of Wikidata by their ids see `NewEntities.from_wikidata`.
        Returns:
            What was added, with the images that could not be read and are masked.
        Raises:
            DataError: if the table holds a mistake.
            LinkingError: if an entity is there already.
        """
        found = NewEntities.of(new)
        self.added = replace(found, masked=self._change(found, ()))
        return self.added

    def remove_entities(self, qids: Iterable[str]) -> None:
        """Takes entities out of the knowledge base.

        Args:
            qids: their ids; one alone may be a string.
        Raises:
            LinkingError: if one is not in it, or none would be left.
        """
        self._change(NewEntities(()), (qids,) if isinstance(qids, str) else tuple(qids))

    def save(
        self,
        folder: Path | str | None = None,
        *,
        metrics: pd.DataFrame | None = None,
        licence: str | None = None,
        examples: Sequence[Query] = (),
    ) -> Path:
        """Writes a bundle, with the knowledge base as it is now.

        Args:
            folder: None for the bundle that this Linker was opened from, whose knowledge base is then
                replaced; whoever reads it meanwhile sees the old one or the new one.
            metrics: of the matcher, for the model card; see `mmoe.read_metrics`.
            licence: of the data, for the model card.
            examples: mentions that the server's page shows; see `mmoe.linker.examples`.
        Returns:
            The folder.
        Raises:
            BundleError: if the folder holds something else than a bundle, if the bundle has been changed
                since it was opened, or if no folder is given and there is no bundle.
        """
        if folder is None or (self.bundle and Path(folder).resolve() == self.bundle[0].resolve()):
            if self._from_hub:
                raise BundleError(
                    "save: this bundle was fetched from the hub; name a folder for yours"
                )
            with self._changing:
                place, manifest = save_changes(self.trained, self.engine.kb, self.bundle)
                self.bundle = place, manifest
                kb = open_kb(self.trained, place / manifest.kb, manifest)
                self.engine = self.trained.over(kb)
            remove_old(place, manifest)
            return place
        place = Path(folder).resolve()
        manifest = save_bundle(place, self.trained, self.engine.kb, metrics, licence, examples)
        if self.bundle is None:
            self.bundle = place, manifest
        return place

    def push_to_hub(self, name: str, *, private: bool = False) -> str:
        """Uploads the bundle that was opened or saved last, as it is on disk; returns its address.

        Args:
            name: OWNER/NAME on the Hugging Face hub, with the token that `hf auth login` has left.
        Raises:
            BundleError: if there is none, or the hub does not take it.
        """
        if self.bundle is None:
            raise BundleError("push_to_hub: there is no bundle yet; save one first")
        return push_bundle(self.bundle[0], name, private=private)

    def _change(self, new: NewEntities, removed: Sequence[str]) -> tuple[MaskedImage, ...]:
        with self._changing:
            kb, masked = changed(self.trained, self.engine.kb, new, removed)
            self.engine = self.trained.over(kb)
        return masked
