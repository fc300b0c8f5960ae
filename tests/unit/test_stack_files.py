"""The files of the local stack: variables, credentials and ports survive a round trip and stay private."""

from __future__ import annotations

import base64
import json
import os
import socket
import stat
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deployments.cli import environment
from deployments.local import home, owner_only, ports
from deployments.local.credentials import Credentials, open_credentials
from deployments.local.variables import pipeline_variables

NAMES = st.from_regex(r"[A-Z_]{1,9}", fullmatch=True)
VALUES = st.text(st.characters(codec="utf-8", exclude_characters="\0\r"))


@pytest.mark.slow
@given(st.dictionaries(NAMES, VALUES))
def test_variables_come_back_as_they_were_written(tmp_path_factory, variables):
    path = tmp_path_factory.mktemp("variables") / "env"
    owner_only.write_variables(path, variables)
    assert owner_only.read_variables(path) == variables


def test_a_shell_reads_the_variables_as_we_do(tmp_path):
    value = '{"k1": "a b\'c$HOME"}'
    owner_only.write_variables(tmp_path / "env", {"KEYS": value})
    shell = ["sh", "-c", f'. {tmp_path / "env"}; printf %s "$KEYS"']
    assert subprocess.run(shell, capture_output=True, text=True, check=True).stdout == value


def test_a_secret_file_is_closed_to_others_even_if_it_was_open_before(tmp_path):
    (tmp_path / "env").write_text("old")
    (tmp_path / "env").chmod(0o644)
    owner_only.write_variables(tmp_path / "env", {"A": "1"})
    assert stat.S_IMODE((tmp_path / "env").stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["env"]


def test_a_missing_file_holds_no_variables(tmp_path):
    assert owner_only.read_variables(tmp_path / "none") == {}


def test_a_variable_that_is_set_already_wins_over_the_file(tmp_path, monkeypatch):
    owner_only.write_variables(tmp_path / "env", {"LABELLOOP_A": "file", "LABELLOOP_B": "file"})
    monkeypatch.setattr(os, "environ", {"LABELLOOP_A": "set"})
    environment.load(tmp_path / "env")
    assert (os.environ["LABELLOOP_A"], os.environ["LABELLOOP_B"]) == ("set", "file")


def test_credentials_are_random_and_stay_the_same_for_a_stack(tmp_path):
    first = open_credentials(tmp_path / "one")
    assert open_credentials(tmp_path / "one") == first
    second = open_credentials(tmp_path / "two")
    same = {name for name, value in vars(first).items() if vars(second)[name] == value}
    assert same == {"label_studio_email", "label_studio_database_url"}


def test_a_database_given_once_is_remembered(tmp_path):
    open_credentials(tmp_path / "one")
    open_credentials(tmp_path / "one", "postgresql://db/ls")
    assert open_credentials(tmp_path / "one").label_studio_database_url == "postgresql://db/ls"


@pytest.mark.parametrize("beside", [False, True])
def test_the_database_of_the_default_stack_is_not_for_a_stack_beside_it(tmp_path, monkeypatch, beside):
    address = "postgresql://db/ls"
    monkeypatch.setattr(home, "DEFAULT_ROOT", tmp_path / "default")
    monkeypatch.setenv(home.DATABASE_URL_VARIABLE, address)
    with home.open_home(home.DEFAULT_ROOT, set()) as first:
        owner_only.write_variables(first.root / "env", pipeline_variables(first))
    with home.open_home(tmp_path / "beside" if beside else first.root, set()) as again:
        assert again.credentials.label_studio_database_url == ("" if beside else address)


def test_credentials_do_not_show_when_printed():
    credentials = Credentials()
    secrets = [value for name, value in vars(credentials).items() if value and "email" not in name]
    assert not [secret for secret in secrets if secret in repr(credentials)]


def test_suppression_keys_are_json_with_32_bytes_each():
    keys = json.loads(Credentials().suppression_keys)
    assert {name: len(base64.b64decode(key, validate=True)) for name, key in keys.items()} == {"k1": 32}


def test_a_port_is_kept_while_it_is_free_and_replaced_when_taken():
    with ports.assigned(["a", "b"], {}) as earlier:
        pass
    with ports.assigned(["a", "b"], earlier) as again:
        assert again == earlier
    with socket.create_server((ports.LOOPBACK, earlier["a"])), ports.assigned(["a", "b"], earlier) as later:
        assert later["b"] == earlier["b"]
        assert later["a"] not in earlier.values()


def test_two_stacks_that_start_at_once_are_given_no_port_in_common_though_nothing_listens_yet():
    with ports.assigned(["a"], {}) as first, ports.assigned(["a"], first) as second:
        assert first["a"] != second["a"]
