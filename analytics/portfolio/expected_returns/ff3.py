"""Expected returns of the three-factor model, as stored with its fits."""

from analytics.portfolio.expected_returns._stored import from_factor_model

EXPECTED_RETURNS = from_factor_model(
    "ff3",
    "Fama-French 3",
    description="The return that each ticker's loadings on market, size and value require.",
    reference="Fama and French (1993), Common risk factors in the returns on stocks and bonds",
)
