"""The section `consensus` of a spec: sources of imported labels differ, and each answers a question that is asked."""

from __future__ import annotations

import pytest

from labelloop.errors import SpecError
from labelloop.spec import load_spec
from tests.builders.digits import SPEC


def spec(*imported):
    rows = ", ".join("{" + row + "}" for row in imported)
    return load_spec(f"{SPEC}\nconsensus: {{imported: [{rows}]}}\n")


def given(source="old", control="digit", uri="s3://media/old.parquet"):
    return f"source: {source}, uri: {uri!r}, format: parquet, control: {control}"


def test_imported_labels_are_only_compared_unless_the_spec_says_more():
    assert [row.policy for row in spec(given()).consensus.imported] == ["compare"]
    assert load_spec(SPEC).consensus.method == "dawid-skene"


@pytest.mark.parametrize(
    ("imported", "why"),
    [
        ([given(), given()], "the source 'old' twice"),
        ([given(control="letter")], "'letter', which is no question; give one of digit"),
        ([given(uri="old.parquet")], "consensus.imported.0.uri"),
        ([given(source="Old One")], "consensus.imported.0.source"),
    ],
)
def test_what_cannot_be_imported_is_refused_with_its_field(imported, why):
    with pytest.raises(SpecError, match=why):
        spec(*imported)
