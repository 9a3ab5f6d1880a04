"""What must be true of a finished store, each rule as a count of rows that break it."""

from pipeline.queries._connection import Reader

# These read whole tables on purpose: they run once per update, never for a page.
RULES = {
    "prices without signals": (
        "SELECT count(*) FROM prices AS p WHERE NOT EXISTS "
        "(SELECT 1 FROM technical_signals AS s WHERE s.ticker = p.ticker AND s.date = p.date)"
    ),
    "signals without prices": (
        "SELECT count(*) FROM technical_signals AS s WHERE NOT EXISTS "
        "(SELECT 1 FROM prices AS p WHERE s.ticker = p.ticker AND s.date = p.date)"
    ),
    "active instruments without prices": (
        "SELECT count(*) FROM instruments AS i WHERE active = 1 AND NOT EXISTS "
        "(SELECT 1 FROM prices AS p WHERE p.ticker = i.ticker)"
    ),
    "fits without loadings": (
        "SELECT count(*) FROM factor_model_fits AS f WHERE NOT EXISTS (SELECT 1 FROM factor_loadings AS l "
        "WHERE l.ticker = f.ticker AND l.model = f.model AND l.frequency = f.frequency "
        "AND l.window_months = f.window_months AND l.as_of = f.as_of)"
    ),
    "portfolios whose weights do not add up to one": (
        "SELECT count(*) FROM (SELECT 1 FROM frontier_weights GROUP BY universe, as_of, estimator, point "
        "HAVING abs(sum(weight) - 1) > 1e-9)"
    ),
}


def has_prices(reader: Reader) -> bool:
    """Whether the store holds any price."""
    return reader.one("SELECT 1 FROM prices LIMIT 1") is not None


def faults(reader: Reader) -> dict[str, int]:
    """Return {rule: rows that break it}."""
    return {name: int((reader.one(sql) or (0,))[0]) for name, sql in RULES.items()}
