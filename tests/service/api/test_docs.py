"""docs/api.md tells each route and method that there is, with an example, each status, and no others."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from api_samples import ROOT
from wan_engine.service.api.problems import STATUS

PAGE = (Path(__file__).resolve().parents[3] / "docs" / "api.md").read_text(encoding="utf-8")
METHODS = ("get", "head", "post", "put", "patch", "delete")


@pytest.fixture
def described(client: TestClient) -> dict[str, Any]:
    """The description as a client gets it."""
    values: dict[str, Any] = client.get(f"{ROOT}/openapi.json").json()
    return values


def operations(described: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The operations by how the page calls them."""
    return {
        f"{method.upper()} {path.removeprefix(ROOT)}": operation
        for path, methods in described["paths"].items()
        for method, operation in methods.items()
        if method in METHODS
    }


def test_each_route_is_told_with_an_example(described: dict[str, Any]) -> None:
    told = re.findall(r"^### ((?:GET|HEAD|POST|PUT|PATCH|DELETE) \S+)$", PAGE, re.MULTILINE)
    assert sorted(told) == sorted(operations(described))
    sections = re.split(r"^### ", PAGE, flags=re.MULTILINE)[1:]
    for section in sections:
        method, path = section.split("\n")[0].split(" ")
        if section.strip().count("\n"):  # else the next heading's text and example are its own too
            shown = method.replace("HEAD", "GET")
            assert f"\n```\n{shown} {ROOT}{path.split('{')[0]}" in section, section.split("\n")[0]


def test_each_status_is_told(described: dict[str, Any]) -> None:
    told = {int(status) for status in re.findall(r"^\| (\d{3}) \|", PAGE, re.MULTILINE)}
    known = {int(status) for each in operations(described).values() for status in each["responses"]}
    assert {status for status in known if status >= 400} | set(STATUS.values()) | {405} == told


def test_errors_are_described_as_problem_documents(described: dict[str, Any]) -> None:
    for name, operation in operations(described).items():
        answers = operation["responses"]
        assert {"401", "403", "500"} <= answers.keys(), name
        for status, answer in answers.items():
            assert answer["description"], (name, status)
            if int(status) >= 400:
                assert list(answer["content"]) == ["application/problem+json"], (name, status)


def test_each_body_has_an_example(described: dict[str, Any]) -> None:
    schemas = described["components"]["schemas"]
    for name, operation in operations(described).items():
        content = operation.get("requestBody", {}).get("content", {}).get("application/json")
        if content is None:
            continue
        schema = content["schema"]
        form = schemas[schema["$ref"].rsplit("/", 1)[1]] if "$ref" in schema else schema
        assert form.get("examples"), name


def test_every_route_has_words(app: FastAPI, described: dict[str, Any]) -> None:
    for name, operation in operations(described).items():
        assert operation["description"].endswith("."), name
        assert operation["tags"], name
    assert described["security"] == [{"token": []}]
    assert app.docs_url is None
