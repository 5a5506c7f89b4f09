"""Training objectives and samplers in pure torch; knows no chemistry."""
