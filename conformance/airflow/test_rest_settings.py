"""Variables, connections and pools through Airflow's own REST client, whose models check every answer."""

import json

import airflow_client.client as airflow
import pytest
import requests
from airflow_client.client.api import ConnectionApi, PoolApi, VariableApi
from airflow_client.client.exceptions import ApiException
from airflow_client.client.models.connection_body import ConnectionBody
from airflow_client.client.models.pool_body import PoolBody
from airflow_client.client.models.pool_patch_body import PoolPatchBody
from airflow_client.client.models.variable_body import VariableBody

MASK = "***"

pytestmark = pytest.mark.tidemill_only  # the judge is the client, and Airflow's sources


@pytest.fixture(scope="module")
def client(scheduler_url):
    configuration = airflow.Configuration(host=scheduler_url, access_token="none is asked for")
    with airflow.ApiClient(configuration) as client:
        yield client


def refused(call, *arguments, **named):
    """The status and the detail of a call that is refused."""
    with pytest.raises(ApiException) as error:
        call(*arguments, **named)
    return error.value.status, json.loads(error.value.body)["detail"]


def test_a_variable_lives_and_a_secret_one_is_masked(client, name):
    variables = VariableApi(client)
    made = variables.post_variable(VariableBody(key=name, value={"user": "ada", "password": "p"}))
    assert json.loads(made.value) == {"user": "ada", "password": MASK}
    status, detail = refused(variables.post_variable, VariableBody(key=name, value="x"))
    assert (status, detail) == (409, f"The Variable with key: `{name}` already exists")
    variables.patch_variable(name, VariableBody(key=name, value="plain", description="d"))
    read = variables.get_variable(name)
    assert (read.value, read.description) == ("plain", "d")
    secret = variables.post_variable(VariableBody(key=f"{name}_api_key", value="s3cret"))
    assert secret.value == MASK
    found = variables.get_variables(variable_key_pattern=f"{name}%", order_by=["-key"])
    assert [one.key for one in found.variables] == [f"{name}_api_key", name]
    for key in (name, f"{name}_api_key"):
        variables.delete_variable(key)
    assert refused(variables.get_variable, name) == (404, f"The Variable with key: `{name}` was not found")


def test_a_connection_that_comes_back_masked_keeps_its_password(client, name):
    connections = ConnectionApi(client)
    body = ConnectionBody(connection_id=name, conn_type="postgres", host="db", port=5432, login="ada",
                          password="p4ssw0rd", schema="mill", extra=json.dumps({"token": "t", "mode": "a"}))
    made = connections.post_connection(body)
    assert (made.password, made.port, json.loads(made.extra)) == (MASK, 5432, {"token": MASK, "mode": "a"})
    status, detail = refused(connections.post_connection, body)
    assert (status, detail["reason"]) == (409, "Unique constraint violation")
    changed = connections.patch_connection(
        name, ConnectionBody(connection_id=name, conn_type="postgres", host="other", password=MASK))
    assert (changed.host, changed.password, changed.login) == ("other", MASK, "ada")
    only = connections.patch_connection(
        name, ConnectionBody(connection_id=name, conn_type="mysql", login="grace"), update_mask=["login"])
    assert (only.conn_type, only.login) == ("postgres", "grace")
    status, _ = refused(connections.test_connection, body)
    assert status == 403
    connections.delete_connection(name)
    assert refused(connections.delete_connection, name)[0] == 404


@pytest.mark.parametrize("body, field", [
    ({"connection_id": "a b", "conn_type": "x"}, "connection_id"),
    ({"connection_id": "a", "conn_type": "x", "extra": "no json"}, "extra"),
    ({"connection_id": "a"}, "conn_type"),
    ({"connection_id": "a", "conn_type": "x", "colour": 1}, "colour"),
])
def test_a_wrong_connection_is_refused_with_422(scheduler_url, body, field):
    answer = requests.post(f"{scheduler_url}/api/v2/connections", json=body, timeout=30)
    assert answer.status_code == 422
    assert field in answer.text


def test_pools_have_slots_and_the_default_pool_its_rules(client, name):
    pools = PoolApi(client)
    default = pools.get_pool("default_pool")
    assert (default.slots, default.deferred_slots) == (128, 0)
    made = pools.post_pool(PoolBody(name=name, slots=3, description="d"))
    assert (made.open_slots, made.occupied_slots, made.include_deferred) == (3, 0, False)
    patch = PoolPatchBody(pool=name, slots=-1, include_deferred=True)
    assert pools.patch_pool(name, patch).open_slots == -1
    assert refused(pools.post_pool, PoolBody(name=name, slots=1))[0] == 409
    assert refused(pools.delete_pool, "default_pool") == (400, "Default Pool can't be deleted")
    status, detail = refused(pools.patch_pool, "default_pool", PoolPatchBody(slots=5, description="x"))
    assert (status, detail) == (400, "Only slots and included_deferred can be modified on Default Pool")
    pools.delete_pool(name)
    assert name not in [one.name for one in pools.get_pools().pools]


def test_many_are_changed_at_once(scheduler_url, name):
    actions = [
        {"action": "create", "entities": [{"key": f"{name}{n}", "value": str(n)} for n in range(3)]},
        {"action": "create", "entities": [{"key": f"{name}0", "value": "x"}]},
        {"action": "update", "entities": [{"key": f"{name}1", "value": "new"}, {"key": f"{name}9", "value": "x"}],
         "action_on_non_existence": "skip"},
        {"action": "delete", "entities": [f"{name}0", f"{name}2"]},
    ]
    answer = requests.patch(f"{scheduler_url}/api/v2/variables", json={"actions": actions}, timeout=30)
    assert answer.status_code == 200, answer.text
    done = answer.json()
    assert sorted(done["create"]["success"]) == [f"{name}{n}" for n in range(3)]
    assert done["create"]["errors"][0]["status_code"] == 409
    assert done["update"] == {"success": [f"{name}1"], "errors": []}
    assert sorted(done["delete"]["success"]) == [f"{name}0", f"{name}2"]
    left = requests.get(f"{scheduler_url}/api/v2/variables", params={"variable_key_pattern": name}, timeout=30).json()
    assert [(one["key"], one["value"]) for one in left["variables"]] == [(f"{name}1", "new")]
