"""Whatever a user hands over: good rows are kept, bad ones named, nothing runs, nothing crashes."""

import io
import random
import zipfile

import pytest
from rdkit import Chem

from genbat.domains.molecules import reading
from genbat.domains.molecules.reading import Row, clean, read_molecules
from genbat.studio.labelling import COLUMNS, label_file, label_stream

BLOCK = Chem.MolToMolBlock(Chem.MolFromSmiles("CCO"))
EVIL = "<script>alert(1)</script><img src=x onerror=alert(2)>"


def texts(data, filename):
    return [row.text for row in read_molecules(data, filename)[0]]


def problems(data, filename):
    return [str(problem) for problem in read_molecules(data, filename)[1]]


def refusal(data, filename):
    with pytest.raises(ValueError) as refused:
        read_molecules(data, filename)
    message = str(refused.value)
    assert message.startswith(clean(filename))
    assert "\n" not in message
    return message


def test_smiles_lines():
    data = b"SMILES name\nCCO ethanol\n\n# a remark\nC1COC(=O)O1\tethylene carbonate \nCC\n"
    rows, bad = read_molecules(data, "mine.smi")
    assert rows == [
        Row("CCO", "ethanol", 2),
        Row("O=C1OCCO1", "ethylene carbonate", 5),
        Row("CC", "", 6),
    ]
    assert bad == []


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_tables(delimiter, end):
    lines = [("Name", " SMILES ", "tb_k"), ("ethanol", "CCO", "351.4"), ("", "CC", "")]
    data = end.join(delimiter.join(cells) for cells in lines).encode()
    rows, bad = read_molecules(data, "mine.csv")
    assert rows[0] == Row("CCO", "ethanol", 2, {"name": "ethanol", "tb_k": "351.4"})
    assert rows[1].cells["tb_k"] == ""
    assert bad == []


def test_quoted_cells():
    data = b'smiles,name\nCCO,"a, b"\nCCN,"two\nlines"\nCC,5" pipe\nCCC,"say ""hi"""\n'
    rows, bad = read_molecules(data, "mine.csv")
    assert [(r.name, r.line) for r in rows] == [
        ("a, b", 2),
        ("two lines", 3),
        ('5" pipe', 5),
        ('say "hi"', 6),
    ]
    assert bad == []


def test_an_open_quotation_mark_spoils_one_row_only():
    rows, bad = read_molecules(b'name,smiles\n"open,CCO\nb,CCC\nc,CC\n', "mine.csv")
    assert [r.text for r in rows] == ["CCC", "CC"]
    assert [(p.line, "quotation mark" in p.message) for p in bad] == [(2, True)]


def test_sd_files():
    bad = "broken\n\n\n  9  9  0\nM  END\n"
    fields = "> <CAS>\n64-17-5\n\n"
    data = f"ethanol{BLOCK}{fields}$$$$\n{bad}$$$$\n{BLOCK}".encode()
    rows, wrong = read_molecules(data, "mine.SDF")
    assert rows[0] == Row("CCO", "ethanol", 1, {"cas": "64-17-5"})
    assert rows[1].text == "CCO"
    assert len(wrong) == 1
    begin = data.decode().split("\n").index("broken") + 1
    assert str(wrong[0]).startswith(f"mine.SDF, line {begin}: ")


def test_a_text_file_with_a_header_is_a_table():
    assert texts(b"id\tsmiles\n1\tCCO\n", "mine.txt") == ["CCO"]
    assert texts(b"CCO one\nCC two\n", "mine.txt") == ["CCO", "CC"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("filename", ["mine.csv", "mine.txt"])
def test_encodings(encoding, filename):
    (row,), _ = read_molecules("smiles,name\nCCO,Äthanol µ\n".encode(encoding), filename)
    assert row.name == "Äthanol µ"


def test_latin_1():
    (row,), _ = read_molecules("smiles;name\nCCO;éthanol\n".encode("latin-1"), "mine.csv")
    assert row.name == "éthanol"


def test_bad_rows_are_named_and_good_ones_kept():
    data = "\n".join(
        ["CCO good", "C(C", "C1CC", "hello", "[Li+].[Cl-]", "C" * 10_000, "CC(C)(C)(C)C", "[CH3]",
         "CCCCCCCCCCCCCCCCCCCCCCCCCCCC", "C=CC=O also"]
    ).encode()  # fmt: skip
    rows, bad = read_molecules(data, "mine.smi")
    assert [(r.line, r.text) for r in rows] == [(1, "CCO"), (10, "C=CC=O")]
    assert [p.line for p in bad] == list(range(2, 10))
    assert all(p.filename == "mine.smi" and 10 < len(p.message) < 400 for p in bad)
    assert "10000 characters" in bad[4].message


def test_ten_thousand_atoms_in_an_sd_file():
    atoms = "    0.0000    0.0000    0.0000 C   0  0\n" * 3_000
    data = f"big\n\n\n999  0  0  0  0  0  0  0  0  0999 V2000\n{atoms}M  END\n$$$$\nx{BLOCK}"
    rows, bad = read_molecules(data.encode(), "mine.sdf")
    assert [r.text for r in rows] == ["CCO"]
    assert "longer than" in bad[0].message


def test_markup_in_names_stays_text():
    rows, _ = read_molecules(f"smiles,name\nCCO,{EVIL}\n".encode(), "mine.csv")
    assert rows[0].name == EVIL


def test_names_are_cut_and_cleaned():
    name = "a\x07b\x00\x1b[31mc\u202egpj.exe\u200b" + "x" * 999
    rows, _ = read_molecules(f"CCO {name}\n".replace("\0", "").encode(), "mine.smi")
    assert rows[0].name.startswith("a b [31mcgpj.exe")
    assert len(rows[0].name) == 200


def test_markup_in_bad_rows_is_quoted_only():
    (problem,) = problems(f"{EVIL}\n".encode(), "mine.smi")
    assert "<script>" in problem and problem.startswith("mine.smi, line 1: SMILES: ")


def test_formulas_stay_text():
    data = b'smiles,name\nCCO,=HYPERLINK("x")\n=1+1,b\n@SUM(A1),c\n'
    rows, bad = read_molecules(data, "mine.csv")
    assert rows[0].name == '=HYPERLINK("x")'
    assert [p.line for p in bad] == [3, 4]


def test_wrong_columns_are_named():
    message = refusal(f"a,{EVIL},,b\n1,2,3,4\n".encode(), "mine.csv")
    assert "found the columns a, <script>" in message
    assert "a column smiles is needed" in message
    many = ",".join(f"c{k}" for k in range(40))
    assert "and 28 more" in refusal(f"{many}\n".encode(), "mine.csv")
    assert "stands twice" in refusal(b"smiles,SMILES\nC,C\n", "mine.csv")
    assert "columns" in refusal(b"x," * 600 + b"\n", "mine.csv")


@pytest.mark.parametrize(
    ("data", "filename", "part"),
    [
        (b"", "mine.smi", "is empty"),
        (b" \n\n\t\n", "mine.csv", "is empty"),
        (b"\xef\xbb\xbf", "mine.csv", "is empty"),
        (b"smiles,name\n", "mine.csv", "holds no molecule"),
        (b"# only a remark\n", "mine.smi", "holds no molecule"),
        (b"$$$$\n$$$$\n", "mine.sdf", "holds no molecule"),
        (b"CCO", "mine.docx", "legal are .smi"),
        (b"CCO", "mine", "legal are .smi"),
        (b"\x1f\x8b\x08rest", "mine.csv", "gzip"),
        (b"%PDF-1.7", "mine.csv", "a PDF"),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "mine.smi", "no text"),
        (b"CCO\0\0\0\0\0\0", "mine.smi", "no text"),
        (bytes(range(1, 32)) * 20, "mine.smi", "no text"),
        (b"\xff\xfeC", "mine.smi", "no text"),
        (b"C" * (reading.MAX_BYTES + 1), "mine.smi", "at most 20 MB"),
    ],
)
def test_files_that_are_refused(data, filename, part):
    assert part in refusal(data, filename)


def test_zip_bombs_are_never_opened(monkeypatch):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.smi", "C" * 10_000_000)
    monkeypatch.setattr(zipfile, "ZipFile", None)
    assert "zip archive" in refusal(packed.getvalue(), "mine.smi")
    assert "never opened" in refusal(packed.getvalue(), "mine.csv")


def test_file_names_are_cleaned():
    assert refusal(b"", "a\nb\x07" + "c" * 400 + ".smi").startswith("a b ccc")


def test_rows_are_limited(monkeypatch):
    monkeypatch.setattr(reading, "MAX_ROWS", 3)
    rows, bad = read_molecules(b"CCO\nbad\nCC\nCCC\nCCCC\n", "mine.smi")
    assert [r.text for r in rows] == ["CCO", "CC"]
    assert [p.line for p in bad] == [2, 4]
    assert "only the first 3 rows" in bad[1].message


@pytest.mark.parametrize("filename", ["x.smi", "x.csv", "x.sdf"])
def test_noise_never_raises_anything_else(filename):
    rng = random.Random(filename)
    seeds = [b"smiles,name\nCCO,a\n", BLOCK.encode() + b"$$$$\n", b"CCO ethanol\nCCN\n", b'"' * 9]
    for _ in range(150):
        data = bytearray(rng.choice(seeds) * rng.randint(1, 4))
        for _ in range(rng.randint(1, 12)):
            data[rng.randrange(len(data))] = rng.randrange(256)
        try:
            rows, bad = read_molecules(bytes(data), filename)
        except ValueError as refused:
            assert str(refused).startswith(filename)
        else:
            assert rows or bad


# ---------------------------------------------------------------------- labelling
def fake_stream(found, **options):
    return ({"smiles": t, "lumo_ev": -1.23456789, "failed": ""} for t in found)


def test_label_file(tmp_path, monkeypatch):
    monkeypatch.setattr("genbat.studio.labelling.label_stream", fake_stream)
    source, out = tmp_path / "mine.smi", tmp_path / "mine.csv"
    source.write_text("CCO =cmd|' /C calc'!A0\nC(C\nOCC again\n")
    told = []
    bad = label_file(source, out, lambda fraction, text: told.append(fraction))
    lines = out.read_text().splitlines()
    assert lines[0] == ",".join(COLUMNS)
    assert lines[1].startswith("1,'=cmd|' /C calc'!A0,CCO,,-1.23457,")
    assert lines[2].startswith("2,,,,")
    assert "cannot be read" in lines[2]
    assert lines[3].startswith("3,again,CCO,")
    assert "GFN2-xTB" in lines[1]
    assert "IPEA1-xTB" in lines[1]
    assert [p.line for p in bad] == [2]
    assert told == [1.0]  # the same molecule is computed once


@pytest.mark.parametrize("content", ["C(C\nxx\n", ""])
def test_nothing_to_label(tmp_path, content):
    source = tmp_path / "mine.smi"
    source.write_text(content)
    with pytest.raises(ValueError, match=r"mine\.smi"):
        label_file(source, tmp_path / "mine.csv")


def test_the_input_is_not_overwritten(tmp_path):
    source = tmp_path / "mine.csv"
    source.write_text("smiles\nCCO\n")
    with pytest.raises(ValueError, match="input file"):
        label_file(source, source)


@pytest.mark.slow
def test_labels_come_from_other_processes():
    rows = {row["smiles"]: row for row in label_stream(["CO", "not a molecule"], workers=1)}
    assert rows["CO"]["lumo_ev"] > 0
    assert rows["CO"]["failed"] == ""
    assert rows["not a molecule"]["failed"]
