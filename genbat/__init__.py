"""GenBat: generative models for battery materials, rebuilt, compared and judged by physics."""

__version__ = "0.1.0"
