# turnwise with all that it needs, for one process of any kind: `serve` (the default), `api`, `worker`, `migrate`, `keys`.
#
#   docker build --tag turnwise .
#   docker run --publish 127.0.0.1:8787:8787 --volume turnwise:/data turnwise serve --insecure
#
# What is kept is in /data. docs/guides/many-machines.md tells of several processes.
ARG PYTHON=3.11

FROM python:${PYTHON}-slim-bookworm AS build
RUN python -m venv /opt/turnwise
WORKDIR /build
COPY requirements/all.txt requirements/all.txt
RUN /opt/turnwise/bin/pip install --no-cache-dir --require-hashes --requirement requirements/all.txt
COPY pyproject.toml README.md LICENSE ./
COPY src src
RUN /opt/turnwise/bin/pip install --no-cache-dir --no-deps --no-build-isolation .

FROM python:${PYTHON}-slim-bookworm
# libgomp: the embedded engine's threads.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends libgomp1 \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --uid 10001 --home-dir /data --no-create-home turnwise \
    && install --directory --owner=turnwise --group=turnwise --mode=0700 /data
COPY --from=build /opt/turnwise /opt/turnwise
ENV PATH=/opt/turnwise/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    TURNWISE_DATA_DIR=/data \
    TURNWISE_HOST=0.0.0.0
USER 10001:10001
WORKDIR /data
VOLUME /data
EXPOSE 8787
# A worker listens only if it is told to: `worker --port 8787`. The first start may have to fetch weights.
HEALTHCHECK --interval=10s --timeout=5s --start-period=5m --retries=3 CMD ["python", "-c", \
    "import http.client, sys; c = http.client.HTTPConnection('127.0.0.1', 8787, timeout=4); c.request('GET', '/readyz'); sys.exit(c.getresponse().status != 200)"]
ENTRYPOINT ["turnwise"]
CMD ["serve"]
