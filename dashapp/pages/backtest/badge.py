"""The audit badge: whether a result may be believed, and the reason of every gate."""

from typing import Any

from dash import html

from dashapp.components import stat

VERDICTS = {
    "green": ("Passed", "up"),
    "amber": ("With caution", "amber"),
    "red": ("Do not trust", "down"),
}  # words, tone
TIP = (
    "The strategy as it was run is checked for look-ahead (prices after a date are spoilt or cut off; no earlier order may "
    "change), for fills on the bar of the decision, for warm-up, costs, the number of trades and survivorship of the tickers."
)
CHECKING, UNCHECKED = "Checking …", "Not checked"


def audit_stat(audit: dict[str, Any], *, checking: bool) -> html.Div:
    """Return the verdict as a key figure; checking: whether the job is still at it."""
    if audit.get("verdict") not in VERDICTS:
        note = (
            "for look-ahead; the result is shown meanwhile"
            if checking
            else "the check was not made, or ended early: run it again"
        )
        return stat("Audit", CHECKING if checking else UNCHECKED, tip=TIP, note=note, tone="neutral")
    words, tone = VERDICTS[audit["verdict"]]
    gates = audit.get("gates", [])
    passed = sum(gate["verdict"] == "green" for gate in gates)
    return stat("Audit", words, tip=TIP, note=f"{passed} of {len(gates)} gates green", tone=tone)


def gate_list(audit: dict[str, Any]) -> list[Any]:
    """Return every gate with its verdict and reason, open where one is not green; nothing before the check."""
    gates = audit.get("gates", [])
    if audit.get("verdict") not in VERDICTS or not gates:
        return []
    rows = [
        html.Li(f"{gate['label']}: {gate['detail']}", className=f"gate-{gate['verdict']}", title=VERDICTS[gate["verdict"]][0])
        for gate in worst_first(gates)
    ]  # fmt: skip
    summary = html.Summary(f"The audit's {len(gates)} gates and their reasons", className="small")
    return [
        html.Details([summary, html.Ul(rows, className="gates")], open=audit["verdict"] != "green", className="mb-3")
    ]


def worst_first(gates: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the gates, red ones before amber before green."""
    return sorted(gates, key=lambda gate: ("red", "amber", "green").index(gate["verdict"]))
