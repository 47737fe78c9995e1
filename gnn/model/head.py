"""The fusion model: text and graph in one linear message passing, read by cosine.

Input of node n: x_n = W sum of g_k text_kn + id_n (W a type's own, g_k that of a kind of text:
reviews, name, description, given vectors; id_n only for products seen in training). What it sends
to its neighbours is y_n = x_n + e_n: what holding a product says is not quite what the product is,
as in FISM (Kabbur et al., KDD 2013). With A the symmetric normalised adjacency,
z = (x + A y + A^2 y) / 3 for products, z = (p + x + A y + A^2 y) / 3 for users, and the score of
product i for user u is cos(z_u, z_i) / tau + b1 log(1 + degree_i) + b0 [degree_i = 0]. p is what
people hold in general, the same for all users of whom something is known: the less that is, the
shorter is the rest of the sum, and the more p counts, as a prior does.

The propagation is LightGCN's (He et al., SIGIR 2020); the degree bias, the sampled softmax over
cosines and the text inputs are not in that paper. Users carry no id of their own: what is known of
a user is what they hold, whom they are tied to and what they wrote, so a user who comes after the
training is scored by the very same sum, and every part of the sum is a reason that can be told.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from kinfolio.gnn.model.propagation import Propagation, from_products
from kinfolio.gnn.model.sampled_softmax import sampled_softmax

HOPS = 2


class FusionHead(nn.Module):
    """One head: inputs, propagation and popularity term."""

    log_degree: Tensor
    is_unseen: Tensor
    users_text: Tensor | None
    products_text: Tensor | None

    def __init__(
        self,
        *,
        num_users: int,
        start: Tensor,
        text: tuple[Tensor, Tensor] | None,
        degree: Tensor,
        tau: float,
    ) -> None:
        """Prepare a head.

        Args:
            num_users: rows before the products.
            start: float32, shape (num_products, dim); first value of the products' ids.
            text: float32, shapes (kinds, num_users, dim) and (kinds, num_products, dim), unit or
                zero rows; None for graph only.
            degree: float32, shape (num_products,); training holdings of each product.
            tau: temperature of the cosine.
        """
        super().__init__()
        self.num_users = num_users
        self.tau = tau
        self.dim = start.shape[1]
        self.ids = nn.Parameter(start.clone())
        self.as_held = nn.Parameter(torch.zeros_like(start))
        self.general = nn.Parameter(torch.zeros(self.dim))
        self.popularity = nn.Parameter(torch.tensor([0.0, 0.2]))
        self.propagation = Propagation()
        self.register_buffer("log_degree", torch.log1p(degree))
        self.register_buffer("is_unseen", (degree == 0).float())
        users_text, products_text = text or (None, None)
        self.have_users_text = users_text is not None and bool(users_text.any())
        self.register_buffer("users_text", users_text, persistent=False)
        self.register_buffer("products_text", products_text, persistent=False)
        if users_text is not None and products_text is not None:
            self.users_gate = nn.Parameter(torch.full((len(users_text),), 0.3))
            self.products_gate = nn.Parameter(torch.full((len(products_text),), 0.3))
            self.turn = nn.Parameter(torch.eye(self.dim).repeat(2, 1, 1))

    def sent(self, keep: Tensor | None = None) -> Tensor:
        """y, which is x for users: float32, shape (num_nodes, dim).

        Args:
            keep: float32, shape (num_nodes,); 0 for nodes that play unseen in this step.
        """
        return self._with_users(self._products(keep)[1])

    def forward(self, matrix: Tensor, keep: Tensor | None = None) -> Tensor:
        """All nodes' z before normalisation: float32, shape (num_nodes, dim)."""
        sums = self._sums(*self._products(keep), matrix)
        users, products = sums.tensor_split([self.num_users])
        is_known = (users != 0).any(dim=1, keepdim=True)
        return torch.cat([users + self.general * is_known, products]) / (HOPS + 1)

    def messages(self, matrix: Tensor) -> Tensor:
        """All nodes' g = (y + A y) / 3: z_u = (p + x_u) / 3 + sum of A_un g_n over neighbours."""
        part: Tensor = self.propagation(self.sent(), matrix, HOPS - 1) / (HOPS + 1)
        return part

    def bias(self) -> Tensor:
        """The popularity term of each product: float32, shape (num_products,)."""
        return self.popularity[1] * self.log_degree + self.popularity[0] * self.is_unseen

    def loss(
        self,
        matrix: Tensor,
        users: Tensor,
        products: Tensor,
        negatives: Tensor,
        spread: Tensor,
        edges: Tensor,
        keep: Tensor | None = None,
    ) -> Tensor:
        """Mean cross-entropy of the right product among the shared negatives.

        Each user is looked at as if they did not hold the right product, as later they do not: its
        own message would give the answer away. EASE (Steck, WWW 2019) has zeros on its diagonal
        and FISM leaves the product out for the same reason.

        Args:
            matrix: normalised adjacency.
            users: int64, shape (batch,).
            products: int64, shape (batch,).
            negatives: int64, shape (num_negatives,), no two alike; or all products.
            spread: float32, shape (num_negatives,); log of how many products each stands for.
            edges: float32, shape (batch,); A between each user and the right product.
            keep: as for `sent`.
        """
        # Cosines know no length, so the sum of the layers does for their mean.
        x, y = self._products(keep)
        sums = self._sums(x, y, matrix)
        wanted = torch.cat([users, products + self.num_users, negatives + self.num_users])
        rows = functional.embedding(wanted, sums)
        return sampled_softmax(
            rows, y, edges, self.general, self.tau, self.bias(), products, negatives, spread
        )

    def _products(self, keep: Tensor | None) -> tuple[Tensor, Tensor]:
        """Of the products x and y: float32, shape (num_products, dim)."""
        is_seen = 1.0 - self.is_unseen
        if keep is not None:
            is_seen = is_seen * keep[self.num_users :]
        x = self.ids * is_seen[:, None]
        if self.products_text is not None:
            x = _turned(self.products_gate, self.products_text, self.turn[1]) + x
        return x, x + self.as_held * is_seen[:, None]

    def _with_users(self, y: Tensor) -> Tensor:
        """Y of all nodes, by that of the products."""
        if self.users_text is None:
            return functional.pad(y, (0, 0, self.num_users, 0))
        return torch.cat([_turned(self.users_gate, self.users_text, self.turn[0]), y])

    def _sums(self, x: Tensor, y: Tensor, matrix: Tensor) -> Tensor:
        """Of the layers of all nodes, by x and y of the products: shape (num_nodes, dim)."""
        if not self.have_users_text:
            return from_products(x, y, matrix, self.num_users)
        sums: Tensor = self.propagation(self._with_users(y), matrix, HOPS)
        # The product itself is x, not what it sends.
        return sums - functional.pad(y - x, (0, 0, self.num_users, 0))


def _turned(gates: Tensor, kinds: Tensor, turn: Tensor) -> Tensor:
    """Sum of the kinds of text, each times its gate, turned: float32, shape (num_nodes, dim)."""
    if len(kinds) == 1:
        # The gate last, so that its gradient takes no matrix product.
        return gates[0] * (kinds[0] @ turn)
    weighed: Tensor = torch.tensordot(gates, kinds, dims=1)
    return weighed @ turn
