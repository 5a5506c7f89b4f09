"""Crystals for electrodes and solid electrolytes: data, codec, physics, drawing."""
