"""A trained run as a function: surface form, context and image in, entities of its knowledge base out."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from mmoe.config.encode import EncodeParams
from mmoe.encoders.base import Encoder
from mmoe.encoders.registry import load_encoder
from mmoe.encoders.rows import encode_image_rows, encode_text_rows
from mmoe.errors import CheckpointError, LinkingError
from mmoe.images import ImageError, as_shown, decode_image
from mmoe.linker.results import Link, LinkResult
from mmoe.linking.approximate import ApproximateSearch, is_search_of
from mmoe.linking.checkpoint import Checkpoint, checkpoint_file, load_checkpoint
from mmoe.linking.data import MENTION_BATCH, FeatureSide, features_of_rows
from mmoe.linking.device import resolve_device
from mmoe.linking.index import EntityIndex
from mmoe.linking.ranking import best_entities
from mmoe.linking.whole_kb import build_index, index_key
from mmoe.locks import exclusive_lock
from mmoe.model.features import SideFeatures, Strings
from mmoe.model.matcher import OVERALL
from mmoe.records import Entity, Mention, TextInput, read_records

ENCODE_BATCH = 8
LEARNED_FROM = 4096  # mentions


class Linker:
    """Links mentions to the entities of one knowledge base.

    Make one with `from_run`. It changes neither encoder, matcher nor index, so threads may share it; the
    first call takes longer than later ones.

    Attributes:
        search: finds shortlists in a large knowledge base; None looks at all entities.
    """

    def __init__(
        self,
        checkpoint: Checkpoint,
        encoder: Encoder,
        entities: Sequence[Entity],
        index: EntityIndex,
        search: ApproximateSearch | None = None,
    ) -> None:
        self.checkpoint, self.encoder = checkpoint, encoder
        self.entities, self.index, self.search = entities, index, search

    @classmethod
    def from_run(
        cls,
        model: Path | str,
        kb: Path | str,
        *,
        features: Path | str | None = None,
        encoder: str | None = None,
        device: str = "auto",
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
            index: folder for what the matcher makes of the entities, in files that are mapped into memory;
                what lies there is used if it is of this matcher and knowledge base. None holds it in memory.
            approximate: whether mentions are compared with a shortlist of entities instead of all, which
                pays off from a million on; needs `index`, the training mentions beside the knowledge base,
                and FAISS (the extra `approximate`). See docs/scale.md.
        Raises:
            CheckpointError: if the matcher can't be read, or the encoder is not the one it was trained on.
            DataError, FeatureStoreError: if knowledge base, features or encoder can't be read.
        """
        checkpoint, where = load_checkpoint(Path(model)), resolve_device(device)
        config = checkpoint.feature_config
        loaded = load_encoder(encoder or config["encoder"], device, config["precision"])
        if loaded.fingerprint != config["fingerprint"]:
            raise CheckpointError(
                f"{model}: trained on features of another encoder than {loaded.name} (fingerprint "
                f"{config['fingerprint']}, found {loaded.fingerprint}); name the right one with encoder=…"
            )
        entities = read_records(Path(kb) / "entities.parquet", Entity)
        if not entities:
            raise LinkingError(
                f"{kb}/entities.parquet: holds no entity, so there is nothing to link to"
            )
        place = Path(kb).resolve()
        stored = place.parents[1] / "features" / place.name if features is None else Path(features)
        side = FeatureSide.of_entities(stored, entities, config)
        matcher, weights = checkpoint.matcher.to(where), checkpoint_file(Path(model))
        if index is None:
            if approximate:
                raise LinkingError("approximate=True: needs index=…, a folder for its files")
            return cls(checkpoint, loaded, entities, build_index(matcher, side, where))
        made_of, folder = index_key(weights, place / "entities.parquet", side), Path(index)
        busy = partial(print, f"{folder}: another process builds it; waiting", file=sys.stderr)
        with exclusive_lock(folder, when_busy=busy):
            built = build_index(matcher, side, where, folder=folder / "entities", made_of=made_of)
            search = None
            if approximate:
                search = _opened_search(folder / "search", made_of, built, place, stored, config)
        return cls(checkpoint, loaded, entities, built, search)

    def link(
        self,
        surface_form: str,
        context: str,
        image: Path | str | bytes | Image.Image | None = None,
        *,
        description: str | None = None,
        top_k: int = 5,
    ) -> LinkResult:
        """The entities that a mention most likely means.

        Args:
            surface_form: the mention as it is written.
            context: the text around it; need not hold the surface form to the letter.
            image: file, encoded bytes or PIL image that belongs to the mention; None without one.
            description: what is known of the entity that is meant, such as one that description ranking
                chose; it gets the same budget of tokens as in training.
            top_k: how many entities to return.
        Returns:
            The best entities of the whole knowledge base, best first; exact, but with `approximate`.
        Raises:
            LinkingError: if the surface form is empty, top_k is not positive or the image can't be read.
        """
        if not surface_form.strip():
            raise LinkingError(
                "surface_form is empty: give the mention as it is written in the text"
            )
        if top_k < 1:
            raise LinkingError(f"top_k = {top_k}: must be at least 1")
        mention = self.encode(surface_form, context, image, description=description)
        if self.search is None:
            found = best_entities(self.index, [mention], top_k)
        else:
            found = self.search.best([mention], top_k)
        units = self.checkpoint.matcher.unit_names
        links = []
        for place, row in enumerate(found.top_Bn[0].tolist()):
            scores = {name: float(found.scores_Bn[name][0, place]) for name in (*units, OVERALL)}
            overall = scores.pop(OVERALL)
            entity = self.entities[row]
            links.append(Link(entity.qid, entity.name, entity.attributes, overall, scores))
        return LinkResult(surface_form, description, tuple(links))

    def encode(
        self,
        surface_form: str,
        context: str,
        image: Path | str | bytes | Image.Image | None = None,
        *,
        description: str | None = None,
    ) -> SideFeatures:
        """A mention's features, as stage `encode` would store them; see `link` for the arguments."""
        config = self.checkpoint.feature_config
        keep_padding = bool(config.get("keep_padding"))
        text = TextInput("mention", surface_form, context, description)
        texts = encode_text_rows(
            self.encoder,
            [text],
            config["max_text_length"],
            config["description_budget"],
            ENCODE_BATCH,
            around_name=True,
            keep_padding=keep_padding,
        )
        images = []
        if self.encoder.sees_images:
            decoded = None if image is None else _decoded(image, self.encoder.jpeg_side)
            images = encode_image_rows(self.encoder, [decoded], ENCODE_BATCH, keep_padding)
        widths, strings = self.checkpoint.matcher.spec.widths, Strings((surface_form,), (context,))
        dtype = config.get("dtype", "float16")
        return features_of_rows(texts, images, widths, strings, self.index.device, dtype)


def _opened_search(
    folder: Path,
    made_of: str,
    index: EntityIndex,
    kb: Path,
    features: Path,
    config: dict[str, Any],
) -> ApproximateSearch:
    """The search of an index; built where none of it lies in the folder."""
    if is_search_of(folder, made_of):
        return ApproximateSearch.open(folder, made_of, index)
    train = [m for m in read_records(kb / "mentions.parquet", Mention) if m.split == "train"]
    some = [train[i] for i in np.random.default_rng(0).permutation(len(train))[:LEARNED_FROM]]
    if not some:
        raise LinkingError(
            f"{kb}/mentions.parquet: approximate=True learns from training mentions, and there is none"
        )
    side = FeatureSide.of_mentions(features, some, config)
    batches = side.batches(side.everything, MENTION_BATCH, index.device)
    return ApproximateSearch.build_in(folder, made_of, index, batches)


def _decoded(image: Path | str | bytes | Image.Image, jpeg_side: int) -> Image.Image:
    if isinstance(image, Image.Image):
        return as_shown(image)
    name = "image" if isinstance(image, bytes) else str(image)
    try:
        content = image if isinstance(image, bytes) else Path(image).read_bytes()
        return decode_image(content, EncodeParams().max_pixels, jpeg_side)
    except (OSError, ImageError) as error:
        reason = (error.strerror if isinstance(error, OSError) else None) or str(error)
        raise LinkingError(f"{name}: {reason}; give another image, or none") from None
