"""A stored backtest as one HTML file: light, printable, and in need of nothing beside it."""

import html
from collections.abc import Iterable

import numpy as np

from analytics.backtest.tear_sheet import contributions, distribution, period_returns, rolling_statistics
from analytics.metrics import METRICS
from dashapp.figures.backtest import is_weekly
from dashapp.figures.backtest_returns import best_and_worst
from dashapp.figures.backtest_svg import bars_svg, line_svg
from dashapp.format import percent
from dashapp.pages.backtest.assumptions import asked, assumed, facts, notes, strategy_label
from dashapp.pages.backtest.badge import UNCHECKED, VERDICTS, worst_first
from dashapp.pages.backtest.stored import Stored
from dashapp.pages.backtest.tables import (
    BOOTSTRAP_INTERVAL,
    HEADLINE,
    LEVELS,
    VOLATILITY_INTERVAL,
    Table,
    beside_text,
    cost_words,
    crisis_words,
    drawdown_words,
    explain,
    interval_text,
    metric_groups,
    metric_text,
    month_words,
    ticker_words,
    trade_words,
)
from dashapp.theme import FONT, palette, series

INTERVALS = f"{BOOTSTRAP_INTERVAL} Of the volatility: {VOLATILITY_INTERVAL}"
LONG, WORDS = 24, ' class="words"'  # characters from which a cell is a sentence, that may be broken
MOST_TRADES = 200  # listed; the CSV holds all
_STYLE = """body{{font:14px/1.45 {font};color:{text};max-width:960px;margin:2rem auto;padding:0 1rem}}
h1{{font-size:1.4rem}} h2{{font-size:1.05rem;margin:1.6rem 0 .4rem}} h3{{font-size:.9rem;margin:1rem 0 .2rem}}
table{{border-collapse:collapse;width:100%;font-size:12px}} td,th{{padding:2px 6px;border-bottom:1px solid {grid};text-align:right}}
td:first-child,th:first-child{{text-align:left}} th{{color:{muted};font-weight:600}} svg{{width:100%;height:auto}}
.wide{{overflow-x:auto}} .wide td{{white-space:nowrap}} .wide td.words{{white-space:normal;text-align:left}} .groups{{column-width:20rem}} .facts td{{text-align:left;overflow-wrap:anywhere}} .facts td:first-child{{min-width:11rem}} p,li{{overflow-wrap:anywhere}}
.green{{color:{up}}} .amber{{color:{caution}}} .red{{color:{down}}} .verdict{{border:1px solid {grid};padding:.2rem 1rem;border-radius:.4rem}} .note{{color:{muted};font-size:12px}}
@media print{{body{{margin:0;max-width:none}} h2{{break-after:avoid}} tr,svg{{break-inside:avoid}}}}"""


def html_report(shown: Stored) -> str:
    """Return the whole document. Everything that is stored is escaped."""
    result, record = shown.result, shown.record
    title = f"{strategy_label(result)}, {result['start_date']} to {result['end_date']}"
    colours = {name: palette("light")[name] for name in ("text", "grid", "muted", "up", "down")} | {
        "caution": series("light")[4]
    }
    body = [
        f"<h1>{_e(title)}</h1>", *(f"<p>{_e(text)}</p>" for text in (asked(result), assumed(result), *notes(result, stale=False))),
        _verdict(shown), _headline(shown), *_charts(shown),
        _part("Monthly returns", _table(month_words(record))), _part("Worst drawdowns", _table(drawdown_words(record))),
        _part("Crises", _table(crisis_words(record))), _part("Costs", _table(cost_words(shown.trades, record))),
        _part("Tickers", _table(ticker_words(shown.trades, shown.tickers, shown.initial_capital))), _metrics(shown),
        _part(_trades_title(shown), _table(trade_words(shown.trades.head(MOST_TRADES)))), _facts(shown),
    ]  # fmt: skip
    head = f'<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>{_e(title)}</title>'
    style = _STYLE.format(font=FONT, **colours)
    return f'<!DOCTYPE html>\n<html lang="en"><head>{head}<style>{style}</style></head>\n<body>{"".join(body)}</body></html>\n'


def _charts(shown: Stored) -> list[str]:
    account, record = shown.account, shown.record
    depth = account["drawdown"].to_numpy(dtype=float)
    by_week = ", drawn by week" if is_weekly(record.dates) else ""
    years, earned = period_returns(record, "Y"), best_and_worst(contributions(shown.trades, shown.initial_capital))
    counted = distribution(record.returns)
    gross, net = (account[name].to_numpy(dtype=float) for name in ("gross_exposure", "net_exposure"))
    exposure = {"Exposure": gross} if np.allclose(gross, net, equal_nan=True) else {"Gross": gross, "Net": net}
    drawn = {
        f"Equity, log scale, beside buy and hold{by_week}": line_svg(
            record.dates, {"Strategy": record.equity, "Buy and hold": record.benchmark}, height=300, unit="usd", is_log=True, lows=depth),
        f"Drawdown{by_week}": line_svg(record.dates, {"Drawdown": depth}, height=140, unit="percent", lows=depth),
        "Yearly returns": bars_svg([str(day)[:4] for day in years["period"].to_numpy("datetime64[D]")],
                                   {"Strategy": years["strategy"].to_numpy(), "Buy and hold": years["benchmark"].to_numpy()}, height=180),
        **_rolling(shown),
        "Distribution of the returns, sessions": bars_svg(
            [percent(edge) for edge in counted.edges[:-1]], {"Sessions": counted.counts}, height=160, unit="number"),
        "Exposure": line_svg(record.dates, exposure, height=140, unit="percent"),
        "Contribution of the tickers, of the capital": bars_svg(
            earned["ticker"].astype(str).tolist(), {"Contribution": earned["contribution"].to_numpy(dtype=float)}, height=160),
    }  # fmt: skip
    return [_part(title, picture) for title, picture in drawn.items() if picture]


def _rolling(shown: Stored) -> dict[str, str]:
    """A picture of each statistic of a year; none of a shorter test."""
    rolling = rolling_statistics(shown.record)
    panes = (
        ("sharpe_ratio", "Sharpe ratio", "number"),
        ("beta", "Beta", "number"),
        ("annual_volatility", "Volatility", "percent"),
    )
    dates = rolling["date"].to_numpy(dtype="datetime64[D]")
    return {
        f"{label}, rolling, one year": line_svg(dates, {label: rolling[name].to_numpy(dtype=float)}, height=110, unit=unit)
        for name, label, unit in panes if len(dates)
    }  # fmt: skip


def _verdict(shown: Stored) -> str:
    audit = shown.audit
    if audit.get("verdict") not in VERDICTS:
        return f"<h2>Audit: {UNCHECKED.lower()}</h2>"
    rows = "".join(
        f'<li><span class="{_e(gate["verdict"])}">{_e(gate["verdict"])}</span> {_e(gate["label"])}: {_e(gate["detail"])}</li>'
        for gate in worst_first(audit.get("gates", []))
    )
    colour, words = audit["verdict"], VERDICTS[audit["verdict"]][0].lower()
    return f'<div class="verdict"><h2>Audit: <span class="{_e(colour)}">{_e(words)}</span></h2><ul>{rows}</ul></div>'


def _headline(shown: Stored) -> str:
    intervals = shown.audit.get("intervals") or {}
    rows = [
        [METRICS[key].label, metric_text(key, shown.metrics.get(key)), interval_text(key, intervals), beside_text(key, shown.metrics)]
        for key in HEADLINE if key in METRICS
    ]  # fmt: skip
    return _table((["Headline", "", "Interval", "Beside"], rows)) + f'<p class="note">{_e(INTERVALS)}</p>'


def _metrics(shown: Stored) -> str:
    groups = "".join(
        f"<h3>{_e(LEVELS[level])}</h3><table>"
        + "".join(f'<tr title="{_e(explain(key))}"><td>{_e(METRICS[key].label)}</td><td>{_e(metric_text(key, shown.metrics[key]))}</td></tr>' for key in keys)
        + "</table>" for level, keys in metric_groups(shown.metrics)
    )  # fmt: skip
    return f'<h2>Metrics</h2><div class="groups">{groups}</div>'


def _trades_title(shown: Stored) -> str:
    count = len(shown.trades)
    return f"Trades, the first {MOST_TRADES:,} of {count:,}" if count > MOST_TRADES else f"Trades, {count:,}"


def _facts(shown: Stored) -> str:
    rows = "".join(f"<tr><td>{_e(label)}</td><td>{_e(said)}</td></tr>" for label, said in facts(shown.result).items())
    return f'<h2>How it was made</h2><table class="facts">{rows}</table>'


def _part(title: str, content: str) -> str:
    return f"<h2>{_e(title)}</h2>{content or '<p>None.</p>'}"


def _table(table: Table) -> str:
    header, rows = table
    if not rows:
        return ""
    lines = "".join(f"<tr>{_cells('td', row)}</tr>" for row in rows)
    return f'<div class="wide"><table><tr>{_cells("th", header)}</tr>{lines}</table></div>'


def _cells(tag: str, values: Iterable[str]) -> str:
    return "".join(
        f"<{tag}{WORDS if len(value) > LONG and tag == 'td' else ''}>{_e(value)}</{tag}>" for value in values
    )


def _e(text: object) -> str:
    return html.escape(str(text))
