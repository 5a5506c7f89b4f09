"""Six average voltages by CHGNet 0.3.0 and by its r2SCAN weights, beside the measured ones.

`python benchmarks/voltage_check.py`; a quarter of an hour on one core.
"""

import warnings

import torch

from genbat.domains.crystals.validation import computed_voltages, known_voltages

MOST_ERROR = 0.30  # V, mean absolute error of CHGNet 0.3.0


def main():
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    measured = {k.formula: k.measured_v for k in known_voltages()}
    found = {weights: dict(computed_voltages(weights)) for weights in ("0.3.0", "r2scan")}
    print(f"{'host':10s} {'measured':>9s} {'0.3.0':>7s} {'r2SCAN':>7s}")
    for name, value in measured.items():
        numbers = " ".join(f"{found[w].get(name, float('nan')):7.2f}" for w in found)
        print(f"{name:10s} {value:9.2f} {numbers}")
    errors = {
        w: sum(abs(v[name] - measured[name]) for name in v) / len(v) for w, v in found.items()
    }
    print(f"mean absolute error: 0.3.0 {errors['0.3.0']:.2f} V, r2SCAN {errors['r2scan']:.2f} V "
          f"(bar: {MOST_ERROR} V for 0.3.0)")  # fmt: skip


if __name__ == "__main__":
    main()
