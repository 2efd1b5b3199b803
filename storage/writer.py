"""SQLite's one writer: what waits at the same time is committed together, and waits for the disk once."""

import contextvars
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlmodel import Session

S = TypeVar("S")
T = TypeVar("T")
_TOGETHER: Final = 32
"""Units in one commit; the first of them waits for the last."""


def within(opened: Callable[[], AbstractContextManager[S]], work: Callable[[S], T]) -> T:
    """Do ``work`` with what is opened for it alone."""
    with opened() as held:
        return work(held)


@dataclass(slots=True)
class _Job:
    work: Callable[[Session], Any]
    future: Future[Any] = field(default_factory=Future)
    context: contextvars.Context = field(default_factory=contextvars.copy_context)


class Writer:
    """Units that wait for their turn. Each is done or undone by itself, and told done after the commit."""

    def __init__(self, engine: Engine, alone: Callable[[], AbstractContextManager[Session]]) -> None:
        """:param alone: gives a unit's session in a transaction of its own."""
        self._engine = engine
        self._alone = alone
        self._waiting: deque[_Job] = deque()

    def put(self, work: Callable[[Session], T]) -> Future[T]:
        """Let a unit wait; its result, or what it raised. The thread is then to call :meth:`drain`."""
        job = _Job(work)
        self._waiting.append(job)
        return job.future

    def drain(self, turn: AbstractContextManager[Any]) -> None:
        """Do what waits now. Several calls for as many units are fine: the first may do all."""
        jobs = [self._waiting.popleft() for _ in range(min(len(self._waiting), _TOGETHER))]
        jobs = [job for job in jobs if job.future.set_running_or_notify_cancel()]
        if len(jobs) == 1:
            self._do_alone(jobs[0])
        elif jobs:
            with turn:
                self._do_together(jobs)

    def _do_alone(self, job: _Job) -> None:
        try:
            result = job.context.run(within, self._alone, job.work)
        except BaseException as error:  # noqa: BLE001 - it is raised where the result is waited for
            job.future.set_exception(error)
        else:
            job.future.set_result(result)

    def _do_together(self, jobs: list[_Job]) -> None:
        outcomes: list[tuple[_Job, Any, BaseException | None]] = []
        try:
            with self._engine.connect() as connection, connection.begin():
                for job in jobs:
                    # A savepoint of its own: what one unit leaves undone does not touch the others.
                    session = Session(
                        connection, expire_on_commit=False, join_transaction_mode="create_savepoint"
                    )
                    try:
                        with session:
                            result = job.context.run(job.work, session)
                            session.commit()
                    except DBAPIError as error:
                        if not isinstance(error, IntegrityError):
                            raise  # the disk is full, or the like: SQLite may have undone all of it
                        outcomes.append((job, None, error))
                    except BaseException as error:  # noqa: BLE001 - raised where the result is waited for
                        outcomes.append((job, None, error))
                    else:
                        outcomes.append((job, result, None))
        except BaseException as error:  # noqa: BLE001 - raised where the results are waited for
            outcomes = [(job, None, error) for job in jobs]
        for job, result, failure in outcomes:
            if failure is None:
                job.future.set_result(result)
            else:
                job.future.set_exception(failure)
