"""The night knows whom the media shows: pictures of one person are one observation, however many there are."""

from __future__ import annotations

import pyarrow as pa
import pytest

from tasks.agreement import measure_agreement
from tests.builders.annotating import at_odds
from tests.fakes.world import under_lease


@pytest.mark.parametrize(
    ("subjects", "reason"), [(1, "a single unit or group of units cannot be resampled"), (3, None)]
)
def test_pictures_of_one_person_have_no_interval_and_those_of_several_do(tmp_path, subjects, reason):
    world = at_odds(tmp_path)
    references = world.table("references").read()
    at = references.column_names.index("subject_hmac")
    names = pa.array([f"{place % subjects:064x}" for place in range(references.num_rows)])
    world.table("references").upsert(references.set_column(at, "subject_hmac", names), fence=lambda: None)
    under_lease(world, "agreement", measure_agreement)
    found = world.table("agreement").read().to_pylist()
    (alpha,) = (row for row in found if (row["scope"], row["metric"]) == ("project", "krippendorff_alpha"))
    assert alpha["reason"] == reason
