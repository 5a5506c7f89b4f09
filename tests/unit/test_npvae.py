"""npvae on a toy: steps of trees, the Tree-LSTM, the likelihood recomputed, what is grown."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from rdkit import Chem
from tiny_chemvae import table

from genbat.core.condition import Condition, Window
from genbat.domains.molecules.fragments import molecule_of, tree_of
from genbat.systems import npvae_training
from genbat.systems.npvae import NPVAE
from genbat.systems.npvae_growth import LARGEST, grown
from genbat.systems.npvae_network import Network, Open, Trees
from genbat.systems.npvae_trees import ATOMS, BACK, Vocabulary
from genbat.systems.run import Schedule

torch.set_num_threads(1)
SIZES = {"latent": 16, "width": 32, "hidden": 64, "members": 3, "head_hidden": 16}
FEW = Schedule(steps=4, batch=8, rate=1e-3, warm_steps=1)


def train_rows():
    own = table()
    return own[own["split"] == "train"]


@pytest.fixture(scope="module")
def system(tmp_path_factory):
    schedule = Schedule(steps=500, batch=32, rate=5e-3, warm_steps=5)
    run = npvae_training.train(table(), tmp_path_factory.mktemp("n"), schedule=schedule, **SIZES)
    return npvae_training.finished(run, table())


@pytest.fixture(scope="module")
def fresh():
    config = npvae_training.make_config(train_rows(), **SIZES)
    torch.manual_seed(0)
    return config, Network(config).eval()


# ---------------------------------------------------------------------- trees as numbers
def test_steps_give_the_tree_back():
    trees = npvae_training.trees_of(train_rows())
    known = Vocabulary.of(trees)
    for tree, smiles in zip(trees, train_rows()["smiles"], strict=True):
        steps = known.steps(tree)
        back = known.tree(steps.root, list(zip(steps.actions, steps.ways, strict=True)))
        assert back == tree and molecule_of(back) == smiles
        assert steps.actions.count(BACK) == len(steps.parents)
        assert len(steps) == 2 * len(steps.parents) - 1


def test_what_is_not_known_is_told():
    known = Vocabulary.of([tree_of("CCO")])
    with pytest.raises(ValueError, match="holds F, which no training molecule does"):
        known.steps(tree_of("CF"))
    known = Vocabulary.of([tree_of("CC=O")])
    with pytest.raises(ValueError, match="hangs on another piece by its atom"):
        known.steps(tree_of("O=CC=O"))


# ---------------------------------------------------------------------- networks
def test_the_encoder_is_the_papers_tree_lstm(fresh):
    """Equations 2 to 8 of Tai et al., node by node."""
    config, net = fresh
    known, encoder = config.vocabulary(), net.encoder
    steps = known.steps(tree_of("CC(C)O"))
    trees, pieces = Trees.of([steps]), net.pieces()
    h, hidden = {}, config.hidden
    weights, bias = encoder.enter.weight, encoder.enter.bias
    for k in reversed(range(len(steps.parents))):
        x = pieces[steps.node_pieces[k]]
        if k:
            x = x + encoder.on.weight[steps.ons[k - 1]] + encoder.at.weight[steps.ats[k - 1]]
        w = weights @ x + bias
        i_x, o_x, u_x, f_x = w.split(hidden)
        below = [j for j, parent in enumerate(steps.parents) if parent == k]
        heard = sum((h[j][0] for j in below), torch.zeros(hidden))
        i_h, o_h, u_h = (encoder.gates.weight @ heard).split(hidden)
        cell = torch.sigmoid(i_x + i_h) * torch.tanh(u_x + u_h)
        for j in below:
            cell = cell + torch.sigmoid(f_x + encoder.forget.weight @ h[j][0]) * h[j][1]
        h[k] = torch.sigmoid(o_x + o_h) * torch.tanh(cell), cell
    total = sum(h[k][0] for k in h) / 4
    wanted = encoder.out(torch.cat([h[0][0], total]))[: config.latent]
    assert torch.allclose(encoder(trees, pieces)[0][0], wanted, atol=1e-5)


def test_trees_side_by_side_are_read_as_alone(fresh):
    config, net = fresh
    known = config.vocabulary()
    rows = [known.steps(tree_of(smiles)) for smiles in train_rows()["smiles"][:9]]
    pieces = net.pieces()
    together = net.encoder(Trees.of(rows), pieces)[0]
    for k, row in enumerate(rows):
        assert torch.allclose(together[k], net.encoder(Trees.of([row]), pieces)[0][0], atol=1e-5)
    z = torch.randn(9, config.latent)
    nll = net.nll(z, Trees.of(rows), pieces)
    for k, row in enumerate(rows):
        assert torch.allclose(nll[k], net.nll(z[k : k + 1], Trees.of([row]), pieces)[0], atol=1e-4)


def test_the_likelihood_is_the_product_of_the_steps(fresh):
    config, net = fresh
    known = config.vocabulary()
    steps, z, pieces = known.steps(tree_of("CC(C)O")), torch.randn(1, config.latent), net.pieces()
    total = -net.decoder.roots(z, pieces).log_softmax(1)[0, steps.root]
    state = None
    for t in range(len(steps)):
        one = lambda values, t=t: torch.tensor(values[t])[None, None]  # noqa: E731
        now = Open(one(steps.pieces), pieces[one(steps.pieces)], one(steps.held),
                   torch.tensor(steps.used[t])[None, None], one(steps.last))  # fmt: skip
        out, state = net.decoder.states(z, now, state)
        total = total - net.decoder.actions(out, now)[0, 0].log_softmax(0)[steps.actions[t]]
        if steps.actions[t] != BACK:
            on = torch.tensor([[steps.actions[t] - 1]])
            total = total - net.decoder.ways(out, on)[0, 0].log_softmax(0)[steps.ways[t]]
    assert net.nll(z, Trees.of([steps]), pieces).item() == pytest.approx(total.item(), rel=1e-4)


def test_what_has_no_room_is_barred(fresh):
    config, net = fresh
    known = config.vocabulary()
    oxygen = known.piece_number["O"]
    pieces = net.pieces()
    held = torch.tensor([[0]])
    used = torch.zeros(1, 1, ATOMS, dtype=torch.long)
    for count, legal in ((0, True), (1, False)):
        used[0, 0, 0] = count
        now = Open(torch.tensor([[oxygen]]), pieces[oxygen][None, None], held, used,
                   torch.tensor([[-1]]))  # fmt: skip
        scores = net.decoder.actions(torch.zeros(1, 1, config.hidden), now)[0, 0]
        assert bool(torch.isfinite(scores[1])) == legal
        assert torch.isfinite(scores[0]) and not torch.isfinite(scores[2:]).any()


def test_whatever_is_grown_is_a_molecule(fresh):
    config, net = fresh
    for scale in (1.0, 5.0):
        z = scale * torch.randn(40, config.latent, generator=torch.Generator().manual_seed(0))
        for tree in grown(net, config.vocabulary(), z):
            mol = Chem.MolFromSmiles(molecule_of(tree))
            assert mol is not None and mol.GetNumHeavyAtoms() <= LARGEST


# ---------------------------------------------------------------------- the system
def test_molecules_come_back_from_their_points(system):
    texts = train_rows()["smiles"].tolist()
    found = system.decode_texts(system.encode(texts))
    assert np.mean([a == b for a, b in zip(texts, found, strict=True)]) > 0.3


def test_draws_are_valid_and_the_same_again(system):
    few, more = ([c.text for c in system.sample(n, seed=3)] for n in (5, 300))
    assert few == more[:5]
    made = list(system.sample(100, seed=1))
    assert all(Chem.MolFromSmiles(c.text) is not None and c.latent for c in made)
    reasons = {reason for c in made for reason in c.verdict.reasons}
    assert reasons <= {"has no carbon atom"}


def test_heads_have_intervals(system):
    own = table()
    own = own[own["split"] == "train"]
    (one, *_) = system.predict(system.encode(own["smiles"].tolist()[:1]))
    assert set(one) == {"homo_ev", "lumo_ev"}
    assert all(m.uncertainty > 0 and m.kind == "predicted" for m in one.values())
    values, _ = system.predict_table(system.encode(own["smiles"].tolist()))
    truth = own["lumo_ev"].to_numpy()
    assert np.corrcoef(values[:, 1], truth)[0, 1] > 0.6


def test_batches_are_of_like_lengths_and_of_all_trees():
    rng = np.random.default_rng(0)
    corpus = npvae_training.Grown([[0] * n for n in rng.integers(2, 40, 500)], torch.zeros(500, 2))
    rules = replace(npvae_training.PRESETS["base"], steps=64, batch=16)
    batches = list(npvae_training.batches_of(corpus, rules, 0))
    assert [len(rows) for rows in batches] == [16] * 64
    spans = [np.ptp([len(corpus.steps[row]) for row in rows]) for rows in batches]
    assert np.mean(spans) < 40 / 4
    counts = np.bincount(np.concatenate(batches), minlength=500)
    lengths = np.array([len(steps) for steps in corpus.steps])
    assert abs(counts[lengths < 20].mean() - counts[lengths >= 20].mean()) < 0.3
    assert batches[20:] == list(npvae_training.batches_of(corpus, rules, 20))


def test_a_stopped_training_ends_like_an_unstopped_one(tmp_path):
    whole = npvae_training.train(table(), tmp_path / "a", schedule=FEW, **SIZES)
    for turn in range(4):
        parts = npvae_training.train(
            table(), tmp_path / "b", schedule=FEW, resume=turn > 0, minutes=0, **SIZES
        )
    for key, value in whole.mean.state_dict().items():
        assert torch.equal(value, parts.mean.state_dict()[key])


def test_saved_and_loaded(system, tmp_path):
    system.save(tmp_path)
    one, two = (NPVAE.load(tmp_path) for _ in range(2))
    assert [c.text for c in one.sample(5)] == [c.text for c in two.sample(5)]
    assert torch.equal(one.network.pieces.prints, system.network.pieces.prints)


def test_wishes_are_refused(system):
    with pytest.raises(ValueError, match="cannot honour lumo_ev; moleculegpt can be asked"):
        next(iter(system.sample(1, condition=Condition({"lumo_ev": Window(0, 1)}))))


# ---------------------------------------------------------------------- measured
def test_measured_beside_chemvae(system, monkeypatch, tmp_path):
    from tiny_chemvae import trained

    from genbat.studio import evaluation, metrics_npvae, registry

    monkeypatch.setenv("GENBAT_HOME", str(tmp_path))
    monkeypatch.setattr(registry, "trained", lambda name: name == "chemvae")
    monkeypatch.setattr(registry, "load", lambda name: trained()[0])
    found = evaluation.evaluate(
        "npvae", n=20, system=system, examples=table(), parts=["reconstruction", "heads"]
    )["metrics"]
    own = table()
    test = own[own["split"] == "test"].set_index("smiles")
    known = []
    for smiles in test.index:
        try:
            system.vocabulary.steps(tree_of(smiles))
            known.append(smiles)
        except ValueError:
            continue
    assert found["writable"]["value"] == len(known) / len(test) > 0.5
    back = system.decode_texts(system.encode(known))
    same = sum(a == b for a, b in zip(known, back, strict=True)) / len(test)
    assert found["reconstruction_exact"]["value"] == same
    values, _ = system.predict_table(system.encode(known))
    error = np.abs(values[:, 1] - test.loc[known, "lumo_ev"].to_numpy()).mean()
    row = found["lumo_ev_mae"]
    assert row["value"] == pytest.approx(error)
    assert row["bar"] == pytest.approx(metrics_npvae.AT_MOST * row["baselines"]["chemvae"])
