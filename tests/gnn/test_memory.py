"""Steps stay within the memory there is, also with one user who holds nearly everything."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from scipy.sparse import csr_array

from kinfolio.errors import OutOfMemory
from kinfolio.gnn.blend import link_models
from kinfolio.gnn.blend.link_models import CoOccurrence, counted_pairs
from kinfolio.gnn.memory import available_bytes, need_memory
from kinfolio.gnn.ranking import users_per_block

HEAVY = """
import resource
import numpy as np
from scipy.sparse import csr_array
from kinfolio.gnn.blend.link_models import CoOccurrence

size = 30_000
rows = [np.arange(size - 1_000), *(np.arange(user, size, 3_000) for user in range(99))]
offsets = np.cumsum([0, *map(len, rows)])
held = csr_array((np.ones(offsets[-1], np.float32), np.concatenate(rows), offsets), (100, size))
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
counts = CoOccurrence(held)
assert counts.common(0.0, 0.5).nnz
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
"""


def test_a_user_who_holds_everything_does_not_take_all_memory() -> None:
    done = subprocess.run([sys.executable, "-c", HEAVY], capture_output=True, text=True, check=True)
    # 29,000 holdings have 841 million pairs: 6.7 GB.
    assert int(done.stdout) < 1_500


def test_holdings_are_sampled_only_of_heavy_users_and_only_where_pairs_are_too_many(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rows = [np.arange(400), np.arange(0, 400, 100), np.arange(3, 400, 50)]
    offsets = np.cumsum([0, *map(len, rows)])
    held = csr_array(
        (np.ones(offsets[-1], np.float32), np.concatenate(rows), offsets), shape=(3, 400)
    )
    assert CoOccurrence(held).interactions is held
    monkeypatch.setattr(link_models, "MOST_PAIRS", 10_000)
    monkeypatch.setattr(link_models, "_MOST_HOLDINGS", 60)
    counted = CoOccurrence(held).interactions
    assert np.diff(counted.indptr).tolist() == [60, 4, 8]
    assert counted_pairs(held) == 60**2 + 4**2 + 8**2
    assert (counted.toarray()[1:] == held.toarray()[1:]).all()
    # Of all products, not of the first ones.
    assert 100 < counted.indices[:60].mean() < 300
    assert (counted.data == 1).all()


def test_links_do_not_depend_on_how_many_rows_are_counted_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rng = np.random.default_rng(0)
    held = csr_array((rng.random((60, 90)) < 0.2).astype(np.float32))
    expected = CoOccurrence(held).common(0.25, 0.5).toarray()
    monkeypatch.setattr(link_models, "_PAIRS_AT_ONCE", 500)
    np.testing.assert_array_equal(CoOccurrence(held).common(0.25, 0.5).toarray(), expected)


def test_what_does_not_fit_is_refused_before_it_starts() -> None:
    said: list[str] = []
    need_memory("training", 10**6, "", lambda step, done, total: said.append(step))
    assert said == ["training takes about 1.0 MB of memory"]
    with pytest.raises(OutOfMemory, match=r"takes about 1000000.0 GB of memory, .* available; x"):
        need_memory("training", 10**15, "x", lambda step, done, total: None)
    assert 10**8 < available_bytes() < 10**14


def test_blocks_of_scores_are_smaller_for_large_catalogues() -> None:
    assert users_per_block(50_000) == 1024
    assert users_per_block(10**6) == 100
    assert users_per_block(10**9) == 1
