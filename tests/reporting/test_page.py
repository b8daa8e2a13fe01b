"""The page as a browser takes it apart: whole, safe, alone, and the same each time."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

from mmoe.files import write_sealed_json
from mmoe.reporting.inputs import History, Inputs
from mmoe.reporting.page import Report, build_report
from mmoe.reporting.systems import SHOWN_FEATURES, weight_tables

from tests.reporting.fixture import read_run, write_run

VOID = {"meta", "img", "br", "hr", "link", "input"}


class Outline(HTMLParser):
    """What a page is made of; complains about a tag that is closed where it was not open."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.feed(html)
        self.close()
        assert not self.open, self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag, f"</{tag}> closes another tag"

    def handle_data(self, data: str) -> None:
        self.texts.append(data)

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.texts).split())


@pytest.fixture(scope="module")
def outline(built: Report) -> Outline:
    return Outline(built.html)


def test_nothing_is_fetched_and_nothing_runs(outline: Outline) -> None:
    assert not {"script", "link", "iframe", "object", "base"} & {tag for tag, _ in outline.tags}
    for tag, attributes in outline.tags:
        assert not [name for name in attributes if name.startswith("on")]
        if "src" in attributes:
            assert (attributes["src"] or "").startswith("data:image/jpeg;base64,"), tag
    styles = "".join(re.findall(r"<style>(.*?)</style>", "".join(outline.rawdata), re.DOTALL))
    assert "url(" not in styles
    assert "@import" not in styles
    policies = [a["content"] or "" for a in outline.all("meta") if "http-equiv" in a]
    assert [policy.startswith("default-src 'none';") for policy in policies] == [True]


def test_links_lead_to_wikidata_or_into_the_page(outline: Outline) -> None:
    ids = [attributes["id"] for _, attributes in outline.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    targets = [attributes["href"] or "" for attributes in outline.all("a")]
    assert any(target.startswith("https://www.wikidata.org/wiki/Q") for target in targets)
    assert {target[1:] for target in targets if target.startswith("#")} <= set(ids)
    assert all(re.match(r"#|https://www\.wikidata\.org/wiki/Q\d+$", t) for t in targets)


def test_markup_in_names_and_contexts_is_text(built: Report, outline: Outline) -> None:
    assert "<b>Bold</b>" not in built.html
    assert "<i>" not in built.html
    assert "<b>Bold</b> & Co" in outline.text
    assert "<script>alert(1)</script>" in outline.text


def test_images_have_a_text_broken_ones_a_note_and_cells_of_a_head_a_scope(
    outline: Outline,
) -> None:
    assert {attributes.get("scope") for attributes in outline.all("th")} == {"col", "row"}
    assert outline.all("img")
    assert all(attributes.get("alt") for attributes in outline.all("img"))
    assert "broken.jpg: the file is cut off" in outline.text
    assert "lost.jpg: no such file" in outline.text


def test_texts_of_any_direction_find_their_own(built: Report) -> None:
    assert re.search(r'<h3 dir="auto">ירושלים</h3>', built.html)
    assert re.search(r'<p class="context" dir="auto">.*<mark>ירושלים</mark>', built.html)
    assert "👍🏽" in built.html


def test_the_headline_is_the_gain_over_the_strongest_baseline(
    inputs: Inputs, built: Report, outline: Outline
) -> None:
    gain, mrr = inputs.metrics.gain, inputs.metrics.system.mrr
    assert gain is not None
    headline = f"MRR over the strongest baseline +{gain.value:.2f} 95 %, paired: {gain.low:.2f} to"
    assert 0 < outline.text.find(headline) < outline.text.find(f"MRR × 100 {mrr.value:.2f} 95 %: ")
    assert f"gains +{gain.value:.2f} points of MRR over the strongest baseline" in built.markdown
    assert "2 test mentions without a gold entity" in outline.text


@pytest.mark.usefixtures("without_charts")
def test_the_systems_stand_beside_each_other_among_the_candidates_too(
    inputs: Inputs, built: Report, outline: Outline
) -> None:
    among = inputs.metrics.among_candidates
    assert among is not None
    assert among.gain is not None
    assert (
        f"points of MRR over Order of retrieval (95 %, paired: {among.gain.low:.2f}" in outline.text
    )
    for text in (outline.text, built.markdown):
        assert text.count("Order of retrieval") == 2  # the gain and a row
    without = replace(inputs, metrics=replace(inputs.metrics, among_candidates=None))
    assert "Order of retrieval" not in build_report(without, 0).html


def test_settings_epochs_and_versions_are_named(built: Report, outline: Outline) -> None:
    for line in (
        "Data split given",
        "Candidates kb (languages en, de)",
        "Descriptions lexical",
        "Encoder openai/clip (max_text_length 50)",
        "Matcher mmoe (units text, vision, cross, embed_dim 96)",
        "MoE num_experts 4, top_k 3",
        "Training 4 epochs, 388 steps, the best after epoch 3 (learning_rate 0.0005, seed 43)",
        "Packages mmoe 0.2, torch 2.9",
    ):
        assert line in outline.text
        assert " ".join(line.split()[1:3]).replace("_", "\\_") in built.markdown


@pytest.mark.usefixtures("without_charts")
def test_a_tuned_encoder_stands_beside_what_papers_train(inputs: Inputs) -> None:
    tuned = {"method": "prompts", "trained_parameters": {"encoder": 94_272, "matcher": 1_234_567}}
    told = inputs.history.model_dump() | {"tuned": tuned}
    told["config"] |= {"dsmip": {"gate_dim": 64}}
    built = build_report(replace(inputs, history=History.model_validate(told)), 0)
    for line in (
        "prompts: 94,272 parameters of the encoder, 1,234,567 of the matcher; published: prompts 7.6 million "
        "(DSMIP, Table 3), full 153 million (DSMIP, Table 3)",
        "gate_dim 64; the gate sees the first state",
    ):
        assert line.replace("_", "\\_") in built.markdown


def test_small_groups_are_marked_and_hits_at_1_comes_before_the_interval(built: Report) -> None:
    for system in ("MMoE", "Reranked"):
        assert f"{system}, clean mentions (6†)" in built.html
    assert "† fewer than 50 mentions" in built.markdown
    columns = built.main_table.partition("\n")[0]
    assert columns.index("Hits@1 ") < columns.index("MRR, 95 %") < columns.index("Hits@3")


def test_another_size_of_the_knowledge_base_is_said_plainly(
    built: Report, outline: Outline
) -> None:
    warning = "The papers rank 160,935 entities for 3,562 test mentions, this run 40 for 12"
    assert f"Not comparable. {warning}" in outline.text
    assert "**Not comparable:** the papers rank 160,935 entities" in built.markdown
    published = built.html.partition('id="published"')[2].partition("</section>")[0]
    assert "DSMIP, Table 1" in published
    assert 'class="best"' not in published


def test_the_same_files_give_the_same_bytes(inputs: Inputs, built: Report) -> None:
    assert build_report(inputs, num_examples=12) == built
    assert built.main_table in built.markdown


def test_a_bare_run_is_shown_too(tmp_path: Path) -> None:
    files = write_run(
        tmp_path / "run", num_mentions=1, num_entities=2, units=("text",), epochs=0, untrained=False
    )
    bare = build_report(read_run(files), num_examples=0)
    outline = Outline(bare.html)
    assert "The matcher was not trained" in outline.text
    assert "Published results" not in outline.text
    assert "Examples" not in outline.text
    assert "untrained" not in bare.markdown


def test_the_heaviest_features_come_first(inputs: Inputs) -> None:
    table = weight_tables(inputs.reranker)["Reranked"]
    rows = {row.name: [text for text, _ in row.cells] for row in table.rows()}
    assert table.titles == ["Weight", "Missing"]
    assert list(rows) == [f"Feature <{n}>" for n in range(19, 19 - SHOWN_FEATURES, -1)]
    assert rows["Feature <19>"] == ["−4.75", "+1.00"]
    assert rows["Feature <18>"] == ["+4.50", "–"]


@pytest.mark.usefixtures("without_charts")
def test_a_run_that_reranks_nothing_has_no_such_section(tmp_path: Path) -> None:
    files = write_run(tmp_path)
    assert "Two-stage linking" in build_report(read_run(files), 0).markdown
    write_sealed_json(files.reranker, {"recall": 0.0, "valid_mrr": {}, "weights": {}})
    built = build_report(read_run(files), 0)
    assert 'href="#reranking"' not in built.html
    assert "## Two-stage linking" not in built.markdown


def test_how_far_probabilities_can_be_trusted_is_shown(inputs: Inputs) -> None:
    built = build_report(inputs, 0)
    page = Outline(built.html)
    assert "Expected calibration error: 4.25 points" in page.text
    assert "so few that what follows says little" in page.text
    assert "Probabilities: expected calibration error 4.25 points" in built.markdown
    plain = inputs.reranker.model_copy(update={"calibrated": None})
    assert "calibration error" not in build_report(replace(inputs, reranker=plain), 0).html


def test_experts_that_saw_no_token_have_no_chart(inputs: Inputs) -> None:
    last = inputs.history.epochs[-1].model_copy(update={"expert_load": {"text": [0.0, 0.0]}})
    history = inputs.history.model_copy(update={"epochs": [last], "best_epoch": 0})
    page = build_report(replace(inputs, history=history), num_examples=0)
    assert "Load of the experts" not in page.html
    assert "the matcher before training is the one evaluated" in page.html
