"""The command line: exit status, messages, what it hands to the studio; the studio is a fake."""

import json
import sys
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest

from genbat import __version__, cli
from genbat.core.candidate import Candidate, Verdict
from genbat.core.condition import Window
from genbat.core.errors import JobCancelled
from genbat.core.provenance import Provenance


@dataclass(frozen=True)
class Card:
    """As much of a card as the command line shows."""

    name: str = "toy"
    domain: str = "molecules"
    family: str = "VAE"
    title: str = "A toy [of a] system"
    paper: str = "Nobody, 2026"
    capabilities: tuple[str, ...] = ("sample",)
    trained_on: str = "nothing"
    licence: str = "MIT"
    metrics: dict = field(default_factory=dict)
    parameters: int = 1234


def candidate(text, ok=True):
    return Candidate(text, "molecules", Verdict(ok), Provenance("toy", "sample"))


class Toy:
    """A system that remembers what it was asked."""

    def __init__(self, asked):
        self.asked = asked

    def sample(self, n, *, condition=None, seed=0, progress=None):
        self.asked.update(n=n, condition=condition, seed=seed)
        for k in range(n):
            progress((k + 1) / n, f"[Li+] {k + 1} of {n}")
            yield candidate("C" * (k + 1), ok=k != 0)


@pytest.fixture
def studio(monkeypatch):
    """Fakes of the studio's modules; returns what they were asked."""
    asked = SimpleNamespace(sample={}, calls=[], written=[])

    def record(name, answer=None):
        def call(*args, **options):
            options.pop("progress", None)
            asked.calls.append((name, args, options))
            return answer

        return call

    walk = SimpleNamespace(candidates=[candidate("C"), candidate("CC")])
    metrics = {"valid": {"value": 1.0, "unit": "", "baselines": {"prior": 0.5}, "bar": 1.0}}
    result = {"system": "toy", "n": 5, "seed": 1, "metrics": metrics, "versions": {}}
    fakes = {
        "registry": {
            "names": lambda: ["toy", "other"],
            "card": lambda name: Card(name=name),
            "load": lambda name: Toy(asked.sample),
            "target_keys": lambda name: {"lumo_ev", "vip_ev"},
        },
        "exports": {"write": lambda candidates, out: asked.written.append((candidates, out))},
        "path": {"walk": record("walk", walk)},
        "evaluation": {"evaluate": record("evaluate", result), "keep": record("keep", result)},
        "labelling": {"label_file": record("label")},
        "building": {"build": record("build", Path("table")), "DATASETS": ("molecules",)},
        "training": {"train": record("train", Path("weights"))},
    }
    package = ModuleType("genbat.studio")
    monkeypatch.setitem(sys.modules, "genbat.studio", package)
    for name, members in fakes.items():
        module = ModuleType(f"genbat.studio.{name}")
        vars(module).update(members)
        monkeypatch.setattr(package, name, module, raising=False)
        monkeypatch.setitem(sys.modules, module.__name__, module)
    return asked


def wrong(capsys, *words, status=2):
    """Run a command line that must fail; its one line on stderr."""
    assert cli.main([str(w) for w in words]) == status
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.count("\n") == 1
    assert printed.err.startswith("genbat: ")
    return printed.err


def test_help_and_version(capsys):
    assert cli.main(["--help"]) == 0
    everything = capsys.readouterr().out
    commands = {"systems", "sample", "interpolate", "evaluate", "label", "build", "train", "app"}
    assert not {name for name in commands if name not in everything}
    assert cli.main([]) == 0
    assert cli.main(["--version"]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == __version__


def test_systems(studio, capsys):
    assert cli.main(["systems"]) == 0
    table = capsys.readouterr().out
    assert "toy" in table
    assert "A toy [of a] system" in table
    assert "1,234" in table


def test_systems_as_json(studio, capsys):
    assert cli.main(["systems", "--json"]) == 0
    cards = json.loads(capsys.readouterr().out)
    assert [c["name"] for c in cards] == ["toy", "other"]
    assert cards[0]["capabilities"] == ["sample"]


def test_sample(studio, capsys, tmp_path):
    out = tmp_path / "new.smi"
    assert cli.main(["sample", "toy", "-n", "3", "--seed", "7", "--out", str(out)]) == 0
    assert studio.sample == {"n": 3, "seed": 7, "condition": None}
    ((candidates, where),) = studio.written
    assert [c.text for c in candidates] == ["C", "CC", "CCC"]
    assert where == out
    printed = capsys.readouterr()
    assert "3 candidates, 2 valid" in printed.out
    assert "[Li+] 3 of 3" in printed.err


def test_sample_with_wishes(studio, tmp_path):
    words = ["sample", "toy", "--out", str(tmp_path / "new.csv"), "--target", "lumo_ev<=-1"]
    words += ["--target", "vip_ev>9", "--set", "start=CCO", "--set", 'elements=["C", "O"]']
    assert cli.main([*words, "--set", "substructure=[#6]=O"]) == 0
    condition = studio.sample["condition"]
    assert condition.windows == {"lumo_ev": Window(high=-1), "vip_ev": Window(low=9)}
    wishes = {"start": "CCO", "elements": ["C", "O"], "substructure": "[#6]=O"}
    assert condition.wishes == wishes


@pytest.mark.parametrize("name", ["new.smi", "new.CSV", "new.sdf", "new.json", "folder"])
def test_legal_outs(studio, tmp_path, name):
    assert cli.main(["sample", "toy", "-n", "1", "--out", str(tmp_path / name)]) == 0
    assert studio.written[0][1] == tmp_path / name


def test_a_folder_may_have_a_dot(studio, tmp_path):
    (tmp_path / "run.1").mkdir()
    assert cli.main(["sample", "toy", "-n", "1", "--out", str(tmp_path / "run.1")]) == 0


@pytest.mark.parametrize(
    ("words", "parts"),
    [
        (["sample", "toys", "--out", "x.smi"], ["SYSTEM", "'toys'", "toy, other"]),
        (["sample", "toy", "--out", "x.doc"], ["--out", "'.doc'", ".smi, .csv, .sdf, .json"]),
        (["sample", "toy", "--out", "nowhere/x.smi"], ["--out", "nowhere"]),
        (["sample", "toy"], ["--out"]),
        (["sample", "toy", "-n", "0", "--out", "x.smi"], ["-n"]),
        (["sample", "toy", "-n", "many", "--out", "x.smi"], ["-n"]),
        (["sample", "toy", "--seed", "-1", "--out", "x.smi"], ["--seed"]),
        (["sample", "toy", "--target", "lumo", "--out", "x.smi"], ["target", "'lumo'"]),
        (["sample", "toy", "--target", "tea_k<3", "--out", "x.smi"], ["'tea_k'", "lumo_ev"]),
        (["sample", "toy", "--set", "start", "--out", "x.smi"], ["--set", "key=value"]),
        (["interpolate", "toy", "C", "O", "--path", "up", "--out", "x.smi"], ["--path"]),
        (["interpolate", "toy", "C", "--out", "x.smi"], ["B"]),
        (["evaluate", "toy", "--out", "x.csv"], ["--out", "'.csv'", ".json"]),
        (["label", "absent.smi", "--out", "x.csv"], ["absent.smi"]),
        (["build", "moleculs"], ["DATASET", "'moleculs'", "molecules"]),
        (["train", "toy", "--preset", "huge"], ["--preset"]),
        (["app", "--port", "0"], ["--port"]),
        (["sing"], ["sing"]),
        (["sample", "toy", "--loud", "--out", "x.smi"], ["--loud"]),
    ],
)
def test_wrong_input_is_one_line(studio, capsys, monkeypatch, tmp_path, words, parts):
    monkeypatch.chdir(tmp_path)
    line = wrong(capsys, *words)
    assert [part for part in parts if part not in line] == []
    assert not studio.sample
    assert not studio.calls


def test_interpolate(studio, tmp_path):
    out = tmp_path / "path.csv"
    words = ["interpolate", "toy", "C1COC(=O)O1", "CCO", "--steps", "5", "--path", "slerp"]
    assert cli.main([*words, "--out", str(out)]) == 0
    ((_, (system, *ends), options),) = studio.calls
    assert isinstance(system, Toy)
    assert ends == ["C1COC(=O)O1", "CCO"]
    assert options == {"steps": 5, "kind": "slerp"}
    assert len(studio.written[0][0]) == 2


def test_evaluate(studio, capsys, tmp_path):
    out = tmp_path / "metrics.json"
    assert cli.main(["evaluate", "toy", "-n", "5", "--seed", "1", "--out", str(out)]) == 0
    assert studio.calls[0][1][:3] == ("toy", 5, 1)
    assert studio.calls[1][1][1] == out
    table = capsys.readouterr().out
    assert "valid" in table
    assert "prior 0.5" in table


def test_evaluate_in_parts_on_own_data(studio, tmp_path):
    (tmp_path / "mine.csv").write_text("cif\n")
    own = ["--weights", str(tmp_path), "--data", str(tmp_path / "mine.csv")]
    assert cli.main(["evaluate", "toy", "--only", "a", "--only", "b", *own]) == 0
    options = studio.calls[0][2]
    assert options == {"parts": ["a", "b"], "weights": tmp_path, "data": tmp_path / "mine.csv"}


def test_label(studio, tmp_path):
    (tmp_path / "mine.smi").write_text("CCO\n")
    words = ["label", str(tmp_path / "mine.smi"), "--out", str(tmp_path / "mine.csv")]
    assert cli.main(words) == 0
    assert studio.calls[0][1][:2] == (tmp_path / "mine.smi", tmp_path / "mine.csv")


def test_build(studio, capsys):
    assert cli.main(["build", "molecules", "--workers", "2"]) == 0
    assert studio.calls[0][1][:2] == ("molecules", 2)
    assert "table" in capsys.readouterr().out


def test_train(studio, capsys, tmp_path):
    (tmp_path / "mine.csv").write_text("smiles\nCCO\n")
    words = ["train", "toy", "--preset", "tiny", "--data", str(tmp_path / "mine.csv")]
    assert cli.main([*words, "--from", str(tmp_path), "--minutes", "0.5"]) == 0
    asked = studio.calls[0][1][:5]
    assert asked == ("toy", "tiny", tmp_path / "mine.csv", tmp_path, 0.5)
    assert cli.main(["train", "toy"]) == 0
    assert studio.calls[1][1][:5] == ("toy", "base", None, None, None)


def test_app(monkeypatch):
    ran = []
    monkeypatch.setattr("os.execv", lambda program, words: ran.append((program, words)))
    assert cli.main(["app", "--port", "9000"]) == 0
    ((program, words),) = ran
    assert program == sys.executable
    assert words[1:4] == ["-m", "streamlit", "run"]
    assert Path(words[4]).name == "app.py"
    assert {"--server.port=9000", "--server.address=127.0.0.1"} <= set(words)


@pytest.mark.parametrize(
    ("problem", "status", "line"),
    [
        (ValueError("line 3: no\nmolecule"), 2, "genbat: line 3: no molecule\n"),
        (RuntimeError("boom"), 1, "genbat: RuntimeError: boom\n"),
        (JobCancelled(), 1, "genbat: cancelled\n"),
        (KeyboardInterrupt(), 1, "genbat: cancelled\n"),
    ],
)
def test_status_of_failures(studio, capsys, monkeypatch, problem, status, line):
    def fail(*_):
        raise problem

    monkeypatch.setattr(sys.modules["genbat.studio.building"], "build", fail)
    monkeypatch.delenv("GENBAT_DEBUG", raising=False)
    assert wrong(capsys, "build", "molecules", status=status) == line


def test_debug_shows_where(studio, monkeypatch):
    monkeypatch.setattr(sys.modules["genbat.studio.building"], "build", None)
    monkeypatch.setenv("GENBAT_DEBUG", "1")
    with pytest.raises(TypeError):
        cli.main(["build", "molecules"])
