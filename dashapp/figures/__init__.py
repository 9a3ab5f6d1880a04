"""Figures as plain dicts with typed arrays: frames in, figure out. They draw what they are given, and compute nothing."""
