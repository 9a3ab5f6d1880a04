"""Numbered changes of tables that hold what cannot be computed again. Never edit one that was released: add one.

A number's statements run in one transaction with the new version; a test brings a database of every earlier version
through them. Tables that are new, or derived, need no statement: see the package.
"""

# user_version of the first release, which wrote a fingerprint of its tables: the market's and the workspace's.
FIRST_VERSION = (298158358, 1438413354)

MIGRATIONS: dict[str, dict[int, tuple[str, ...]]] = {
    "market": {
        2: (
            "ALTER TABLE fetch_log ADD COLUMN attempts INTEGER",
            "ALTER TABLE fetch_log ADD COLUMN fetched_at TEXT",
        ),
    },
    "workspace": {
        2: (),  # saved portfolios: new tables only, which an older file gets when its version is seen to be older
        3: (
            *(f"ALTER TABLE backtesting_equity ADD COLUMN {name} REAL" for name in ("cash", "turnover", "risk_free")),
            *(f"ALTER TABLE backtesting_trades ADD COLUMN {name} REAL" for name in ("spread", "impact")),
            "ALTER TABLE backtesting_trades ADD COLUMN entry_reason TEXT",
        ),
        4: (),  # the ledger of trials, names and notes of results, sweeps: new tables only
        5: (),  # what each browser asked, what sweeps are compared with: new tables only
    },
}

# Of the workspace, after the tables of a number are there. Of 5: results that are older than the ledger are tries too.
FILLINGS: dict[int, tuple[str, ...]] = {
    5: (
        "INSERT OR IGNORE INTO trials (id, created_at, hypothesis, result_id, sharpe_ratio, n_obs, skewness, kurtosis) "
        "SELECT result_id, test_date, strategy_name || '|' || (SELECT group_concat(value, ',') FROM "
        "(SELECT value FROM json_each(backtesting_results.tickers) ORDER BY value)), result_id, sharpe_ratio, "
        "(SELECT count(*) FROM backtesting_equity WHERE backtesting_equity.result_id = backtesting_results.result_id), "
        "json_extract(metrics, '$.skewness'), json_extract(metrics, '$.kurtosis') FROM backtesting_results",
    ),
}
