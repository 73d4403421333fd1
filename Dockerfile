# The production image: what requirements-production.lock names and the sources. No PostgreSQL, broker or mailbox of its own.
FROM python:3.13-slim AS libraries
WORKDIR /build
COPY requirements-production.lock .
RUN python -m venv /opt/seminars \
 && /opt/seminars/bin/pip install --no-cache-dir --require-hashes -r requirements-production.lock

FROM python:3.13-slim AS production
RUN useradd --system --uid 10001 --home-dir /srv/seminars seminars \
 && install --directory --owner seminars --group seminars /srv/seminars /var/lib/seminars
COPY --from=libraries /opt/seminars /opt/seminars
WORKDIR /srv/seminars
COPY seminars seminars
COPY workers workers
COPY templates templates
ENV PATH=/opt/seminars/bin:$PATH PYTHONPATH=/srv/seminars PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 VAR_DIR=/var/lib/seminars
USER seminars
ENTRYPOINT ["python", "-m", "seminars.cli"]
CMD ["run", "web", "--host", "0.0.0.0"]

# With the mailbox, for trying things out.
FROM production AS local
USER root
COPY requirements.lock /build/requirements.lock
RUN pip install --no-cache-dir --require-hashes -r /build/requirements.lock
USER seminars
