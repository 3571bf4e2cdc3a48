"""Writes digits.csv: scikit-learn's bundled handwritten digits, taken out of its wheel.

The wheel is only unpacked, not installed, so neither numpy nor a compiler is needed.
One line a digit: 64 counts from 0 to 16, row by row, then the label.
"""

import gzip
import hashlib
import pathlib
import subprocess
import sys
import tempfile
import zipfile

MEMBER = "sklearn/datasets/data/digits.csv.gz"
SHA256 = "09f66e6debdee2cd2b5ae59e0d6abbb73fc2b0e0185d2e1957e9ebb51e23aa22"


def main():
    with tempfile.TemporaryDirectory() as folder:
        pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:"]
        subprocess.run([*pip, "--dest", folder, "scikit-learn"], check=True)
        (wheel,) = pathlib.Path(folder).glob("*.whl")
        packed = zipfile.ZipFile(wheel).read(MEMBER)
    digest = hashlib.sha256(packed).hexdigest()
    if digest != SHA256:
        sys.exit(f"{MEMBER}: digest mismatch\n  expected {SHA256}\n  actual   {digest}\n  wheel    {wheel.name}")
    out = pathlib.Path(__file__).with_name("digits.csv")
    out.write_bytes(gzip.decompress(packed))
    print(f"{out}: {len(out.read_bytes().splitlines())} digits from {wheel.name}")


if __name__ == "__main__":
    main()
