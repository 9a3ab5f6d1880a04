"""The last step before publishing: what must be true of a store that an analyst will trust."""

from pipeline import schema, store
from pipeline.errors import CheckError
from pipeline.queries import checks as check_queries
from pipeline.steps._step import Context, Outcome, Step


def run(context: Context) -> Outcome:
    """Check the store and note the checksum of every table; raises CheckError with every fault found."""
    for table in store.CONTENT:
        if store.part_columns(table) is None:
            store.seal(context.connection, table)
    faults = [f"{name}: {count} rows" for name, count in check_queries.faults(context.reader).items()]
    if not check_queries.has_prices(context.reader):
        faults.append("there are no prices at all")
    rows = 0
    for number, table in enumerate(store.CONTENT):
        context.report(number / len(store.CONTENT), table.name)
        count, checksum = store.table_checksum(context.connection, table)
        stored = check_queries.count(context.reader, table.name)
        if stored != count:
            faults.append(f"{table.name} has {stored} rows, and checksums for {count}")
        store.insert(context.connection, schema.table_checksums, {
            "run_id": [context.run_id], "table_name": [table.name], "rows": [count], "checksum": [checksum],
        })  # fmt: skip
        rows += count
    if faults:
        raise CheckError("The built store is not fit to be shown: " + "; ".join(faults[:10]))
    return Outcome(0, message=f"{rows:,} rows in {len(store.CONTENT)} tables")


STEP = Step("checks", "Checks", tuple(table.name for table in store.CONTENT), ("table_checksums",), run)
