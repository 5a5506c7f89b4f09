"""Colours that pictures, charts and 3D views share."""

# Phases of a volume by label: pore light, active material dark blue-grey, carbon-binder orange.
PHASES = ("#dfe6ee", "#3d5166", "#f28e2b", "#76b7b2", "#b07aa1", "#9c755f", "#e15759", "#59a14f")
