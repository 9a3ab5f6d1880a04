"""Factor-model fits of every stock and fund: the latest of every model and window, and the month ends of some.

Of the main models every month end is kept, as it could be known then; of the others the latest fit. Where only months
were added, the fits of the years before stay as they are stored.
"""

from collections.abc import Mapping

import pandas as pd
from sqlalchemy import Table

from analytics.factor_models import fit_factor_models, month_end_fits
from pipeline import schema, store
from pipeline.queries import accounts
from pipeline.queries import instruments as instrument_queries
from pipeline.steps import _factor_inputs as factor_inputs
from pipeline.steps._factor_inputs import Inputs
from pipeline.steps._joint_tests import UNIVERSE, joint_tests
from pipeline.steps._split import store_each
from pipeline.steps._step import Context, Outcome, Step

KEY, STATE, MEMBERS = "factor_models", "state", "members"  # the last two: what is noted besides the tickers
FIT_KEY = ["ticker", "model", "frequency", "window_months", "as_of"]
MARGIN = pd.Timedelta(days=62)  # from a sample's end to its as_of, besides the publication lag: a month end after it

Tables = tuple[pd.DataFrame, pd.DataFrame]  # fits and loadings


def run(context: Context) -> Outcome:
    """Fit what has changed. One changed ticker moves the others' latest fits too: beta is shrunk to all betas."""
    tickers = factor_inputs.fitted_tickers(context)
    if not tickers:
        return Outcome(0, message="no stocks")
    known = {} if context.recompute_all else accounts.input_digests(context.reader, KEY)
    members = instrument_queries.stock_tickers(context.reader)
    state, unseen = factor_inputs.state(context, tickers, members)
    nothing_new = Outcome(0, message=f"0 of {len(tickers)} tickers recomputed")
    if known.get(STATE) == state and all(day >= unseen for day in context.changed.values()):
        return nothing_new
    monthly = factor_inputs.monthly(context, tickers)
    if monthly.empty:
        return Outcome(0, message="no fits: the source has no monthly factor returns")
    oldest = _oldest_year(monthly, context.settings.keep_fit_years)
    head = f"{context.settings.publication_lag_days}/{oldest}"
    words = _words(context, monthly, tickers, head) | {MEMBERS: " ".join(members)}
    if all(known.get(owner) == word for owner, word in words.items()):
        context.note_inputs(KEY, {STATE: state})
        return nothing_new
    latest = _latest(context, monthly, tickers)
    extended = [name for name in tickers if factor_inputs.is_extended(monthly, name, known.get(name, ""), head)]
    oldest_newest = latest[0].groupby("ticker")["as_of"].min().to_dict()
    since = _since(extended, known, words, oldest_newest)
    context.report(0.6, "month ends")
    fits, loadings = _joined(latest, _month_ends(context, monthly, tickers, since, oldest))
    rows = _store(context, tickers, since, (fits, loadings))
    tests = joint_tests(context, monthly)
    with store.transaction(context.connection):
        rows += store.replace(context.connection, schema.factor_joint_tests, tests, owner=UNIVERSE)
        context.note_inputs(
            KEY, words | {STATE: state} | {_oldest_owner(name): as_of for name, as_of in oldest_newest.items()}
        )
    return Outcome(rows, message=f"{len(fits)} fits of {fits['ticker'].nunique()} tickers")


def _words(context: Context, monthly: Inputs, tickers: list[str], head: str) -> dict[str, str]:
    """What every ticker's fits depend on; the word of its sessions stands under another name."""
    of_sessions = factor_inputs.daily_words(context, tickers, end=monthly.returns.index[-1])
    return {name: factor_inputs.monthly_word(monthly, name, head) for name in monthly.returns.columns} | {
        f"{name} daily": word for name, word in of_sessions.items()
    }


def _latest(context: Context, monthly: Inputs, tickers: list[str]) -> Tables:
    """The newest fit of every model, window and frequency."""
    lag = context.settings.publication_lag_days
    found = [fit_factor_models(monthly.returns, monthly.factors, publication_lag_days=lag)]
    context.report(0.1, "sessions")
    daily = factor_inputs.daily(context, tickers, end=monthly.returns.index[-1])
    if not daily.empty:
        found.append(fit_factor_models(daily.returns, daily.factors, frequency="D", publication_lag_days=lag))
    return pd.concat([fits for fits, _ in found]), pd.concat([loadings for _, loadings in found])


def _since(
    extended: list[str], known: Mapping[str, str], words: Mapping[str, str], oldest: Mapping[str, str]
) -> dict[str, str]:
    """The year from which on the fits of a ticker are made anew, where what it had before was at most extended.

    Nothing older than the newest fits of before and of now, which see all tickers; and where months came, the year
    before that of the last known one.
    """
    found = {}
    for name in extended:
        if name in oldest and (before := known.get(_oldest_owner(name))):
            years = [before[:4], oldest[name][:4]]
            if known[name] != words[name]:
                years.append(str(int(known[name].rsplit(" ", 2)[1][:4]) - 1))
            found[name] = min(years)
    return found


def _oldest_owner(ticker: str) -> str:
    """Under which the as-of date of the oldest of a ticker's newest fits is noted."""
    return f"{ticker} oldest"


def _oldest_year(monthly: Inputs, kept_years: int) -> str:
    """The year of the oldest month ends that are kept; another one next January makes everything anew, once a year."""
    first, last = monthly.returns.index[[0, -1]]
    return str(max(last.year - kept_years, first.year))


def _month_ends(context: Context, monthly: Inputs, tickers: list[str], since: Mapping[str, str], oldest: str) -> Tables:
    """The fits of every month end that is kept: whole, or since a year for the tickers that `since` names."""
    lag, found = context.settings.publication_lag_days, []
    groups: dict[str, list[str]] = {}
    for name in tickers:
        if name in monthly.returns:
            groups.setdefault(max(since.get(name, ""), oldest), []).append(name)
    for year, names in groups.items():
        first = pd.Timestamp(f"{year}-01-01") - pd.Timedelta(days=lag) - MARGIN
        fits, loadings = month_end_fits(monthly.returns[names], monthly.factors, publication_lag_days=lag, since=first)
        found.append((fits[fits["as_of"] >= year], loadings[loadings["as_of"] >= year]))
    fits, loadings = (pd.concat(frames) for frames in zip(*found, strict=True))
    return fits, loadings


def _joined(latest: Tables, history: Tables) -> Tables:
    """Both together; of the two the latest fit is kept where they are the same, because it holds more."""
    kept = latest[0].set_index(FIT_KEY).index
    return tuple(
        pd.concat([new, old[~old.set_index(FIT_KEY).index.isin(kept)]], ignore_index=True)
        for new, old in zip(latest, history, strict=True)
    )


def _store(context: Context, tickers: list[str], since: Mapping[str, str], found: Tables) -> int:
    years = {name: since.get(name, "") for name in tickers}

    def put(table: Table, frame: pd.DataFrame) -> int:
        ordered = frame.sort_values([column.name for column in table.primary_key], ignore_index=True)
        of_ticker, nothing = dict(list(ordered.groupby("ticker"))), ordered.head(0)
        return store_each(context, (table,), years, lambda _reader, name, _year: (of_ticker.get(name, nothing),))

    return put(schema.factor_model_fits, found[0]) + put(schema.factor_loadings, found[1])


STEP = Step(
    KEY, "Factor models", ("instruments", "prices", "factor_returns"),
    ("factor_model_fits", "factor_loadings", "factor_joint_tests"), run,
)  # fmt: skip
