"""chemeleon-dng 0.1.5 on given crystals: train from scratch for some CPU minutes, then sample.

Not meant to be called by hand: `crystal_sampling.py --peer-python` runs it with the Python of an
environment of its own (`pip install chemeleon-dng==0.1.5`), since GenBat does not depend on it.
Sizes and steps are the package's published defaults (configs of its repository): 512 wide, 6
layers, 256 steps; Adam 1e-3, gradients clipped at 0.5, batches of 64 instead of 256 for the CPU.
"""

import argparse
import json
import time
from pathlib import Path

BATCH, SAMPLE_BATCH = 64, 32
MODEL = {"hidden_dim": 512, "time_dim": 256, "num_layers": 6, "max_atoms": 100, "act_fn": "silu",
         "dis_emb": "sin", "num_freqs": 128, "ln": True, "ip": True, "smooth": False,
         "cond_dim": 0, "pred_atom_types": True}  # fmt: skip
OPTIMIZER = {"optimizer": "adam", "lr": 1e-3, "weight_decay": 0, "scheduler": "constant",
             "patience": 30, "early_stopping": 500, "warmup_steps": 0}  # fmt: skip
DIFFUSION = {"num_timesteps": 256, "beta_schedule_ddpm": "cosine",
             "beta_schedule_d3pm": "reciprocal", "max_atoms": 100, "d3pm_hybrid_coeff": 0.1,
             "sigma_begin": 0.005, "sigma_end": 0.5}  # fmt: skip


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("rows", type=Path, help="JSON: numbers, lattice, fractions of each crystal")
    parser.add_argument("out", type=Path)
    parser.add_argument("--minutes", type=float, required=True)
    parser.add_argument("--samples", type=int, required=True)
    asked = parser.parse_args()

    import torch
    from chemeleon_dng.script_util import create_diffusion_module

    torch.set_num_threads(1)
    torch.manual_seed(0)
    module = create_diffusion_module(
        task="dng", model_configs=dict(MODEL), optimizer_configs=OPTIMIZER, **DIFFUSION
    )
    crystals = [as_graph(row) for row in json.loads(asked.rows.read_text())]
    steps, seconds = train(module, crystals, 60 * asked.minutes)
    made, spent = sample(module, crystals, asked.samples)
    parameters = sum(p.numel() for p in module.model.parameters())
    result = {"steps": steps, "training_s": seconds, "sampling_s": spent, "crystals": made,
              "parameters": parameters}  # fmt: skip
    asked.out.write_text(json.dumps(result))


def as_graph(row):
    import torch
    from torch_geometric.data import Data

    fractions = torch.tensor(row["fractions"], dtype=torch.float)
    return Data(
        pos=fractions,
        atom_types=torch.tensor(row["numbers"], dtype=torch.long),
        frac_coords=fractions,
        lattices=torch.tensor(row["lattice"], dtype=torch.float)[None],
        num_atoms=torch.tensor([len(row["numbers"])]),
    )


def train(module, crystals, seconds):
    import torch
    from torch_geometric.loader import DataLoader

    optimiser = torch.optim.Adam(module.parameters(), lr=OPTIMIZER["lr"])
    loader = DataLoader(crystals, batch_size=BATCH, shuffle=True)
    begin, steps = time.process_time(), 0
    module.train()
    while True:
        for batch in loader:
            loss = module.calculate_loss(batch)["total_loss"]
            optimiser.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_value_(module.parameters(), 0.5)
            optimiser.step()
            steps += 1
            if time.process_time() - begin > seconds:
                return steps, time.process_time() - begin


def sample(module, crystals, n):
    import numpy as np

    sizes = np.random.default_rng(0).choice([int(c.num_atoms) for c in crystals], n).tolist()
    module.eval()
    begin, made = time.process_time(), []
    for k in range(0, n, SAMPLE_BATCH):
        for atoms in module.sample("dng", sizes[k : k + SAMPLE_BATCH], verbose=False):
            made.append({"numbers": atoms.numbers.tolist(), "lattice": atoms.cell[:].tolist(),
                         "fractions": atoms.get_scaled_positions().tolist()})  # fmt: skip
    return made, time.process_time() - begin


if __name__ == "__main__":
    main()
