"""The night knows whom the media shows: pictures of few people are fewer observations than pictures of many."""

from __future__ import annotations

import pyarrow as pa

from tasks.agreement import measure_agreement
from tests.builders.annotating import at_odds
from tests.fakes.world import under_lease


def interval(world, subjects):
    """Of alpha, when the media shows so many people."""
    references = world.table("references").read()
    at = references.column_names.index("subject_hmac")
    names = pa.array([f"{place % subjects:064x}" for place in range(references.num_rows)])
    world.table("references").upsert(references.set_column(at, "subject_hmac", names), fence=lambda: None)
    under_lease(world, "agreement", measure_agreement)
    found = world.table("agreement").read().to_pylist()
    (alpha,) = (row for row in found if (row["scope"], row["metric"]) == ("project", "krippendorff_alpha"))
    return alpha["low"], alpha["high"]


def test_pictures_of_few_people_are_resampled_together_and_those_of_one_alone_one_by_one(tmp_path):
    world = at_odds(tmp_path)
    n = world.table("references").read().num_rows
    assert interval(world, n) == interval(world, 1) != interval(world, 3)
