"""Which room may import what, and the house rules a machine can check."""

from __future__ import annotations

import dataclasses
import sys
from pathlib import Path

import pytest

from tests.checkout import ROOT, module, tracked

SDKS = frozenset(
    {
        "boto3",
        "botocore",
        "deltalake",
        "fsspec",
        "great_expectations",
        "httpx",
        "label_studio_sdk",
        "obstore",
        "onnxruntime",
        "requests",
        "skl2onnx",
    }
)
WORLD = frozenset(
    {"asyncio", "http", "os", "random", "secrets", "shutil", "socket", "subprocess", "tempfile", "threading", "time"}
)
ROOMS = ("data_contracts", "labelloop", "tasks", "flows", "deployments", "tests", "benchmarks")


@dataclasses.dataclass(frozen=True)
class Room:
    """A room's rule: modules of the house it may import, packages it may import, and where else code belongs."""

    name: str
    house: tuple[str, ...]
    elsewhere: str
    packages: frozenset[str] | None = None  # None: any but `never`
    never: frozenset[str] = frozenset()
    not_below: tuple[str, ...] = ()

    def refuses(self, module: str) -> bool:
        top = module.partition(".")[0]
        if top in ROOMS:
            return not is_below(module, self.house) or is_below(module, self.not_below)
        if top in self.never:
            return True
        return self.packages is not None and top not in self.packages and top not in sys.stdlib_module_names

    @property
    def files(self) -> list[Path]:
        nested = [below.replace(".", "/") for below in RULES if below.startswith(f"{self.name}.")]
        below = (ROOT / self.name.replace(".", "/")).rglob("*.py")
        return [path for path in below if not any(path.is_relative_to(ROOT / folder) for folder in nested)]


def is_below(module: str, prefixes: tuple[str, ...]) -> bool:
    return any(module == prefix or module.startswith(f"{prefix}.") for prefix in prefixes)


RULES = {
    room.name: room
    for room in (
        Room("data_contracts", (), "a contract is YAML; code that reads it belongs in labelloop/", frozenset()),
        Room(
            "labelloop",
            ("labelloop", "data_contracts"),
            "labelloop/ decides from tables alone; what touches the world belongs in tasks/ or tasks/clients/, "
            "and hands the table in",
            # filetype and PIL look into bytes already read; open_data_contract_standard parses our contracts;
            # altair and vl_convert draw in memory, without network.
            frozenset(
                {
                    "numpy",
                    "pyarrow",
                    "pandas",
                    "scipy",
                    "sklearn",
                    "duckdb",
                    "pydantic",
                    "yaml",
                    "lxml",
                    "msgspec",
                    "filetype",
                    "PIL",
                    "altair",
                    "vl_convert",
                    "imagehash",
                    "orjson",
                    "rapidfuzz",
                    "shapely",
                    "open_data_contract_standard",
                    "cryptography",
                }
            ),
            never=WORLD,
        ),
        Room(
            "tasks",
            ("tasks", "labelloop", "data_contracts"),
            "a task calls a client and a pure function; the SDK call belongs in tasks/clients/",
            never=SDKS,
        ),
        Room(
            "tasks.clients",
            ("tasks.clients", "labelloop", "data_contracts"),
            "a client knows one server; order and retries belong in tasks/*.py",
            never=frozenset({"prefect"}),
        ),
        Room(
            "flows",
            ("flows", "tasks"),
            "a flow is order only; what it does belongs in tasks/, what it decides in labelloop/",
            frozenset({"prefect", "pydantic"}),
            not_below=("tasks.clients",),
        ),
        Room(
            "deployments",
            ("deployments", "flows", "tasks.clients", "labelloop"),
            "deployments/ says when and where; rules belong in labelloop/, effects in tasks/",
            never=SDKS - {"httpx"},  # the errors of Prefect's client are httpx's
        ),
    )
}


MODULES = tracked("*.py")
PRODUCT = [path for path in MODULES if path.relative_to(ROOT).parts[0] in ROOMS[:5]]


def named(paths: list[Path]) -> list[str]:
    return [str(path.relative_to(ROOT)) for path in paths]


@pytest.mark.parametrize("room", RULES.values(), ids=lambda room: room.name)
def test_a_room_imports_only_what_it_may(room):
    broken = {
        f"{path.relative_to(ROOT)} imports {m}"
        for path in room.files
        for m in module(path).imports
        if room.refuses(m)
    }
    assert not broken, f"{room.elsewhere}: {sorted(broken)}"


@pytest.mark.parametrize(
    ("room", "imported"),
    [
        ("labelloop", "prefect.flow"),
        ("labelloop", "boto3"),
        ("labelloop", "tasks.sync"),
        ("labelloop", "os"),
        ("tasks", "label_studio_sdk.client"),
        ("tasks", "flows.table"),
        ("tasks.clients", "prefect"),
        ("flows", "numpy"),
        ("flows", "tasks.clients.s3"),
        ("deployments", "tasks.sync"),
        ("deployments", "boto3"),
        ("data_contracts", "yaml"),
    ],
)
def test_the_table_refuses_what_it_should(room, imported):
    assert RULES[room].refuses(imported)


def test_decisions_read_neither_clock_nor_environment():
    world = {"datetime.now", "datetime.utcnow", "datetime.today", "date.today", "os.environ", "uuid.uuid4"}
    dotted = {
        path: {name for name in module(path).names if name in world or name.endswith(("datetime.now", "date.today"))}
        for path in RULES["labelloop"].files
    }
    assert not {str(path.relative_to(ROOT)): sorted(found) for path, found in dotted.items() if found}, (
        "the caller in tasks/ reads the clock or the environment and hands the value in"
    )


def test_no_module_is_named_like_one_of_the_standard_library():
    """A file run by its path puts its folder first on the search path and would shadow the real module."""
    assert not named([path for path in MODULES if path.stem in sys.stdlib_module_names])


def test_no_module_has_a_name_that_says_nothing():
    empty = {"utils", "util", "helpers", "helper", "common", "misc", "manager", "managers"}
    assert not named([path for path in MODULES if empty & {path.stem, *path.relative_to(ROOT).parent.parts}])


def test_nothing_loads_pickle():
    loaders = frozenset({"pickle", "cloudpickle", "dill", "joblib", "shelve", "marshal", "skops"})
    assert not [path for path in PRODUCT for name in module(path).imports if name.partition(".")[0] in loaders]


def test_no_module_prints():
    assert not named([path for path in PRODUCT if "print" in module(path).names])


def test_no_module_is_longer_than_300_lines():
    assert not named([path for path in PRODUCT if len(path.read_text().splitlines()) > 300]), "split by concept"


def test_every_module_says_what_lives_in_it():
    assert not named([path for path in PRODUCT if not module(path).docstring])


def test_no_folder_of_the_tests_is_named_like_a_room():
    """Such a folder can be imported in place of the room."""
    assert not {folder.name for folder in (ROOT / "tests").rglob("*") if folder.is_dir()} & set(ROOMS)
