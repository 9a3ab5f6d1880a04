"""The buttons that let the shown result leave the page; what they do is in exports.py."""

import dash_bootstrap_components as dbc
from dash import dcc, html

from dashapp.ids import ids

ID = ids("backtest-export", "bar", "download", "equity", "trades", "json", "report")
LABELS = {
    ID.equity: "Equity, CSV", ID.trades: "Trades, CSV", ID.json: "Result, JSON", ID.report: "Report, HTML",
}  # fmt: skip


def exports_bar() -> html.Div:
    """Return the buttons, hidden while no result is shown."""
    buttons = [
        dbc.Button([html.I(className="bi bi-download"), f" {label}"], id=key, size="sm", color="secondary", outline=True)
        for key, label in LABELS.items()
    ]  # fmt: skip
    return html.Div([dcc.Download(id=ID.download), *buttons], id=ID.bar, hidden=True, className="exports mb-3")
