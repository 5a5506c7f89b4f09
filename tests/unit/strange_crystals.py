"""Broken and strange crystal files, each with what a reader has to say of it."""

from dataclasses import dataclass

CIF = """data_LiCoO2
_symmetry_space_group_name_H-M   'R -3 m'
_cell_length_a   2.83000
_cell_length_b   2.83001
_cell_length_c   14.10000
_cell_angle_alpha   90.00000
_cell_angle_beta   90.00001
_cell_angle_gamma   120.00000
_symmetry_Int_Tables_number   166
_chemical_formula_sum   'Li3 Co3 O6'
loop_
 _symmetry_equiv_pos_site_id
 _symmetry_equiv_pos_as_xyz
  1  'x, y, z'
  2  'x+2/3, y+1/3, z+1/3'
  3  'x+1/3, y+2/3, z+2/3'
loop_
 _atom_site_label
 _atom_site_type_symbol
 _atom_site_fract_x
 _atom_site_fract_y
 _atom_site_fract_z
 _atom_site_occupancy
  Li1  Li  0.01  0.02  0.50000  1
  Co1  Co  0.00000  0.00000  0.00000  1
  O1   O   0.00000  0.00000  0.26000  1
  O2   O   0.00000  0.00000  0.74000  1
"""
HEAD, SITES = CIF.partition("loop_\n _symm")[0], "loop_\n _atom" + CIF.partition("loop_\n _atom")[2]
LI = 24  # line of the first site
POSCAR = """LiCoO2 layered
1.0
2.83 0.0 0.0
-1.415 2.450852 0.0
0.0 0.0 14.1
Li Co O
1 1 2
Direct
0.0 0.0 0.5
0.0 0.0 0.01
0.0 0.0 0.26
0.0 0.0 0.74
"""


@dataclass(frozen=True)
class Bad:
    """A broken file, the words its one message must hold, and the line it must name."""

    text: str
    words: str
    line: int


@dataclass(frozen=True)
class Good:
    """A strange file that is read: its formula, its number of atoms, words of its note."""

    text: str
    formula: str
    atoms: int
    note: str = ""


def swap(text, old, new):
    assert old in text, old
    return text.replace(old, new, 1)


def line_of(text, line, new):
    """The text with another line, or without it for None."""
    lines = text.split("\n")
    lines[line - 1 : line] = [] if new is None else [new]
    return "\n".join(lines)


# ---------------------------------------------------------------------- CIF
def cif_cells():
    names = ("length_a", "length_b", "length_c", "angle_alpha", "angle_beta", "angle_gamma")
    for k, name in enumerate(names):
        line, tag = 3 + k, f"_cell_{name}"
        legal = "legal is an angle" if "angle" in name else "legal is a length above 0"
        for word in ("?", ".", "two", "nan", "inf", "-1", "0", "2,83", "1/2", "''"):
            yield f"{tag} {word}", Bad(line_of(CIF, line, f"{tag} {word}"), legal, line)
        yield f"{tag} missing", Bad(line_of(CIF, line, None), f"has no {tag}", 1)
        yield f"{tag} empty", Bad(line_of(CIF, line, tag), f"{tag} has no value", line)
        twice = line_of(CIF, line, f"{tag} 60\n{tag} 60")
        yield f"{tag} twice", Bad(twice, f"{tag} is given twice", line + 1)
    flat = swap(CIF, "120.00000", "170").replace("alpha   90.00000", "alpha 30")
    yield "angles that span nothing", Bad(flat, "span no cell", 6)
    yield "huge cell", Bad(swap(CIF, "14.10000", "1e6"), "legal are 200", 1)
    yield "tiny cell", Bad(swap(CIF, "14.10000", "0.1"), "too small for its atoms", 1)


def cif_sites():
    for axis, old in (("x", "0.01"), ("y", "0.02"), ("z", "0.50000")):
        for word in ("?", ".", "half", "1/3", "nan", "inf", "0,5", "0.5x", "--0.5"):
            words = f"the coordinate {axis} is"
            yield f"{axis} {word}", Bad(swap(CIF, old, word), words, LI)
    for label in ("?", ".", "1", "Xx", "Qq1", "-", "*", "12Li"):
        text = swap(CIF, "Li1  Li", f"{label}  {label}")
        yield f"element {label}", Bad(text, "names no element", LI)
    for share in ("2", "-1", "nan", "inf", "full", "1/2", "1.2", "50%"):
        text = swap(CIF, "0.50000  1", f"0.5 {share}")
        yield f"occupancy {share}", Bad(text, "the occupancy is", LI)
    for row in ("  Li1  Li  0.0  0.0  0.5", "  Li1 Li 0.0 0.5", "  Li1", "  Li1 Li 0 0 .5 1 7"):
        words = f"has {len(row.split())} values where the loop has 6 columns"
        yield f"row of {len(row.split())}", Bad(line_of(CIF, LI, row), words, LI)
    for word in ("Ar", "He", "U", "Pu", "Th"):
        text = swap(CIF, "Li1  Li", f"{word}1 {word}")
        yield f"beyond the domain {word}", Bad(text, f"contains {word}; legal are H to Bi", 1)
    near = CIF + "  O3 O 0 0 0.75 1\n"
    yield "two atoms too near", Bad(near, "covalent radii apart", 1)
    yield "two atoms on one place", Bad(CIF + "  O3 O 0 0 0.74 1\n", "occupancy of 2.0", LI)
    part = swap(CIF, "0.50000  1", "0.5 0.4")
    yield "partly empty site", Bad(part, "3 of 12 sites are disordered (Li:0.4)", 1)
    mixed = CIF + "  Ni1 Ni 0 0 0 0.05\n"
    mixed = swap(mixed, "0.00000  0.00000  0.00000  1", "0.0 0.0 0.0 0.95")
    yield "shared site", Bad(mixed, "sites are disordered", 1)


def cif_symmetry():
    for op in ("x+2/3, y+1/3", "x, y, z, x", "x, y, w", "a, b, c", "x; y; z", "x, y, z+",
               "1, 2, 3/", "hello", "x,,z", "x, y, z^2"):  # fmt: skip
        text = swap(CIF, "x+2/3, y+1/3, z+1/3", op)
        yield f"operation {op}", Bad(text, "is no symmetry operation; legal are ones like", 15)
    bare = HEAD + SITES
    bare = bare.replace("_symmetry_Int_Tables_number   166\n", "")
    for name in ("Q 7 z", "R -9 m", "cubic", "trigonal", "P 1 2 3 4 5"):
        text = swap(bare, "R -3 m", name)
        yield f"group {name}", Bad(text, "is not known and no operations are listed", 2)
    yield "sites that symmetry doubles", Bad(bare, "occupancy of 2.0", 17)


def cif_whole():
    atoms = CIF.partition(SITES)[0]
    yield "no atoms", Bad(atoms, "lists no atoms; legal is a loop", 1)
    yield "an empty loop", Bad(CIF.partition("  Li1")[0], "lists no atoms", 1)
    yield "Cartesian", Bad(CIF.replace("fract", "Cartn"), "gives Cartesian coordinates", 1)
    without = CIF.replace(" _atom_site_fract_z\n", "").replace("  0.50000  1", "  1")
    yield "no z column", Bad(without, "values where the loop has 5 columns", LI)
    unnamed = CIF.replace(" _atom_site_label\n", "").replace(" _atom_site_type_symbol\n", "")
    for site in ("Li1  Li", "Co1  Co", "O1   O", "O2   O"):
        unnamed = unnamed.replace(site, "")
    yield "no elements", Bad(unnamed, "names no elements", 1)
    yield (
        "open text",
        Bad(swap(CIF, "'Li3 Co3 O6'", "\n;Li3"), "begins with ';' and never ends", 11),
    )
    yield "header alone", Bad("data_x\n", "is no CIF", 1)
    yield "title alone", Bad("data_x\n_journal_name 'Nature'\n", "has no _cell_length_a", 1)
    yield "a powder pattern", Bad("data_p\nloop_\n_pd_meas_2theta\n_pd_meas_counts\n10 100\n",
                                  "has no _cell_length_a", 1)  # fmt: skip
    yield (
        "a protein",
        Bad("data_1ABC\n_entry.id 1ABC\n_cell.length_a 10\n", "has no _cell_length", 1),
    )
    for name, text in (
        ("web page", "<!doctype html><html><body>404</body></html>"),
        ("XML", "<?xml version='1.0'?><a/>"),
        ("JSON", "{}"),
        ("comments", "# nothing\n# here\n"),
        ("prose", "Lithium cobalt oxide, as measured on Monday."),
        ("a POSCAR", POSCAR),
    ):
        yield f"{name} as CIF", Bad(text, "is no CIF", 1)


def bad_cifs():
    """Name -> broken CIF."""
    parts = (cif_cells, cif_sites, cif_symmetry, cif_whole)
    return {name: bad for part in parts for name, bad in part()}


# ---------------------------------------------------------------------- POSCAR
def poscar_cells():
    for word in ("one", "0", "nan", "inf", "1.0 1.0", "?", "1,0", "1 1 -1", "0 1 1"):
        yield f"scale {word}", Bad(line_of(POSCAR, 2, word), "the scale", 2)
    for line in (3, 4, 5):
        for row in ("2.83 0.0", "a b c", "nan 0 0", "0,0 0,0 14,1", "inf 0 0", "?"):
            words = "a lattice vector is"
            yield f"lattice {line} {row}", Bad(line_of(POSCAR, line, row), words, line)
        yield f"lattice {line} empty", Bad(line_of(POSCAR, line, ""), "is missing", line)
    yield "flat lattice", Bad(line_of(POSCAR, 5, "2.83 0 0"), "lie in a plane", 3)
    yield "huge lattice", Bad(line_of(POSCAR, 5, "0 0 1e5"), "legal are 200", 1)
    yield "tiny lattice", Bad(line_of(POSCAR, 2, "0.1"), "too small for its atoms", 1)


def poscar_counts():
    for row in ("Li Xx O", "Li Co Qq", "Li Co 3b", "Lithium Cobalt Oxygen", "Li ? O"):
        yield f"elements {row}", Bad(line_of(POSCAR, 6, row), "is no element; legal are", 6)
    for row in ("Li Co", "Li Co O F", "Li"):
        yield f"elements {row}", Bad(line_of(POSCAR, 6, row), "legal is one for each", 7)
    yield "no elements", Bad(line_of(POSCAR, 6, None), "no line names the elements", 6)
    for row in ("one 1 2", "1.5 1 2", "-1 1 2", "1 1 ?", "1, 1, 2", "1e3 1 2"):
        yield f"counts {row}", Bad(line_of(POSCAR, 7, row), "is no count of atoms", 7)
    yield "counts 0 0 0", Bad(line_of(POSCAR, 7, "0 0 0"), "announces 0 atoms", 7)
    yield "counts huge", Bad(line_of(POSCAR, 7, "1 1 999999999"), "legal are 1 to 100000", 7)
    yield "counts more", Bad(line_of(POSCAR, 7, "1 1 9"), "holds 4 places for 11 atoms", 13)
    yield "counts less", Bad(line_of(POSCAR, 7, "1 1 1"), "one place more than the 3 atoms", 12)
    for row in ("?", "0.0 0.0 0.5", "Absolute", "1"):
        yield f"mode {row}", Bad(line_of(POSCAR, 8, row), "legal is Direct or Cartesian", 8)
    yield "no mode", Bad(line_of(POSCAR, 8, None), "legal is Direct or Cartesian", 8)


def poscar_places():
    for line in (9, 10, 11, 12):
        for row in ("0.0 0.5", "a b c", "0 0 nan", "0 0 inf", "0,0 0,0 0,5", "0 0 ?", "0 0 1/2"):
            short = len(row.split()) < 3
            words = "holds 2 numbers; legal are three" if short else "a coordinate is"
            yield f"place {line} {row}", Bad(line_of(POSCAR, line, row), words, line)
        yield f"place {line} missing", Bad(line_of(POSCAR, line, None), "3 places for 4 atoms", 12)
    yield "too near", Bad(line_of(POSCAR, 12, "0 0 0.27"), "covalent radii apart", 1)
    yield "the same place", Bad(line_of(POSCAR, 12, "0 0 0.26"), "covalent radii apart", 1)
    yield "across the border", Bad(line_of(POSCAR, 12, "0 0 1.26"), "covalent radii apart", 1)
    for word in ("He", "Kr", "U", "Po"):
        text = line_of(POSCAR, 6, f"{word} Co O")
        yield f"beyond the domain {word}", Bad(text, f"contains {word}; legal are H to Bi", 1)


def poscar_whole():
    yield "title alone", Bad("Li\n", "the scale is missing", 2)
    yield "cut after the lattice", Bad("\n".join(POSCAR.split("\n")[:5]), "is missing", 5)
    yield "cut after the elements", Bad("\n".join(POSCAR.split("\n")[:6]), "is missing", 6)
    yield "cut after the counts", Bad("\n".join(POSCAR.split("\n")[:7]), "is missing", 7)
    yield "cut after the mode", Bad("\n".join(POSCAR.split("\n")[:8]), "0 places for 4 atoms", 8)
    yield "a web page", Bad("<html>\n404\n</html>\n", "a lattice vector is", 3)
    yield "a CIF", Bad(CIF, "the scale is", 2)
    yield "201 atoms", Bad(many(201), "has 201 atoms; legal are 1 to 200", 1)


def many(count):
    """A row of hydrogen atoms in a long cell, one beside it, so that no smaller cell will do."""
    rows = "\n".join(f"{0.0 if k else 0.1} 0 {k / count:.6f}" for k in range(count))
    return f"row\n1\n3 0 0\n0 3 0\n0 0 {0.9 * count}\nH\n{count}\nDirect\n{rows}\n"


def bad_poscars():
    """Name -> broken POSCAR."""
    parts = (poscar_cells, poscar_counts, poscar_places, poscar_whole)
    return {name: bad for part in parts for name, bad in part()}


# ---------------------------------------------------------------------- strange, and read
def good_cifs():
    """Name -> strange CIF that is read."""
    p1 = HEAD + SITES
    p1 = p1.replace("_symmetry_Int_Tables_number   166\n", "")
    silent = p1.replace("_symmetry_space_group_name_H-M   'R -3 m'\n", "")
    asymmetric = line_of(
        p1, p1.split("\n").index("  O2   O   0.00000  0.00000  0.74000  1") + 1, None
    )
    asymmetric = asymmetric.replace("0.01  0.02", "0.00  0.00")
    texts = {
        "plain": CIF,
        "errors in brackets": CIF.replace("2.83000", "2.830(2)").replace("0.26000", "0.2600(13)"),
        "Windows": CIF.replace("\n", "\r\n"),
        "old Mac": CIF.replace("\n", "\r"),
        "byte order mark": "\ufeff" + CIF,
        "tabs": CIF.replace("  ", "\t"),
        "comments": "# a comment\n" + swap(CIF, "0.50000  1", "0.50000  1 # lithium"),
        "capitals": CIF.replace("_cell", "_CELL").replace("loop_", "LOOP_"),
        "no header": swap(CIF, "data_LiCoO2\n", ""),
        "unknown occupancy": swap(CIF, "0.50000  1", "0.5 ?"),
        "a stray quote": swap(CIF, "'Li3 Co3 O6'", "'Li3 Co3 O6"),
        "charges": swap(CIF, "Co1  Co", "Co1 Co3+"),
        "charges behind": swap(CIF, "O1   O", "O1 O2-"),
        "labels with letters": swap(CIF, "O1   O", "O1A O"),
        "places outside the cell": swap(CIF, "0.26000", "1.26000"),
        "negative places": swap(CIF, "0.74000", "-0.26000"),
        "exponents": swap(CIF, "0.26000", "2.6e-1"),
        "moments": CIF + "loop_\n_atom_site_moment_label\n_atom_site_moment_crystalaxis_x\nCo1 0\n",
        "text field": swap(CIF, "'Li3 Co3 O6'", "\n;Li3\nCo3 O6\n;"),
    }
    found = {name: Good(text, "LiCoO2", 12) for name, text in texts.items()}
    found["no symmetry at all"] = Good(silent, "LiCoO2", 4, "read as P1")
    found["a symbol alone"] = Good(asymmetric, "LiCoO2", 12)
    number = asymmetric.replace("_symmetry_space_group_name_H-M   'R -3 m'",
                                "_space_group_IT_number 166")  # fmt: skip
    found["a number alone"] = Good(number, "LiCoO2", 12)
    return found


def good_poscars():
    """Name -> strange POSCAR that is read."""
    cartesian = swap(POSCAR, "Direct", "Cartesian").replace("0.74\n", "10.434\n")
    cartesian = cartesian.replace("0.0 0.5\n", "0.0 7.05\n").replace("0.26", "3.666")
    selective = swap(POSCAR, "Direct", "Selective dynamics\nDirect").replace("0.5\n", "0.5 T T F\n")
    texts = {
        "plain": POSCAR,
        "VASP 4 with a title": line_of(line_of(POSCAR, 6, None), 1, "Li Co O"),
        "potentials' names": line_of(POSCAR, 6, "Li_sv Co O_h"),
        "VASP 6 hashes": line_of(POSCAR, 6, "Li/7f3a Co/8e2 O/11"),
        "volume as scale": line_of(POSCAR, 2, "-97.79"),
        "three scales": line_of(POSCAR, 2, "1.0 1.0 1.0"),
        "Fortran's exponent": swap(POSCAR, "14.1", "14.1d0"),
        "Cartesian": cartesian,
        "selective": selective,
        "labels behind": POSCAR.replace("0.0 0.0 0.5", "0.0 0.0 0.5 Li1"),
        "velocities": POSCAR + "\n0 0 0\n0 0 0\n0 0 0\n0 0 0\n",
        "tabs": POSCAR.replace(" ", "\t"),
        "Windows": POSCAR.replace("\n", "\r\n"),
        "left-handed": swap(POSCAR, "14.1", "-14.1"),
        "small letters": swap(POSCAR, "Direct", "direct"),
        "comment behind counts": line_of(POSCAR, 7, "1 1 2 ! atoms"),
        "places outside": POSCAR.replace("0.26", "3.26"),
    }
    return {name: Good(text, "LiCoO2", 4) for name, text in texts.items()}
