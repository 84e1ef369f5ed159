# The service alone, without authmatch_local (local engines, made-up data): its packages pinned with their hashes, no build tools, not as root.
FROM python:3.12-slim@sha256:57cd7c3a7a273101a6485ba99423ee568157882804b1124b4dd04266317710de AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
WORKDIR /build
RUN python -m venv /opt/authmatch && python -m venv /opt/builder
# What reads health data has no more packages than it needs: those that send telemetry are asked for.
ARG LOCK=requirements-service.lock
COPY requirements-service.lock requirements-otel.lock requirements-build.lock ./
RUN /opt/authmatch/bin/pip install --require-hashes -r "$LOCK" \
 && /opt/builder/bin/pip install --require-hashes -r requirements-build.lock
COPY pyproject.toml README.md LICENSE ./
COPY service service
COPY docs/examples/api.json docs/examples/api.json
COPY queries queries
COPY access access
COPY es_templates es_templates
RUN /opt/builder/bin/pip wheel --no-deps --no-build-isolation --wheel-dir dist . \
 && /opt/authmatch/bin/pip install --no-deps --no-index dist/*.whl \
 && /opt/authmatch/bin/pip uninstall --yes pip

FROM python:3.12-slim@sha256:57cd7c3a7a273101a6485ba99423ee568157882804b1124b4dd04266317710de
RUN useradd --system --uid 10001 --no-create-home --shell /usr/sbin/nologin authmatch
COPY --from=build /opt/authmatch /opt/authmatch
ENV PATH=/opt/authmatch/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
USER 10001:10001
WORKDIR /tmp
EXPOSE 8080
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 \
  CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8080/health/live', timeout=4)"]
CMD ["authmatch", "serve", "--host", "0.0.0.0", "--port", "8080"]
