"""The kernel needs no network and no model: its tests pass with sockets blocked and every model package absent."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
RUN = """
import socket, sys

MODELS = {"anthropic", "google", "langchain", "langgraph", "litellm", "llama_cpp", "mcp", "mistralai", "ollama",
          "openai", "pydantic_ai", "sentence_transformers", "tensorflow", "torch", "transformers"}
NETWORK = {"aiohttp", "ftplib", "http.client", "httpx", "requests", "smtplib", "urllib3"}


class Absent:
    def find_spec(self, name, path=None, target=None):
        if name in NETWORK or name.partition(".")[0] in MODELS:
            raise ModuleNotFoundError(f"{name} is blocked", name=name)
        return None


class Blocked(socket.socket):
    def __init__(self, *arguments, **options):
        raise AssertionError("the kernel opened a socket")


sys.meta_path.insert(0, Absent())
socket.socket = Blocked
for module in ("openai", "http.client"):
    try:
        __import__(module)
    except ModuleNotFoundError:
        continue
    raise AssertionError(f"{module} is not blocked")
try:
    socket.socket()
except AssertionError:
    pass
else:
    raise AssertionError("sockets are not blocked")

import pytest

plugins = ["-p", "pytest_timeout", "-p", "_hypothesis_pytestplugin"]
sys.exit(pytest.main(["-q", "-p", "no:cacheprovider", *plugins, "tests/unit/kernel"]))
"""


def test_the_kernels_tests_pass_without_network_and_models() -> None:
    # Model libraries bring pytest plugins that pytest would load by itself, and that need the network's modules.
    env = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    ran = subprocess.run([sys.executable, "-c", RUN], cwd=ROOT, env=env, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, (ran.stdout + ran.stderr)[-3000:]
    assert " passed" in ran.stdout and " failed" not in ran.stdout
