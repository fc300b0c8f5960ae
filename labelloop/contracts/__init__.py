"""What the YAML files of `data_contracts/` say, as Arrow schemas, rules and documentation.

One file describes a table; everything else about it is derived here. Running the rules is the business of `tasks/`.
"""

from __future__ import annotations

from labelloop.contracts.contract import Column, Contract, ForeignKey, all_contracts, contract

__all__ = ["Column", "Contract", "ForeignKey", "all_contracts", "contract"]
