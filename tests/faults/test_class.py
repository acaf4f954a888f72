"""A class whose students upload more than there is room for, on a real server."""

import hashlib
import io
import json
from pathlib import Path

import numpy as np
import pytest

from tests.browser.conftest import free_port, launched
from tests.visitor import Visitor, put

KEY = "anna-anna-anna-anna"


@pytest.mark.slow
def test_what_is_uploaded_is_bounded_and_makes_room_once_it_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VAE_DATA", str(tmp_path / "data"))
    says = {"lecturer": hashlib.sha256(b"lecturer").hexdigest(), "limits": {"megabytes": 1}}
    (tmp_path / "class.json").write_text(json.dumps(says))
    port, content = free_port(), io.BytesIO()
    np.save(content, np.random.default_rng(0).integers(0, 255, (800, 28, 28), np.uint8))  # 0.6 MB
    with launched(tmp_path, port, VAE_CLASSROOM=str(tmp_path)):
        visitor = Visitor(port)
        visitor.visit("data", f"key={KEY}")
        visitor.upload("data.files0", "images.npy", content.getvalue())
        more = f"/_stcore/upload_file/{visitor.session}/another"
        assert put(port, more, "images.npy", content.getvalue()) == 413
        visitor.ask()
        visitor.wait()
        visitor.set("data.name", string_value="mine")
        visitor.ask(data__keep=True)
        visitor.wait()
        assert visitor.said("success") and not visitor.faults
        assert put(port, more, "images.npy", content.getvalue()) == 204
