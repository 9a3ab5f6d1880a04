"""What must be true of a finished store, each rule as a count of rows that break it."""

from pipeline.queries._connection import Reader
from pipeline.schema import MARKET

# These read whole tables on purpose: they run once per update, never for a page. The first two would read every
# price and signal; an update compares the noted rows of each year instead, and the check of a published store reads.
_THOROUGH = {
    "prices without signals": (
        "SELECT count(*) FROM prices AS p WHERE NOT EXISTS "
        "(SELECT 1 FROM technical_signals AS s WHERE s.ticker = p.ticker AND s.date = p.date)"
    ),
    "signals without prices": (
        "SELECT count(*) FROM technical_signals AS s WHERE NOT EXISTS "
        "(SELECT 1 FROM prices AS p WHERE s.ticker = p.ticker AND s.date = p.date)"
    ),
}
RULES = {
    "years with other sessions in signals than in prices": (
        "SELECT count(*) FROM ("
        "SELECT part, rows FROM partition_checksums WHERE table_name = 'prices' EXCEPT "
        "SELECT part, rows FROM partition_checksums WHERE table_name = 'technical_signals')"
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


def count(reader: Reader, table: str) -> int:
    """Return the rows of a table of the market store."""
    name = MARKET.tables[table].name  # a KeyError for any other word
    return int((reader.one(f"SELECT count(*) FROM {name}") or (0,))[0])


def faults(reader: Reader, *, thorough: bool = False) -> dict[str, int]:
    """Return {rule: rows that break it} of the rules that are broken."""
    rules = RULES | _THOROUGH if thorough else RULES
    found = {name: int((reader.one(sql) or (0,))[0]) for name, sql in rules.items()}
    return {name: rows for name, rows in found.items() if rows}
