"""Expected returns of the five-factor model, as stored with its fits."""

from analytics.portfolio.expected_returns._stored import from_factor_model

EXPECTED_RETURNS = from_factor_model(
    "ff5",
    "Fama-French 5",
    description="The return that each ticker's loadings on market, size, value, profitability and investment require.",
    reference="Fama and French (2015), A five-factor asset pricing model",
)
