"""`genbat train`: where it writes, what it says of itself, and the user's own data."""

import json
import math

import pytest
import torch
from tiny_chemvae import table

from genbat.core import paths
from genbat.domains.molecules import data as molecules
from genbat.studio import registry, training, training_molecules
from genbat.systems.chemvae import ChemVAE
from genbat.systems.chemvae_targets import TARGETS


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("GENBAT_HOME", str(tmp_path))
    return tmp_path


@pytest.fixture
def own(tmp_path):
    """A user's CSV of sixty molecules with two properties, some rows broken."""
    rows = table().iloc[:60]
    lines = [f"{s},{v:.3f},{t:.1f}" for s, v, t in zip(rows["smiles"], rows["lumo_ev"],
             rows["homo_ev"], strict=True)]  # fmt: skip
    path = tmp_path / "mine.csv"
    path.write_text("\n".join(["SMILES,lumo_ev,Viscosity_mPas", *lines, "C(C,1,1", "CCO,abc,1"]))
    return path


def test_own_data(own):
    frame, problems = training_molecules.read_own(own)
    assert len(frame) == 60
    assert [p.line for p in problems] == [62, 63]
    assert "lumo_ev: got 'abc'" in problems[1].message
    assert set(TARGETS) <= set(frame.columns)
    assert frame["tm_k"].isna().all()
    assert frame["viscosity_mpas"].notna().all()
    assert set(frame["split"]) >= {"train"}


def test_own_rows_of_one_molecule_are_averaged(tmp_path):
    path = tmp_path / "mine.csv"
    path.write_text("smiles,tm_k,tb_k\nCCO,100,\nOCC,200,350\nC(O)C,,NaN\n")
    frame, problems = training_molecules.read_own(path)
    assert problems == []
    assert frame["smiles"].tolist() == ["CCO"]
    assert frame.loc[0, "tm_k"] == 150
    assert frame.loc[0, "tb_k"] == 350
    assert math.isnan(frame.loc[0, "lumo_ev"])
    assert frame["split"].tolist() == ["train"]


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("smiles\nC(C\n", r"mine\.csv, line 2"),
        ("smiles,permittivity\nCCO,-3\n", "permittivity: got '-3'; legal is a number above 0"),
        ("smiles,tm_k\nCCO,inf\n", "tm_k: got 'inf'"),
        ("name\nCCO\n", "a column smiles is needed"),
        ("", "is empty"),
    ],
)
def test_own_data_without_a_good_row(tmp_path, text, part):
    path = tmp_path / "mine.csv"
    path.write_text(text)
    with pytest.raises(ValueError, match=part):
        training.train("chemvae", "tiny", path)


def test_training_on_own_data(own, home):
    threads, told = torch.get_num_threads(), []
    folder = training.train("chemvae", "tiny", own, progress=lambda f, text: told.append(f))
    assert torch.get_num_threads() == threads
    assert told == sorted(told)
    assert told[-1] == 1.0
    assert folder == home / "training/chemvae-tiny-mine/finished"
    system = ChemVAE.load(folder)
    assert system.config.steps_trained == 30
    count = json.loads((folder / "card.json").read_text())["parameters"]
    assert count == sum(p.numel() for p in system.network.parameters())
    card = (folder / "card.md").read_text()
    for part in ("ACS Cent. Sci. 2018", "SELFIES instead of SMILES", "mine.csv", "2 rows",
                 "30 steps", "genbat train chemvae", "Limits", "MIT"):  # fmt: skip
        assert part in card
    further = training.train("chemvae", "tiny", own, start=folder, minutes=0)
    assert ChemVAE.load(further).config.tokens == system.config.tokens


def test_shipped_system_is_replaced_from_a_checkout_only(tmp_path, monkeypatch):
    monkeypatch.setattr(paths, "ROOT", tmp_path)
    monkeypatch.setattr(registry, "ASSETS", tmp_path / "assets")
    shipped, own_folder = tmp_path / "assets/weights/chemvae", tmp_path / "finished"

    def target(preset, data):
        return training.target_folder("chemvae", preset, data, tmp_path)

    assert target("base", None) == own_folder
    (tmp_path / ".git").mkdir()
    assert target("base", None) == shipped
    assert target("tiny", None) == own_folder
    assert target("base", tmp_path / "mine.csv") == own_folder


def test_training_on_shipped_data(tmp_path, monkeypatch):
    monkeypatch.setattr(paths, "ROOT", tmp_path)
    monkeypatch.setattr(paths, "ASSETS", tmp_path / "assets")
    with pytest.raises(ValueError, match="genbat build molecules"):
        training.train("chemvae", "tiny")
    (tmp_path / "assets/data").mkdir(parents=True)
    table().to_parquet(tmp_path / "assets" / molecules.TABLE)
    monkeypatch.setattr(molecules, "load", lambda: molecules.Dataset(table()))
    folder = training.train("chemvae", "tiny", minutes=0)
    assert ChemVAE.load(folder).config.steps_trained == 1
    assert "108 train" in (folder / "card.md").read_text()


def test_old_metrics_do_not_outlive_their_weights(own, home):
    finished = home / "training/chemvae-tiny-mine/finished"
    finished.mkdir(parents=True)
    (finished / "metrics.json").write_text("{}")
    training.train("chemvae", "tiny", own, minutes=0)
    assert not (finished / "metrics.json").exists()


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        ({"name": "gan"}, "'gan'; legal are chemvae, cdvae"),
        ({"name": "chemvae", "preset": "huge"}, "'huge'; legal are tiny, base"),
    ],
)
def test_refusals(arguments, part):
    with pytest.raises(ValueError, match=part):
        training.train(**arguments)


def test_every_file_has_its_own_checkpoint(home):
    def name(preset, data):
        return training.own_folder("cdvae", preset, data).name

    assert name("base", None) == "cdvae"
    assert name("tiny", None) == "cdvae-tiny"
    files = ["perov5_train.csv.xz", "carbon24_train.csv.xz", "../ä b.cif"]
    names = [name("base", home / file) for file in files]
    assert names == ["cdvae-perov5_train", "cdvae-carbon24_train", "cdvae--b"]


def test_an_empty_start_is_named(own, tmp_path):
    with pytest.raises(ValueError, match="neither a checkpoint nor finished weights"):
        training.train("chemvae", "tiny", own, start=tmp_path)


def test_threads_leave_busy_cores_alone(monkeypatch):
    monkeypatch.setattr("os.cpu_count", lambda: 4)
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    for load, wanted in ((0.2, 4), (2.7, 2), (99.0, 1)):
        monkeypatch.setattr("os.getloadavg", lambda load=load: (load, 0, 0))
        assert training.free_cores() == wanted


def test_fewer_threads_can_be_asked_for(monkeypatch):
    monkeypatch.setattr("os.cpu_count", lambda: 4)
    monkeypatch.setattr("os.getloadavg", lambda: (0.2, 0, 0))
    for asked, wanted in (("1", 1), ("8", 4), ("0", 4), ("", 4), ("many", 4)):
        monkeypatch.setenv("OMP_NUM_THREADS", asked)
        assert training.free_cores() == wanted
