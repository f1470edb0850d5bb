"""How large the zip of each built function is. usage: sizes.py FOLDER: a build folder of SAM; above the bound the result is 1."""

import sys
import zipfile
from io import BytesIO
from pathlib import Path

# Bytes: a function starts the slower the more there is to fetch.
_BOUND = 5_000_000


def size(function: Path) -> int:
    """The size of a function's zip, in bytes."""
    archive = BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as zipped:
        for file in sorted(file for file in function.rglob("*") if file.is_file()):
            zipped.write(file, file.relative_to(function))
    return archive.getbuffer().nbytes


def main(folder: Path) -> int:
    """Prints every size."""
    sizes = {function.name: size(function) for function in sorted(folder.iterdir()) if function.is_dir()}
    for name, bytes_ in sizes.items():
        print(f"{name}: {bytes_ / 1e6:.2f} MB" + (" is too large" if bytes_ > _BOUND else ""))
    return int(not sizes or max(sizes.values()) > _BOUND)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
