"""A browser opens every page, light and dark, and sees a record arrive."""

import json
import pathlib
import shutil
import subprocess
import time
import uuid

import pytest
import requests
from kafka import KafkaProducer

pytestmark = pytest.mark.tidemill_only

if shutil.which("chromium") is None:
    raise RuntimeError("chromium is missing: apt-get install chromium")


def test_a_record_appears_on_the_page_while_it_is_open(node, tmp_path):
    marker = f"Marker{uuid.uuid4().hex[:8]}"
    producer = KafkaProducer(bootstrap_servers=node.kafka)

    def produce():
        person = {"id": str(uuid.uuid4()), "first_name": marker, "last_name": "L"}
        producer.send("users_created", json.dumps(person).encode()).get(10)

    script = pathlib.Path(__file__).with_name("browser.mjs")
    produce_first = {"id": str(uuid.uuid4()), "first_name": "Early", "last_name": "L"}
    producer.send("users_created", json.dumps(produce_first).encode()).get(10)
    browser = subprocess.Popen(["node", script, node.console, tmp_path, marker],
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert browser.stdout.readline() == "open\n", browser.stderr.read()
    end = time.monotonic() + 30
    while browser.poll() is None and time.monotonic() < end:
        produce()
        time.sleep(0.5)
    out, error = browser.communicate(timeout=60)
    producer.close()
    assert browser.returncode == 0, error
    assert "seen" in out
    assert len(list(tmp_path.glob("*.png"))) == 16


def test_only_loopback_names_are_served(node):
    port = node.console.rsplit(":", 1)[1]
    answer = requests.get(f"http://127.0.0.1:{port}/", headers={"Host": "evil.example"}, timeout=10)
    assert answer.status_code in (400, 403, 421)
    assert requests.get(f"{node.console}/health", timeout=10).status_code == 200
