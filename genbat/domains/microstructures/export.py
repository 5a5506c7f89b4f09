"""Microstructures as files: TIFF, NPZ, VTK ImageData, and the surface of each phase as STL.

A format for one volume takes one; those that end in zip, and NPZ, take any number.
"""

from __future__ import annotations

import base64
import io
import re
import zipfile
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from genbat.core.candidate import Candidate
from genbat.domains.microstructures.texts import read
from genbat.domains.microstructures.volume import Volume

Extra = Mapping[str, str]
Writer = Callable[[Sequence[Candidate], Sequence[Extra]], bytes]
TEXT_COLUMN = "volume"
VALID_ONLY = False
_STRANGE = re.compile(r"[^A-Za-z0-9]+")
_FACET = np.dtype([("normal", "<f4", 3), ("corners", "<f4", (3, 3)), ("spare", "<u2")])


def tiff(volume: Volume) -> bytes:
    """A stack of labels, 8 bit, with the size of a voxel where it is known, as ImageJ reads it."""
    import tifffile

    file, options = io.BytesIO(), {}
    if volume.voxel_um:
        z, y, x = volume.voxel_um
        options = {"resolution": (1 / x, 1 / y), "metadata": {"spacing": z, "unit": "um"}}
    tifffile.imwrite(file, volume.labels, imagej=True, **options)
    return file.getvalue()


def vti(volume: Volume) -> bytes:
    """VTK ImageData (XML): one number a voxel, the phase; axes x, y, z, lengths in μm or voxels."""
    z, y, x = volume.shape
    ez, ey, ex = volume.edges
    raw = np.ascontiguousarray(volume.labels).tobytes()
    size = len(raw).to_bytes(4, "little")
    coded = base64.b64encode(size).decode() + base64.b64encode(raw).decode()
    extent = f"0 {x} 0 {y} 0 {z}"
    return f"""<?xml version="1.0"?>
<VTKFile type="ImageData" version="0.1" byte_order="LittleEndian" header_type="UInt32">
<ImageData WholeExtent="{extent}" Origin="0 0 0" Spacing="{ex:g} {ey:g} {ez:g}">
<Piece Extent="{extent}"><CellData Scalars="phase">
<DataArray type="UInt8" Name="phase" format="binary">{coded}</DataArray>
</CellData></Piece></ImageData></VTKFile>
""".encode()


def stl(volume: Volume, phase: int) -> bytes:
    """The closed surface of a phase by marching cubes, binary; lengths in μm or voxels.

    Raises
    ------
    ValueError : there is nothing of the phase.
    """
    from skimage.measure import marching_cubes

    mask = volume.mask(phase)
    if not mask.any():
        raise ValueError(f"stl: there is no {volume.phases[phase]} in this volume")
    padded = np.pad(mask, 1).astype(np.float32)  # so that the surface closes at the border
    corners, faces, _, _ = marching_cubes(padded, 0.5, spacing=volume.edges)
    # From the middles of padded voxels to places, and from z, y, x to x, y, z.
    corners = (corners - np.array(volume.edges) / 2)[:, ::-1]
    triangles = corners[faces]
    normals = np.cross(triangles[:, 1] - triangles[:, 0], triangles[:, 2] - triangles[:, 0])
    normals /= np.linalg.norm(normals, axis=1, keepdims=True) + 1e-30
    facets = np.zeros(len(faces), _FACET)
    facets["normal"], facets["corners"] = normals, triangles
    head = f"GenBat, {volume.phases[phase]}".encode("ascii", "replace")[:80].ljust(80)
    return head + len(facets).to_bytes(4, "little") + facets.tobytes()


def npz(candidates: Sequence[Candidate], extras: Sequence[Extra] = ()) -> bytes:
    """All volumes by name in NumPy's archive, with their phases and voxels beside them."""
    file, arrays = io.BytesIO(), {}
    for name, volume in _named(candidates):
        arrays[name] = volume.labels
        arrays[f"{name}_phases"] = np.array(volume.phases)
        arrays[f"{name}_voxel_um"] = np.array(volume.voxel_um or ())
    np.savez_compressed(file, **arrays)  # type: ignore[arg-type]
    return file.getvalue()


def _named(candidates: Sequence[Candidate]) -> list[tuple[str, Volume]]:
    """Volumes with a name that any file system takes and that keeps them apart."""
    out = []
    for k, candidate in enumerate(candidates, 1):
        words = _STRANGE.sub("_", candidate.name[:60]).strip("_")[:40]
        out.append((f"{k:04d}{'_' if words else ''}{words}", read(candidate.text)))
    return out


def _one(write: Callable[[Volume], bytes], ending: str) -> Writer:
    def written(candidates: Sequence[Candidate], extras: Sequence[Extra] = ()) -> bytes:
        if len(candidates) != 1:
            raise ValueError(f"{ending}: got {len(candidates)} volumes; one is legal, or .zip")
        return write(read(candidates[0].text))

    return written


def _many(write: Callable[[Volume], bytes], ending: str) -> Writer:
    def written(candidates: Sequence[Candidate], extras: Sequence[Extra] = ()) -> bytes:
        return _zipped({f"{n}.{ending}": write(volume) for n, volume in _named(candidates)})

    return written


def _surfaces(candidates: Sequence[Candidate], extras: Sequence[Extra] = ()) -> bytes:
    """The surface of every solid phase of every volume."""
    files = {}
    for name, volume in _named(candidates):
        for phase, called in enumerate(volume.phases):
            if phase and volume.mask(phase).any():
                files[f"{name}_{_STRANGE.sub('_', called)}.stl"] = stl(volume, phase)
    return _zipped(files)


def _zipped(files: Mapping[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


FORMATS: dict[str, Writer] = {
    "tif": _one(tiff, "tif"),
    "vti": _one(vti, "vti"),
    "npz": npz,
    "tif.zip": _many(tiff, "tif"),
    "vti.zip": _many(vti, "vti"),
    "stl.zip": _surfaces,
}
