"""From stage tune to the report and the Linker: the encoder is tuned, and all that follows reads it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
import torch

from mmoe.features.store import read_features
from mmoe.files import read_sealed_json
from mmoe.linker.linker import Linker
from mmoe.linking.checkpoint import load_checkpoint
from mmoe.linking.data import LinkingData
from mmoe.records import Entity, Mention, read_records

from pipeline.layout import Layout
from tests.pipeline.project import contents, one_line, run
from tests.pipeline.tiny import write_params

at = Layout("tiny")
TUNE = {"batch_size": 4, "max_epochs": 1, "lora_rank": 2, "learning_rate": 1e-3}
DSMIP: dict[str, Any] = {
    "tune": {**TUNE, "method": "prompts"},
    "model": {"name": "dsmip", "embed_dim": 8},
    "dsmip": {"gate_dim": 8, "expert_share": 0.5},
    "encode": {"keep_base": True},
    "train": {"from": "tune", "patience": 5, "max_epochs": 2},
}


def test_dsmip_goes_from_prompts_to_ranks_report_and_linker(
    project: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    before = contents("data/features")
    write_params(Path("params.yaml"), **DSMIP)
    run("tune", "tiny")
    assert "prompts: best epoch" in capsys.readouterr().out
    for stage in ("encode", "train"):
        run(stage, "tiny")
    # The untuned encoder's features are those that stood here before.
    after = contents("data/features")
    for part in ("mention_text", "mention_image", "entity_text", "entity_image"):
        base = read_features(at.features_base / part)
        assert base.token_width == read_features(at.features / part).token_width
    names = [name for name in before if "entity_text/shard" in name]
    assert names
    assert all(before[name] != after[name] for name in names)
    assert all(
        before[name] == after[name.replace("features/tiny/", "features/tiny/base/")]
        for name in names
    )
    tables = []
    for engine in ("brute", "bounds"):
        write_params(Path("params.yaml"), **DSMIP, evaluate={"engine": engine})
        run("evaluate", "tiny")
        tables.append(pq.read_table(at.ranks / "ranks.parquet").drop(["gold", "top"]))
    assert tables[0].equals(tables[1])
    for stage in ("baselines", "rerank", "description_ablation", "metrics", "report", "bundle"):
        run(stage, "tiny")
    own = {
        row["mention_id"]: row["rank"]
        for row in pq.read_table(at.ranks / "description_ablation.parquet").to_pylist()
        if row["system"] == "dsmip" and row["backend"] == "lexical"
    }
    ranks = pq.read_table(at.ranks / "ranks.parquet").to_pylist()
    assert own == {row["mention_id"]: row["rank"] for row in ranks}
    assert_linker_reads_what_the_stages_read()
    assert_bundle_holds_both_encoders(tmp_path, monkeypatch)


def assert_linker_reads_what_the_stages_read() -> None:
    """A mention's features in memory are the stored ones, of both encoders where two are read."""
    config = load_checkpoint(at.model).feature_config
    mentions, entities = read_records(at.mentions, Mention), read_records(at.entities, Entity)
    data = LinkingData.open(mentions, entities, at.features, config)
    linker = Linker.from_run(at.model, at.mentions.parent, device="cpu", rerank=False)
    row = next(i for i, mention in enumerate(mentions) if mention.image is None)
    mention = mentions[row]
    links = linker.link(mention.surface_form, mention.context, description="", top_k=3)
    assert len(links.links) == 3
    stored = data.mention_side.gather(torch.tensor([row]), torch.device("cpu"))
    assert (stored.base is not None) == bool(config.get("keep_base"))


def assert_bundle_holds_both_encoders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It links as the run does, where the run is gone, and to an entity that was added there."""
    asked = ("Mercury", "Mercury is a planet.")
    wanted = Linker.from_run(at.model, at.mentions.parent, device="cpu").link(*asked).links
    bundle = (tmp_path / "project" / at.bundle).rename(tmp_path / "bundle")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "project").rename(tmp_path / "gone")
    linker = Linker.from_pretrained(bundle, device="cpu")
    assert [link.qid for link in linker.link(*asked).links] == [link.qid for link in wanted]
    again = next(entity for entity in linker.entities if entity.qid == wanted[0].qid)
    linker.remove_entities([again.qid])
    linker.add_entities([replace(again, images=())])
    assert linker.link(*asked).links[0].probability is not None
    linker.save()
    found = Linker.from_pretrained(bundle, device="cpu").link(*asked, top_k=20).links
    assert again.qid in {link.qid for link in found}


@pytest.mark.parametrize("method", ["lora", "full"])
def test_a_tuned_encoder_encodes_ranks_and_travels_in_a_bundle(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    sections: dict[str, Any] = {"tune": {**TUNE, "method": method}}
    if method == "lora":
        sections["train"] = {"from": "tune", "max_epochs": 0}
    write_params(Path("params.yaml"), **sections)
    for stage in ("tune", "encode", "train", "rerank", "evaluate", "metrics", "bundle"):
        run(stage, "tiny")
    if method == "lora":
        assert_train_keeps_the_jointly_trained_matcher()
    config = load_checkpoint(at.model).feature_config
    assert config["tuned"] == "data/tuned/tiny/encoder"
    linker = Linker.from_run(at.model, at.mentions.parent, device="cpu")
    wanted = linker.link("Mercury", "Mercury is a planet.", top_k=2)
    bundle = (tmp_path / "project" / at.bundle).rename(tmp_path / "bundle")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "project").rename(tmp_path / "gone")
    found = Linker.from_pretrained(bundle, device="cpu").link(
        "Mercury", "Mercury is a planet.", top_k=2
    )
    assert [link.qid for link in found.links] == [link.qid for link in wanted.links]


def assert_train_keeps_the_jointly_trained_matcher() -> None:
    joint, kept = (load_checkpoint(folder).matcher.state_dict() for folder in (at.tuned, at.model))
    assert all(torch.equal(kept[name], value) for name, value in joint.items())


def test_prompts_take_no_part_in_an_explanation(project: Path) -> None:
    write_params(Path("params.yaml"), tune={**TUNE, "method": "prompts"})
    for stage in ("tune", "encode", "train"):
        run(stage, "tiny")
    linker = Linker.from_run(at.model, at.mentions.parent, device="cpu", rerank=False)
    shown = read_features(at.features / "mention_image")
    seen = {mention for mention, present in zip(shown.ids, shown.present, strict=True) if present}
    mention = next(m for m in read_records(at.mentions, Mention) if m.mention_id in seen)
    asked = mention.surface_form, mention.context, Path(at.raw, str(mention.image))
    told = linker.link(*asked, top_k=1, explain=True)[0].explanation
    assert told is not None
    assert told.text_experts["text"].shape == (len(told.tokens), 3)
    assert told.image_experts["vision"].shape == (7, 7, 3)


def test_nothing_tuned_is_a_note(project: Path) -> None:
    assert read_sealed_json(at.tuned / "tune.json") == {"method": "none"}
    assert [path.name for path in at.tuned.iterdir()] == ["tune.json"]
    assert [path.name for path in at.features_base.iterdir()] == ["none.json"]


@pytest.mark.parametrize(
    ("sections", "line"),
    [
        ({"train": {"from": "tune"}}, "train.from = tune: tune.method must not be none"),
        (DSMIP | {"encode": {}}, "encode.keep_base: must be true"),
        (
            {"tune": {"method": "prompts"}, "encode": {"model": "data/raw/tiny"}},
            "encode.model = data/raw/tiny: can't be loaded",
        ),
    ],
)
def test_a_mistake_is_one_line(
    project: Path, capsys: pytest.CaptureFixture[str], sections: dict[str, Any], line: str
) -> None:
    write_params(Path("params.yaml"), **sections)
    assert line in one_line(capsys, "tune", "tiny")
