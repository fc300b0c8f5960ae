"""One label per unit from what several annotators said, with a probability for every class.

`aggregate` gives the table of labels, `resolve` also what was learned of the annotators. Pure: tables in, tables out.
"""

from __future__ import annotations

from labelloop.consensus.bradley_terry import bradley_terry
from labelloop.consensus.enough import enough_opinions
from labelloop.consensus.item_consensus import ItemConsensus
from labelloop.consensus.plackett_luce import plackett_luce
from labelloop.consensus.posterior import Posterior, Settings
from labelloop.consensus.table import METHODS, METHODS_OF_ITEMS, Consensus, aggregate, resolve

__all__ = [
    "METHODS",
    "METHODS_OF_ITEMS",
    "Consensus",
    "ItemConsensus",
    "Posterior",
    "Settings",
    "aggregate",
    "bradley_terry",
    "enough_opinions",
    "plackett_luce",
    "resolve",
]
