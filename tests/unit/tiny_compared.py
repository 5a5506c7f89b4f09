"""A comparison of crystals with made-up numbers, as `genbat compare` writes it."""

import json

from genbat.studio.compared_measures import CRYSTALS
from genbat.studio.metrics import REAL
from genbat.studio.metrics_crystals import RESAMPLED, SUBSTITUTED

SYSTEMS = ["cdvae", "mattergen", "imatgen", "cubicgan"]
SHARES = {"cdvae": 0.6, "mattergen": 0.9, "imatgen": 0.4, "cubicgan": 0.605, RESAMPLED: 0.93,
          SUBSTITUTED: 0.8, REAL: 0.94}  # fmt: skip


def row(share):
    """Every share the same, every other number ten times what is missing of it."""
    return {m.key: share if m.unit == "share" else round(10 * (1 - share), 3) for m in CRYSTALS}


def comparison(**changes):
    """Its JSON."""
    rows = {name: row(share) for name, share in SHARES.items()}
    for name in (RESAMPLED, SUBSTITUTED, REAL):
        rows[name]["seconds_valid"] = None
    told = {"domain": "crystals", "n": 1000, "seed": 0, "systems": SYSTEMS, "rows": rows,
            "versions": {"genbat": "0.1.0", "chgnet": "0.3.0"}}  # fmt: skip
    return told | changes


def written(folder, **changes):
    """A function that finds the file, to be put in place of `compared.path_of`."""
    place = folder / "compare_crystals.json"
    place.write_text(json.dumps(comparison(**changes)), "utf-8")
    return lambda domain: folder / f"compare_{domain}.json"
