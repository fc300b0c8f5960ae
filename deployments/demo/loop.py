"""The demo's order of events: the first round through the deployment and its worker, the others in this process.

What was done before is not done again: a second run carries on, or just shows what there is.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from typing import Any

from prefect.client.orchestration import get_client
from prefect.deployments import run_deployment
from prefect.exceptions import ObjectNotFound

from deployments.demo import arms, digits, held_out, people
from deployments.demo.narration import Narration
from flows.nightly_agreement import nightly_agreement
from flows.retrain_check import retrain_check
from flows.single_stages import erase, write_report
from flows.weekly_batch import weekly_batch
from labelloop.erasure.decisions import received
from labelloop.erasure.request import Identifiers
from labelloop.errors import ConfigurationError, UnavailableError
from tasks.clients.erasures import Erasures
from tasks.clients.rounds import rounds_of
from tasks.clients.world import World

Advance = Callable[[int], None]


@dataclass(frozen=True)
class Demo:
    """One run of the demo on a project's world."""

    world: World
    narration: Narration
    password: str
    rounds: int = 3
    images: int = digits.COUNT
    deployed: bool = True

    def run(self) -> None:
        """Turn the loop, carry out one erasure, compare with random labels and report."""
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as aside:
            curves = None if self._compared() else aside.submit(arms.simulate_arms, self.world.spec, self.rounds)
            self._upload()
            for number in range(1, self.rounds + 1):
                if number > self._rounds_done():
                    self._turn(number)
            self._erase_someone()
            self._step("retrain without what was erased", retrain_check)
            if curves:
                self._compare(curves)
        self._step("report", write_report)

    def _upload(self) -> None:
        media = self.world.spec.media
        with self.narration.step(f"upload {self.images:,} images", total=self.images) as advance:
            digits.upload(self.world.media, media.bucket, advance, count=self.images)

    def _rounds_done(self) -> int:
        records = rounds_of(self.world.hot, self.world.project)
        models = set(self.world.table("models").read(columns=["round"])["round"].to_pylist())
        return sum(record.state == "closed" and record.number in models for record in records)

    def _turn(self, number: int) -> None:
        if number == 1 and self.deployed:
            self._deployed_batch()
        else:
            self._step(f"round {number}: weekly batch", weekly_batch)
        self._annotate(number)
        self._step(f"round {number}: nightly agreement", nightly_agreement)
        self._step(f"round {number}: retrain check", retrain_check)
        held_out.judge(self.world, number, digits.truth())

    def _deployed_batch(self) -> None:
        """Run the weekly batch as a deployment and wait for the worker to finish it."""
        name, parameters = f"weekly-batch/{self.world.project}", {"project": self.world.project}
        with self.narration.step("round 1: weekly batch, through its deployment and worker"):
            try:
                run: Any = run_deployment(name, parameters=parameters, timeout=300, poll_interval=1)
            except ObjectNotFound:
                raise ConfigurationError(f"there is no deployment {name}", remedy="run `labelloop up`") from None
        if not run.state or not run.state.is_completed():
            with get_client(sync_client=True) as client:
                state = client.read_flow_run(run.id).state
            told = f"{state.name}: {state.message}" if state else "unknown"
            raise UnavailableError(
                f"the deployed weekly batch did not complete ({told})", remedy="see the Prefect UI"
            )

    def _annotate(self, number: int) -> None:
        world = self.world
        crew = people.hire(world.label_studio, self.password)
        connected = world.hot.get(f"label-studio/{world.project}.json")
        if connected is None:
            raise UnavailableError("the project is not in Label Studio", remedy="run the weekly batch first")
        question = world.spec.interface.questions[0]

        def answer(value: str) -> list[dict[str, Any]]:
            places = {"from_name": question.name, "to_name": world.spec.interface.media, "type": "choices"}
            return [{**places, "value": {"choices": [value]}}]

        truth = held_out.truth_of_units(world, digits.truth())
        wanted = self._answers_wanted()
        with self.narration.step(f"round {number}: four annotators at work", total=wanted) as advance:
            people.annotate(crew, connected.value["ls_project"], truth, answer, advance)

    def _answers_wanted(self) -> int:
        tasks = self.world.table("tasks").read(columns=["state", "overlap"]).to_pylist()
        return sum(task["overlap"] for task in tasks if task["state"] == "open")

    def _erase_someone(self) -> None:
        """Ask for the erasure of one labelled subject, once, and carry it out."""
        world = self.world
        erasures = Erasures(world.hot, world.vault)
        if not erasures.all():
            subject = digits.subject_of(held_out.a_labelled_index(world))
            wanted = Identifiers(subjects=(subject,), verification="demo")
            erasures.add(received(wanted, request_id=world.new_id(), project=world.project, now=world.now()), wanted)
        self._step("erase one subject, with receipt", erase)

    def _compared(self) -> bool:
        """Whether an earlier run has compared all rounds with random labels."""
        found = self.world.table("evaluations").read(columns=["arm", "round"]).to_pylist()
        return {"arm": "random", "round": self.rounds} in found

    def _compare(self, curves: Future[arms.Curves]) -> None:
        with self.narration.step("compare with random labels, seeds 0-9"):
            rows = arms.evaluation_rows(curves.result(), self.world.now())
            self.world.table("evaluations").upsert(rows, fence=lambda: None)

    def _step(self, text: str, flow: Any) -> None:
        with self.narration.step(text):
            flow(project=self.world.project)
