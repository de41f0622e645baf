"""Services: from one place each, bound together; what is wrong is told, and no key ever is."""

from __future__ import annotations

import logging
import os
from pathlib import Path

import pytest

from wan_engine.errors import InputError
from wan_engine.storyboard.services import SERVICES_FILE, load_services, with_webui

SECRET = "sk-very-secret"


def write(home: Path, text: str) -> Path:
    (home / SERVICES_FILE).write_text(text, encoding="utf-8")
    (home / SERVICES_FILE).chmod(0o600)
    return home


def test_without_anything_each_has_its_usual_values(tmp_path: Path) -> None:
    services = load_services(tmp_path, {})
    assert services["planner"].url == "https://api.openai.com/v1"
    assert services["openai"].model == "gpt-image-1"
    assert services["webui"].url == ""
    assert not any(service.key for service in services.values())


def test_the_running_webui_is_meant_where_none_is_named(tmp_path: Path) -> None:
    write(tmp_path, "webui: {user: me, password: secret}\n")
    webui = with_webui(load_services(tmp_path, {}), "http://127.0.0.1:7862")["webui"]
    assert (webui.url, webui.user, webui.password) == ("http://127.0.0.1:7862", "me", "secret")
    named = load_services(tmp_path, {"WAN_WEBUI_URL": "http://far:1"})
    assert with_webui(named, "http://127.0.0.1:7862") == named


def test_a_section_comes_whole_from_one_place(tmp_path: Path) -> None:
    write(tmp_path, f"planner: {{key: {SECRET}, model: big}}\nstability: {{key: {SECRET}, price: 0.065}}\n")
    services = load_services(tmp_path, {})
    assert (services["planner"].key, services["planner"].model, services["stability"].price) == (SECRET, "big", 0.065)
    # The file's key does not go to an address that the environment names.
    services = load_services(tmp_path, {"WAN_PLANNER_URL": "http://127.0.0.1:8080/v1/", "WAN_PLANNER_TEMPERATURE": "0"})
    planner = services["planner"]
    assert (planner.url, planner.key, planner.model, planner.temperature) == ("http://127.0.0.1:8080/v1", "", "", 0)
    assert services["stability"].key == SECRET


def test_keys_are_not_shown(tmp_path: Path) -> None:
    write(tmp_path, f"planner: {{key: {SECRET}}}\nwebui: {{user: me, password: {SECRET}}}\n")
    assert SECRET not in repr(load_services(tmp_path, {}))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("planer: {}", 'Did you mean "planner"?'),
        (f"planner: {{kee: {SECRET}}}", "planner.kee: it is nothing that this service has"),
        ("planner: {mode: magic}", "planner.mode: it is no mode"),
        ("planner: {url: example.org}", "planner.url: it is no address"),
        ('planner: {url: "http://["}', "planner.url: it is no address"),
        ('planner: {url: "http://example.org:port/v1"}', "planner.url: it is no address"),
        ('webui: {url: "http://127.0.0.1\\u200b:7860"}', "webui.url: it is no address"),
        ('planner: {url: "https:///v1"}', "planner.url: it is no address"),
        (f'webui: {{url: "http://me:{SECRET}@127.0.0.1:7860"}}', "webui.url: it holds a user or a password"),
        (f"planner: {{key: “{SECRET}”}}", "planner.key: it holds a character that no key has"),
        (f'stability: {{key: "{SECRET}\\nx"}}', "stability.key: it holds a character that no key has"),
        ("openai: {price: dear}", "openai.price: it is no number"),
        ("openai: sk", "it is no object"),
        ("[1]", "it holds no sections"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(tmp_path: Path, text: str, words: str) -> None:
    write(tmp_path, text)
    with pytest.raises(InputError) as caught:
        load_services(tmp_path, {})
    assert words in str(caught.value)
    assert SERVICES_FILE in str(caught.value)
    assert SECRET not in str(caught.value)


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such bits")
def test_a_file_that_others_can_read_is_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    write(tmp_path, f"planner: {{key: {SECRET}}}")
    with caplog.at_level(logging.WARNING):
        load_services(tmp_path, {})
        assert caplog.messages == []
        (tmp_path / SERVICES_FILE).chmod(0o644)
        load_services(tmp_path, {})
    assert "chmod 600" in caplog.text
    assert SECRET not in caplog.text
