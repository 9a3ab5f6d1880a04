"""Expected returns of the capital asset pricing model, as stored with its fits."""

from analytics.portfolio.expected_returns._stored import from_factor_model

EXPECTED_RETURNS = from_factor_model(
    "capm",
    "CAPM",
    description="The return that each ticker's market beta requires.",
    reference="Sharpe (1964), Capital asset prices; Lintner (1965)",
)
