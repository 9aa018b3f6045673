"""/api/v1/jobs: how an upload is doing, as JSON or as events; cancel and retry."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

from flask import jsonify
from flask_openapi.blueprint import APIBlueprint
from flask_openapi.models.tag import Tag

from ingest.pipeline.jobs import Jobs
from rag.types import JobStatus
from web import errors, sse
from web import serializers as values
from web.api.schemas import JobPath
from web.api.uploads import RETRY, given_password
from web.serializers import Reply

TAG = Tag(name="jobs", description="Uploads under way.")
POLL_SECONDS = 0.3
REPEAT_SECONDS = 10.0


def jobs_blueprint(jobs: Jobs) -> APIBlueprint:
    """The routes of jobs."""
    api = APIBlueprint("jobs", __name__, url_prefix=f"{values.PREFIX}/jobs", abp_tags=[TAG])

    @api.get("/<string:job_id>", summary="How a job is doing")
    def read(path: JobPath) -> Reply:
        return jsonify(values.job(jobs.get(path.job_id)))

    @api.get("/<string:job_id>/events", summary="The same as server-sent events, until it ends")
    def events(path: JobPath) -> Reply:
        jobs.get(path.job_id)
        return sse.stream(_changes(jobs, path.job_id), errors.describer())

    @api.post("/<string:job_id>/cancel", summary="Stop what is not finished")
    def cancel(path: JobPath) -> Reply:
        return jsonify(values.job(jobs.cancel(path.job_id)))

    @api.post("/<string:job_id>/retry", summary="Try again what failed or was cancelled", request_body=RETRY)
    def retry(path: JobPath) -> Reply:
        return jsonify(values.job(jobs.retry(path.job_id, password=given_password())))

    return api


def _changes(jobs: Jobs, job_id: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """A `job` event at once, after each change and every `REPEAT_SECONDS`; `done` with the last state ends it."""
    last = None
    sent = 0.0
    while True:
        job = jobs.get(job_id)
        body = values.job(job)
        ended = job.status not in (JobStatus.QUEUED, JobStatus.RUNNING)
        # now and then although nothing changed, for only a yield notices that the client is gone
        # the rate and the time left change all the while
        state = {name: value for name, value in body.items() if name not in ("rate", "eta_seconds")}
        if state != last or ended or time.monotonic() - sent > REPEAT_SECONDS:
            yield ("done" if ended else "job"), body
            sent = time.monotonic()
        if ended:
            return
        last = state
        time.sleep(POLL_SECONDS)
