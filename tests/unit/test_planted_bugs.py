"""Every planted bug still has its place: code that moves on must take the bug planted in it along."""

from __future__ import annotations

import pytest

from tests.checkout import ROOT
from tests.mutations.__main__ import main
from tests.mutations.table import MUTATIONS


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.name)
def test_the_line_a_bug_is_planted_in_is_there_once(mutation):
    assert (ROOT / mutation.file).read_text(encoding="utf-8").count(mutation.right) == 1
    assert mutation.wrong != mutation.right


def test_no_two_planted_bugs_share_a_name():
    assert len({mutation.name for mutation in MUTATIONS}) == len(MUTATIONS)


def test_a_name_that_no_planted_bug_has_runs_nothing(capsys):
    assert main(["--help"]) == 2
    assert "no planted bug is called '--help'" in capsys.readouterr().err
