import numpy as np

from kinfolio.gnn.drift.new_holdings import Held, new_holdings
from kinfolio.gnn.fingerprints import product_hashes, user_hashes
from kinfolio.records import NO_TIME

LATEST = 1_000


def held(gid: int, at: int = NO_TIME, *, is_listed: bool = True, is_new: bool = False) -> Held:
    return Held(f"p{gid}", gid, at, is_listed, is_new)


def counted(products: list[int], users: list[int] | None = None) -> int:
    """Fingerprint of a user with these neighbours."""
    return int(
        product_hashes(np.array(products, np.int64)).sum()
        + user_hashes(np.array(users or [], np.int64)).sum()
    )


def ids(found: tuple[list[Held], bool]) -> list[str]:
    return sorted(one.product for one in found[0])


def test_nothing_is_new_for_a_user_who_did_not_change() -> None:
    holdings = [held(1, 2_000), held(2, 500)]
    assert new_holdings(holdings, [7], counted([1, 2], [7]), NO_TIME) == ([], True)


def test_all_is_new_for_a_user_who_came_later() -> None:
    assert ids(new_holdings([held(1), held(2)], [], None, LATEST)) == ["p1", "p2"]


def test_dated_holdings_are_new_after_the_training() -> None:
    holdings = [held(1, 900), held(2, 1_001), held(3, 5_000)]
    found = new_holdings(holdings, [], counted([1]), LATEST)
    assert (ids(found), found[1]) == (["p2", "p3"], True)


def test_undated_holdings_are_found_by_the_fingerprint() -> None:
    holdings = [held(gid) for gid in range(200)]
    known = [gid for gid in range(200) if gid not in (17, 60, 199)]
    found = new_holdings(holdings, [], counted(known), LATEST)
    assert (ids(found), found[1]) == (["p17", "p199", "p60"], True)


def test_a_holding_that_was_loaded_late_is_new_despite_its_date() -> None:
    holdings = [held(1, 900), held(2, 100), held(3, 2_000)]
    assert ids(new_holdings(holdings, [], counted([1]), LATEST)) == ["p2", "p3"]


def test_a_new_tie_is_no_holding() -> None:
    holdings = [held(1), held(2)]
    assert new_holdings(holdings, [5, 6], counted([1, 2], [5]), LATEST) == ([], True)
    assert ids(new_holdings(holdings, [5, 6], counted([1], [5]), LATEST)) == ["p2"]


def test_products_that_came_later_are_new_with_and_without_a_vector() -> None:
    holdings = [held(1), held(2, is_new=True), held(3, is_listed=False, is_new=True)]
    found = new_holdings(holdings, [], counted([1]), LATEST)
    assert (ids(found), found[1]) == (["p2", "p3"], True)


def test_where_a_holding_was_removed_the_dates_decide() -> None:
    holdings = [held(1, 900), held(2, 100), held(3, 2_000)]
    found = new_holdings(holdings, [], counted([1, 2, 9]), LATEST)
    assert (ids(found), found[1]) == (["p3"], False)
