"""One label per unit from what several annotators said, with a probability for every class.

`aggregate` gives the table of labels, `resolve` also what was learned of the annotators. Pure: tables in, tables out.
"""

from __future__ import annotations

from labelloop.consensus.posterior import Posterior, Settings
from labelloop.consensus.table import METHODS, Consensus, aggregate, resolve

__all__ = ["METHODS", "Consensus", "Posterior", "Settings", "aggregate", "resolve"]
