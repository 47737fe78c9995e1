"""Confidence intervals of shares and of their difference, where one user gives several answers.

Shares: Wilson's interval (JASA 1927) with the effective number of products in place of the number:
n / D, D the design effect, the variance among users (ratio estimator, linearised) over that of
independent products (Kish 1965; Korn and Graubard, Survey Methodology 1998). D is at least 1, so
that few users never make an interval narrower than Wilson's.
Difference: Newcombe's method 10 (Statistics in Medicine 1998) on those intervals. With no
clustering both are the published formulas; a bootstrap over users gives [0, 0] where nothing was
held, these do not.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

LEVEL = 0.95
Z = 1.959963984540054
"""Quantile of the normal distribution for `LEVEL`."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """A share or a difference with its interval of level `LEVEL`."""

    value: float
    low: float
    high: float


def share(
    successes: NDArray[np.int64] | NDArray[np.float64], trials: NDArray[np.int64]
) -> Estimate | None:
    """Return the share of all successes in all trials; None without trials.

    Args:
        successes: shape (num_users,); successes of each user. Fractions of one trial a user, as a
            recall is, vary less than whole successes: the interval is then too wide, if anything.
        trials: shape (num_users,).
    """
    total = int(trials.sum())
    if not total:
        return None
    value = float(successes.sum()) / total
    n = total / _design_effect(successes, trials, value)
    centre = (value + Z**2 / (2 * n)) / (1 + Z**2 / n)
    half = Z / (1 + Z**2 / n) * math.sqrt(value * (1 - value) / n + Z**2 / (4 * n * n))
    # 0 and 1 are exact limits, but not in floating point.
    return Estimate(
        value, 0.0 if value == 0 else centre - half, 1.0 if value == 1 else centre + half
    )


def difference(one: Estimate, other: Estimate) -> Estimate:
    """Return `one` minus `other`, two shares of different users."""
    value = one.value - other.value
    return Estimate(
        value,
        value - math.hypot(one.value - one.low, other.high - other.value),
        value + math.hypot(one.high - one.value, other.value - other.low),
    )


def _design_effect(
    successes: NDArray[np.int64] | NDArray[np.float64], trials: NDArray[np.int64], value: float
) -> float:
    independent = value * (1 - value) * int(trials.sum())
    if not independent:
        return 1.0
    residuals = successes - value * trials
    return max(1.0, float((residuals**2).sum()) / independent)
