"""Notes on tables that do not meet, and on ids that look alike."""

from __future__ import annotations

from pathlib import Path

from tests.loaders.reading.test_staging import staged


def test_each_kind_of_difference_between_ids_is_noted_with_an_example(tmp_path: Path) -> None:
    users = ["U1", "007", "x y", "u\u200b9", "\uff41", "u 8", "1.0"]
    holders = ["u1", "7", "xy", "u9", "a", "u8", "1", "v 1"]
    found = staged(
        tmp_path,
        {
            "users.tsv": "user\n" + "\n".join(users),
            "interactions.tsv": "user\tproduct\n" + "".join(f"{user}\tA\n" for user in holders),
        },
    )
    assert found.notes == (
        "users.tsv and interactions.tsv share 0 of 7 users, e.g. 'U1' and 'u1'; if they are the "
        "same users, write their ids alike",
        "the users '\uff41' in users.tsv and 'a' in interactions.tsv differ only in the width or "
        "form of letters",
        "the users 'U1' in users.tsv and 'u1' in interactions.tsv differ only in case",
        "the users 'u\\u200b9' in users.tsv and 'u9' in interactions.tsv differ only in invisible "
        "characters",
        "the users 'x y' in users.tsv and 'xy' in interactions.tsv differ only in blanks, and 1 "
        "more like these",
        "the users '1.0' in users.tsv and '1' in interactions.tsv differ only in a decimal point",
        "the users '007' in users.tsv and '7' in interactions.tsv differ only in leading zeros",
    )


def test_tables_that_meet_have_no_note(tmp_path: Path) -> None:
    found = staged(
        tmp_path,
        {
            "users.tsv": "user\n" + "".join(f"{number}\n" for number in range(40)),
            "interactions.csv": "user,product\n"
            + "".join(f"{n}.0,A \n{n}.0,B\n" for n in range(40)),
            "ties.csv": "source,target\n" + "".join(f" {n}.0,{n + 1}\n" for n in range(39)),
            "reviews.jsonl": '{"review": 1.0, "user": 1.0, "product": "A"}\n',
        },
    )
    assert found.notes == ()
    assert len(found.users) == 40
    assert found.products.to_pylist() == ["A", "B"]
    assert (found.count("ties"), found.count("interactions")) == (39, 80)
    assert found.former_ids("review") == {"1.0": "1"}
