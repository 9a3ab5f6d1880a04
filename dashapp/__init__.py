"""The web app: reads the store through queries, draws it, and runs backtests in the background."""
