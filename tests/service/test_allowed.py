"""Which paths the API takes: inside the roots, followed through links, and nothing that is no path."""

from __future__ import annotations

from pathlib import Path

import pytest

from wan_engine.errors import InputError
from wan_engine.service.allowed import OutsideError, Roots, check_output_folder, inside_roots, settings_inside
from wan_engine.settings import SETTINGS, Settings


@pytest.fixture
def roots(tmp_path: Path) -> Roots:
    """Two folders that are allowed, beside one that is not."""
    for name in ("films", "models", "secret"):
        (tmp_path / name).mkdir()
    (tmp_path / "secret" / "key.txt").write_text("secret")
    (tmp_path / "films" / "a.png").write_bytes(b"x")
    return Roots((tmp_path / "films", tmp_path / "models"))


def test_what_lies_inside_is_given_back_followed(roots: Roots, tmp_path: Path) -> None:
    assert inside_roots(str(tmp_path / "films" / "a.png"), roots) == roots.folders[0].resolve() / "a.png"
    assert inside_roots(str(tmp_path / "secret" / ".." / "films" / "new" / "b.png"), roots).name == "b.png"
    assert inside_roots(str(roots.folders[0]), roots) == roots.folders[0].resolve()


def test_a_root_that_is_itself_a_link_counts_by_where_it_leads(roots: Roots, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(roots.folders[0])
    assert (
        inside_roots(str(tmp_path / "link" / "a.png"), Roots((tmp_path / "link",)))
        == roots.folders[0].resolve() / "a.png"
    )


def test_the_state_folder_inside_a_root_stays_closed_but_for_its_own_roots(tmp_path: Path) -> None:
    """A WebUI keeps the state in models/wan/state, and models/wan is a root."""
    home = tmp_path / "models" / "state"
    (home / "uploads").mkdir(parents=True)
    (tmp_path / "link").symlink_to(home)
    roots = Roots((tmp_path / "models", home / "uploads", tmp_path / "link", home), private=home)
    assert inside_roots(str(home / "uploads" / "a.png"), roots) == (home / "uploads" / "a.png").resolve()
    assert inside_roots(str(tmp_path / "models" / "b"), roots) == (tmp_path / "models" / "b").resolve()
    for path in (home, home / "engine.json", home / "new" / "x", tmp_path / "link" / "engine.json"):
        with pytest.raises(OutsideError):
            inside_roots(str(path), roots)


@pytest.mark.parametrize(
    "path",
    [
        "{root}/../secret/key.txt",
        "{root}/link/key.txt",
        "{root}/link_to_file",
        "/etc/passwd",
        "/dev/zero",
        "{root}x/a.png",
        "a.png",
        "../a.png",
        "~/a.png",
        "",
    ],
)
def test_what_lies_outside_is_refused_with_the_roots(roots: Roots, tmp_path: Path, path: str) -> None:
    (roots.folders[0] / "link").symlink_to(tmp_path / "secret")
    (roots.folders[0] / "link_to_file").symlink_to(tmp_path / "secret" / "key.txt")
    with pytest.raises(OutsideError) as caught:
        inside_roots(path.format(root=roots.folders[0]), roots, "init_image")
    (problem,) = caught.value.problems
    assert problem.field == "init_image"
    assert str(roots.folders[0]) in problem.remedy


@pytest.mark.parametrize(
    "path", ["{root}/a\0b", "http://x/y.png", "file:///etc/passwd", "{root}/loop", "{root}/\ud800"]
)
def test_what_is_no_path_is_wrong_input(roots: Roots, path: str) -> None:
    (roots.folders[0] / "loop").symlink_to(roots.folders[0] / "loop")
    with pytest.raises(InputError):
        inside_roots(path.format(root=roots.folders[0]), roots)


def test_every_path_of_the_table_is_looked_at(roots: Roots) -> None:
    """A setting that names a file and is added later is guarded without a change here."""
    paths = [name for name, spec in SETTINGS.items() if spec.kind == "path"]
    images = [name for name, spec in SETTINGS.items() if spec.kind == "images"]
    outside = {**dict.fromkeys(paths, "/etc/passwd"), **{name: {"3": "/etc/passwd"} for name in images}}
    with pytest.raises(OutsideError) as caught:
        settings_inside(Settings(**outside), roots)
    found = {(problem.field, problem.key) for problem in caught.value.problems}
    assert found == {(name, "") for name in paths} | {(name, "3") for name in images}


def test_paths_inside_become_whole(roots: Roots) -> None:
    given = Settings(
        init_image=f"{roots.folders[0]}/./a.png", guided_images={"3": f"{roots.folders[1]}/../films/a.png", "5": ""}
    )
    settings = settings_inside(given, roots)
    assert settings.init_image == str(roots.folders[0].resolve() / "a.png")
    assert settings.guided_images == {"3": str(roots.folders[0].resolve() / "a.png"), "5": ""}
    assert given.guided_images["3"].startswith(str(roots.folders[1]))


def test_output_folders(roots: Roots) -> None:
    check_output_folder(roots.folders[0])
    check_output_folder(roots.folders[0] / "new" / "deep")
    with pytest.raises(InputError, match="not a folder"):
        check_output_folder(roots.folders[0] / "a.png")
    with pytest.raises(InputError, match="not a folder"):
        check_output_folder(roots.folders[0] / "a.png" / "deep")


def test_models_are_named_by_paths_inside_or_by_listed_names(
    roots: Roots, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A link keeps its name, for it and its neighbours tell what its target does not."""
    monkeypatch.chdir(tmp_path)
    link = tmp_path / "films" / "wan.safetensors"
    (tmp_path / "models" / "blob").touch()
    link.symlink_to(tmp_path / "models" / "blob")
    folders = f"{tmp_path / 'models'}\n\n '{tmp_path / 'films'}' "
    found = settings_inside(Settings(model=str(link), vae="a-listed-name", model_dirs=folders), roots)
    assert (found.model, found.vae) == (str(link), "a-listed-name")
    assert found.model_dirs.splitlines() == [str(tmp_path / "models"), str(tmp_path / "films")]
    (tmp_path / "films" / "out").symlink_to(tmp_path / "secret")
    for values in (
        {"model": str(tmp_path / "secret" / "key.txt")},
        {"vae": str(tmp_path / "films" / "out" / "key.txt")},
        {"text_encoder": "secret"},
        {"text_encoder": ".."},
        {"transformer_2": "films/../secret/key.txt"},
        {"model_dirs": f"{tmp_path / 'films'}\n{tmp_path / 'secret'}"},
    ):
        with pytest.raises(OutsideError) as caught:
            settings_inside(Settings(**values), roots)
        assert [problem.field for problem in caught.value.problems] == list(values)
