"""Unit builders: chosen references put together into what an annotator is asked about at a time.

One file for each kind of unit. Which references are chosen is the business of `labelloop.sampling`; ids and rows of
`units` are made in `labelloop.units`.
"""

from labelloop.unit_builders.build import Built, build_units, references_for
from labelloop.unit_builders.groups import near_duplicate_groups
from labelloop.unit_builders.lists import ranking_lists
from labelloop.unit_builders.pairs import comparison_pairs

__all__ = ["Built", "build_units", "comparison_pairs", "near_duplicate_groups", "ranking_lists", "references_for"]
