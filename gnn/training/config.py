"""Options of training; imports nothing heavy, so that the command line starts quickly."""

from __future__ import annotations

from dataclasses import dataclass, field

from kinfolio.errors import BadConfig, quoted
from kinfolio.gnn.training.budget import parse_budget


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainConfig:
    """How a model is trained; 0, -1 or `auto`: chosen on the validation set."""

    dim: int = field(
        default=0, metadata={"help": "Width of one head; 0: 64 or 128, chosen on `valid`."}
    )
    heads: int = field(
        default=0,
        metadata={
            "help": "Heads, trained from different seeds; 0: two, or one if the budget allows no "
            "more."
        },
    )
    steps: int = field(default=600, metadata={"help": "Maximum number of steps of a head."})
    batch: int = field(
        default=0, metadata={"help": "Interactions per step; 0: 1/40 of all, 1,024 to 8,192."}
    )
    negatives: int = field(
        default=0,
        metadata={"help": "Negatives per step; 0: 1/24 of the products, 512 to 1,024."},
    )
    lr: float = field(default=0.01, metadata={"help": "Learning rate of Adam."})
    tau: float = field(
        default=0.0, metadata={"help": "Temperature of the cosine; 0: chosen on `valid`."}
    )
    text: str = field(
        default="auto",
        metadata={
            "help": "Use texts; auto: chosen on `valid`.",
            "choices": ("auto", "on", "off"),
        },
    )
    encoder: str = field(
        default="embedded",
        metadata={
            "help": "Text encoder: embedded, or name or folder of a sentence-transformers or "
            "Hugging Face model."
        },
    )
    vectors: str = field(
        default="",
        metadata={
            "help": "Parquet file of external vectors, one more input beside the texts: columns "
            "vector, and user or product."
        },
    )
    shuffled_text: bool = field(
        default=False, metadata={"help": "Ablation: assign texts to other nodes at random."}
    )
    ids: bool = field(
        default=True,
        metadata={
            "help": "Train an id embedding for each product; without, products are their texts."
        },
    )
    cold: float = field(
        default=-1.0,
        metadata={
            "help": "Fraction of nodes that are cold in a step, with texts; -1: chosen on `valid`."
        },
    )
    edge_dropout: float = field(
        default=-1.0,
        metadata={
            "help": "Fraction of holdings dropped in a step; -1: 0 or 0.5, chosen on `valid` if "
            "the budget allows."
        },
    )
    reviews: int = field(
        default=8, metadata={"help": "Latest reviews encoded for each user and product."}
    )
    links: str = field(
        default="auto",
        metadata={
            "help": "Add links between products; auto: weighted as chosen on `valid`.",
            "choices": ("auto", "off"),
        },
    )
    budget: str = field(
        default="auto",
        metadata={
            "help": "CPU time of the whole training, such as 90s, 5m or 1h; auto: 5m, more from "
            "350,000 interactions."
        },
    )
    quick: bool = field(
        default=False,
        metadata={"help": "Closed form only: heads as initialised by the SVD, and links."},
    )
    final: bool = field(
        default=False,
        metadata={"help": "Refit on `valid` too, after it was used for model selection."},
    )
    patience: int = field(
        default=3,
        metadata={"help": "Evaluations on `valid` without improvement before early stopping."},
    )
    seed: int = field(default=0, metadata={"help": "Random seed."})
    device: str = field(
        default="auto", metadata={"help": "auto, cpu or cuda; auto: a GPU if there is one."}
    )

    def __post_init__(self) -> None:
        """Check all values.

        Raises:
            BadConfig: a value is out of range.
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
            raise BadConfig(f"--links is {quoted(self.links)}; expected auto or off")
        if self.text not in ("auto", "on", "off"):
            raise BadConfig(f"--text is {quoted(self.text)}; expected auto, on or off")
        if not self.ids and self.text == "off":
            raise BadConfig("--no-ids with --text off leaves nothing to train; type: --text on")

    def batch_size(self, num_interactions: int) -> int:
        """Return the interactions per step for a training set of that size."""
        return self.batch or min(8192, max(1024, num_interactions // 40))

    def num_negatives(self, num_products: int) -> int:
        """Return the negatives per step for a catalogue of that size."""
        return self.negatives or min(1024, max(512, num_products // 24))
