"""The ledger of trials: every try on a hypothesis, read from workspace.db."""

import pandas as pd

from pipeline.queries._connection import Reader


def trials(reader: Reader, hypothesis: str) -> pd.DataFrame:
    """Return every try on a hypothesis, oldest first: id, created_at, result_id, sharpe_ratio (per year), n_obs, skewness, kurtosis."""
    return reader.frame(
        "SELECT id, created_at, result_id, sharpe_ratio, n_obs, skewness, kurtosis FROM trials WHERE hypothesis = ? "
        "ORDER BY created_at, id",
        (hypothesis,),
    )


def is_counted(reader: Reader, hypothesis: str, result_id: str) -> bool:
    """Whether a result stands among the tries on its hypothesis."""
    return reader.one(
        "SELECT 1 FROM trials WHERE hypothesis = ? AND result_id = ? LIMIT 1", (hypothesis, result_id)
    ) is not None  # fmt: skip
