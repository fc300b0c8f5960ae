"""Ids of subjects and platforms, and where a spec says they are written."""

from __future__ import annotations

import pytest

from labelloop.errors import SpecError
from labelloop.identifiers import source_ids, subject_ids
from labelloop.spec import load_spec
from tests.builders.digits import SPEC


def with_subject_id(place):
    return load_spec(SPEC.replace('{key: "digits/(?P<subject>[^/]+)/"}', place)).media


@pytest.mark.parametrize("pattern", ["(", "digits/(.*)/", "digits/(?P<id>.*)/"])
def test_a_pattern_that_cannot_work_is_a_spec_error(pattern):
    with pytest.raises(SpecError, match=r"media\.subject_id\.key"):
        with_subject_id(f'{{key: "{pattern}"}}')


@pytest.mark.parametrize("place", ["{}", "{tag: a, metadata: b}", '{tag: ""}', "{file: a}"])
def test_an_id_is_written_in_exactly_one_place(place):
    with pytest.raises(SpecError, match=r"media\.subject_id"):
        with_subject_id(place)


def test_only_a_pattern_over_keys_is_told_as_one():
    assert with_subject_id("{tag: person}").subject_pattern is None
    assert with_subject_id('{key: "(?P<subject>.)"}').subject_pattern == "(?P<subject>.)"


def test_a_group_that_matches_nothing_names_nobody():
    assert subject_ids(["p//1.png"], "p/(?P<subject>[^/]*)/") == [None]


def test_platforms_are_compared_without_case_and_ids_with_it():
    assert source_ids("FlickR", ["a", "A"]) == ["flickr:a", "flickr:A"]
