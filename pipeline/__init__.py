"""From sources to a published store: fetch → check → store → precompute → publish."""
