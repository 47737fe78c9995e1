"""The fusion model: text and graph in one linear message passing, scored by cosine.

Input of node n: x_n = W sum of g_k text_kn + id_n, with W one matrix for users and one for
products, g_k the gate of a kind of text (reviews, name, description, external vectors), and id_n
only for products with training interactions. Its message is y_n = x_n + e_n: a message offset, so
that holding a product need not mean the same as being it (FISM, Kabbur et al., KDD 2013). With A
the symmetric normalize_adjacency adjacency,

    z = (x + A y + A^2 y) / 3 for products,  z = (p + x + A y + A^2 y) / 3 for users,
    score(u, i) = cos(z_u, z_i) / tau + b1 log(1 + degree_i) + b0 [degree_i = 0].

p is the global mean user, the same for every user with any input: it acts as a prior, which counts
the more the shorter the rest of the sum is.

The propagation is LightGCN's (He et al., SIGIR 2020); the degree bias, the sampled softmax over
cosines and the text inputs are not in that paper. Users have no id embedding: a user is the sum of
the holdings, the ties and the own text, so a user who arrives after training is scored by the same
sum, and each summand has an exact contribution.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from kinfolio.gnn.model.propagation import Propagation, from_products
from kinfolio.gnn.model.sampled_softmax import Batch, sampled_softmax

HOPS = 2


class FusionHead(nn.Module):
    """One head: inputs, propagation and popularity term."""

    log_degree: Tensor
    is_cold: Tensor
    users_text: Tensor | None
    products_text: Tensor | None

    def __init__(
        self,
        *,
        num_users: int,
        ids: Tensor,
        text: tuple[Tensor, Tensor] | None,
        degree: Tensor,
        tau: float,
    ) -> None:
        """Initialise a head.

        Args:
            num_users: rows before the products.
            ids: float32, shape (num_products, dim); initial product ids.
            text: float32, shapes (kinds, num_users, dim) and (kinds, num_products, dim), unit or
                zero rows; None for graph only.
            degree: float32, shape (num_products,); training interactions of each product.
            tau: temperature of the cosine.
        """
        super().__init__()
        self.num_users = num_users
        self.tau = tau
        self.dim = ids.shape[1]
        self.ids = nn.Parameter(ids.clone())
        self.message_offset = nn.Parameter(torch.zeros_like(ids))
        self.global_user = nn.Parameter(torch.zeros(self.dim))
        self.popularity = nn.Parameter(torch.tensor([0.0, 0.2]))
        self.propagation = Propagation()
        self.register_buffer("log_degree", torch.log1p(degree))
        self.register_buffer("is_cold", (degree == 0).float())
        users_text, products_text = text or (None, None)
        self._has_users_text = users_text is not None and bool(users_text.any())
        self.register_buffer("users_text", users_text, persistent=False)
        self.register_buffer("products_text", products_text, persistent=False)
        if users_text is not None and products_text is not None:
            self.users_gate = nn.Parameter(torch.full((len(users_text),), 0.3))
            self.products_gate = nn.Parameter(torch.full((len(products_text),), 0.3))
            self.text_projection = nn.Parameter(torch.eye(self.dim).repeat(2, 1, 1))

    def messages_sent(self, node_mask: Tensor | None = None) -> Tensor:
        """Return y, which equals x for users: float32, shape (num_nodes, dim).

        Args:
            node_mask: float32, shape (num_nodes,); 0 for nodes that are cold in this step.
        """
        return self._with_users(self._products(node_mask)[1])

    def forward(self, matrix: Tensor, node_mask: Tensor | None = None) -> Tensor:
        """Return z of all nodes before normalisation: float32, shape (num_nodes, dim)."""
        sums = self._sums(*self._products(node_mask), matrix)
        users, products = sums.tensor_split([self.num_users])
        is_known = (users != 0).any(dim=1, keepdim=True)
        return torch.cat([users + self.global_user * is_known, products]) / (HOPS + 1)

    def messages(self, matrix: Tensor) -> Tensor:
        """Return g = (y + A y) / 3 of all nodes: z_u = (p + x_u) / 3 + sum of A_un g_n."""
        g: Tensor = self.propagation(self.messages_sent(), matrix, HOPS - 1) / (HOPS + 1)
        return g

    def bias(self) -> Tensor:
        """Return the popularity term: float32, shape (num_products,)."""
        return self.popularity[1] * self.log_degree + self.popularity[0] * self.is_cold

    def loss(self, matrix: Tensor, batch: Batch, node_mask: Tensor | None = None) -> Tensor:
        """Return the mean cross-entropy of the positives among the shared negatives.

        The positive's own message is removed from the user, as it is absent at serving time and
        would leak the label. EASE (Steck, WWW 2019) has a zero diagonal and FISM leaves the product
        out for the same reason.

        Args:
            matrix: normalize_adjacency adjacency.
            batch: users, positives and negatives.
            node_mask: as for `messages_sent`.
        """
        # The cosine ignores length, so the sum of the layers serves as well as their mean.
        x, y = self._products(node_mask)
        sums = self._sums(x, y, matrix)
        products = torch.cat([batch.positives, batch.negatives]) + self.num_users
        rows = functional.embedding(torch.cat([batch.users, products]), sums)
        return sampled_softmax(rows, y, self.global_user, self.bias(), self.tau, batch)

    def _products(self, node_mask: Tensor | None) -> tuple[Tensor, Tensor]:
        """Return x and y of the products: float32, shape (num_products, dim) each."""
        is_warm = 1.0 - self.is_cold
        if node_mask is not None:
            is_warm = is_warm * node_mask[self.num_users :]
        x = self.ids * is_warm[:, None]
        if self.products_text is not None:
            x = _project(self.products_gate, self.products_text, self.text_projection[1]) + x
        return x, x + self.message_offset * is_warm[:, None]

    def _with_users(self, y: Tensor) -> Tensor:
        """Prepend the rows of users to y of the products."""
        if self.users_text is None:
            return functional.pad(y, (0, 0, self.num_users, 0))
        users = _project(self.users_gate, self.users_text, self.text_projection[0])
        return torch.cat([users, y])

    def _sums(self, x: Tensor, y: Tensor, matrix: Tensor) -> Tensor:
        """Return the sum of the layers of all nodes, given x and y of the products."""
        if not self._has_users_text:
            return from_products(x, y, matrix, self.num_users)
        sums: Tensor = self.propagation(self._with_users(y), matrix, HOPS)
        # The product itself is x, not its message.
        return sums - functional.pad(y - x, (0, 0, self.num_users, 0))


def _project(gates: Tensor, texts: Tensor, projection: Tensor) -> Tensor:
    """Return (sum of gate * text over kinds) @ projection: float32, shape (num_nodes, dim)."""
    if len(texts) == 1:
        # The gate last, so that its gradient needs no matrix product.
        return gates[0] * (texts[0] @ projection)
    weighted: Tensor = torch.tensordot(gates, texts, dims=1)
    return weighted @ projection
