# Generated: make types

from __future__ import annotations

import datetime
import uuid
from typing import (
    Annotated,
    Any,
    List,
    Literal,
    Optional,
    TypedDict,
)
from typing_extensions import NotRequired, TypeAlias

from pydantic import BaseModel, Field, JsonValue

PublicActivityStatus: TypeAlias = Literal["draft", "registered", "rejected"]

PublicExpenseStatus: TypeAlias = Literal["pending", "approved", "rejected"]

PublicProfileRole: TypeAlias = Literal["peer_mentor", "coordinator", "org_admin"]

PublicUnitKind: TypeAlias = Literal["national", "region", "district", "local"]

class PublicActivities(BaseModel):
    activity_date: datetime.date = Field(alias="activity_date")
    activity_type_id: uuid.UUID = Field(alias="activity_type_id")
    approved_expenses_nok: float = Field(alias="approved_expenses_nok")
    contact_id: Optional[uuid.UUID] = Field(alias="contact_id")
    coordinator_id: Optional[uuid.UUID] = Field(alias="coordinator_id")
    duplicate_of: Optional[uuid.UUID] = Field(alias="duplicate_of")
    duration_minutes: int = Field(alias="duration_minutes")
    id: uuid.UUID = Field(alias="id")
    insert_number: int = Field(alias="insert_number")
    inserted_at: datetime.datetime = Field(alias="inserted_at")
    is_counted: bool = Field(alias="is_counted")
    is_date_given: Optional[bool] = Field(alias="is_date_given")
    is_proxy_registered: bool = Field(alias="is_proxy_registered")
    not_counted_because: Optional[str] = Field(alias="not_counted_because")
    occurred_at: datetime.datetime = Field(alias="occurred_at")
    organization_id: uuid.UUID = Field(alias="organization_id")
    participant_count: int = Field(alias="participant_count")
    peer_mentor_id: uuid.UUID = Field(alias="peer_mentor_id")
    recorded_at: datetime.datetime = Field(alias="recorded_at")
    registered_by: uuid.UUID = Field(alias="registered_by")
    status: PublicActivityStatus = Field(alias="status")
    summary: Optional[str] = Field(alias="summary")
    unit_id: uuid.UUID = Field(alias="unit_id")

class PublicActivitiesInsert(TypedDict):
    activity_date: Annotated[datetime.date, Field(alias="activity_date")]
    activity_type_id: Annotated[uuid.UUID, Field(alias="activity_type_id")]
    approved_expenses_nok: NotRequired[Annotated[float, Field(alias="approved_expenses_nok")]]
    contact_id: NotRequired[Annotated[Optional[uuid.UUID], Field(alias="contact_id")]]
    coordinator_id: NotRequired[Annotated[Optional[uuid.UUID], Field(alias="coordinator_id")]]
    duplicate_of: NotRequired[Annotated[Optional[uuid.UUID], Field(alias="duplicate_of")]]
    duration_minutes: Annotated[int, Field(alias="duration_minutes")]
    id: NotRequired[Annotated[uuid.UUID, Field(alias="id")]]
    insert_number: NotRequired[Annotated[int, Field(alias="insert_number")]]
    inserted_at: NotRequired[Annotated[datetime.datetime, Field(alias="inserted_at")]]
    is_counted: NotRequired[Annotated[bool, Field(alias="is_counted")]]
    is_date_given: NotRequired[Annotated[Optional[bool], Field(alias="is_date_given")]]
    is_proxy_registered: NotRequired[Annotated[bool, Field(alias="is_proxy_registered")]]
    not_counted_because: NotRequired[Annotated[Optional[str], Field(alias="not_counted_because")]]
    occurred_at: Annotated[datetime.datetime, Field(alias="occurred_at")]
    organization_id: NotRequired[Annotated[uuid.UUID, Field(alias="organization_id")]]
    participant_count: NotRequired[Annotated[int, Field(alias="participant_count")]]
    peer_mentor_id: NotRequired[Annotated[uuid.UUID, Field(alias="peer_mentor_id")]]
    recorded_at: NotRequired[Annotated[datetime.datetime, Field(alias="recorded_at")]]
    registered_by: NotRequired[Annotated[uuid.UUID, Field(alias="registered_by")]]
    status: NotRequired[Annotated[PublicActivityStatus, Field(alias="status")]]
    summary: NotRequired[Annotated[Optional[str], Field(alias="summary")]]
    unit_id: Annotated[uuid.UUID, Field(alias="unit_id")]

class PublicActivitiesUpdate(TypedDict):
    activity_date: NotRequired[Annotated[datetime.date, Field(alias="activity_date")]]
    activity_type_id: NotRequired[Annotated[uuid.UUID, Field(alias="activity_type_id")]]
    approved_expenses_nok: NotRequired[Annotated[float, Field(alias="approved_expenses_nok")]]
    contact_id: NotRequired[Annotated[Optional[uuid.UUID], Field(alias="contact_id")]]
    coordinator_id: NotRequired[Annotated[Optional[uuid.UUID], Field(alias="coordinator_id")]]
    duplicate_of: NotRequired[Annotated[Optional[uuid.UUID], Field(alias="duplicate_of")]]
    duration_minutes: NotRequired[Annotated[int, Field(alias="duration_minutes")]]
    id: NotRequired[Annotated[uuid.UUID, Field(alias="id")]]
    insert_number: NotRequired[Annotated[int, Field(alias="insert_number")]]
    inserted_at: NotRequired[Annotated[datetime.datetime, Field(alias="inserted_at")]]
    is_counted: NotRequired[Annotated[bool, Field(alias="is_counted")]]
    is_date_given: NotRequired[Annotated[Optional[bool], Field(alias="is_date_given")]]
    is_proxy_registered: NotRequired[Annotated[bool, Field(alias="is_proxy_registered")]]
    not_counted_because: NotRequired[Annotated[Optional[str], Field(alias="not_counted_because")]]
    occurred_at: NotRequired[Annotated[datetime.datetime, Field(alias="occurred_at")]]
    organization_id: NotRequired[Annotated[uuid.UUID, Field(alias="organization_id")]]
    participant_count: NotRequired[Annotated[int, Field(alias="participant_count")]]
    peer_mentor_id: NotRequired[Annotated[uuid.UUID, Field(alias="peer_mentor_id")]]
    recorded_at: NotRequired[Annotated[datetime.datetime, Field(alias="recorded_at")]]
    registered_by: NotRequired[Annotated[uuid.UUID, Field(alias="registered_by")]]
    status: NotRequired[Annotated[PublicActivityStatus, Field(alias="status")]]
    summary: NotRequired[Annotated[Optional[str], Field(alias="summary")]]
    unit_id: NotRequired[Annotated[uuid.UUID, Field(alias="unit_id")]]

class PublicActivityHistory(BaseModel):
    activity_id: uuid.UUID = Field(alias="activity_id")
    after: Optional[JsonValue] = Field(alias="after")
    before: JsonValue = Field(alias="before")
    changed_at: datetime.datetime = Field(alias="changed_at")
    changed_by: Optional[uuid.UUID] = Field(alias="changed_by")
    id: int = Field(alias="id")
    operation: str = Field(alias="operation")
    organization_id: uuid.UUID = Field(alias="organization_id")

class PublicActivityHistoryInsert(TypedDict):
    activity_id: Annotated[uuid.UUID, Field(alias="activity_id")]
    after: NotRequired[Annotated[Optional[JsonValue], Field(alias="after")]]
    before: Annotated[JsonValue, Field(alias="before")]
    changed_at: NotRequired[Annotated[datetime.datetime, Field(alias="changed_at")]]
    changed_by: NotRequired[Annotated[Optional[uuid.UUID], Field(alias="changed_by")]]
    id: NotRequired[Annotated[int, Field(alias="id")]]
    operation: Annotated[str, Field(alias="operation")]
    organization_id: Annotated[uuid.UUID, Field(alias="organization_id")]

class PublicActivityHistoryUpdate(TypedDict):
    activity_id: NotRequired[Annotated[uuid.UUID, Field(alias="activity_id")]]
    after: NotRequired[Annotated[Optional[JsonValue], Field(alias="after")]]
    before: NotRequired[Annotated[JsonValue, Field(alias="before")]]
    changed_at: NotRequired[Annotated[datetime.datetime, Field(alias="changed_at")]]
    changed_by: NotRequired[Annotated[Optional[uuid.UUID], Field(alias="changed_by")]]
    id: NotRequired[Annotated[int, Field(alias="id")]]
    operation: NotRequired[Annotated[str, Field(alias="operation")]]
    organization_id: NotRequired[Annotated[uuid.UUID, Field(alias="organization_id")]]

class PublicActivityTypes(BaseModel):
    code: str = Field(alias="code")
    id: uuid.UUID = Field(alias="id")
    label: str = Field(alias="label")
    organization_id: uuid.UUID = Field(alias="organization_id")

class PublicActivityTypesInsert(TypedDict):
    code: Annotated[str, Field(alias="code")]
    id: NotRequired[Annotated[uuid.UUID, Field(alias="id")]]
    label: Annotated[str, Field(alias="label")]
    organization_id: NotRequired[Annotated[uuid.UUID, Field(alias="organization_id")]]

class PublicActivityTypesUpdate(TypedDict):
    code: NotRequired[Annotated[str, Field(alias="code")]]
    id: NotRequired[Annotated[uuid.UUID, Field(alias="id")]]
    label: NotRequired[Annotated[str, Field(alias="label")]]
    organization_id: NotRequired[Annotated[uuid.UUID, Field(alias="organization_id")]]

class PublicBufdirCategoryMappings(BaseModel):
    activity_type_id: uuid.UUID = Field(alias="activity_type_id")
    bufdir_category_code: str = Field(alias="bufdir_category_code")
    mapping_version: int = Field(alias="mapping_version")

class PublicBufdirCategoryMappingsInsert(TypedDict):
    activity_type_id: Annotated[uuid.UUID, Field(alias="activity_type_id")]
    bufdir_category_code: Annotated[str, Field(alias="bufdir_category_code")]
    mapping_version: Annotated[int, Field(alias="mapping_version")]

class PublicBufdirCategoryMappingsUpdate(TypedDict):
    activity_type_id: NotRequired[Annotated[uuid.UUID, Field(alias="activity_type_id")]]
    bufdir_category_code: NotRequired[Annotated[str, Field(alias="bufdir_category_code")]]
    mapping_version: NotRequired[Annotated[int, Field(alias="mapping_version")]]

class PublicBufdirExportAuditLog(BaseModel):
    exported_at: datetime.datetime = Field(alias="exported_at")
    exported_by: uuid.UUID = Field(alias="exported_by")
    figures: JsonValue = Field(alias="figures")
    format: Optional[str] = Field(alias="format")
    id: int = Field(alias="id")
    organization_id: uuid.UUID = Field(alias="organization_id")
    period_end: datetime.date = Field(alias="period_end")
    period_start: datetime.date = Field(alias="period_start")
    snapshot_id: Optional[uuid.UUID] = Field(alias="snapshot_id")
    source_fingerprint: str = Field(alias="source_fingerprint")
    verdict: JsonValue = Field(alias="verdict")
    version: Optional[int] = Field(alias="version")
    version_hash: Optional[str] = Field(alias="version_hash")
    version_id: Optional[uuid.UUID] = Field(alias="version_id")

class PublicBufdirExportAuditLogInsert(TypedDict):
    exported_at: NotRequired[Annotated[datetime.datetime, Field(alias="exported_at")]]
    exported_by: Annotated[uuid.UUID, Field(alias="exported_by")]
    figures: Annotated[JsonValue, Field(alias="figures")]
    format: NotRequired[Annotated[Optional[str], Field(alias="format")]]
    id: NotRequired[Annotated[int, Field(alias="id")]]
    organization_id: Annotated[uuid.UUID, Field(alias="organization_id")]
    period_end: Annotated[datetime.date, Field(alias="period_end")]
    period_start: Annotated[datetime.date, Field(alias="period_start")]
    snapshot_id: NotRequired[Annotated[Optional[uuid.UUID], Field(alias="snapshot_id")]]
    source_fingerprint: Annotated[str, Field(alias="source_fingerprint")]
    verdict: Annotated[JsonValue, Field(alias="verdict")]
    version: NotRequired[Annotated[Optional[int], Field(alias="version")]]
    version_hash: NotRequired[Annotated[Optional[str], Field(alias="version_hash")]]
    version_id: NotRequired[Annotated[Optional[uuid.UUID], Field(alias="version_id")]]

class PublicBufdirExportAuditLogUpdate(TypedDict):
    exported_at: NotRequired[Annotated[datetime.datetime, Field(alias="exported_at")]]
    exported_by: NotRequired[Annotated[uuid.UUID, Field(alias="exported_by")]]
    figures: NotRequired[Annotated[JsonValue, Field(alias="figures")]]
    format: NotRequired[Annotated[Optional[str], Field(alias="format")]]
    id: NotRequired[Annotated[int, Field(alias="id")]]
    organization_id: NotRequired[Annotated[uuid.UUID, Field(alias="organization_id")]]
    period_end: NotRequired[Annotated[datetime.date, Field(alias="period_end")]]
    period_start: NotRequired[Annotated[datetime.date, Field(alias="period_start")]]
    snapshot_id: NotRequired[Annotated[Optional[uuid.UUID], Field(alias="snapshot_id")]]
    source_fingerprint: NotRequired[Annotated[str, Field(alias="source_fingerprint")]]
    verdict: NotRequired[Annotated[JsonValue, Field(alias="verdict")]]
    version: NotRequired[Annotated[Optional[int], Field(alias="version")]]
    version_hash: NotRequired[Annotated[Optional[str], Field(alias="version_hash")]]
    version_id: NotRequired[Annotated[Optional[uuid.UUID], Field(alias="version_id")]]

class PublicBufdirMappingVersions(BaseModel):
    mapping_version: int = Field(alias="mapping_version")
    organization_id: uuid.UUID = Field(alias="organization_id")
    published_at: datetime.datetime = Field(alias="published_at")
    valid_from_year: int = Field(alias="valid_from_year")

class PublicBufdirMappingVersionsInsert(TypedDict):
    mapping_version: Annotated[int, Field(alias="mapping_version")]
    organization_id: NotRequired[Annotated[uuid.UUID, Field(alias="organization_id")]]
    published_at: NotRequired[Annotated[datetime.datetime, Field(alias="published_at")]]
    valid_from_year: Annotated[int, Field(alias="valid_from_year")]

class PublicBufdirMappingVersionsUpdate(TypedDict):
    mapping_version: NotRequired[Annotated[int, Field(alias="mapping_version")]]
    organization_id: NotRequired[Annotated[uuid.UUID, Field(alias="organization_id")]]
    published_at: NotRequired[Annotated[datetime.datetime, Field(alias="published_at")]]
    valid_from_year: NotRequired[Annotated[int, Field(alias="valid_from_year")]]

class PublicBufdirMetricSnapshots(BaseModel):
    computed_at: datetime.datetime = Field(alias="computed_at")
    id: uuid.UUID = Field(alias="id")
    mapping_version: int = Field(alias="mapping_version")
    organization_id: uuid.UUID = Field(alias="organization_id")
    period_end: datetime.date = Field(alias="period_end")
    period_start: datetime.date = Field(alias="period_start")
    record_count_at_generation: int = Field(alias="record_count_at_generation")
    snapshot_generated_at: datetime.datetime = Field(alias="snapshot_generated_at")
    snapshot_json: JsonValue = Field(alias="snapshot_json")
    source_fingerprint: str = Field(alias="source_fingerprint")

class PublicBufdirMetricSnapshotsInsert(TypedDict):
    computed_at: NotRequired[Annotated[datetime.datetime, Field(alias="computed_at")]]
    id: NotRequired[Annotated[uuid.UUID, Field(alias="id")]]
    mapping_version: Annotated[int, Field(alias="mapping_version")]
    organization_id: NotRequired[Annotated[uuid.UUID, Field(alias="organization_id")]]
    period_end: Annotated[datetime.date, Field(alias="period_end")]
    period_start: Annotated[datetime.date, Field(alias="period_start")]
    record_count_at_generation: Annotated[int, Field(alias="record_count_at_generation")]
    snapshot_generated_at: NotRequired[Annotated[datetime.datetime, Field(alias="snapshot_generated_at")]]
    snapshot_json: Annotated[JsonValue, Field(alias="snapshot_json")]
    source_fingerprint: Annotated[str, Field(alias="source_fingerprint")]

class PublicBufdirMetricSnapshotsUpdate(TypedDict):
    computed_at: NotRequired[Annotated[datetime.datetime, Field(alias="computed_at")]]
    id: NotRequired[Annotated[uuid.UUID, Field(alias="id")]]
    mapping_version: NotRequired[Annotated[int, Field(alias="mapping_version")]]
    organization_id: NotRequired[Annotated[uuid.UUID, Field(alias="organization_id")]]
    period_end: NotRequired[Annotated[datetime.date, Field(alias="period_end")]]
    period_start: NotRequired[Annotated[datetime.date, Field(alias="period_start")]]
    record_count_at_generation: NotRequired[Annotated[int, Field(alias="record_count_at_generation")]]
    snapshot_generated_at: NotRequired[Annotated[datetime.datetime, Field(alias="snapshot_generated_at")]]
    snapshot_json: NotRequired[Annotated[JsonValue, Field(alias="snapshot_json")]]
    source_fingerprint: NotRequired[Annotated[str, Field(alias="source_fingerprint")]]

class PublicBufdirReportVersions(BaseModel):
    approved_at: Optional[datetime.datetime] = Field(alias="approved_at")
    approved_by: Optional[uuid.UUID] = Field(alias="approved_by")
    complete_hash: str = Field(alias="complete_hash")
    counting_rule: JsonValue = Field(alias="counting_rule")
    hash: str = Field(alias="hash")
    id: uuid.UUID = Field(alias="id")
    mapping: JsonValue = Field(alias="mapping")
    mapping_version: int = Field(alias="mapping_version")
    organization_id: uuid.UUID = Field(alias="organization_id")
    period_end: datetime.date = Field(alias="period_end")
    period_start: datetime.date = Field(alias="period_start")
    position: int = Field(alias="position")
    prepared_at: datetime.datetime = Field(alias="prepared_at")
    prepared_by: uuid.UUID = Field(alias="prepared_by")
    previous_hash: str = Field(alias="previous_hash")
    record_count: int = Field(alias="record_count")
    sent_at: Optional[datetime.datetime] = Field(alias="sent_at")
    sent_by: Optional[uuid.UUID] = Field(alias="sent_by")
    signed_hash: Optional[str] = Field(alias="signed_hash")
    snapshot_json: JsonValue = Field(alias="snapshot_json")
    source_fingerprint: str = Field(alias="source_fingerprint")
    version: int = Field(alias="version")

class PublicBufdirReportVersionsInsert(TypedDict):
    approved_at: NotRequired[Annotated[Optional[datetime.datetime], Field(alias="approved_at")]]
    approved_by: NotRequired[Annotated[Optional[uuid.UUID], Field(alias="approved_by")]]
    complete_hash: Annotated[str, Field(alias="complete_hash")]
    counting_rule: Annotated[JsonValue, Field(alias="counting_rule")]
    hash: Annotated[str, Field(alias="hash")]
    id: NotRequired[Annotated[uuid.UUID, Field(alias="id")]]
    mapping: Annotated[JsonValue, Field(alias="mapping")]
    mapping_version: Annotated[int, Field(alias="mapping_version")]
    organization_id: Annotated[uuid.UUID, Field(alias="organization_id")]
    period_end: Annotated[datetime.date, Field(alias="period_end")]
    period_start: Annotated[datetime.date, Field(alias="period_start")]
    position: Annotated[int, Field(alias="position")]
    prepared_at: NotRequired[Annotated[datetime.datetime, Field(alias="prepared_at")]]
    prepared_by: Annotated[uuid.UUID, Field(alias="prepared_by")]
    previous_hash: Annotated[str, Field(alias="previous_hash")]
    record_count: Annotated[int, Field(alias="record_count")]
    sent_at: NotRequired[Annotated[Optional[datetime.datetime], Field(alias="sent_at")]]
    sent_by: NotRequired[Annotated[Optional[uuid.UUID], Field(alias="sent_by")]]
    signed_hash: NotRequired[Annotated[Optional[str], Field(alias="signed_hash")]]
    snapshot_json: Annotated[JsonValue, Field(alias="snapshot_json")]
    source_fingerprint: Annotated[str, Field(alias="source_fingerprint")]
    version: Annotated[int, Field(alias="version")]

class PublicBufdirReportVersionsUpdate(TypedDict):
    approved_at: NotRequired[Annotated[Optional[datetime.datetime], Field(alias="approved_at")]]
    approved_by: NotRequired[Annotated[Optional[uuid.UUID], Field(alias="approved_by")]]
    complete_hash: NotRequired[Annotated[str, Field(alias="complete_hash")]]
    counting_rule: NotRequired[Annotated[JsonValue, Field(alias="counting_rule")]]
    hash: NotRequired[Annotated[str, Field(alias="hash")]]
    id: NotRequired[Annotated[uuid.UUID, Field(alias="id")]]
    mapping: NotRequired[Annotated[JsonValue, Field(alias="mapping")]]
    mapping_version: NotRequired[Annotated[int, Field(alias="mapping_version")]]
    organization_id: NotRequired[Annotated[uuid.UUID, Field(alias="organization_id")]]
    period_end: NotRequired[Annotated[datetime.date, Field(alias="period_end")]]
    period_start: NotRequired[Annotated[datetime.date, Field(alias="period_start")]]
    position: NotRequired[Annotated[int, Field(alias="position")]]
    prepared_at: NotRequired[Annotated[datetime.datetime, Field(alias="prepared_at")]]
    prepared_by: NotRequired[Annotated[uuid.UUID, Field(alias="prepared_by")]]
    previous_hash: NotRequired[Annotated[str, Field(alias="previous_hash")]]
    record_count: NotRequired[Annotated[int, Field(alias="record_count")]]
    sent_at: NotRequired[Annotated[Optional[datetime.datetime], Field(alias="sent_at")]]
    sent_by: NotRequired[Annotated[Optional[uuid.UUID], Field(alias="sent_by")]]
    signed_hash: NotRequired[Annotated[Optional[str], Field(alias="signed_hash")]]
    snapshot_json: NotRequired[Annotated[JsonValue, Field(alias="snapshot_json")]]
    source_fingerprint: NotRequired[Annotated[str, Field(alias="source_fingerprint")]]
    version: NotRequired[Annotated[int, Field(alias="version")]]

class PublicBufdirThresholds(BaseModel):
    at_risk_ratio: float = Field(alias="at_risk_ratio")
    bufdir_category_code: str = Field(alias="bufdir_category_code")
    minimum_activity_count: int = Field(alias="minimum_activity_count")
    organization_id: uuid.UUID = Field(alias="organization_id")
    valid_from_year: int = Field(alias="valid_from_year")

class PublicBufdirThresholdsInsert(TypedDict):
    at_risk_ratio: NotRequired[Annotated[float, Field(alias="at_risk_ratio")]]
    bufdir_category_code: Annotated[str, Field(alias="bufdir_category_code")]
    minimum_activity_count: Annotated[int, Field(alias="minimum_activity_count")]
    organization_id: NotRequired[Annotated[uuid.UUID, Field(alias="organization_id")]]
    valid_from_year: Annotated[int, Field(alias="valid_from_year")]

class PublicBufdirThresholdsUpdate(TypedDict):
    at_risk_ratio: NotRequired[Annotated[float, Field(alias="at_risk_ratio")]]
    bufdir_category_code: NotRequired[Annotated[str, Field(alias="bufdir_category_code")]]
    minimum_activity_count: NotRequired[Annotated[int, Field(alias="minimum_activity_count")]]
    organization_id: NotRequired[Annotated[uuid.UUID, Field(alias="organization_id")]]
    valid_from_year: NotRequired[Annotated[int, Field(alias="valid_from_year")]]

class PublicChapterAssignments(BaseModel):
    is_primary: bool = Field(alias="is_primary")
    organization_id: uuid.UUID = Field(alias="organization_id")
    profile_id: uuid.UUID = Field(alias="profile_id")
    unit_id: uuid.UUID = Field(alias="unit_id")

class PublicChapterAssignmentsInsert(TypedDict):
    is_primary: NotRequired[Annotated[bool, Field(alias="is_primary")]]
    organization_id: NotRequired[Annotated[uuid.UUID, Field(alias="organization_id")]]
    profile_id: Annotated[uuid.UUID, Field(alias="profile_id")]
    unit_id: Annotated[uuid.UUID, Field(alias="unit_id")]

class PublicChapterAssignmentsUpdate(TypedDict):
    is_primary: NotRequired[Annotated[bool, Field(alias="is_primary")]]
    organization_id: NotRequired[Annotated[uuid.UUID, Field(alias="organization_id")]]
    profile_id: NotRequired[Annotated[uuid.UUID, Field(alias="profile_id")]]
    unit_id: NotRequired[Annotated[uuid.UUID, Field(alias="unit_id")]]

class PublicCountingRules(BaseModel):
    activity_type_id: uuid.UUID = Field(alias="activity_type_id")
    counts: bool = Field(alias="counts")
    min_duration_minutes: Optional[int] = Field(alias="min_duration_minutes")
    min_participants: Optional[int] = Field(alias="min_participants")
    organization_id: uuid.UUID = Field(alias="organization_id")
    source: str = Field(alias="source")
    valid_from: datetime.date = Field(alias="valid_from")

class PublicCountingRulesInsert(TypedDict):
    activity_type_id: Annotated[uuid.UUID, Field(alias="activity_type_id")]
    counts: NotRequired[Annotated[bool, Field(alias="counts")]]
    min_duration_minutes: NotRequired[Annotated[Optional[int], Field(alias="min_duration_minutes")]]
    min_participants: NotRequired[Annotated[Optional[int], Field(alias="min_participants")]]
    organization_id: NotRequired[Annotated[uuid.UUID, Field(alias="organization_id")]]
    source: Annotated[str, Field(alias="source")]
    valid_from: Annotated[datetime.date, Field(alias="valid_from")]

class PublicCountingRulesUpdate(TypedDict):
    activity_type_id: NotRequired[Annotated[uuid.UUID, Field(alias="activity_type_id")]]
    counts: NotRequired[Annotated[bool, Field(alias="counts")]]
    min_duration_minutes: NotRequired[Annotated[Optional[int], Field(alias="min_duration_minutes")]]
    min_participants: NotRequired[Annotated[Optional[int], Field(alias="min_participants")]]
    organization_id: NotRequired[Annotated[uuid.UUID, Field(alias="organization_id")]]
    source: NotRequired[Annotated[str, Field(alias="source")]]
    valid_from: NotRequired[Annotated[datetime.date, Field(alias="valid_from")]]

class PublicErasures(BaseModel):
    erased_at: datetime.datetime = Field(alias="erased_at")
    erased_by: Optional[uuid.UUID] = Field(alias="erased_by")
    erased_count: Optional[int] = Field(alias="erased_count")
    id: int = Field(alias="id")
    kind: str = Field(alias="kind")
    organization_id: uuid.UUID = Field(alias="organization_id")

class PublicErasuresInsert(TypedDict):
    erased_at: NotRequired[Annotated[datetime.datetime, Field(alias="erased_at")]]
    erased_by: NotRequired[Annotated[Optional[uuid.UUID], Field(alias="erased_by")]]
    erased_count: NotRequired[Annotated[Optional[int], Field(alias="erased_count")]]
    id: NotRequired[Annotated[int, Field(alias="id")]]
    kind: Annotated[str, Field(alias="kind")]
    organization_id: Annotated[uuid.UUID, Field(alias="organization_id")]

class PublicErasuresUpdate(TypedDict):
    erased_at: NotRequired[Annotated[datetime.datetime, Field(alias="erased_at")]]
    erased_by: NotRequired[Annotated[Optional[uuid.UUID], Field(alias="erased_by")]]
    erased_count: NotRequired[Annotated[Optional[int], Field(alias="erased_count")]]
    id: NotRequired[Annotated[int, Field(alias="id")]]
    kind: NotRequired[Annotated[str, Field(alias="kind")]]
    organization_id: NotRequired[Annotated[uuid.UUID, Field(alias="organization_id")]]

class PublicExpenseClaims(BaseModel):
    activity_id: uuid.UUID = Field(alias="activity_id")
    amount_nok: float = Field(alias="amount_nok")
    decided_at: Optional[datetime.datetime] = Field(alias="decided_at")
    decided_by: Optional[uuid.UUID] = Field(alias="decided_by")
    id: uuid.UUID = Field(alias="id")
    organization_id: uuid.UUID = Field(alias="organization_id")
    status: PublicExpenseStatus = Field(alias="status")

class PublicExpenseClaimsInsert(TypedDict):
    activity_id: Annotated[uuid.UUID, Field(alias="activity_id")]
    amount_nok: Annotated[float, Field(alias="amount_nok")]
    decided_at: NotRequired[Annotated[Optional[datetime.datetime], Field(alias="decided_at")]]
    decided_by: NotRequired[Annotated[Optional[uuid.UUID], Field(alias="decided_by")]]
    id: NotRequired[Annotated[uuid.UUID, Field(alias="id")]]
    organization_id: Annotated[uuid.UUID, Field(alias="organization_id")]
    status: NotRequired[Annotated[PublicExpenseStatus, Field(alias="status")]]

class PublicExpenseClaimsUpdate(TypedDict):
    activity_id: NotRequired[Annotated[uuid.UUID, Field(alias="activity_id")]]
    amount_nok: NotRequired[Annotated[float, Field(alias="amount_nok")]]
    decided_at: NotRequired[Annotated[Optional[datetime.datetime], Field(alias="decided_at")]]
    decided_by: NotRequired[Annotated[Optional[uuid.UUID], Field(alias="decided_by")]]
    id: NotRequired[Annotated[uuid.UUID, Field(alias="id")]]
    organization_id: NotRequired[Annotated[uuid.UUID, Field(alias="organization_id")]]
    status: NotRequired[Annotated[PublicExpenseStatus, Field(alias="status")]]

class PublicHierarchyNodeAccess(BaseModel):
    last_read_at: datetime.datetime = Field(alias="last_read_at")
    reads: float = Field(alias="reads")
    unit_id: uuid.UUID = Field(alias="unit_id")

class PublicHierarchyNodeAccessInsert(TypedDict):
    last_read_at: Annotated[datetime.datetime, Field(alias="last_read_at")]
    reads: NotRequired[Annotated[float, Field(alias="reads")]]
    unit_id: Annotated[uuid.UUID, Field(alias="unit_id")]

class PublicHierarchyNodeAccessUpdate(TypedDict):
    last_read_at: NotRequired[Annotated[datetime.datetime, Field(alias="last_read_at")]]
    reads: NotRequired[Annotated[float, Field(alias="reads")]]
    unit_id: NotRequired[Annotated[uuid.UUID, Field(alias="unit_id")]]

class PublicHierarchyStatsCache(BaseModel):
    computed_at: datetime.datetime = Field(alias="computed_at")
    computed_at_mark: int = Field(alias="computed_at_mark")
    payload: JsonValue = Field(alias="payload")
    period_year: int = Field(alias="period_year")
    unit_id: uuid.UUID = Field(alias="unit_id")

class PublicHierarchyStatsCacheInsert(TypedDict):
    computed_at: Annotated[datetime.datetime, Field(alias="computed_at")]
    computed_at_mark: Annotated[int, Field(alias="computed_at_mark")]
    payload: Annotated[JsonValue, Field(alias="payload")]
    period_year: Annotated[int, Field(alias="period_year")]
    unit_id: Annotated[uuid.UUID, Field(alias="unit_id")]

class PublicHierarchyStatsCacheUpdate(TypedDict):
    computed_at: NotRequired[Annotated[datetime.datetime, Field(alias="computed_at")]]
    computed_at_mark: NotRequired[Annotated[int, Field(alias="computed_at_mark")]]
    payload: NotRequired[Annotated[JsonValue, Field(alias="payload")]]
    period_year: NotRequired[Annotated[int, Field(alias="period_year")]]
    unit_id: NotRequired[Annotated[uuid.UUID, Field(alias="unit_id")]]

class PublicNotDuplicates(BaseModel):
    activity_id: uuid.UUID = Field(alias="activity_id")
    decided_at: datetime.datetime = Field(alias="decided_at")
    decided_by: Optional[uuid.UUID] = Field(alias="decided_by")
    organization_id: uuid.UUID = Field(alias="organization_id")
    other_id: uuid.UUID = Field(alias="other_id")

class PublicNotDuplicatesInsert(TypedDict):
    activity_id: Annotated[uuid.UUID, Field(alias="activity_id")]
    decided_at: NotRequired[Annotated[datetime.datetime, Field(alias="decided_at")]]
    decided_by: NotRequired[Annotated[Optional[uuid.UUID], Field(alias="decided_by")]]
    organization_id: NotRequired[Annotated[uuid.UUID, Field(alias="organization_id")]]
    other_id: Annotated[uuid.UUID, Field(alias="other_id")]

class PublicNotDuplicatesUpdate(TypedDict):
    activity_id: NotRequired[Annotated[uuid.UUID, Field(alias="activity_id")]]
    decided_at: NotRequired[Annotated[datetime.datetime, Field(alias="decided_at")]]
    decided_by: NotRequired[Annotated[Optional[uuid.UUID], Field(alias="decided_by")]]
    organization_id: NotRequired[Annotated[uuid.UUID, Field(alias="organization_id")]]
    other_id: NotRequired[Annotated[uuid.UUID, Field(alias="other_id")]]

class PublicOrganizationChanges(BaseModel):
    after: Optional[JsonValue] = Field(alias="after")
    before: Optional[JsonValue] = Field(alias="before")
    changed_at: datetime.datetime = Field(alias="changed_at")
    changed_by: uuid.UUID = Field(alias="changed_by")
    id: int = Field(alias="id")
    operation: str = Field(alias="operation")
    organization_id: uuid.UUID = Field(alias="organization_id")
    table_name: str = Field(alias="table_name")

class PublicOrganizationChangesInsert(TypedDict):
    after: NotRequired[Annotated[Optional[JsonValue], Field(alias="after")]]
    before: NotRequired[Annotated[Optional[JsonValue], Field(alias="before")]]
    changed_at: NotRequired[Annotated[datetime.datetime, Field(alias="changed_at")]]
    changed_by: Annotated[uuid.UUID, Field(alias="changed_by")]
    id: NotRequired[Annotated[int, Field(alias="id")]]
    operation: Annotated[str, Field(alias="operation")]
    organization_id: Annotated[uuid.UUID, Field(alias="organization_id")]
    table_name: Annotated[str, Field(alias="table_name")]

class PublicOrganizationChangesUpdate(TypedDict):
    after: NotRequired[Annotated[Optional[JsonValue], Field(alias="after")]]
    before: NotRequired[Annotated[Optional[JsonValue], Field(alias="before")]]
    changed_at: NotRequired[Annotated[datetime.datetime, Field(alias="changed_at")]]
    changed_by: NotRequired[Annotated[uuid.UUID, Field(alias="changed_by")]]
    id: NotRequired[Annotated[int, Field(alias="id")]]
    operation: NotRequired[Annotated[str, Field(alias="operation")]]
    organization_id: NotRequired[Annotated[uuid.UUID, Field(alias="organization_id")]]
    table_name: NotRequired[Annotated[str, Field(alias="table_name")]]

class PublicOrganizationSettings(BaseModel):
    contact_retention: Optional[str] = Field(alias="contact_retention")
    max_chapter_assignments: int = Field(alias="max_chapter_assignments")
    organization_id: uuid.UUID = Field(alias="organization_id")
    snapshot_max_age: str = Field(alias="snapshot_max_age")
    statistics_enabled: bool = Field(alias="statistics_enabled")
    text_retention: Optional[str] = Field(alias="text_retention")
    time_zone: str = Field(alias="time_zone")
    two_person_sign_off: bool = Field(alias="two_person_sign_off")
    warm_up_enabled: bool = Field(alias="warm_up_enabled")
    warm_up_limit: int = Field(alias="warm_up_limit")

class PublicOrganizationSettingsInsert(TypedDict):
    contact_retention: NotRequired[Annotated[Optional[str], Field(alias="contact_retention")]]
    max_chapter_assignments: NotRequired[Annotated[int, Field(alias="max_chapter_assignments")]]
    organization_id: Annotated[uuid.UUID, Field(alias="organization_id")]
    snapshot_max_age: NotRequired[Annotated[str, Field(alias="snapshot_max_age")]]
    statistics_enabled: NotRequired[Annotated[bool, Field(alias="statistics_enabled")]]
    text_retention: NotRequired[Annotated[Optional[str], Field(alias="text_retention")]]
    time_zone: NotRequired[Annotated[str, Field(alias="time_zone")]]
    two_person_sign_off: NotRequired[Annotated[bool, Field(alias="two_person_sign_off")]]
    warm_up_enabled: NotRequired[Annotated[bool, Field(alias="warm_up_enabled")]]
    warm_up_limit: NotRequired[Annotated[int, Field(alias="warm_up_limit")]]

class PublicOrganizationSettingsUpdate(TypedDict):
    contact_retention: NotRequired[Annotated[Optional[str], Field(alias="contact_retention")]]
    max_chapter_assignments: NotRequired[Annotated[int, Field(alias="max_chapter_assignments")]]
    organization_id: NotRequired[Annotated[uuid.UUID, Field(alias="organization_id")]]
    snapshot_max_age: NotRequired[Annotated[str, Field(alias="snapshot_max_age")]]
    statistics_enabled: NotRequired[Annotated[bool, Field(alias="statistics_enabled")]]
    text_retention: NotRequired[Annotated[Optional[str], Field(alias="text_retention")]]
    time_zone: NotRequired[Annotated[str, Field(alias="time_zone")]]
    two_person_sign_off: NotRequired[Annotated[bool, Field(alias="two_person_sign_off")]]
    warm_up_enabled: NotRequired[Annotated[bool, Field(alias="warm_up_enabled")]]
    warm_up_limit: NotRequired[Annotated[int, Field(alias="warm_up_limit")]]

class PublicOrganizationUnits(BaseModel):
    closed_on: Optional[datetime.date] = Field(alias="closed_on")
    id: uuid.UUID = Field(alias="id")
    kind: PublicUnitKind = Field(alias="kind")
    name: str = Field(alias="name")
    organization_id: uuid.UUID = Field(alias="organization_id")
    parent_id: Optional[uuid.UUID] = Field(alias="parent_id")

class PublicOrganizationUnitsInsert(TypedDict):
    closed_on: NotRequired[Annotated[Optional[datetime.date], Field(alias="closed_on")]]
    id: NotRequired[Annotated[uuid.UUID, Field(alias="id")]]
    kind: Annotated[PublicUnitKind, Field(alias="kind")]
    name: Annotated[str, Field(alias="name")]
    organization_id: NotRequired[Annotated[uuid.UUID, Field(alias="organization_id")]]
    parent_id: NotRequired[Annotated[Optional[uuid.UUID], Field(alias="parent_id")]]

class PublicOrganizationUnitsUpdate(TypedDict):
    closed_on: NotRequired[Annotated[Optional[datetime.date], Field(alias="closed_on")]]
    id: NotRequired[Annotated[uuid.UUID, Field(alias="id")]]
    kind: NotRequired[Annotated[PublicUnitKind, Field(alias="kind")]]
    name: NotRequired[Annotated[str, Field(alias="name")]]
    organization_id: NotRequired[Annotated[uuid.UUID, Field(alias="organization_id")]]
    parent_id: NotRequired[Annotated[Optional[uuid.UUID], Field(alias="parent_id")]]

class PublicOrganizations(BaseModel):
    id: uuid.UUID = Field(alias="id")
    name: str = Field(alias="name")
    slug: str = Field(alias="slug")
    units_changed_at: datetime.datetime = Field(alias="units_changed_at")

class PublicOrganizationsInsert(TypedDict):
    id: NotRequired[Annotated[uuid.UUID, Field(alias="id")]]
    name: Annotated[str, Field(alias="name")]
    slug: Annotated[str, Field(alias="slug")]
    units_changed_at: NotRequired[Annotated[datetime.datetime, Field(alias="units_changed_at")]]

class PublicOrganizationsUpdate(TypedDict):
    id: NotRequired[Annotated[uuid.UUID, Field(alias="id")]]
    name: NotRequired[Annotated[str, Field(alias="name")]]
    slug: NotRequired[Annotated[str, Field(alias="slug")]]
    units_changed_at: NotRequired[Annotated[datetime.datetime, Field(alias="units_changed_at")]]

class PublicProfiles(BaseModel):
    assigned_at: Optional[datetime.datetime] = Field(alias="assigned_at")
    display_name: str = Field(alias="display_name")
    erased_at: Optional[datetime.datetime] = Field(alias="erased_at")
    id: uuid.UUID = Field(alias="id")
    is_active: bool = Field(alias="is_active")
    organization_id: uuid.UUID = Field(alias="organization_id")
    role: PublicProfileRole = Field(alias="role")
    user_id: Optional[uuid.UUID] = Field(alias="user_id")

class PublicProfilesInsert(TypedDict):
    assigned_at: NotRequired[Annotated[Optional[datetime.datetime], Field(alias="assigned_at")]]
    display_name: Annotated[str, Field(alias="display_name")]
    erased_at: NotRequired[Annotated[Optional[datetime.datetime], Field(alias="erased_at")]]
    id: Annotated[uuid.UUID, Field(alias="id")]
    is_active: NotRequired[Annotated[bool, Field(alias="is_active")]]
    organization_id: Annotated[uuid.UUID, Field(alias="organization_id")]
    role: Annotated[PublicProfileRole, Field(alias="role")]
    user_id: NotRequired[Annotated[Optional[uuid.UUID], Field(alias="user_id")]]

class PublicProfilesUpdate(TypedDict):
    assigned_at: NotRequired[Annotated[Optional[datetime.datetime], Field(alias="assigned_at")]]
    display_name: NotRequired[Annotated[str, Field(alias="display_name")]]
    erased_at: NotRequired[Annotated[Optional[datetime.datetime], Field(alias="erased_at")]]
    id: NotRequired[Annotated[uuid.UUID, Field(alias="id")]]
    is_active: NotRequired[Annotated[bool, Field(alias="is_active")]]
    organization_id: NotRequired[Annotated[uuid.UUID, Field(alias="organization_id")]]
    role: NotRequired[Annotated[PublicProfileRole, Field(alias="role")]]
    user_id: NotRequired[Annotated[Optional[uuid.UUID], Field(alias="user_id")]]

class PublicReportingYearLog(BaseModel):
    changed_at: datetime.datetime = Field(alias="changed_at")
    changed_by: uuid.UUID = Field(alias="changed_by")
    id: int = Field(alias="id")
    is_locked: bool = Field(alias="is_locked")
    organization_id: uuid.UUID = Field(alias="organization_id")
    reason: Optional[str] = Field(alias="reason")
    year: int = Field(alias="year")

class PublicReportingYearLogInsert(TypedDict):
    changed_at: NotRequired[Annotated[datetime.datetime, Field(alias="changed_at")]]
    changed_by: Annotated[uuid.UUID, Field(alias="changed_by")]
    id: NotRequired[Annotated[int, Field(alias="id")]]
    is_locked: Annotated[bool, Field(alias="is_locked")]
    organization_id: Annotated[uuid.UUID, Field(alias="organization_id")]
    reason: NotRequired[Annotated[Optional[str], Field(alias="reason")]]
    year: Annotated[int, Field(alias="year")]

class PublicReportingYearLogUpdate(TypedDict):
    changed_at: NotRequired[Annotated[datetime.datetime, Field(alias="changed_at")]]
    changed_by: NotRequired[Annotated[uuid.UUID, Field(alias="changed_by")]]
    id: NotRequired[Annotated[int, Field(alias="id")]]
    is_locked: NotRequired[Annotated[bool, Field(alias="is_locked")]]
    organization_id: NotRequired[Annotated[uuid.UUID, Field(alias="organization_id")]]
    reason: NotRequired[Annotated[Optional[str], Field(alias="reason")]]
    year: NotRequired[Annotated[int, Field(alias="year")]]

class PublicReportingYears(BaseModel):
    locked_at: Optional[datetime.datetime] = Field(alias="locked_at")
    locked_by: Optional[uuid.UUID] = Field(alias="locked_by")
    organization_id: uuid.UUID = Field(alias="organization_id")
    year: int = Field(alias="year")

class PublicReportingYearsInsert(TypedDict):
    locked_at: NotRequired[Annotated[Optional[datetime.datetime], Field(alias="locked_at")]]
    locked_by: NotRequired[Annotated[Optional[uuid.UUID], Field(alias="locked_by")]]
    organization_id: Annotated[uuid.UUID, Field(alias="organization_id")]
    year: Annotated[int, Field(alias="year")]

class PublicReportingYearsUpdate(TypedDict):
    locked_at: NotRequired[Annotated[Optional[datetime.datetime], Field(alias="locked_at")]]
    locked_by: NotRequired[Annotated[Optional[uuid.UUID], Field(alias="locked_by")]]
    organization_id: NotRequired[Annotated[uuid.UUID, Field(alias="organization_id")]]
    year: NotRequired[Annotated[int, Field(alias="year")]]

class PublicActivityTimeSeries(BaseModel):
    activity_count: int = Field(alias="activity_count")
    bucket_date: datetime.date = Field(alias="bucket_date")
    chapter_id: uuid.UUID = Field(alias="chapter_id")
    total_hours: float = Field(alias="total_hours")

class PublicChapterStats(BaseModel):
    active_peer_mentors: int = Field(alias="active_peer_mentors")
    activity_count: int = Field(alias="activity_count")
    chapter_id: uuid.UUID = Field(alias="chapter_id")
    total_hours: float = Field(alias="total_hours")

class PublicChapters(BaseModel):
    closed_on: Optional[datetime.date] = Field(alias="closed_on")
    id: uuid.UUID = Field(alias="id")
    name: str = Field(alias="name")
    organization_id: uuid.UUID = Field(alias="organization_id")
    parent_id: Optional[uuid.UUID] = Field(alias="parent_id")

class PublicCoordinatorMonthlyStats(BaseModel):
    activity_count: int = Field(alias="activity_count")
    activity_month: datetime.date = Field(alias="activity_month")
    activity_type_id: uuid.UUID = Field(alias="activity_type_id")
    approved_expenses_nok: float = Field(alias="approved_expenses_nok")
    coordinator_id: uuid.UUID = Field(alias="coordinator_id")
    org_id: uuid.UUID = Field(alias="org_id")
    total_duration_minutes: int = Field(alias="total_duration_minutes")
    total_hours: float = Field(alias="total_hours")

class PublicMvActivityTimeSeries(BaseModel):
    activity_count: int = Field(alias="activity_count")
    bucket_date: datetime.date = Field(alias="bucket_date")
    chapter_id: uuid.UUID = Field(alias="chapter_id")
    total_hours: float = Field(alias="total_hours")

class PublicMvChapterStats(BaseModel):
    active_peer_mentors: int = Field(alias="active_peer_mentors")
    activity_count: int = Field(alias="activity_count")
    chapter_id: uuid.UUID = Field(alias="chapter_id")
    total_hours: float = Field(alias="total_hours")

class PublicMvPeerMentorStats(BaseModel):
    activity_count: int = Field(alias="activity_count")
    chapter_id: uuid.UUID = Field(alias="chapter_id")
    peer_mentor_id: uuid.UUID = Field(alias="peer_mentor_id")
    total_hours: float = Field(alias="total_hours")

class PublicPeerMentorStats(BaseModel):
    activity_count: int = Field(alias="activity_count")
    chapter_id: uuid.UUID = Field(alias="chapter_id")
    last_activity_date: datetime.date = Field(alias="last_activity_date")
    peer_mentor_id: uuid.UUID = Field(alias="peer_mentor_id")
    total_hours: float = Field(alias="total_hours")

class PublicPossibleDuplicates(BaseModel):
    activity_date: datetime.date = Field(alias="activity_date")
    activity_id: uuid.UUID = Field(alias="activity_id")
    chapter_id: uuid.UUID = Field(alias="chapter_id")
    other_date: datetime.date = Field(alias="other_date")
    other_id: uuid.UUID = Field(alias="other_id")
    reason: str = Field(alias="reason")

class PublicStatsFreshness(BaseModel):
    last_refresh_ms: Optional[int] = Field(alias="last_refresh_ms")
    last_refreshed_at: Optional[datetime.datetime] = Field(alias="last_refreshed_at")
    oldest_pending_seconds: int = Field(alias="oldest_pending_seconds")
    pending_changes: int = Field(alias="pending_changes")
