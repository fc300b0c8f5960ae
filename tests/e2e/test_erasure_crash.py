"""Erasure on the real servers, killed or cut off at its requests: each subject is erased, with one receipt.

Every subject of one lake is erased in turn, each by a run that meets faults of its own and, where these ended it, one
that meets none; what is left at the end is compared with what was there before. `make test` tries a sample, printed:
a kill behind the first change in some places, and requests lost and unanswered. `make crash` (LABELLOOP_CRASH=full)
tries every fault that can be told apart (`fault_runs.py` says which those are), `make crash PART=3/8` the third of
eight parts of them.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import random
import signal
import sys
import time
import uuid
import zlib
from contextlib import ExitStack

import pytest

from labelloop.spec import load_spec
from tasks.clients.receipts import receipts
from tasks.clients.s3 import connect, storage_options
from tasks.clients.world import World
from tests.builders.digits import SPEC
from tests.builders.erasure_requests import ask
from tests.builders.labelled_project import key_of, labelled_project
from tests.e2e.fault_runs import REFUSED, Strikes, every_fault, together
from tests.fakes.expectations import ArrowRowRules
from tests.fault_proxy import FaultProxy, Traffic
from tests.scanner import scan_bucket
from tests.scanner.rows import rows_of_tables, schemas_of_tables, tables_in, versions_in

pytestmark = [pytest.mark.e2e, pytest.mark.integration]

CRASH = os.environ.get("LABELLOOP_CRASH", "")
PART, PARTS = map(int, {"": "0/0", "full": "1/1"}.get(CRASH, CRASH).split("/"))  # 0/0 is the sample of `make test`
GROWING = ("suppressions", "receipts")
BYSTANDERS = 5  # subjects that share a unit or a refused row, and the one of the undisturbed run
KILLED, CUT_OFF = 2, 24  # places of changes, and requests to lose, of the sample
SUBJECTS = 60 if PARTS else 12


class Drill:
    """A lake on the real servers, its subjects, and child processes that erase one after the other."""

    def __init__(self, stack, settings, folder):
        run = uuid.uuid4().hex[:8]
        self.client, self.project = connect(settings), f"digits-{run}"
        self.buckets = {kind: f"{kind}-{run}" for kind in ("media", "lake", "vault")}
        for bucket in self.buckets.values():
            self.client.create_bucket(Bucket=bucket)
        versions = {"Bucket": self.buckets["media"], "VersioningConfiguration": {"Status": "Enabled"}}
        self.client.put_bucket_versioning(**versions)
        text = SPEC.replace("name: digits", f"name: {self.project}").replace(
            "bucket: media", f"bucket: {self.buckets['media']}"
        )
        (folder / f"{self.project}.yaml").write_text(text, encoding="utf-8")
        places = {f"{kind}_uri": f"s3://{self.buckets[kind]}" for kind in ("lake", "vault")}
        self.settings = settings.model_copy(update={**places, "projects_dir": folder})
        self.world = World(self.settings, load_spec(text))
        self.world.row_rules = ArrowRowRules()
        self.environment = {
            **stack.variables,
            **{f"LABELLOOP_{name.upper()}": str(value) for name, value in places.items()},
            "LABELLOOP_PROJECTS_DIR": str(folder),
            "LABELLOOP_TIMEOUT_SECONDS": "30",
        }
        self.made = labelled_project(self.world, SUBJECTS)
        self.left = list(range(BYSTANDERS, SUBJECTS))
        self.children = multiprocessing.get_context("forkserver")
        self.children.set_forkserver_preload(["__main__", "tests.e2e.killed_erasure"])
        self.before = self.state()

    def erase(self, traffic):
        """Run one erasure through proxies and return the exit code of its process."""
        from tests.e2e import killed_erasure

        with ExitStack() as proxies:
            s3, label_studio = (
                proxies.enter_context(FaultProxy(name, url, traffic)).url
                for name, url in (("S3", self.settings.s3_endpoint), ("LS", self.settings.label_studio_url))
            )
            through = {"LABELLOOP_S3_ENDPOINT": s3, "LABELLOOP_LABEL_STUDIO_URL": label_studio}
            child = self.children.Process(
                target=killed_erasure.run, args=({**self.environment, **through}, self.project)
            )
            child.start()
            traffic.victim = child.pid
            child.join()
        return child.exitcode

    def next_subject(self):
        """Ask for the erasure of a subject that is still there."""
        number = self.left.pop()
        return number, ask(self.world, subjects=[f"subject-{number:02d}"])

    def found(self, request_id):
        """What each receipt of the request says was found; a model is flagged by the first erasure alone."""
        mine = [receipt for receipt in receipts(self.world.lake) if receipt.request_id == request_id]
        counts = [json.loads(receipt.payload)["sinks"].items() for receipt in mine]
        return [{place: count["found"] for place, count in each if place != "models"} for each in counts]

    def undisturbed(self):
        """Erase a subject without any fault, and return the requests that takes."""
        traffic, (_, request_id) = Traffic(), self.next_subject()
        assert self.erase(traffic) == 0
        (self.expected,) = self.found(request_id)
        return traffic.requests

    def erase_under(self, faults):
        """Erase a subject by a run that meets faults, and one that does not if the first had to give up."""
        number, request_id = self.next_subject()
        strikes = Strikes(faults)
        code, met = self.erase(Traffic(strikes)), list(map(str, strikes.met))
        assert code == -signal.SIGKILL if any(fault.is_kill for fault in strikes.met) else code in (0, REFUSED), met
        if code:
            assert self.erase(Traffic()) == 0, met
        assert self.found(request_id) == [self.expected], met
        assert self.world.media.versions(self.buckets["media"], key_of(number)) == [], met
        return strikes.met

    def check(self):
        """Nothing of the erased is left anywhere in the buckets, and every other row and object is as before."""
        erased = set(range(BYSTANDERS, SUBJECTS)) - set(self.left)
        gone = {f"subject-{number:02d}" for number in erased}
        for bucket in self.buckets.values():
            assert not scan_bucket(self.client, bucket, gone)
        names = {n for number in erased for n in (self.made.ref_ids[number], self.made.unit_ids[number])}
        rows, schemas, objects = self.state()
        for table, found in self.before[0].items():
            if table.rpartition("/")[2] not in ("datasets", "models"):  # the set is rewritten, the model flagged
                kept = {row for row in found if not any(name in row for name in names)}
                assert kept <= rows[table], table
                assert table in GROWING or kept == rows[table], table
        assert {table: schema for table, schema in schemas.items() if table in self.before[1]} == self.before[1]
        assert objects == {version for version in self.before[2] if not any(word in version for word in gone)}

    def state(self):
        """Rows and schemas of every table, and the versions of all media."""
        tables, options = tables_in(self.client, self.buckets["lake"]), storage_options(self.settings)
        media = versions_in(self.client, self.buckets["media"])
        return rows_of_tables(tables, options), schemas_of_tables(tables, options), media


@pytest.fixture
def new_drill(stack, label_studio, tmp_path, monkeypatch):
    for name, value in stack.variables.items():
        monkeypatch.setenv(name, value)
    return lambda: Drill(stack, label_studio, tmp_path)


def sink(request):
    """Where a request that changes something goes: a hot object's kind, a table of the lake, files, media, a task."""
    server, _, path = request.split(" ", 2)
    bucket, _, key = path.lstrip("/").partition("?")[0].partition("/")
    parts = key.split("/")
    if server == "LS" or not bucket.startswith("lake-"):
        return server, bucket.partition("-")[0]
    if parts[0] == "hot":
        return server, "leases" if parts[1] == "leases" else "hot"
    return server, "published" if "published" in parts else "tables" if parts[0] == "projects" else parts[0]


def chosen(requests):
    """The faults to try."""
    every = every_fault(requests)
    if PARTS:
        return [fault for fault in every if zlib.crc32(f"{fault}".encode()) % PARTS == PART - 1]
    rng, firsts = random.Random(7), {}
    for fault in every:
        if fault.way == "kill after":
            firsts.setdefault(sink(requests[fault.at - 1]), fault)
    kills = rng.sample(sorted(firsts.values()), KILLED)
    cut_off = [fault for fault in every if not fault.is_kill and fault.kind.startswith("S3")]
    return kills + sorted(rng.sample(cut_off, CUT_OFF), key=lambda fault: fault.at)


@pytest.mark.timeout(0 if PARTS else 600)
def test_an_erasure_cut_off_anywhere_and_run_again_is_done_once_and_harms_nothing(new_drill, record_property):
    drill = new_drill()
    drill.undisturbed()  # the first of a lake finds no checkpoint of any log, and asks for other things than the rest
    requests = drill.undisturbed()
    faults, begun, runs, met = chosen(requests), time.monotonic(), 0, []
    waiting = faults
    while waiting:
        if not drill.left:
            drill.check()
            drill = new_drill()
            drill.undisturbed()
        due = together(waiting)
        met += drill.erase_under(due)
        runs, waiting = runs + 1, [fault for fault in waiting if fault not in met and fault != due[0]]
        told = f"{len(met)} of {len(faults)} faults met, {len(waiting)} to come, {time.monotonic() - begun:.0f} s"
        sys.stdout.write(f"{told}: {', '.join(map(str, due[:5]))}\n")
    drill.check()
    assert PARTS or len(met) > len(faults) // 2  # two runs differ in how often they read a log
    told = f"{len(met)} of {len(faults)} faults met{f' of part {PART}/{PARTS}' * bool(PARTS)} in {runs} runs, one end"
    some = ", ".join(map(str, met[:20]))
    record_property("figure", f"real erasure: K = {len(requests)} requests, {told}: {some} ...")
