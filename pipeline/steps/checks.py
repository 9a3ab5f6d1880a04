"""The last step before publishing: what must be true of a store that an analyst will trust."""

from pipeline import schema, store
from pipeline.errors import CheckError
from pipeline.queries import checks as check_queries
from pipeline.steps._step import Context, Outcome, Step

_CHECKED = tuple(
    table for table in schema.MARKET.sorted_tables
    if table.name not in ("runs", "step_runs", "fetch_log", "rejects", "table_checksums", "published")
)  # fmt: skip


def run(context: Context) -> Outcome:
    """Check the whole store and note the checksum of every table; raises CheckError with every fault found."""
    faults = store.violations(context.connection) + [
        f"{name}: {count} rows" for name, count in check_queries.faults(context.reader).items() if count
    ]
    if not check_queries.has_prices(context.reader):
        faults.append("there are no prices at all")
    if faults:
        raise CheckError("The built store is not fit to be shown: " + "; ".join(faults[:10]))
    rows = 0
    for number, table in enumerate(_CHECKED):
        context.report(number / len(_CHECKED), table.name)
        count, checksum = store.table_checksum(context.connection, table)
        store.insert(context.connection, schema.table_checksums, {
            "run_id": [context.run_id], "table_name": [table.name], "rows": [count], "checksum": [checksum],
        })  # fmt: skip
        rows += count
    return Outcome(0, message=f"{rows:,} rows in {len(_CHECKED)} tables")


STEP = Step("checks", "Checks", tuple(table.name for table in _CHECKED), ("table_checksums",), run)
