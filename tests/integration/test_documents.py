"""What the documents tell a reader to type is typed here, on the real servers, in the order of the page.

What cannot be typed inside a test stands in `ELSEWHERE` with the test that does the same. A line of a block without
a language that is no known command makes this file red.
"""

from __future__ import annotations

import ast
import io
import itertools
import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from PIL import Image

from deployments.cli.convert_verb import convert_file
from tasks.clients.media import S3MediaStore
from tasks.clients.s3 import connect
from tests.builders.pools import a_pool
from tests.builders.trust_zone import name_open_buckets

pytestmark = pytest.mark.integration

ROOT = Path(__file__).resolve().parents[2]
# The runbook first: other pages speak of the request and the receipt it leads to.
PAGES = sorted([*ROOT.glob("docs/*.md"), ROOT / "CONTRIBUTING.md"], key=lambda page: page.name != "runbook.md")
_STACK = "tests/integration/test_local_stack.py"
_DEPLOYMENTS = "tests/e2e/test_deployments.py"
ELSEWHERE = {
    "labelloop up": f"{_STACK}::test_after_up_every_server_is_healthy",
    "labelloop down": f"{_STACK}::test_down_ends_the_servers_and_a_second_down_does_nothing",
    "labelloop adopt": "tests/integration/test_adopt.py::test_a_project_is_adopted_with_its_tasks_and_answers_and_"
    "nothing_is_asked_again",
    "labelloop alarm": f"{_DEPLOYMENTS}::test_agreement_below_the_alarm_starts_a_report_and_calls_people",
    "labelloop demo": "tests/e2e/test_turn.py::test_every_stage_left_something_behind",
}
KEY = "reader/anna.png"
_INLINE = re.compile(r"`((?:\.venv/bin/)?(?:labelloop|make) [a-z-][^`]*)`")


def lines_of(page: Path) -> Iterator[str]:
    """Lines of indented blocks and of blocks without a language, and commands inside sentences."""
    fence = None
    for line in page.read_text(encoding="utf-8").splitlines():
        if line.startswith("```"):
            fence = line[3:] if fence is None else None
        elif fence == "" or (fence is None and line.startswith("    ")):
            yield line
        elif fence is None:
            yield from _INLINE.findall(line)


def commands_of(page: Path) -> Iterator[list[str]]:
    for line in lines_of(page):
        words = shlex.split(line, comments=True)
        ends = [number for number, word in enumerate(words) if word.endswith(";")]
        for start, end in itertools.pairwise([-1, *ends, len(words)]):
            if command := [word.rstrip(";") for word in words[start + 1 : end + 1]]:
                yield command


def answered_task(number: int) -> dict[str, object]:
    """A task of an export: two people answered it, alike but for the first."""
    at = "2026-11-21T23:50:00Z"
    answers = [
        {
            "id": 2 * number + person,
            "completed_by": person,
            "result": [
                {"from_name": "digit", "to_name": "image", "type": "choices", "value": {"choices": [str(chosen)]}}
            ],
            "was_cancelled": False,
            "created_at": at,
            "updated_at": at,
        }
        for person, chosen in enumerate((number % 2, number % 2 if number else 1))
    ]
    return {"id": number, "data": {"image": "s3://media/k"}, "annotations": answers, "predictions": []}


@pytest.fixture
def folder(stack_environment, worker, label_studio, tmp_path, monkeypatch):
    """The reader's folder, with settings of the stack and a lake of its own; in it what pages name."""
    projects = tmp_path / "deployments" / "projects"
    projects.mkdir(parents=True)
    name_open_buckets(label_studio, projects)
    monkeypatch.setenv("LABELLOOP_PROJECTS_DIR", str(projects))
    monkeypatch.setenv("LABELLOOP_LAKE_URI", f"{os.environ['LABELLOOP_LAKE_URI']}/{tmp_path.name}")
    pq.write_table(a_pool(), tmp_path / "pool.parquet")
    (tmp_path / "export.json").write_text(json.dumps([answered_task(number) for number in range(6)]))
    convert_file(tmp_path / "export.json", tmp_path)
    (tmp_path / "request.json").write_text(json.dumps({"object_keys": [KEY], "verification": "letter"}))
    store = S3MediaStore(connect(label_studio))
    for number, key in enumerate([KEY, "reader/bert.png", *(f"faces/{n}.png" for n in range(12))]):
        image = io.BytesIO()
        Image.new("RGB", (32, 32), (20 * number, 0, 0)).save(image, "PNG")
        store.write("media", key, image.getvalue(), content_type="image/png")
    return tmp_path


@pytest.fixture
def type_in(folder, labelloop):
    """Type the words of a command; a placeholder stands for what an earlier command gave."""
    given = {"FILE": "receipt.json"}

    def typed(words: list[str]) -> None:
        program, *rest = Path(words[0]).name, *(given.get(word, word) for word in words[1:])
        if words[0] in ("set", "."):
            return  # the variables are set already
        if program == "make":
            # Its recipe only: some would run this suite again.
            subprocess.run(["make", "--dry-run", *rest], cwd=ROOT, check=True, capture_output=True)
        elif program == "prefect":
            subprocess.run([Path(sys.executable).parent / "prefect", *rest], check=True, capture_output=True)
        elif program != "labelloop":
            pytest.fail(f"no test knows what {words[0]!r} does")
        elif f"labelloop {rest[0]}" not in ELSEWHERE:
            code, told, error = labelloop(*rest)
            assert code == 0, f"{shlex.join(words)}: {told}{error}"
            if rest[:2] == ["erase", "request"]:
                given["ID"] = told.strip()

    return typed


def test_the_readme_leads_from_a_new_spec_to_a_training_check(type_in):
    for words in commands_of(ROOT / "README.md"):
        type_in(words)


def test_every_other_page_tells_commands_that_work(type_in, folder):
    spec = Path("deployments", "projects", "digits.yaml")
    (folder / spec).write_text((ROOT / spec).read_text().replace("digits/", "reader/"))
    try:
        # Each once: that a flow that is run again adds nothing is shown elsewhere.
        for words in dict.fromkeys(tuple(words) for page in PAGES for words in commands_of(page)):
            type_in(list(words))
    finally:
        type_in(["prefect", "--no-prompt", "deployment", "schedule", "pause", "--all"])


@pytest.mark.parametrize("test", ELSEWHERE.values(), ids=ELSEWHERE)
def test_what_is_typed_elsewhere_is_a_test(test):
    file, _, name = test.partition("::")
    functions = (node for node in ast.parse((ROOT / file).read_text()).body if isinstance(node, ast.FunctionDef))
    assert name in {function.name for function in functions}
