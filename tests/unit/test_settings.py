"""Settings: every variable is explained, and wrong ones are named without their values."""

from __future__ import annotations

import pytest
from pydantic import SecretStr

from docs.write import env_example
from labelloop.errors import ConfigurationError
from tasks.clients.settings import Settings, load_settings
from tests.builders.settings import make_settings


@pytest.fixture(autouse=True)
def _empty_environment(monkeypatch, tmp_path):
    for name in Settings.model_fields:
        monkeypatch.delenv(f"LABELLOOP_{name.upper()}", raising=False)
    monkeypatch.chdir(tmp_path)


def test_every_setting_is_described_in_the_example():
    assert all(field.description for field in Settings.model_fields.values())
    assert [f"LABELLOOP_{name.upper()}" for name in Settings.model_fields] == [
        line.removeprefix("# ").partition("=")[0] for line in env_example().splitlines() if "LABELLOOP_" in line
    ]


def test_the_example_holds_no_secret():
    values = dict(
        line.removeprefix("# ").split("=", 1) for line in env_example().splitlines() if "LABELLOOP_" in line
    )
    secret = [n for n, field in Settings.model_fields.items() if "SecretStr" in str(field.annotation)]
    assert [values[f"LABELLOOP_{name.upper()}"] for name in secret] == [""] * len(secret)


def test_missing_variables_are_all_named():
    with pytest.raises(ConfigurationError) as failure:
        load_settings()
    required = [name for name, field in Settings.model_fields.items() if field.is_required()]
    assert [name for name in required if f"LABELLOOP_{name.upper()}" not in str(failure.value)] == []
    assert ".env.example" in str(failure.value)


def test_a_wrong_value_is_named_and_not_repeated(monkeypatch):
    monkeypatch.setenv("LABELLOOP_LAKE_URI", "http://user:secret@host")
    with pytest.raises(ConfigurationError) as failure:
        load_settings()
    assert "LABELLOOP_LAKE_URI" in str(failure.value)
    assert "secret@" not in str(failure.value)


def test_an_address_of_a_medium_opens_it_for_fifteen_minutes_at_most():
    given = make_settings().model_dump()
    with pytest.raises(ConfigurationError, match="LABELLOOP_LABEL_STUDIO_PRESIGN_MINUTES"):
        load_settings(**{**given, "label_studio_presign_minutes": 16})


def test_variables_are_read_from_the_environment_before_the_file_of_the_local_stack(monkeypatch, tmp_path):
    (tmp_path / ".local").mkdir()
    given = make_settings()
    lines = [f"LABELLOOP_{name.upper()}={_clear(getattr(given, name))}" for name in ("lake_uri", "vault_uri")]
    lines += ["LABELLOOP_LABEL_STUDIO_URL=http://file", "LABELLOOP_LABEL_STUDIO_TOKEN=t", "LABELLOOP_RECEIPT_KEY=k"]
    lines += ['LABELLOOP_SUPPRESSION_KEYS={"k1": "a"}', "LABELLOOP_S3_REGION=from-file"]
    (tmp_path / ".local" / "env").write_text("\n".join(lines))
    monkeypatch.setenv("LABELLOOP_S3_REGION", "from-environment")
    settings = load_settings()
    assert (settings.label_studio_url, settings.s3_region) == ("http://file", "from-environment")


def test_secrets_do_not_show_when_settings_are_printed():
    shown = repr(make_settings(s3_secret_key="hush-hush"))
    assert "hush-hush" not in shown
    assert make_settings().receipt_key.get_secret_value() not in shown


def _clear(value):
    return value.get_secret_value() if isinstance(value, SecretStr) else value
