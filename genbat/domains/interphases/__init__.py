"""Solid-electrolyte interphases on a lattice: grown by kinetic Monte Carlo, and counted."""
