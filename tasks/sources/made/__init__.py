"""Data that the project makes: seeded generators over hand-written words, frames, facts and scenes."""
