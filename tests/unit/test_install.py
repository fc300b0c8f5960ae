"""What `make setup` finds on the machine, and what it does where something is missing."""

from __future__ import annotations

import pytest

from deployments.local import install


@pytest.fixture
def debian(tmp_path, monkeypatch):
    """A machine of Debian's on which nothing is installed; what apt-get is told to do."""
    commands = []
    monkeypatch.setattr(install, "_POSTGRESQL", tmp_path / "postgresql")
    monkeypatch.setattr(install, "_CLUSTER_SETTINGS", tmp_path / "settings")
    monkeypatch.setattr(install, "_may_install", lambda: True)
    monkeypatch.setattr(install, "_succeeds", lambda command, **_: not commands.append(command))
    monkeypatch.setattr("shutil.which", lambda _: None)
    return commands


def have(folder, version):
    programs = folder / "postgresql" / version / "bin"
    programs.mkdir(parents=True)
    (programs / "initdb").touch()
    return programs


def test_the_newest_postgresql_is_taken(tmp_path, debian):
    assert install.postgresql_programs() is None
    have(tmp_path, "9.6")
    newest = have(tmp_path, "15")
    assert install.postgresql_programs() == newest


def test_a_missing_postgresql_is_installed_without_a_database_of_its_own(tmp_path, debian):
    install.find_postgresql()
    assert (tmp_path / "settings" / "labelloop.conf").read_text() == "create_main_cluster = false\n"
    assert debian[-1][:2] == ["apt-get", "install"]
    assert debian[-1][-1] == "postgresql"


def test_a_postgresql_that_is_there_is_left_as_it_is(tmp_path, debian):
    have(tmp_path, "15")
    install.find_postgresql()
    assert debian == []
    assert not (tmp_path / "settings").exists()


def test_where_nothing_may_be_installed_it_is_said_what_is_missing(tmp_path, debian, monkeypatch, capsys):
    monkeypatch.setattr(install, "_may_install", lambda: False)
    install.find_postgresql()
    install.find_browser()
    told = capsys.readouterr().err
    assert "apt-get install postgresql" in told
    assert "apt-get install chromium" in told
    assert debian == []
