"""Subject ids read from object keys."""

from __future__ import annotations

import pytest

from labelloop.errors import SpecError
from labelloop.sync import subject_ids


@pytest.mark.parametrize("pattern", ["(", "digits/(.*)/"])
def test_a_subject_pattern_that_cannot_work_is_a_spec_error(pattern):
    with pytest.raises(SpecError, match="subject_pattern"):
        subject_ids(["digits/1/x.png"], pattern)
