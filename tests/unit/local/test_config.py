"""The instance's file: complete, private, and read back as it was written."""

from __future__ import annotations

import stat
from typing import TYPE_CHECKING

import jwt
import pytest

from local.config import Ports, Secrets, open_instance, save, stored_ports
from local.errors import StackError

if TYPE_CHECKING:
    from pathlib import Path


def test_an_instance_is_private_found_again_and_shares_nothing(tmp_path: Path) -> None:
    assert stored_ports(tmp_path / "one") is None
    assert list(tmp_path.iterdir()) == [], "looking creates nothing"
    one, is_new = open_instance(tmp_path / "one")
    assert (is_new, one.ports) == (True, Ports())
    assert open_instance(tmp_path / "one") == (one, False)
    assert stat.S_IMODE((one.state_dir / "stack.env").stat().st_mode) == 0o600
    two, _ = open_instance(tmp_path / "two")
    assert set(vars(one.secrets).values()).isdisjoint(vars(two.secrets).values())
    assert one.data != two.data


def test_a_missing_secret_is_named_and_no_value_shown(tmp_path: Path) -> None:
    instance, _ = open_instance(tmp_path)
    file = tmp_path / "stack.env"
    lines = file.read_text(encoding="utf-8").splitlines()
    file.write_text("\n".join(line for line in lines if "SECRET_KEY" not in line), encoding="utf-8")
    with pytest.raises(StackError, match=r"stack\.env lacks SUPABASE_SECRET_KEY: remove the file") as refused:
        open_instance(tmp_path)
    assert instance.secrets.jwt_secret not in str(refused.value)


def test_generated_keys_have_the_form_of_supabase() -> None:
    secrets = Secrets.generate()
    assert secrets.publishable_key.startswith("sb_publishable_")
    assert secrets.secret_key.startswith("sb_secret_")
    assert secrets.webhook_secret.startswith("whsec_")
    for key, role in ((secrets.anon_key, "anon"), (secrets.service_role_key, "service_role")):
        assert jwt.decode(key, secrets.jwt_secret, algorithms=["HS256"])["role"] == role


def test_database_urls_carry_the_password_of_their_role(tmp_path: Path) -> None:
    instance, _ = open_instance(tmp_path, Ports(postgres=4711))
    for role, password in (
        ("postgres", instance.secrets.postgres_password),
        ("supabase_admin", instance.secrets.admin_password),
        ("supabase_auth_admin", instance.secrets.auth_admin_password),
    ):
        assert instance.database_url(role) == f"postgresql://{role}:{password}@127.0.0.1:4711/postgres"


def test_an_error_shows_the_end_of_its_log(tmp_path: Path) -> None:
    log = tmp_path / "rest.log"
    log.write_text("\n".join(f"line {number}" for number in range(100)), encoding="utf-8")
    shown = str(StackError("rest ended", log=log))
    assert shown.startswith("rest ended\n")
    assert shown.endswith("line 98\nline 99")
    assert "line 80\n" not in shown
    assert str(StackError("ended", log=tmp_path / "none.log")) == "ended"


@pytest.mark.parametrize(
    ("gateway", "is_possible"), [(1023, False), (1024, True), (54321, True), (65524, True), (65525, False)]
)
def test_all_ports_follow_the_gateways(gateway: int, *, is_possible: bool) -> None:
    if is_possible:
        assert list(vars(Ports.from_gateway(gateway)).values()) == [gateway + n for n in (0, 1, 9, 10, 11)]
        return
    with pytest.raises(StackError, match=f"port {gateway} is not possible: choose one from 1024 to 65524"):
        Ports.from_gateway(gateway)


def test_ports_are_kept_until_others_are_saved(tmp_path: Path) -> None:
    first, _ = open_instance(tmp_path, Ports.from_gateway(55321))
    assert open_instance(tmp_path) == (first, False)
    other, _ = open_instance(tmp_path, Ports.from_gateway(56321))
    assert (other.api_url, other.secrets) == ("http://127.0.0.1:56321", first.secrets)
    assert stored_ports(tmp_path) == first.ports, "asking for others does not yet move the instance"
    save(other)
    assert stored_ports(tmp_path) == other.ports
    stored = (tmp_path / "stack.env").read_text(encoding="utf-8")
    assert "SUPABASE_URL=http://127.0.0.1:56321\n" in stored
    assert "55321" not in stored
