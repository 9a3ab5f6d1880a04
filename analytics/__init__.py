"""Pure mathematics: arrays, frames and frozen dataclasses in and out. No files, SQL, network, clock or drawing."""
