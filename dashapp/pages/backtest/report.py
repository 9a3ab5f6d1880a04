"""A stored backtest as one HTML file: light, printable, and in need of nothing beside it."""

import html
from collections.abc import Iterable

from analytics.backtest.tear_sheet import period_returns
from analytics.metrics import METRICS
from dashapp.figures.backtest_svg import bars_svg, line_svg
from dashapp.pages.backtest.assumptions import asked, assumed, notes, strategy_label, words
from dashapp.pages.backtest.badge import UNCHECKED, VERDICTS
from dashapp.pages.backtest.stored import Stored
from dashapp.pages.backtest.tables import (
    HEADLINE,
    LEVELS,
    Table,
    cost_words,
    crisis_words,
    drawdown_words,
    explain,
    interval_text,
    metric_groups,
    metric_text,
    month_words,
)
from dashapp.theme import FONT, palette

MOST_TRADES = 1_000  # listed; the CSV holds all
_COLUMNS = (
    "trade_id",
    "ticker",
    "direction",
    "entry_date",
    "entry_price",
    "entry_reason",
    "exit_date",
    "exit_price",
    "reason",
    "pnl",
    "return_pct",
)
_STYLE = """body{{font:14px/1.45 {font};color:{text};max-width:960px;margin:2rem auto;padding:0 1rem}}
h1{{font-size:1.4rem}} h2{{font-size:1.05rem;margin:1.6rem 0 .4rem}} h3{{font-size:.9rem;margin:1rem 0 .2rem}}
table{{border-collapse:collapse;width:100%;font-size:12px}} td,th{{padding:2px 6px;border-bottom:1px solid {grid};text-align:right}}
td:first-child,th:first-child{{text-align:left}} th{{color:{muted};font-weight:600}} svg{{width:100%;height:auto}}
.wide{{overflow-x:auto}} .groups{{column-width:20rem}} .facts td{{text-align:left;overflow-wrap:anywhere}} p,li{{overflow-wrap:anywhere}}
.green{{color:{up}}} .red{{color:{down}}} .note{{color:{muted};font-size:12px}}
@media print{{body{{margin:0;max-width:none}} h2{{break-after:avoid}} tr,svg{{break-inside:avoid}}}}"""


def html_report(shown: Stored) -> str:
    """Return the whole document. Everything that is stored is escaped."""
    result, record = shown.result, shown.record
    title = f"{strategy_label(result)}, {result['start_date']} to {result['end_date']}"
    colours = {name: palette("light")[name] for name in ("text", "grid", "muted", "up", "down")}
    years = period_returns(record, "Y")
    body = [
        f"<h1>{_e(title)}</h1>", *(f"<p>{_e(text)}</p>" for text in (asked(result), assumed(result), *notes(result, stale=False))),
        _verdict(shown), _headline(shown),
        _part("Equity, log scale, beside buy and hold", line_svg(
            record.dates, {"Strategy": record.equity, "Buy and hold": record.benchmark}, height=300, unit="usd", is_log=True)),
        _part("Drawdown", line_svg(record.dates, {"Drawdown": shown.account["drawdown"].to_numpy(dtype=float)}, height=140, unit="percent")),
        _part("Yearly returns", bars_svg([str(day)[:4] for day in years["period"].to_numpy("datetime64[D]")], years["strategy"].to_numpy(), height=180)),
        _part("Monthly returns", _table(month_words(record))), _part("Worst drawdowns", _table(drawdown_words(record))),
        _part("Crises", _table(crisis_words(record))), _part("Costs", _table(cost_words(shown.trades, record))),
        _metrics(shown), _part(_trades_title(shown), _table(_trades(shown))), _facts(shown),
    ]  # fmt: skip
    head = f'<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>{_e(title)}</title>'
    style = _STYLE.format(font=FONT, **colours)
    return f'<!DOCTYPE html>\n<html lang="en"><head>{head}<style>{style}</style></head>\n<body>{"".join(body)}</body></html>\n'


def _verdict(shown: Stored) -> str:
    audit = shown.audit
    if audit.get("verdict") not in VERDICTS:
        return f"<h2>Audit: {UNCHECKED.lower()}</h2>"
    rows = "".join(
        f'<li><span class="{_e(gate["verdict"])}">{_e(gate["verdict"])}</span> {_e(gate["label"])}: {_e(gate["detail"])}</li>'
        for gate in audit.get("gates", [])
    )
    return f"<h2>Audit: {_e(VERDICTS[audit['verdict']][0].lower())}</h2><ul>{rows}</ul>"


def _headline(shown: Stored) -> str:
    intervals = shown.audit.get("intervals") or {}
    rows = [
        [METRICS[key].label, metric_text(key, shown.metrics.get(key)), interval_text(key, intervals)]
        for key in HEADLINE if key in METRICS
    ]  # fmt: skip
    return _table((["Headline", "", "Block-bootstrap interval"], rows))


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


def _trades(shown: Stored) -> Table:
    names = [name for name in _COLUMNS if name in shown.trades and shown.trades[name].notna().any()]
    listed = shown.trades[names].head(MOST_TRADES)
    rows = [[_short(value) for value in row] for row in listed.itertuples(index=False, name=None)]
    return [name.replace("_", " ") for name in names], rows


def _facts(shown: Stored) -> str:
    result = shown.result
    facts = {
        "result": result["result_id"], "computed": result["test_date"], "data run": result["data_run_id"], "code": result["code_version"],
        "parameters": result["params"],
        **{name: value for name, value in shown.audit.items() if name not in ("gates", "intervals", "verdict")},
    }  # fmt: skip
    rows = "".join(
        f"<tr><td>{_e(name.replace('_', ' '))}</td><td>{_e(words(value))}</td></tr>" for name, value in facts.items()
    )
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
    return "".join(f"<{tag}>{_e(value)}</{tag}>" for value in values)


def _short(value: object) -> str:
    if isinstance(value, float):
        return f"{value:,.4g}" if value == value else ""  # NaN is unknown
    return "" if value is None else str(value)


def _e(text: object) -> str:
    return html.escape(str(text))
