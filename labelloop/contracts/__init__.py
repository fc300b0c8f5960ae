"""What the YAML files of `data_contracts/` say, as Arrow schemas, rules and documentation.

One file describes a table; everything else about it is derived here. Running the rules is the business of `tasks/`.
"""

from __future__ import annotations

from labelloop.contracts.contract import Column, Contract, ForeignKey, all_contracts, contract
from labelloop.contracts.expectations import Expectation, expectations
from labelloop.contracts.keys import BrokenKey, broken_keys
from labelloop.contracts.quarantine import Refusal, quarantine_rows, refusals
from labelloop.contracts.shape import missing_columns, shaped

__all__ = [
    "BrokenKey",
    "Column",
    "Contract",
    "Expectation",
    "ForeignKey",
    "Refusal",
    "all_contracts",
    "broken_keys",
    "contract",
    "expectations",
    "missing_columns",
    "quarantine_rows",
    "refusals",
    "shaped",
]
