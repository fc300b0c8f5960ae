"""What may lie in the repository: nothing of one machine, nothing large, test oracles only in tests."""

from __future__ import annotations

import re

import pytest

from tests.checkout import ROOT, module, tracked

FILES = {path: path.read_bytes() for path in tracked()}
# Written in pieces: this file is searched too.
REGISTRIES = tuple(".".join(words) for words in (("pypi", "org"), ("pythonhosted", "org"), ("npmjs", "org")))
HOMES = re.compile(rb"(?<![\w.~-])/(?:home|root|Users|work|tmp|opt|mnt)/[\w.]")


def holding(pattern: re.Pattern[bytes]) -> dict[str, bytes]:
    found = {path: pattern.search(text) for path, text in FILES.items()}
    return {str(path.relative_to(ROOT)): match[0] for path, match in found.items() if match}


def test_no_file_names_a_package_registry():
    assert not holding(re.compile("|".join(map(re.escape, REGISTRIES)).encode()))


def test_no_file_names_a_folder_of_one_machine():
    assert not holding(HOMES)


@pytest.mark.parametrize("before", ["cd ", '"', "(", "file://"])
@pytest.mark.parametrize("folder", ["home", "root", "tmp"])
def test_a_folder_of_one_machine_is_recognised(before, folder):
    assert HOMES.search(f"{before}/{folder}/.x".encode())


def test_no_file_is_larger_than_a_mebibyte():
    assert not [path for path, content in FILES.items() if len(content) > 2**20]


@pytest.mark.parametrize("oracle", ["krippendorff", "statsmodels"])
def test_what_we_compare_with_is_never_imported_by_the_product(oracle):
    naming = [path for path, content in FILES.items() if path.suffix == ".py" and oracle.encode() in content]
    using = {
        path.relative_to(ROOT) for path in naming if oracle in {name.split(".")[0] for name in module(path).imports}
    }
    assert using
    # Scripts of peers run in a process and an environment of their own.
    assert not [path for path in using if path.parts[0] != "tests" and path.parent.name != "peer_scripts"]
