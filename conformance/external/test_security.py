"""Real systems that ask for more than an address: each way in works, and each wrong way says what is wrong and what to
type, without the password."""

import json

import pytest
from peers import cassandra, kafka

from . import users

WRONG = "not the password"


@pytest.fixture(scope="module")
def secured(tmp_path_factory):
    server, secured = kafka.start_secured(tmp_path_factory.mktemp("secured"))
    yield secured
    server.stop()


def ssl(secured):
    return {"ssl_ca_location": str(secured.authority.ca)}


def sasl(secured, mechanism, password=None):
    return {"sasl_mechanism": mechanism, "sasl_username": secured.user, "sasl_password": password or secured.password}


def client_certificate(secured):
    return {"ssl_certificate_location": str(secured.authority.client_certificate),
            "ssl_key_location": str(secured.authority.client_key)}


MECHANISMS = ("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512")
WAYS_IN = {
    "PLAINTEXT": lambda s: {"bootstrap_servers": s.plaintext},
    "SSL": lambda s: {"bootstrap_servers": s.ssl, **ssl(s), **client_certificate(s)},
    **{f"SASL_PLAINTEXT-{m}": lambda s, m=m: {"bootstrap_servers": s.sasl_plaintext, **sasl(s, m)} for m in MECHANISMS},
    **{f"SASL_SSL-{m}": lambda s, m=m: {"bootstrap_servers": s.sasl_ssl, **ssl(s), **sasl(s, m)} for m in MECHANISMS},
}


def project(folder, broker):
    return users.Line(folder, {"broker": {"use": "external", **broker}})


@pytest.mark.parametrize("way", WAYS_IN)
def test_records_go_and_come_by_every_way_in(secured, way, tmp_path):
    line = project(tmp_path, {"security_protocol": way.split("-")[0], **WAYS_IN[way](secured)})
    topic = f"way-{way.lower()}"
    line.command("topic", "create", topic)
    sent = [f"record {number}" for number in range(100)]
    line.command("topic", "produce", topic, *sent)
    records = line.command("topic", "tail", topic, "--from-beginning", "--once", "--json").splitlines()
    assert [json.loads(record)["value"] for record in records] == sent
    checks = [json.loads(check) for check in line.command("profile", "check", "--json").splitlines()]
    assert {check["verdict"] for check in checks} == {"good"}, checks


WRONG_WAYS = {
    "a wrong password": (
        lambda s: {"security_protocol": "SASL_SSL", "bootstrap_servers": s.sasl_ssl, **ssl(s), **sasl(s, "SCRAM-SHA-512", WRONG)},
        "authentication", "check sasl_username"),
    "a wrong password in the clear": (
        lambda s: {"security_protocol": "SASL_PLAINTEXT", "bootstrap_servers": s.sasl_plaintext, **sasl(s, "PLAIN", WRONG)},
        "authentication", "check sasl_username"),
    "no user where one is asked for": (
        lambda s: {"bootstrap_servers": s.sasl_plaintext}, "authentication", "SASL_SSL"),
    "an authority that did not sign": (
        lambda s: {"security_protocol": "SASL_SSL", "bootstrap_servers": s.sasl_ssl, **sasl(s, "PLAIN")},
        "tls", "ssl_ca_location"),
    "plain bytes to a TLS port": (
        lambda s: {"bootstrap_servers": s.ssl}, "", "security_protocol"),
    "TLS to a plain port": (
        lambda s: {"security_protocol": "SSL", "bootstrap_servers": s.plaintext, **ssl(s)}, "tls", "security_protocol"),
}


@pytest.mark.parametrize("wrong", WRONG_WAYS)
def test_a_wrong_way_in_is_named_with_what_mends_it(secured, wrong, tmp_path):
    broker, check, mend = WRONG_WAYS[wrong]
    line = project(tmp_path, broker(secured))
    said = line.command("profile", "check", "--json", code=4)
    bad = [found for found in map(json.loads, filter(lambda text: text.startswith("{"), said.splitlines()))
           if found["verdict"] == "bad"]
    assert len(bad) == 1, said
    assert check in bad[0]["check"] and mend in bad[0]["mend"], bad
    assert WRONG not in said and secured.password not in said
    # A node says it at once instead of beginning to wait.
    line.command("up", str(line.project), code=3)


@pytest.fixture(scope="module")
def with_password(tmp_path_factory):
    server, address = cassandra.start(tmp_path_factory.mktemp("cassandra"), with_password=True)

    def lets_in():
        try:
            with users.session(address, ("cassandra", "cassandra")):
                return True
        except Exception:  # its first user is made some seconds after it listens
            return False

    users.eventually(lets_in, 90, "the first user of Cassandra")
    yield address
    server.stop()


def test_cassandra_lets_in_who_knows_the_password(with_password, tmp_path):
    store = {"use": "external", "contact_points": [with_password], "username": "cassandra", "password": "cassandra",
             "local_datacenter": "datacenter1", "consistency": "LOCAL_QUORUM"}
    line = users.Line(tmp_path / "in", {"store": store})
    said = line.command("profile", "check", "--json")
    assert '"bad"' not in said and "Cassandra 5" in said
    assert "system" in line.command("cql", "-c", "SELECT keyspace_name FROM system_schema.keyspaces")
    refused = users.Line(tmp_path / "out", {"store": {**store, "password": WRONG}})
    said = refused.command("profile", "check", "--json", code=4)
    assert "check username and password" in said and WRONG not in said
    elsewhere = users.Line(tmp_path / "dc", {"store": {**store, "local_datacenter": "dc9"}})
    assert "datacenter1" in elsewhere.command("profile", "check", "--json", code=4)
