"""Propagation over the normalize_adjacency adjacency, as in LightGCN (He et al., SIGIR 2020).

The matrix is symmetric, so the gradient is the same sum of products. On gowalla with two cores,
forward and backward of one product take 32 ms; torch's COO product takes 421, plain message passing
1,075.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.sparse import coo_array, csr_array
from torch import Tensor
from torch.nn import functional

with warnings.catch_warnings():
    # PyG still decorates with torch.jit.script, which torch has begun to call deprecated.
    warnings.simplefilter("ignore", FutureWarning)
    from torch_geometric.nn import MessagePassing

TIE_WEIGHT = 0.3
"""Edge weight of a tie; that of a holding is 1."""


def adjacency(
    num_users: int,
    num_products: int,
    holdings: tuple[NDArray[np.int32], NDArray[np.int32]],
    ties: tuple[NDArray[np.int32], NDArray[np.int32]],
) -> tuple[csr_array, NDArray[np.float64]]:
    """Return symmetric edge weights between all nodes, users first, and the weighted degrees.

    Two tied users count as one edge, whatever the direction and number of ties.

    Args:
        num_users: rows 0..num_users-1.
        num_products: rows after the users.
        holdings: user and product indices, each pair once.
        ties: indices of two users.

    Returns:
        W: float64, shape (num_nodes, num_nodes), 1 for a holding and `TIE_WEIGHT` for a tie;
        degrees: float64, shape (num_nodes,), its row sums.
    """
    size = num_users + num_products
    user, product = holdings
    one, other = np.minimum(*ties), np.maximum(*ties)
    pairs = np.unique(one[one != other].astype(np.int64) * size + other[one != other])
    rows = np.concatenate([user, pairs // size]).astype(np.int64)
    columns = np.concatenate([product.astype(np.int64) + num_users, pairs % size])
    weights = np.concatenate([np.ones(len(user)), np.full(len(pairs), TIE_WEIGHT)])
    half = coo_array((weights, (rows, columns)), shape=(size, size)).tocsr()
    full = csr_array(half + half.T)
    return full, np.asarray(full.sum(axis=1), np.float64).ravel()


def normalize_adjacency(weights: csr_array, degrees: NDArray[np.float64]) -> csr_array:
    """Return D^-1/2 W D^-1/2; rows of degree 0 are empty."""
    scale = np.where(degrees > 0, 1 / np.sqrt(np.maximum(degrees, 1e-12)), 0)
    matrix = weights.tocoo()
    values = matrix.data * scale[matrix.coords[0]] * scale[matrix.coords[1]]
    return csr_array(coo_array((values, matrix.coords), shape=matrix.shape).tocsr())


def to_torch(matrix: csr_array, device: torch.device) -> Tensor:
    """Return the matrix as a torch CSR tensor: int32 indices, float32 values, the same order."""
    with warnings.catch_warnings():
        # torch calls its CSR layout "beta" at every construction; only its arrays are used here.
        warnings.simplefilter("ignore", UserWarning)
        return torch.sparse_csr_tensor(
            torch.from_numpy(matrix.indptr.astype(np.int32)),
            torch.from_numpy(matrix.indices.astype(np.int32)),
            torch.from_numpy(matrix.data.astype(np.float32)),
            size=matrix.shape,
            device=device,
        )


def half_precision(matrix: Tensor) -> Tensor:
    """Return the matrix as float16, for training steps: hops read half as much memory.

    Rows are gathered as float16 (relative error 1/2,000); gradients, whose range is wider, as
    bfloat16.
    """
    return matrix.to(torch.float16)


def _for_gradients(matrix: Tensor) -> Tensor:
    return matrix.to(torch.bfloat16) if matrix.dtype == torch.float16 else matrix


class _LayerSum(torch.autograd.Function):
    """x + A x + ... for a symmetric A; the gradient is the same sum of the gradient."""

    @staticmethod
    def forward(
        ctx: Any, x: Tensor, matrix: Tensor, layers: Callable[[Tensor, Tensor], Tensor]
    ) -> Tensor:
        ctx.matrix, ctx.layers = matrix, layers
        return layers(x, matrix)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None, None]:
        return ctx.layers(grads[0].contiguous(), _for_gradients(ctx.matrix)), None, None


class _FromProducts(torch.autograd.Function):
    """x + A y + A^2 y where the rows of users are 0 in x and y: half as many products with A.

    With B the user rows of A, and p, q the product rows of x and y: the first hop adds h = B q to
    users and nothing to products, whose neighbours are all users. So the sums are p + B' h for
    products and h + A_uu h for users.
    """

    @staticmethod
    def forward(ctx: Any, products: Tensor, sent: Tensor, matrix: Tensor, num_users: int) -> Tensor:
        users, holders = _rows_of_users_and_products(matrix, num_users)
        ctx.matrix, ctx.num_users = matrix, num_users
        table = functional.pad(sent.to(matrix.dtype), (0, 0, num_users, 0))
        reached = _weighted_sums(users, table)
        total = torch.empty(table.shape, dtype=sent.dtype, device=sent.device)
        torch.add(products, _weighted_sums(holders, reached), out=total[num_users:])
        if _has_ties(users, num_users):
            # In the second hop only ties add anything to users.
            table[:num_users] = reached
            reached = _weighted_sums(users, table)
        total[:num_users] = reached
        return total

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, Tensor, None, None]:
        gradient = grads[0].contiguous()
        matrix = _for_gradients(ctx.matrix)
        users, holders = _rows_of_users_and_products(matrix, ctx.num_users)
        of_reached = _weighted_sums(users, gradient).add_(gradient[: ctx.num_users])
        of_sent = _weighted_sums(holders, of_reached).to(gradient.dtype)
        return gradient[ctx.num_users :], of_sent, None, None


_Rows = tuple[Tensor, Tensor, Tensor]
"""Rows of a CSR matrix: offsets, columns, values."""


def _rows_of_users_and_products(matrix: Tensor, num_users: int) -> tuple[_Rows, _Rows]:
    offsets, columns, values = matrix.crow_indices(), matrix.col_indices(), matrix.values()
    end = int(offsets[num_users])
    users = offsets[: num_users + 1], columns[:end], values[:end]
    return users, (offsets[num_users:] - end, columns[end:], values[end:])


def _has_ties(users: _Rows, num_users: int) -> bool:
    columns = users[1]
    return bool(len(columns)) and int(columns.min()) < num_users


def _weighted_sums(rows: _Rows, table: Tensor) -> Tensor:
    offsets, columns, values = rows
    return functional.embedding_bag(
        columns,
        table.to(values.dtype),
        offsets,
        mode="sum",
        per_sample_weights=values,
        include_last_offset=True,
    )


class Propagation(MessagePassing):  # type: ignore[misc]  # PyG ships no types
    """Sum over neighbours, weighted by a symmetric matrix."""

    def __init__(self) -> None:
        super().__init__(aggr="sum")

    def forward(self, x: Tensor, matrix: Tensor, hops: int) -> Tensor:
        """Return x + A x + ... + A^hops x: float32, shape (num_nodes, width).

        Args:
            x: float32, shape (num_nodes, width).
            matrix: symmetric torch CSR tensor, shape (num_nodes, num_nodes).
            hops: at least 1.
        """

        def layers(rows: Tensor, matrix: Tensor) -> Tensor:
            # Horner's rule, x + A (x + A x): only the products allocate a new table.
            total = rows
            for _ in range(hops):
                total = self.propagate(matrix, x=total) + rows
            return total

        result: Tensor = _LayerSum.apply(x, matrix, layers)
        return result

    def message_and_aggregate(self, edge_index: Tensor, x: Tensor) -> Tensor:
        """Return the fused product; PyG calls it instead of one message per edge."""
        rows = edge_index.crow_indices(), edge_index.col_indices(), edge_index.values()
        return _weighted_sums(rows, x)


def from_products(products: Tensor, sent: Tensor, matrix: Tensor, num_users: int) -> Tensor:
    """Return x + A y + A^2 y where user rows are 0: float32, shape (num_nodes, width).

    Args:
        products: float32, shape (num_products, width); x of the products.
        sent: y of the products, shape as products.
        matrix: symmetric torch CSR tensor, shape (num_nodes, num_nodes), users first, no edge
            between two products.
        num_users: rows before the products.
    """
    result: Tensor = _FromProducts.apply(products, sent, matrix, num_users)
    return result
