"""The steps of kinfolio as methods of one connection. Heavy imports are in the methods."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Self

from kinfolio import environment
from kinfolio.gnn.training.config import TrainConfig
from kinfolio.ids import normalized_id
from kinfolio.records import (
    Exported,
    Progress,
    Recommendations,
    SimilarProducts,
    WhyNot,
    no_progress,
)
from kinfolio.run import Run
from kinfolio.tabular import Records

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel

    from kinfolio.cypher.graph import Graph
    from kinfolio.gnn.evaluation.evaluate import Evaluation
    from kinfolio.gnn.publishing.versions import Version
    from kinfolio.gnn.publishing.write_back import WrittenBack
    from kinfolio.gnn.serving.audience.audience import Audience
    from kinfolio.gnn.serving.rules import Rule
    from kinfolio.gnn.training.run_report import Trained
    from kinfolio.llm_explain.explanation import Explanation
    from kinfolio.loaders.reports import LoadReport, Removed

DEFAULT_RUN = "runs/default"
Note = Callable[[str], None]
log_note: Note = logging.getLogger("kinfolio").info


class Kinfolio:
    """A graph with the steps of kinfolio as methods; usable in a `with` block.

    A run is a folder, by default `runs/default`. Users and products are named by
    the ids of the input. Every result is a frozen record with `to_frame()`.
    """

    def __init__(
        self, graph: Graph, *, rules: Path | None = None, on_note: Note = log_note
    ) -> None:
        self.graph, self._rules_folder, self._on_note = graph, rules, on_note

    def __repr__(self) -> str:
        return f"Kinfolio({self.graph.connection!r})"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections; the server keeps running."""
        self.graph.close()

    def load(
        self,
        folder: str | Path,
        *,
        replace: bool = False,
        split: str | None = None,
        least_rating: float | None = None,
        event_weights: Mapping[str, float] | None = None,
        on_progress: Progress = no_progress,
    ) -> LoadReport:
        """Load a folder of files into the graph.

        Args:
            folder: contains `interactions` or `events`, and optionally the other tables.
            replace: also remove what the files do not have, and conversations of removed users.
            split: `time:0.1` or `random:0.1` assigns splits to interactions that have none.
            least_rating: interactions with a lower rating, or none, are dismissals, not holdings.
            event_weights: weight by kind; a product is held where those of its events add up to 1.
            on_progress: called with step, rows done and rows in total.
        """
        from kinfolio.loaders import load
        from kinfolio.loaders.reading.meaning import meaning_of

        def forget(_: Removed, users: Sequence[str]) -> None:
            from kinfolio.llm_explain.memory.threads import forget_users

            forget_users(self.graph, users, environment.home())

        report = load(
            self.graph,
            Path(folder),
            replace=forget if replace else None,
            meaning=meaning_of(split, least_rating, event_weights or {}),
            progress=on_progress,
        )
        self._list_new_products(on_progress)
        return report

    def export(
        self,
        run: str | Path = DEFAULT_RUN,
        *,
        since: str | Path | None = None,
        subgraph: str | None = None,
        around: str | None = None,
        hops: int = 1,
        on_progress: Progress = no_progress,
    ) -> Exported:
        """Export the graph as the snapshot of a run.

        Args:
            run: folder that receives the snapshot.
            since: run with an older snapshot; reads only the changes since then.
            subgraph: read-only statement that returns the users to export.
            around: user whose neighbourhood is exported.
            hops: radius of the neighbourhood.
            on_progress: called with step, rows read and rows in total.
        """
        from kinfolio.loaders import export_to

        return export_to(
            self.graph,
            Run(Path(run)).snapshot,
            since=None if since is None else Run(Path(since)).snapshot,
            subgraph=subgraph,
            around=around,
            hops=hops,
            progress=on_progress,
        )

    def train(
        self,
        run: str | Path = DEFAULT_RUN,
        config: TrainConfig | None = None,
        *,
        on_progress: Progress = no_progress,
    ) -> Trained:
        """Train on the snapshot of a run; an interrupted training resumes."""
        from kinfolio.gnn.training.train import train

        return train(
            Run(Path(run)), config or TrainConfig(), cache=self._text_cache, progress=on_progress
        )

    def evaluate(
        self,
        run: str | Path = DEFAULT_RUN,
        *,
        split: Literal["test", "valid"] = "test",
        baselines: bool = False,
        ablations: bool = False,
        on_progress: Progress = no_progress,
    ) -> Evaluation:
        """Measure a run on held-out interactions; ablations train three more models."""
        from kinfolio.gnn.evaluation.evaluate import evaluate

        return evaluate(
            Run(Path(run)),
            split=split,
            compare="ablations" if ablations else "baselines" if baselines else "nothing",
            cache=self._text_cache,
            warn=self._on_note,
            progress=on_progress,
        )

    def write_back(
        self,
        run: str | Path = DEFAULT_RUN,
        *,
        name: str | None = None,
        on_progress: Progress = no_progress,
    ) -> WrittenBack:
        """Store the embeddings of a run in the graph as a new version and activate it."""
        from kinfolio.gnn.publishing.write_back import write_back
        from kinfolio.gnn.training.train import read_servable

        model = read_servable(source := Run(Path(run)))
        stored = write_back(self.graph, model, name=name, progress=on_progress, run=source)
        self._list_new_products(on_progress)
        return stored

    def recommend(
        self,
        user: str,
        k: int = 10,
        *,
        at_most: int | None = None,
        per: Literal["kind", "category"] = "kind",
    ) -> Recommendations:
        """Recommend the k products with the highest score for a user, best first.

        `at_most`: at most so many products of each kind or category.
        """
        from kinfolio.gnn.serving.caps.caps import ListCaps, recommend_capped
        from kinfolio.gnn.serving.recommend import recommend

        if at_most is not None:
            caps = ListCaps(at_most=at_most, per=per)
            return recommend_capped(
                self.graph, self._id(user), k, caps, rules=self._rules(), warn=self._on_note
            )
        return recommend(self.graph, self._id(user), k, rules=self._rules(), warn=self._on_note)

    def explain(
        self,
        user: str,
        product: str,
        *,
        model: str | BaseChatModel | None = None,
        length: Literal["short", "normal", "long"] = "normal",
        language: str = "en",
        all_evidence: bool = False,
    ) -> Explanation:
        """Explain the score of a product for a user in sentences that the graph proves.

        Args:
            user: id of the user.
            product: id of the product.
            model: writer: "none", "embedded", "provider:name", or a LangChain chat model. None is
                the embedded model if it is installed, otherwise "none".
            length: of the text.
            language: "en" or "de".
            all_evidence: return all pieces of evidence; the text uses the strongest.
        """
        from dataclasses import asdict

        from kinfolio.llm_explain.explain import explain
        from kinfolio.llm_explain.wording.clauses import load_clauses
        from kinfolio.llm_explain.wording.writers import writers_for

        clauses = load_clauses(language).for_deployment(**asdict(environment.deployment()))
        return explain(
            self.graph,
            self._id(user),
            self._id(product),
            writers_for(model, environment.home() / "models", self._on_note),
            all_evidence=all_evidence,
            clauses=clauses.with_rules(self._rules()),
            length=length,
        )

    def why_not(self, user: str, product: str) -> WhyNot:
        """Return the result of each rule on a product for a user, and the product's rank."""
        from kinfolio.gnn.serving.why_not import why_not

        return why_not(self.graph, self._id(user), self._id(product), rules=self._rules())

    def similar(self, product: str, k: int = 10) -> SimilarProducts:
        """Find the k open products most similar to one, best first."""
        from kinfolio.gnn.serving.similar import similar_products

        return similar_products(self.graph, self._id(product), k)

    def audience(self, product: str, k: int = 100) -> Audience:
        """Find the k users most likely to want a product who may have it, with reasons."""
        from dataclasses import asdict

        from kinfolio.llm_explain.evidence.reasons import explained_audience
        from kinfolio.llm_explain.wording.clauses import load_clauses

        return explained_audience(
            self.graph,
            self._id(product),
            k,
            display=load_clauses("en").for_deployment(**asdict(environment.deployment())),
            rules=self._rules(),
            warn=self._on_note,
        )

    def versions(self) -> Records[Version]:
        """List the versions of embeddings in the graph, newest first."""
        from kinfolio.gnn.publishing.versions import list_versions

        return Records(list_versions(self.graph))

    def _list_new_products(self, progress: Progress) -> None:
        from kinfolio.gnn.new_products.adding import add_new_products

        add_new_products(self.graph, self._text_cache, note=self._on_note, progress=progress)

    def _id(self, text: str) -> str:
        """Return an id in its normal form; of a graph with a mapping as it is."""
        return normalized_id(text) if self.graph.mapping is None else text

    @property
    def _text_cache(self) -> Path:
        return environment.home() / "cache" / "texts.sqlite"

    def _rules(self) -> tuple[Rule, ...]:
        if self._rules_folder is None:
            return ()
        from kinfolio.gnn.serving.rules import read_rules

        return read_rules(self.graph, self._rules_folder)
