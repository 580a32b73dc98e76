"""Seeded example data of any size."""
