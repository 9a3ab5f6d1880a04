"""Small pieces of layout shared by the pages; they know nothing of the store."""

from dashapp.components.cards import card, empty_state, error_title, guarded, info, stat, stats
from dashapp.components.controls import KEPT, empty_graph, field, graph, graph_style
from dashapp.components.tables import (
    column,
    grid,
    grid_id,
    number_column,
    p_value_column,
    percent_column,
    plain_table,
    records,
    text_table,
)

__all__ = [
    "KEPT",
    "card",
    "column",
    "empty_graph",
    "empty_state",
    "error_title",
    "field",
    "graph",
    "graph_style",
    "grid",
    "grid_id",
    "guarded",
    "info",
    "number_column",
    "p_value_column",
    "percent_column",
    "plain_table",
    "records",
    "stat",
    "stats",
    "text_table",
]
