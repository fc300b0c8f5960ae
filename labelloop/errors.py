"""Every error labelloop raises, one tree, sorted by what an operator would do about it.

LabelloopError
├── ConfigurationError      fix a setting, a spec or a credential, then run again
│   ├── SpecError           a labelling project spec is wrong (lists every problem)
│   ├── SuppressionKeyError a suppression key is missing or wrong: the run must not start
│   └── WrongServerError    the server that answers is not the one the lake knows
├── DataError               fix the data
│   ├── ContractError       a table breaks its data contract: nothing was written
│   ├── InputError          a file or value handed to labelloop cannot be used
│   └── NotEstimable        a figure cannot be given; the message is the reason
├── UnavailableError        wait and retry: a server did not answer
│   ├── LeaseHeld           another run works on the same stage
│   └── Conflict            somebody else changed the object first
├── LeaseLost               this run was overtaken and must stop before its next effect
├── AccessError             a server refuses our credentials or rights
├── DecisionNeeded          a person has to decide (threshold exceeded, mass disappearance)
│   └── HeldByLaw           a legal hold or retention forbids the deletion
└── ErasedError             what was asked for has been erased

Messages say what happened, which value, what to do. They carry no object key, subject id, email,
presigned URL or secret. Facts also travel as attributes and survive pickling, since errors cross processes.
"""

from __future__ import annotations

from typing import Any


class LabelloopError(Exception):
    """Base of every error of labelloop: `what` went wrong, `remedy`, and the `facts` behind it.

    >>> str(InputError("the batch size is -3", remedy="give a whole number from 0", value=-3))
    'the batch size is -3; give a whole number from 0'
    """

    def __init__(self, what: str, *, remedy: str = "", **facts: Any) -> None:
        super().__init__(what)
        self.what = what
        self.remedy = remedy
        self.facts = facts

    def __str__(self) -> str:
        return f"{self.what}; {self.remedy}" if self.remedy else self.what

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (type(self), self.what, self.remedy, self.facts)


def _rebuild(kind: type[LabelloopError], what: str, remedy: str, facts: dict[str, Any]) -> LabelloopError:
    return kind(what, remedy=remedy, **facts)


class ConfigurationError(LabelloopError):
    """A setting, a spec or a credential has to be fixed."""


class SpecError(ConfigurationError):
    """A labelling project spec is wrong; the message lists every problem."""


class SuppressionKeyError(ConfigurationError):
    """A suppression key is missing or does not match its check value."""


class WrongServerError(ConfigurationError):
    """The server that answers is not the one the lake knows."""


class DataError(LabelloopError):
    """Data has to be fixed."""


class ContractError(DataError):
    """A table breaks its data contract; nothing was written."""


class InputError(DataError):
    """A file or a value handed to labelloop cannot be used."""


class NotEstimable(DataError):
    """A figure cannot be given; the message is the reason."""


class UnavailableError(LabelloopError):
    """A server did not answer; waiting and retrying may help."""


class LeaseHeld(UnavailableError):
    """Another run works on the same stage."""


class Conflict(UnavailableError):
    """Somebody else changed the object first."""


class LeaseLost(LabelloopError):
    """This run was overtaken and must stop before its next effect."""


class AccessError(LabelloopError):
    """A server refuses our credentials or rights."""


class DecisionNeeded(LabelloopError):
    """A person has to decide before the run may go on."""


class HeldByLaw(DecisionNeeded):
    """A legal hold or a retention period forbids the deletion."""


class ErasedError(LabelloopError):
    """What was asked for has been erased."""
