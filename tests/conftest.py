"""What many tests share: small built databases, the app over them, and the settings of a throw-away folder."""

import fcntl
import os
from pathlib import Path
from typing import Any

import pytest
from scratch import settings_in

from pipeline.runner import UpdateRequest, update

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # small matrices: more threads only wait for each other
os.environ["PLUMBLINE_STANDARD_SECONDS"] = "0"  # what follows an update has tests of its own


@pytest.fixture
def settings(tmp_path: Path) -> Any:
    return settings_in(tmp_path, simulated_tickers=6, simulated_years=3)


def built_once(factory: pytest.TempPathFactory, name: str, request: UpdateRequest, **options: Any) -> Any:
    """Settings of a database that the first of the test processes builds and all read, each with a workspace of its own."""
    base = factory.getbasetemp()
    shared = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / f"built-{name}"
    shared.mkdir(exist_ok=True)
    with (shared / "turn").open("w") as turn:
        fcntl.flock(turn, fcntl.LOCK_EX)
        if not (shared / "done").exists():
            update(request, settings=settings_in(shared, **options))
            (shared / "done").touch()
    return settings_in(factory.mktemp(name), db=shared / "data.db", **options)


@pytest.fixture(scope="session")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Settings of a published database of the simulated market; read it, do not write it."""
    size = {"simulated_tickers": 8, "simulated_years": 8}
    return built_once(tmp_path_factory, "simulated", UpdateRequest(source="simulated"), **size)


@pytest.fixture(scope="session")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Settings of a published database of the embedded sample; read it, do not write it."""
    return built_once(tmp_path_factory, "sample", UpdateRequest(source="sample"))


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
    return built_once(tmp_path_factory, "real", UpdateRequest(source="csv", path=shared_data))
