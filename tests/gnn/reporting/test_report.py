"""The report: a self-contained page, and a card that names what was not measured."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from kinfolio.errors import BadInput, NotReady
from kinfolio.gnn.data import interactions_of
from kinfolio.gnn.evaluation.bootstrap import Interval
from kinfolio.gnn.evaluation.evaluate import Evaluation, default_split, evaluate
from kinfolio.gnn.evaluation.recommender import EmbeddingModel
from kinfolio.gnn.reporting.choices import choice_sentences, chosen_and_tried
from kinfolio.gnn.reporting.examples import contributions, examples
from kinfolio.gnn.reporting.html import table
from kinfolio.gnn.reporting.model_card import text_verdicts
from kinfolio.gnn.reporting.plots import groups as draw_groups
from kinfolio.gnn.reporting.report import Report, report
from kinfolio.gnn.training.train import read_embeddings
from kinfolio.run import Run
from kinfolio.snapshot import read_snapshot, with_hash, write_snapshot
from tests.gnn.snapshots import make_snapshot
from tests.gnn.trained import SMALL, Words, trained, with_texts


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = tmp_path_factory.mktemp("report")
    snapshot = replace(make_snapshot(seed=4), product_names=("<b>&",) * 15)
    return trained(folder, with_texts(snapshot), replace(SMALL, heads=2))


@pytest.fixture(scope="module")
def found(run: Run) -> Evaluation:
    return evaluate(run, compare="ablations", cache=run.folder.parent / "texts", load=Words)


@pytest.fixture(scope="module")
def written(run: Run, found: Evaluation) -> Report:
    return report(run, found)


class _Reader(HTMLParser):
    """Counts tags and collects the addresses that a page would load."""

    def __init__(self) -> None:
        super().__init__()
        self.count: dict[str, int] = {}
        self.open: list[str] = []
        self.loaded: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.count[tag] = self.count.get(tag, 0) + 1
        if tag in ("table", "svg", "details", "figure", "ul"):
            self.open.append(tag)
        self.loaded += [
            value or "" for name, value in attrs if name in ("src", "href", "xlink:href", "data")
        ]

    def handle_endtag(self, tag: str) -> None:
        if tag in ("table", "svg", "details", "figure", "ul"):
            assert self.open.pop() == tag


def test_the_page_is_well_formed_and_loads_nothing(written: Report, found: Evaluation) -> None:
    page = written.page.read_text("utf-8")
    reader = _Reader()
    reader.feed(page)
    assert not reader.open
    groups = len(found.users)
    assert reader.count["svg"] == 2 * groups + 2 + 3
    assert not {"script", "link", "img", "iframe", "object"} & set(reader.count)
    # All references are to parts of the same page.
    assert all(one.startswith("#") for one in reader.loaded)
    assert "://" not in page
    assert not re.search(r"@import|url\((?!#)", page)


def test_the_numbers_of_the_page_are_those_of_the_evaluation(
    written: Report, found: Evaluation
) -> None:
    page, card = written.page.read_text("utf-8"), written.card.read_text("utf-8")
    for model, groups in found.models.items():
        for group, one in groups.items():
            row = f"| {model} | {group} | {found.users[group]:,} | "
            assert f"{row}{one.recall:.4f} | {one.ndcg:.4f} |" in card
            assert re.search(rf"<td class=n>(<b>)?{one.values['novelty@10']:.4f}(</b>)?</td>", page)


def test_the_card_names_the_intended_use_and_the_limits(written: Report) -> None:
    card = written.card.read_text("utf-8")
    assert "## Intended use" in card
    assert "It is not advice" in card
    assert "intervals are over users, not over seeds" in card
    assert "| graph only |" in card
    assert "shuffled text" in card


def test_each_result_has_its_wording(written: Report, found: Evaluation) -> None:
    worse = Interval(difference=-0.02, low=-0.03, high=-0.01)
    unclear = Interval(difference=0.01, low=-0.01, high=0.03)
    better = Interval(difference=0.02, low=0.01, high=0.03)

    def verdict(one: Interval, model: str = "graph only", kinfolio: str = "fusion") -> str:
        differences = {model: {group: {"ndcg@20": one} for group in found.users}}
        verdicts = text_verdicts(replace(found, differences=differences, kinfolio=kinfolio))
        return verdicts[0].text

    assert verdict(worse) == "texts reduce NDCG"
    assert verdict(unclear) == "no significant difference: the interval contains 0"
    assert verdict(better) == "texts improve NDCG"
    differences = {
        model: {group: {"ndcg@20": unclear} for group in found.users}
        for model in ("graph only", "shuffled text")
    }
    verdicts = text_verdicts(replace(found, differences=differences, kinfolio="fusion"))
    assert verdicts[1].text == "no significant difference from shuffled texts"
    # If the run reads no texts, its difference to the fusion has the opposite sign.
    assert verdict(better, "fusion", "graph only") == "texts reduce NDCG"


def test_all_choices_and_trials_are_listed() -> None:
    info = {
        "config": {"dim": 8},
        "tau": 0.2,
        "choice": {"taus": [0.2, 0.3], "text": True, "skipped": [], "trials": [{"tau": 0.2}]},
        "blend": {"recipe": {"form": "ridge"}, "links_tried": [{"z": 0.1}, {"z": 0.2}]},
        "seconds": 3.0,
    }
    chosen, tried = chosen_and_tried(info)
    assert chosen == [
        ["tau", "0.2"],
        ["taus", "0.2, 0.3"],
        ["text", "True"],
        ["blend recipe form", "ridge"],
    ]
    assert tried == {"trials": [{"tau": 0.2}], "blend links tried": [{"z": 0.1}, {"z": 0.2}]}


def test_without_ablations_the_effect_of_texts_is_not_measured(tmp_path: Path) -> None:
    run = trained(tmp_path, with_texts(make_snapshot(seed=5)))
    found = evaluate(run, split="valid", compare="baselines", cache=tmp_path / "texts", load=Words)
    written = report(run, found)
    card = written.card.read_text("utf-8")
    assert "Not measured: `kinfolio evaluate --controls`" in card
    assert "Measured on `valid`, which the choices were made on" in card


def test_a_run_that_was_not_trained_has_no_report(tmp_path: Path) -> None:
    run = Run(tmp_path / "run")
    write_snapshot(make_snapshot(seed=4), run.snapshot)
    with pytest.raises(NotReady, match="no trained model yet"):
        report(run, evaluate(run, compare="baselines", cache=tmp_path / "texts"))
    assert not (run.folder / "report.html").exists()


def test_a_report_on_an_empty_split_is_refused(tmp_path: Path) -> None:
    run = trained(tmp_path, make_snapshot(seed=6, has_valid=False), replace(SMALL, text="off"))
    with pytest.raises(BadInput, match="no interaction is marked valid"):
        report(run, evaluate(run, split="valid", compare="baselines", cache=tmp_path / "texts"))


def test_without_test_interactions_the_report_uses_valid_and_names_it(tmp_path: Path) -> None:
    snapshot = make_snapshot(seed=4)
    split = np.where(snapshot.holdings.split == 2, 0, snapshot.holdings.split).astype(np.int8)
    without = with_hash(replace(snapshot, holdings=replace(snapshot.holdings, split=split)))
    run = trained(tmp_path, without, replace(SMALL, text="off"))
    with pytest.raises(BadInput, match=r"type: kinfolio evaluate --run .* --split valid"):
        evaluate(run)
    assert default_split(run) == "valid"
    page = report(run, evaluate(run, split="valid", compare="baselines")).page.read_text("utf-8")
    assert "Measured on <b>valid</b>, since the data has no test interactions" in page


def test_the_contributions_of_an_example_add_up_to_the_score(run: Run) -> None:
    snapshot, embeddings = read_snapshot(run.snapshot), read_embeddings(run)
    interactions = interactions_of(snapshot, "train")
    users = np.flatnonzero(np.diff(interactions.indptr))
    scores = EmbeddingModel(embeddings).fit(interactions).score(users).numpy()
    for user, expected in zip(users, scores, strict=True):
        found = contributions(int(user), snapshot, embeddings, interactions)
        np.testing.assert_allclose(found.values.sum(axis=0), expected, atol=1e-4)
        assert len(found.names) == len(found.values)


def test_example_lists_name_no_user_and_mark_hits(run: Run, written: Report) -> None:
    snapshot = read_snapshot(run.snapshot)
    found = examples(
        snapshot,
        read_embeddings(run),
        interactions_of(snapshot, "train"),
        interactions_of(snapshot, "test"),
    )
    assert len(found) == 3
    page = written.page.read_text("utf-8")
    assert page.count(">held in test</span>") == sum(
        line.is_hit for one in found for line in one.lines
    )
    assert not re.search(r"\bu\d+\b", page)


def test_the_best_value_of_a_column_is_marked_also_when_tied() -> None:
    html = table(["model", "ndcg"], [["a", "0.2"], ["b", "0.3"], ["c", "0.3"]], numbers=1, best=[1])
    assert re.findall("<b>(.*?)</b>", html) == ["0.3", "0.3"]


def test_panels_of_one_kind_share_their_scale(found: Evaluation) -> None:
    """A bar is as long as its value, in every panel alike."""
    lengths = [
        float(one)
        for one in re.findall(r'<rect class="\w+" x="92" y="\d+" width="(.*?)"', draw_groups(found))
    ]
    values = [metrics[group].ndcg for group in found.users for metrics in found.models.values()]
    assert lengths == pytest.approx(
        [value / max(values) * max(lengths) for value in values], abs=0.1
    )


def test_choices_are_listed_as_sentences(run: Run) -> None:
    sentences = choice_sentences(run.need_info())
    assert sentences[0].startswith("Heads: 2 of 8 dimensions")
    assert sentences[1].startswith("Temperature: 0.3.")
    assert any(one.startswith("Texts: an input of the heads") for one in sentences)
    assert all(one.endswith(".") for one in sentences)
