"""`genbat build`: names, the library's rows and their resumption, the map, the manifest."""

import hashlib
import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from rdkit import Chem
from tiny_chemvae import table, trained

from genbat.core import paths
from genbat.domains.molecules import build as labels
from genbat.domains.molecules.measured import Outlier
from genbat.latent.maps import LatentMap
from genbat.studio import building, library_molecules, registry
from genbat.systems.chemvae_targets import TARGETS


@pytest.fixture
def assets(tmp_path, monkeypatch):
    """An assets folder with the tiny data set, and a home of its own."""
    monkeypatch.setattr(paths, "ASSETS", tmp_path / "assets")
    monkeypatch.setattr(registry, "load", lambda name: trained()[0])
    monkeypatch.setenv("GENBAT_HOME", str(tmp_path / "home"))
    (tmp_path / "assets/data").mkdir(parents=True)
    table().to_parquet(tmp_path / "assets/data/molecules.parquet")
    return tmp_path / "assets"


def fake_labels(texts, **options):
    for text in texts:
        if Chem.MolFromSmiles(text).HasSubstructMatch(Chem.MolFromSmiles("O")):
            yield {"smiles": text, "failed": "a C-O bond broke"}
        else:
            yield {"smiles": text, "lumo_ev": -1.5, "failed": ""}


def small_library(monkeypatch, log, known=(), stream=fake_labels, **options):
    monkeypatch.setattr(library_molecules, "label_stream", stream)
    options = {"reference": trained()[0], **options}
    return library_molecules.make_library(
        trained()[0], known, log=log, size=12, labelled=5, **options
    )


def test_names():
    crystals = ("crystals", "crystals:table", "crystals:elements", "crystals:conductors",
                "crystals:aims")  # fmt: skip
    made = ("chemvae", "moleculegpt", "moleculediffusion", "latentgan", "npvae", "additivevae",
            "cdvae", "mattergen", "unimat", "cubicgan", "crystalgpt", "imatgen", "crystalgan",
            "slicegan", "dcgan3d", "microvae", "microdiffusion", "microgpt", "seivae",
            "polymervae", "polymergpt", "polymerdiffusion", "polymermasking")  # fmt: skip
    shelves = tuple(f"library:{name}" for name in made)
    grown = ("microstructures", "microstructures:band", "interphases")
    maps = tuple(f"map:{domain}" for domain in registry.REFERENCE)
    rest = (*shelves, *maps, "manifest")
    assert ("molecules", *crystals, *grown, *rest) == building.DATASETS
    with pytest.raises(ValueError, match=r"'moleculs'; legal are molecules, crystals, crystals"):
        building.build("moleculs")


def test_library_rows(monkeypatch, tmp_path):
    system = trained()[0]
    drawn = [c.text for c in system.sample(200, seed=0)]
    known = set(drawn[:3])
    made = small_library(monkeypatch, tmp_path / "log.jsonl", known)
    assert len(made) == made["text"].nunique() == 12
    assert not set(made["text"]) & known
    assert made["text"].tolist() == [drawn[k] for k in made["index"]]
    assert set(made["seed"]) == {0}
    latents = np.array(made["latent"].tolist(), "f4")
    np.testing.assert_allclose(latents, system.encode(made["text"].tolist()), atol=0.01)
    values, halves = system.predict_table(system.encode(made["text"].tolist()))
    k = TARGETS.index("lumo_ev")
    np.testing.assert_allclose(made["lumo_ev_predicted"], values[:, k], rtol=1e-5)
    np.testing.assert_allclose(made["lumo_ev_half"], halves[:, k], rtol=1e-5)
    assert made["mass_g_mol"].min() > 10
    assert (made["failed"][5:] == labels.PENDING).all()
    assert made["lumo_ev"][5:].isna().all()
    asked = made.iloc[:5]
    assert ((asked["lumo_ev"] == -1.5) == (asked["failed"] == "")).all()
    assert made.attrs["weights"] == system.weights


def test_library_of_another_system_is_placed_by_the_maps(monkeypatch, tmp_path):
    class Other:
        """Draws what chemvae draws under a name and a hash of its own, without a latent space."""

        card = replace(trained()[0].card, name="moleculegpt")
        weights = "other"

        def sample(self, n, *, seed):
            return trained()[0].sample(n, seed=seed)

    monkeypatch.setattr(library_molecules, "label_stream", fake_labels)
    monkeypatch.setattr(library_molecules, "FEWER", (6, 2))
    made = library_molecules.make_library(
        Other(), [], log=tmp_path / "log.jsonl", reference=trained()[0]
    )
    assert len(made) == 6 and (made["failed"] == labels.PENDING).sum() == 4
    assert (made.attrs["system"], made.attrs["weights"]) == ("moleculegpt", "other")
    latents = np.array(made["latent"].tolist(), "f4")
    np.testing.assert_allclose(latents, trained()[0].encode(made["text"].tolist()), atol=0.01)


def test_library_survives_parquet(monkeypatch, tmp_path):
    made = small_library(monkeypatch, tmp_path / "log.jsonl")
    made.to_parquet(tmp_path / "library.parquet", index=False)
    again = pd.read_parquet(tmp_path / "library.parquet")
    assert again["text"].tolist() == made["text"].tolist()
    assert again["latent"][0].dtype == np.float16
    assert again["lumo_ev_half"].dtype == np.float32
    assert again.attrs["system"] == "chemvae"


def test_a_stopped_library_goes_on(monkeypatch, tmp_path):
    log, asked = tmp_path / "build" / "log.jsonl", []

    def remember(texts, **options):
        asked.append(list(texts))
        return fake_labels(texts)

    def stop(fraction, text):
        if "3 of 5" in text:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        small_library(monkeypatch, log, stream=remember, progress=stop)
    assert len(labels.read_log(log)) == 3
    small_library(monkeypatch, log, stream=remember)
    assert len(asked[1]) == 2
    assert set(asked[1]) < set(asked[0])


def test_a_system_with_nothing_new_is_told(monkeypatch, tmp_path):
    monkeypatch.setattr(library_molecules, "MOST", 3)
    known = [c.text for c in trained()[0].sample(36, seed=0)]
    with pytest.raises(ValueError, match="36 draws gave only 0 of 12"):
        small_library(monkeypatch, tmp_path / "log.jsonl", known)


def test_build_library(assets, monkeypatch):
    monkeypatch.setattr(library_molecules, "label_stream", fake_labels)
    monkeypatch.setattr(library_molecules, "SIZE", 8)
    monkeypatch.setattr(library_molecules, "LABELLED", 2)
    out = building.build("library:chemvae")
    assert out == assets / "libraries/chemvae.parquet"
    made = pd.read_parquet(out)
    assert len(made) == 8
    assert not set(made["text"]) & set(table()["smiles"])


def test_build_map(assets, monkeypatch):
    def fit(latents):
        assert latents.dtype == np.float16
        return LatentMap(latents, latents[:, :2].astype("f4"), 0.9)

    monkeypatch.setattr(LatentMap, "fit", fit)
    out = building.build("map:molecules")
    again = LatentMap.load(out)
    wanted = trained()[0].encode(table()["smiles"].tolist())
    np.testing.assert_allclose(again.latents.astype("f4"), wanted, atol=0.01)


def test_build_molecules_lists_outliers(assets, monkeypatch):
    asked = {}

    def fake_build(out, log, **options):
        asked.update(out=out, log=log, **options)
        return out

    outlier = Outlier("64-17-5", "viscosity_mpas", "a 1; b 3", "sources disagree")
    monkeypatch.setattr(labels, "build", fake_build)
    monkeypatch.setattr(
        "genbat.domains.molecules.measured.read_measured", lambda numbers: (None, [outlier])
    )
    out = building.build("molecules", workers=3)
    assert out == assets / "data/molecules.parquet"
    assert asked["log"] == paths.home() / "build/molecules.jsonl"
    assert asked["workers"] == 3
    rows = (assets / "data/molecules_outliers.csv").read_text().splitlines()
    assert rows == ["cas,key,values,reason", "64-17-5,viscosity_mpas,a 1; b 3,sources disagree"]


def test_manifest(assets):
    weights = assets / "weights/chemvae/weights.safetensors"
    weights.parent.mkdir(parents=True)
    weights.write_bytes(b"numbers")
    (assets / ".hidden").write_text("")
    out = building.build("manifest")
    listed = json.loads(out.read_text())
    assert set(listed) == {"data/molecules.parquet", "weights/chemvae/weights.safetensors"}
    entry = listed["weights/chemvae/weights.safetensors"]
    assert entry["sha256"] == hashlib.sha256(b"numbers").hexdigest()
    assert entry["bytes"] == 7
    assert entry["licence"] == "MIT"
    assert entry["script"] == "genbat train chemvae"
    assert listed["data/molecules.parquet"]["script"] == "genbat build molecules"
    assert building.build("manifest").read_text() == out.read_text()
    (assets / "stranger.bin").write_bytes(b"?")
    with pytest.raises(ValueError, match=r"stranger\.bin"):
        building.build("manifest")


def test_shipped_manifest_is_true():
    """Whatever lies under assets is listed with its true checksum."""
    manifest = paths.ASSETS / "manifest.json"
    if not manifest.exists():
        pytest.skip("no manifest is built yet (genbat build manifest)")
    for name, entry in json.loads(manifest.read_text()).items():
        content = (paths.ASSETS / name).read_bytes()
        assert hashlib.sha256(content).hexdigest() == entry["sha256"], name


def test_missing_data_is_named(assets):
    (assets / "data/molecules.parquet").unlink()
    with pytest.raises(ValueError, match="genbat build molecules"):
        building.build("map:molecules")
