"""The database in memory. `tests/functions/conformance` runs it and PostgREST through the same cases."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

from pydantic import BaseModel

from _shared.database import Database
from _shared.database.failures import from_code
from _shared.result import Err, ErrorCode, Ok, Result
from tests.support.credentials import KARI
from tests.support.examples import (
    ANSWERS,
    HLF,
    NHF,
    UNIT,
    VERSION_ID,
    explanation_json,
    make_batch,
    make_profile,
    report_json,
    snapshot_json,
    status_json,
    version_json,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from _shared.callers import User
    from _shared.database.hierarchy import DrainReport
    from _shared.database.snapshots import Period
    from tests.support.examples import Profile

FORBIDDEN = Err(ErrorCode.FORBIDDEN, cause="42501")
DISABLED = Err(ErrorCode.FEATURE_DISABLED, cause="PT423")
NOT_FOR_PEER_MENTORS = {"read_hierarchy_stats", "take_refresh_turn"}
BAD_REQUEST = Err(ErrorCode.BAD_REQUEST, cause="22023")
FOLLOW_UP = {
    "generate_bufdir_report",
    "get_bufdir_alignment",
    "get_report_remarks",
    "get_report_versions",
    "prepare_report",
    "save_metric_snapshot",
}


class FakeDatabase(Database):
    """The real methods, with what they ask PostgREST for answered from memory.

    answers   : what SQL functions answer instead of the example or what the fake remembers, by name.
    failure   : what every method answers instead.
    failures  : the same for methods by name.
    profiles  : by default KARI's, who is a coordinator.
    snapshot  : the row that is saved.
    deletable : False if a policy that the fake knows nothing of keeps it.
    batches   : what draining gives, one after the other; then nothing.
    calls     : the names of the methods called, in order; `asked` has their arguments, too.
    """

    def __init__(
        self,
        *,
        failure: Err | None = None,
        failures: Mapping[str, Err] | None = None,
        profiles: Mapping[UUID, Profile] | None = None,
        snapshot: dict[str, Any] | None = None,
        deletable: bool = True,
        batches: Iterable[DrainReport] = (),
        organization_ids: Iterable[UUID] = (NHF, HLF),
        mapping_versions: Iterable[int] = (0, 1),
        is_enabled: bool = True,
        **answers: object,
    ) -> None:
        self.failure, self.failures = failure, dict(failures or {})
        self.profiles = {KARI: make_profile()} if profiles is None else dict(profiles)
        self.snapshot, self.deletable, self.is_enabled = snapshot, deletable, is_enabled
        self.batches, self.organization_ids = list(batches), list(organization_ids)
        self.mapping_versions = set(mapping_versions)
        self.answers = answers
        self.versions: list[dict[str, Any]] = []
        self.calls: list[str] = []
        self.asked: list[tuple[Any, ...]] = []
        self.seen: set[str] = set()
        self.reads: Counter[UUID] = Counter()

    # --- SQL functions -----------------------------------------------------------------------------------

    async def _call(self, function: str, user: User | None = None, **parameters: Any) -> Result[object]:
        refused = self._ask(function, *([user] if user else []), *parameters.values())
        if refused is None and user is not None:
            refused = self._refuse(function, user, parameters)
        if refused is not None:
            return refused
        remembered = getattr(self, f"_answer_{function}", None)
        if function == "get_role":
            profile = self._member(user) if user else None
            answer: object = profile.role if profile else None
        elif function in self.answers:
            answer = self.answers[function]
        else:
            answer = remembered(**parameters) if remembered else ANSWERS[function]
        if isinstance(answer, Err):
            return answer
        return Ok(answer.model_dump() if isinstance(answer, BaseModel) else answer)

    def _ask(self, name: str, *arguments: object) -> Err | None:
        self.calls.append(name)
        self.asked.append((name, *arguments))
        return self.failure or self.failures.get(name)

    def _refuse(self, function: str, user: User, parameters: Mapping[str, Any]) -> Err | None:
        """Refuse as SQL does: wrong parameters, then who may not, then what is switched off."""
        if function == "get_role":
            return None
        if not 2000 <= parameters.get("p_year", 2000) <= 2099:
            return BAD_REQUEST
        profile = self._member(user)
        if (
            profile is None
            or parameters.get("p_org_id", profile.organization_id) != profile.organization_id
            or (function in NOT_FOR_PEER_MENTORS and profile.role == "peer_mentor")
            or parameters.get("p_unit_id", UNIT) != UNIT
        ):
            return FORBIDDEN
        if not self.is_enabled and function != "take_refresh_turn":
            return DISABLED
        if function in FOLLOW_UP and profile.role == "peer_mentor":
            return FORBIDDEN
        version = parameters.get("p_mapping_version")
        return None if version is None or version in self.mapping_versions else BAD_REQUEST

    def _answer_claim_webhook(self, p_webhook_id: str) -> bool:
        is_new = p_webhook_id not in self.seen
        self.seen.add(p_webhook_id)
        return is_new

    def _answer_take_unit_changes(self) -> DrainReport:
        nothing = make_batch(units=0, invalidated=0, organization_ids=[])
        return self.batches.pop(0) if self.batches else nothing

    def _answer_record_node_reads(self, p_reads: Mapping[str, int]) -> int:
        self.reads.update({UUID(unit_id): count for unit_id, count in p_reads.items()})
        return len(p_reads)

    def _answer_read_hierarchy_stats(self, p_unit_id: UUID, p_year: int) -> dict[str, Any]:
        entry: dict[str, Any] = ANSWERS["read_hierarchy_stats"]
        return entry | {"unit_id": p_unit_id, "year": p_year}

    def _answer_get_metric_snapshot(self, **period: object) -> dict[str, Any] | None:
        return self.snapshot if self._is_saved(*period.values()) else None

    def _answer_save_metric_snapshot(self, **period: object) -> dict[str, Any]:
        days = {name.removeprefix("p_"): str(day) for name, day in period.items()}
        self.snapshot = snapshot_json(**days, snapshot_json=report_json(**days))
        return self.snapshot

    def _answer_renew_metric_snapshot(self, p_organization_id: UUID, **period: object) -> bool:
        was_saved = p_organization_id == NHF and self._is_saved(*period.values())
        if was_saved:
            self._answer_save_metric_snapshot(**period)
        return was_saved

    # The version of the examples is there, and signed. Those that are prepared here are not: who prepares
    # does not approve.

    def _answer_prepare_report(self, **period: object) -> dict[str, Any] | Err:
        if not self._is_saved(*period.values()):
            return from_code("PT404", for_user=True)
        days = {name.removeprefix("p_"): str(day) for name, day in period.items()}
        number = len(self.versions) + 1
        version = version_json(**days, id=str(uuid4()), version=number, report=report_json(**days))
        self.versions.append(version)
        return version

    def _answer_get_report_versions(self, **_: object) -> list[dict[str, Any]]:
        return self.versions[::-1] or ANSWERS["get_report_versions"]

    def _answer_approve_report(self, version: UUID) -> dict[str, Any] | Err:
        return self._sign("approve_report", version, "another_person")

    def _answer_send_report(self, version: UUID) -> dict[str, Any] | Err:
        return self._sign("send_report", version, "not_approved")

    def _answer_export_report_version(self, version: UUID, **_: object) -> dict[str, Any] | Err:
        return self._sign("export_report_version", version, "not_approved")

    def _answer_explain_report_difference(self, version: UUID, **_: object) -> dict[str, Any] | Err:
        if str(version) == VERSION_ID:
            answer: dict[str, Any] = ANSWERS["explain_report_difference"]
            return answer
        if str(version) not in {one["id"] for one in self.versions}:
            return from_code("PT404", for_user=True)
        nothing: dict[str, Any] = {"kinds": [], "chapters": [], "people": [], "activities": []}
        return explanation_json(version=str(version), difference=explanation_json()["unrecorded"], **nothing)

    def _sign(self, function: str, version: UUID, refusal: str) -> dict[str, Any] | Err:
        if str(version) == VERSION_ID:
            answer: dict[str, Any] = ANSWERS[function]
            return answer
        is_known = str(version) in {one["id"] for one in self.versions}
        return from_code(refusal if is_known else "PT404", for_user=True)

    def _answer_generate_bufdir_report(
        self, p_org_id: UUID, p_mapping_version: int, **period: object
    ) -> dict[str, Any]:
        days = {name.removeprefix("p_"): str(day) for name, day in period.items()}
        return report_json(**days, organization_id=str(p_org_id), mapping_version=p_mapping_version)

    def _answer_get_snapshot_status(self, **period: object) -> dict[str, Any]:
        if self._is_saved(*period.values()):
            return status_json()
        missing: dict[str, Any] = {
            "record_count_at_generation": None,
            "computed_at": None,
            "export_allowed": False,
            "warnings": [],
        }
        return status_json(verdict="missing", **missing)

    # --- tables ------------------------------------------------------------------------------------------

    def _member(self, user: User) -> Profile | None:
        profile = self.profiles.get(user.id)
        return profile if profile and profile.is_active else None

    def _is_saved(self, start: object, end: object) -> bool:
        row = self.snapshot
        return row is not None and (row["period_start"], row["period_end"]) == (str(start), str(end))

    def _visible(self, user: User, period: Period) -> dict[str, Any] | None:
        is_seen = self.is_enabled and self._member(user) is not None
        return self.snapshot if is_seen and self._is_saved(period.period_start, period.period_end) else None

    async def list_warmed_organizations(self) -> Result[list[UUID]]:
        warmed = [one for one in self.organization_ids if self.is_enabled or one != NHF]
        return self._ask("list_warmed_organizations") or Ok(warmed)

    async def delete_metric_snapshot(self, user: User, period: Period) -> Result[bool]:
        if failure := self._ask("delete_metric_snapshot", user, period):
            return failure
        profile = self._member(user)
        may_delete = self.deletable and profile is not None and profile.role != "peer_mentor"
        is_deleted = may_delete and self._visible(user, period) is not None
        if is_deleted:
            self.snapshot = None
        return Ok(is_deleted)
