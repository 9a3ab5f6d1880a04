from dataclasses import FrozenInstanceError
from pathlib import Path

import pytest

from config import SETTINGS, load_settings


def test_defaults_environment_and_overrides_in_that_order() -> None:
    assert load_settings({}).port == 8050
    assert load_settings({"PLUMBLINE_PORT": "9000"}).port == 9000
    assert load_settings({"PLUMBLINE_PORT": "9000"}, port=9001).port == 9001
    assert load_settings({"PLUMBLINE_PORT": "9000"}, port=None).port == 9000


def test_types_follow_the_defaults() -> None:
    settings = load_settings({"PLUMBLINE_DB": "/x/y.db", "PLUMBLINE_QUERY_SECONDS": "2.5"})
    assert settings.db == Path("/x/y.db")
    assert settings.query_seconds == 2.5


def test_a_value_of_the_wrong_type_names_the_variable() -> None:
    with pytest.raises(ValueError, match="PLUMBLINE_PORT='http': must be of type int"):
        load_settings({"PLUMBLINE_PORT": "http"})


@pytest.mark.parametrize(
    ("name", "value"), [("PORT", "99999"), ("WORKERS", "0"), ("PUBLICATION_LAG_DAYS", "-90"), ("YAHOO_BATCH", "0")]
)
def test_a_value_out_of_bounds_names_them(name: str, value: str) -> None:
    with pytest.raises(ValueError, match=f"PLUMBLINE_{name}={value}: allowed is"):
        load_settings({f"PLUMBLINE_{name}": value})
    with pytest.raises(ValueError, match="allowed is"):
        load_settings({}, **{name.lower(): int(value)})


def test_settings_are_frozen_and_explained() -> None:
    with pytest.raises(FrozenInstanceError):
        load_settings({}).port = 1
    assert all(item.help for item in SETTINGS)
    assert len({item.name for item in SETTINGS}) == len(SETTINGS)


def test_settings_do_not_show_their_secrets() -> None:
    secrets = dict.fromkeys(("secret_key", "password", "smtp_password", "alert_webhook"), "s3cr3t")
    assert "s3cr3t" not in repr(load_settings({}, **secrets))
