"""All that would change in Label Studio, in one value: `labelloop plan` shows it, push and `apply` do it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from labelloop.contracts import Refusal
from labelloop.errors import DecisionNeeded
from labelloop.project_settings import SettingChange
from labelloop.workbench import RemoteTask

_SAMPLE = 5
Row = dict[str, Any]


@dataclass(frozen=True)
class Changes:
    """What differs, as things to do.

    Of the project: `new_project`, `settings`, `renamed` (annotations in old names), `lost` (answers that
    the new interface could not say any more), `merged` (labels that answers will not tell apart any more), `storage`,
    `views` (number or None to wanted), `dropped` ones by number, `version` whose predictions order the queue and
    `order`, whether the server has to be told so.
    Of tasks: `create` and `adopt` by unit, `surplus` and `withdraw` to be deleted, `finish` to be handed out no more,
    `readdress`, `overlaps`, `reopen` by task, `rescore` the new prediction by unit, `guidelines` units to be told.
    `reviewing`: what another interface changes in the project where experts rule, if anything.
    Nothing to do about: what is `refused`; how many tasks are `there`, `foreign`, `vanished` (collect will say so);
    answers about missing media that are kept; predictions to `spare`, beyond one for each of our tasks.
    """

    version: str
    surveyed: datetime
    new_project: bool = False
    settings: tuple[SettingChange, ...] = ()
    renamed: Collection[int] = ()
    lost: Mapping[str, int] = field(default_factory=dict)
    merged: Collection[str] = ()
    storage: bool = False
    views: Collection[tuple[int | None, Row]] = ()
    dropped: Mapping[int, str] = field(default_factory=dict)
    order: bool = False
    create: Mapping[str, Row] = field(default_factory=dict)
    adopt: Mapping[str, tuple[int, Row]] = field(default_factory=dict)
    surplus: Collection[RemoteTask] = ()
    withdraw: Collection[Row] = ()
    finish: Collection[Row] = ()
    readdress: Mapping[int, Row] = field(default_factory=dict)
    overlaps: Mapping[int, int] = field(default_factory=dict)
    reopen: Collection[int] = ()
    rescore: Mapping[str, Row] = field(default_factory=dict)
    guidelines: Collection[str] = ()
    reviewing: Changes | None = None
    refused: Collection[Refusal] = ()
    there: int = 0
    foreign: int = 0
    vanished: int = 0
    kept_answers: int = 0
    spare: int = 0

    def rows(self) -> list[Row]:
        """Return one row for each kind of change, `change, count, sample`; samples are opaque ids of units or tasks.

        >>> from datetime import UTC
        >>> Changes("m1", datetime(2026, 11, 2, tzinfo=UTC), create={"u1": {}, "u2": {}}).rows()
        [{'change': 'create tasks', 'count': 2, 'sample': ['u1', 'u2']}]
        """
        tasks: dict[str, Collection[Any]] = {
            "create tasks": self.create,
            "take in tasks that were left behind": self.adopt,
            "delete doubles and orphans": [task.unit_id for task in self.surplus],
            "withdraw tasks": [row["unit_id"] for row in self.withdraw],
            "hand out no more": [row["unit_id"] for row in self.finish],
            "mend what tasks show": [row["unit_id"] for row in self.readdress.values()],
            "set overlaps": [f"task {number}" for number in self.overlaps],
            "re-open tasks": [f"task {number}" for number in self.reopen],
            "replace predictions": self.rescore,
            "show other guidelines": self.guidelines,
        }
        counted = [*self._of_the_project(), *tasks.items()]
        ruled = self.reviewing.rows() if self.reviewing else []
        rows = [_row(change, units) for change, units in counted if units]
        return rows + [row | {"change": f"{row['change']} (review)"} for row in ruled]

    def _of_the_project(self) -> list[tuple[str, Collection[Any]]]:
        rows: list[tuple[str, Collection[Any]]] = [("create the project", ["1"] if self.new_project else [])]
        rows += [(f"{'overwrite' if s.by_hand else 'set'} {s.name}", [s.name]) for s in self.settings if not s.kept]
        rows += [("rename in answers", [f"annotation {number}" for number in self.renamed])]
        rows += [("set up the media storage", ["1"] if self.storage else [])]
        rows += [("set up views", [wanted["title"] for _, wanted in self.views])]
        rows += [("remove views", list(self.dropped.values()))]
        return [*rows, ("order the queue", [self.version] if self.order else [])]

    def counts(self) -> dict[str, int]:
        """Return the counts of a summary, words as keys."""
        return {
            "already_there": self.there,
            "settings": sum(not setting.kept for setting in self.settings),
            "renamed": len(self.renamed) + (len(self.reviewing.renamed) if self.reviewing else 0),
            "withdrawn": len(self.withdraw),
            "finished": len(self.finish),
            "kept": self.kept_answers,
            "readdressed": len(self.readdress),
            "surplus": len(self.surplus),
            "foreign": self.foreign,
            "vanished": self.vanished,
            "created": len(self.create),
            "adopted": len(self.adopt),
            "refused": len(self.refused),
            "overlap_set": len(self.overlaps),
            "reopened": len(self.reopen),
            "rescored": len(self.rescore),
        }

    def notes(self) -> list[str]:
        """Return one line for each thing to know that is nothing to do."""
        edited = [setting.name for setting in self.settings if setting.kept]
        told = {
            f"edited by hand and kept: {', '.join(edited)}": len(edited),
            f"{self.foreign} tasks of other people are left alone": self.foreign,
            f"{self.vanished} tasks are gone from the server; collect will note it": self.vanished,
            f"{self.kept_answers} answers about missing media are kept": self.kept_answers,
            f"{len(self.refused)} units cannot be shown; see `labelloop quarantine`": len(self.refused),
        }
        lost = [f"answers would be lost, {what}: {count}" for what, count in sorted(self.lost.items())]
        return [line for line, count in told.items() if count] + [*self.merged, *lost]

    def to_dict(self) -> dict[str, Any]:
        """Return the changes as JSON values, in counts and samples."""
        return {
            "changes": self.rows(),
            "settings": [
                {"name": setting.name, "by_hand": setting.by_hand, "kept": setting.kept} for setting in self.settings
            ],
            "lost": dict(self.lost),
            "notes": self.notes(),
            "there": self.there,
            "foreign": self.foreign,
            "vanished": self.vanished,
            "kept_answers": self.kept_answers,
            "refused": len(self.refused),
        }

    def refuse_losses(self) -> None:
        """Pass if no answer would lose its meaning.

        Raises:
            DecisionNeeded: some would; the message says what and how many.
        """
        if self.lost:
            told = ", ".join(f"{what}: {count} answers" for what, count in sorted(self.lost.items()))
            raise DecisionNeeded(
                f"the new interface would lose answers ({told})",
                remedy="say renamed_from in the spec, keep what was answered, or begin a new project",
            )


def _row(change: str, units: Collection[Any]) -> Row:
    return {"change": change, "count": len(units), "sample": [*units][:_SAMPLE]}
