"""The half of the hypothesis machine that writes: every kind of statement that changes activities."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar
from uuid import UUID

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule

from tests.resilience import operations
from tests.resilience.scene import EDITABLE, MINUTES, MOMENTS, STATUSES, Activity, Draft, Scene

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.resilience.own_cluster import OwnCluster

small = st.integers(0, 3)
# Places among the rows there are. Few, so that the same rows are met again and again.
picks = st.lists(st.integers(0, 5), min_size=1, max_size=4)
decisions = st.sampled_from(["approved", "approved", "pending", "rejected"])
drafts = st.builds(
    Draft,
    chapter=small,
    mentor=small,
    coordinator=st.none() | small,
    kind=small,
    occurred_at=st.sampled_from(MOMENTS),
    duration_minutes=st.sampled_from(MINUTES),
    participant_count=small,
    status=st.sampled_from(STATUSES),
)


class Writes(RuleBasedStateMachine):
    """One writer. `own` and `scene` are set by whoever runs the machine."""

    own: ClassVar[OwnCluster]
    scene: ClassVar[Scene]

    def __init__(self) -> None:
        super().__init__()
        self.writer = self.own.connect()
        self.created = 0

    def teardown(self) -> None:
        self.writer.close()

    def rows(self, wanted: Sequence[Draft], overwritten: Sequence[int] = ()) -> list[Activity]:
        """New rows; the first of them with ids that exist, where `overwritten` picks some."""
        ids = self.existing(overwritten)[: len(wanted)]
        ids += [UUID(int=self.created + number) for number in range(1, len(wanted) - len(ids) + 1)]
        self.created += len(wanted)
        return [self.scene.activity(*pair) for pair in zip(ids, wanted, strict=True)]

    def existing(self, chosen: Sequence[int]) -> list[UUID]:
        ids = [row[0] for row in self.writer.execute("select id from public.activities order by id")]
        return sorted({ids[number % len(ids)] for number in chosen}) if ids else []

    @rule(wanted=st.lists(drafts, min_size=1, max_size=6))
    def insert(self, wanted: list[Draft]) -> None:
        with operations.unless_the_day_is_full(self.writer):
            operations.insert(self.writer, self.rows(wanted))

    @rule(wanted=st.lists(drafts, min_size=1, max_size=9))
    def copy(self, wanted: list[Draft]) -> None:
        with operations.unless_the_day_is_full(self.writer):
            operations.copy(self.writer, self.rows(wanted))

    @rule(wanted=st.lists(drafts, min_size=1, max_size=5), overwritten=picks)
    def upsert(self, wanted: list[Draft], overwritten: list[int]) -> None:
        with operations.unless_the_day_is_full(self.writer):
            operations.upsert(self.writer, self.rows(wanted, overwritten))

    @rule(wanted=st.lists(drafts, min_size=1, max_size=5), overwritten=picks)
    def merge(self, wanted: list[Draft], overwritten: list[int]) -> None:
        rows = self.rows(wanted, overwritten)
        operations.withdraw_expenses(self.writer, [row.id for row in rows])
        with operations.unless_the_day_is_full(self.writer):
            operations.merge(self.writer, rows)

    @rule(deleted=picks, longer=picks, wanted=st.lists(drafts, min_size=1, max_size=3))
    def replace(self, deleted: list[int], longer: list[int], wanted: list[Draft]) -> None:
        gone = self.existing(deleted)
        kept = [activity for activity in self.existing(longer) if activity not in gone]
        with operations.unless_the_day_is_full(self.writer):
            operations.replace(self.writer, gone, kept, self.rows(wanted))

    @rule(chosen=picks, column=st.sampled_from(EDITABLE), like=drafts)
    def edit(self, chosen: list[int], column: str, like: Draft) -> None:
        wanted = self.scene.activity(UUID(int=0), like)
        with operations.unless_the_day_is_full(self.writer):
            operations.edit(self.writer, self.existing(chosen), column, wanted)

    @rule(chosen=picks, mentor=small)
    def reassign(self, chosen: list[int], mentor: int) -> None:
        with operations.unless_the_day_is_full(self.writer):
            operations.reassign(self.writer, self.existing(chosen), self.scene.mentors[mentor % 3])

    @rule(chosen=picks)
    def delete(self, chosen: list[int]) -> None:
        operations.delete(self.writer, self.existing(chosen))

    @rule(chosen=picks, amount=st.integers(1, 500), status=decisions)
    def claim_expense(self, chosen: list[int], amount: int, status: str) -> None:
        operations.claim_expense(self.writer, self.existing(chosen), amount)
        operations.decide_expenses(self.writer, self.existing(chosen), status)

    @rule(chosen=picks, status=decisions)
    def decide_expenses(self, chosen: list[int], status: str) -> None:
        operations.decide_expenses(self.writer, self.existing(chosen), status)

    @rule(chapter=small, region=st.integers(0, 1))
    def move_chapter(self, chapter: int, region: int) -> None:
        operations.move_chapter(self.writer, self.scene.chapters[chapter], self.scene.regions[region])
