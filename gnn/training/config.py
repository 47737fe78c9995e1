"""Options of training; imports nothing heavy, so that the command line can show them at once."""

from __future__ import annotations

from dataclasses import dataclass, field

from kinfolio.errors import BadConfig
from kinfolio.gnn.training.budget import parse_budget


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainConfig:
    """How a model is trained; 0 or `auto` leaves a choice to the validation part."""

    dim: int = field(
        default=0, metadata={"help": "Width of one head; 0: 64 or 128, as is better on `valid`."}
    )
    heads: int = field(
        default=0,
        metadata={
            "help": "Heads trained from different seeds; 0: two, or one where the budget allows no "
            "more."
        },
    )
    steps: int = field(default=600, metadata={"help": "Longest training of a head, in steps."})
    batch: int = field(
        default=0, metadata={"help": "Interactions a step; 0: a 40th of them, 1,024 to 8,192."}
    )
    negatives: int = field(
        default=0,
        metadata={
            "help": "Products that stand against the right ones in a step; 0: a 24th of them, 512 "
            "to 1,024."
        },
    )
    lr: float = field(default=0.01, metadata={"help": "Learning rate of Adam."})
    tau: float = field(
        default=0.0, metadata={"help": "Temperature of the cosine; 0: chosen on `valid`."}
    )
    text: str = field(
        default="auto",
        metadata={
            "help": "Use texts; auto: when that is better on `valid`.",
            "choices": ("auto", "on", "off"),
        },
    )
    encoder: str = field(
        default="embedded",
        metadata={
            "help": "Encoder of texts: embedded, or a sentence-transformers or Hugging Face model, "
            "by name or folder."
        },
    )
    vectors: str = field(
        default="",
        metadata={
            "help": "Parquet file of vectors made elsewhere, one more input beside the texts: "
            "columns vector, and user or product."
        },
    )
    shuffled_text: bool = field(
        default=False, metadata={"help": "Control: texts dealt out to the wrong nodes."}
    )
    ids: bool = field(
        default=True, metadata={"help": "Ids of products' own; without them texts must do."}
    )
    cold: float = field(
        default=-1.0,
        metadata={"help": "Part of the nodes that play unseen in a step, with text; -1: chosen."},
    )
    edge_dropout: float = field(
        default=-1.0,
        metadata={
            "help": "Part of the holdings left out in a step; -1: none or half, as is better on "
            "`valid`, where the budget allows to find out."
        },
    )
    reviews: int = field(
        default=8, metadata={"help": "Latest reviews read of each user and product."}
    )
    links: str = field(
        default="auto",
        metadata={
            "help": "Add links between products; auto: as much of them as is better on `valid`.",
            "choices": ("auto", "off"),
        },
    )
    budget: str = field(
        default="auto",
        metadata={
            "help": "CPU time for all of it, such as 90s, 5m or 1h; auto: 5m, more from 350,000 "
            "interactions on."
        },
    )
    quick: bool = field(
        default=False,
        metadata={"help": "Closed form only: heads as the SVD gives them, and links."},
    )
    final: bool = field(
        default=False,
        metadata={"help": "Learn from `valid` too, after it has served to choose."},
    )
    patience: int = field(
        default=3, metadata={"help": "Looks at `valid` without gain before a head stops."}
    )
    seed: int = field(default=0, metadata={"help": "Seed of every random choice."})
    device: str = field(
        default="auto", metadata={"help": "auto, cpu or cuda; auto: a GPU when there is one."}
    )

    def __post_init__(self) -> None:
        """Refuse values that cannot work.

        Raises:
            BadConfig: names the option, what came and what is expected.
        """
        for name, low, high in (
            ("heads", 0, 16),
            ("steps", 1, 1_000_000),
            ("negatives", 0, 1_000_000),
            ("reviews", 1, 1_000_000),
            ("patience", 1, 1_000_000),
        ):
            value = getattr(self, name)
            if not low <= value <= high:
                raise BadConfig(f"--{name} is {value}; expected a number from {low} to {high:,}")
        if self.dim and not 2 <= self.dim <= 4096:
            raise BadConfig(f"--dim is {self.dim}; expected 0 (chosen) or a number from 2 to 4,096")
        if self.batch < 0:
            raise BadConfig(f"--batch is {self.batch}; expected 0 (chosen) or a positive number")
        if not 0 < self.lr < 10:
            raise BadConfig(f"--lr is {self.lr}; expected a number above 0 and below 10")
        if not 0 <= self.tau <= 10:
            raise BadConfig(f"--tau is {self.tau}; expected 0 (chosen) or a number up to 10")
        for option, rate in (("cold", self.cold), ("edge-dropout", self.edge_dropout)):
            if rate != -1 and not 0 <= rate < 1:
                raise BadConfig(
                    f"--{option} is {rate}; expected -1 (chosen) or a number from 0 to below 1"
                )
        parse_budget(self.budget, 0)
        if self.links not in ("auto", "off"):
            raise BadConfig(f"--links is {self.links!r}; expected auto or off")
        if self.text not in ("auto", "on", "off"):
            raise BadConfig(f"--text is {self.text!r}; expected auto, on or off")
        if not self.ids and self.text == "off":
            raise BadConfig("--no-ids with --text off leaves nothing to learn; type: --text on")

    def batch_size(self, num_interactions: int) -> int:
        """Interactions a step, for training on that many."""
        return self.batch or min(8192, max(1024, num_interactions // 40))

    def num_negatives(self, num_products: int) -> int:
        """Products drawn in a step, from that many."""
        return self.negatives or min(1024, max(512, num_products // 24))
