"""Placing, walking and judging latent points; numpy and scipy only."""
