"""What many tests share: small built databases, the app over them, and the settings of a throw-away folder."""

import os
from pathlib import Path
from typing import Any

import pytest
from scratch import settings_in

from pipeline.runner import UpdateRequest, update

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # small matrices: more threads only wait for each other


@pytest.fixture
def settings(tmp_path: Path) -> Any:
    return settings_in(tmp_path, simulated_tickers=6, simulated_years=3)


@pytest.fixture(scope="session")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Settings of a published database of the simulated market; read it, do not write it."""
    made = settings_in(tmp_path_factory.mktemp("simulated"), simulated_tickers=8, simulated_years=8)
    update(UpdateRequest(source="simulated"), settings=made)
    return made


@pytest.fixture(scope="session")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Settings of a published database of the embedded sample; read it, do not write it."""
    made = settings_in(tmp_path_factory.mktemp("sample"))
    update(UpdateRequest(source="sample"), settings=made)
    return made


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real market data that PLUMBLINE_TEST_DATA names."""
    folder = os.environ.get("PLUMBLINE_TEST_DATA")
    if not folder:
        pytest.skip("PLUMBLINE_TEST_DATA names no folder of market data")
    return Path(folder)


@pytest.fixture(scope="session")
def real(tmp_path_factory: pytest.TempPathFactory, shared_data: Path) -> Any:
    """Settings of a published database of the real market data; read it, do not write it."""
    made = settings_in(tmp_path_factory.mktemp("real"))
    update(UpdateRequest(source="csv", path=shared_data), settings=made)
    return made
